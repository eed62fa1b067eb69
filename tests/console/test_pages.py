"""Every page opens for whom it is meant, in both languages, and looks absent to the others."""

from __future__ import annotations

import gzip
import re

import pytest
from django.test import Client

from tests.console.conftest import PLACES, SignIn
from tests.make import a_report

PAGES = (
    "/queue/",
    "/search/",
    "/search/?q=王",
    "/notices/",
    "/procedures/",
    "/rules/",
    "/procedures/unified_repair/3/",
)
FOR_SOME = {
    "/intake/": {"cc_agent", "region_interface", "station_coordinator"},
    "/inbox/": {
        "region_interface", "region_channel_specialist", "hq_interface", "channel_management", "service_support_dept",
        "admin",
    },
    "/callbacks/": {"cc_agent", "info_support_dept", "admin"},
}  # fmt: skip


@pytest.mark.parametrize("role", PLACES)
def test_every_role_begins_on_a_page_of_its_own(signed_in: SignIn, role: str) -> None:
    answer = signed_in(role).get("/", follow=True)

    assert answer.status_code == 200
    assert answer.redirect_chain and "login" not in answer.redirect_chain[-1][0]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_a_page_opens_in_both_languages(signed_in: SignIn, page: str, language: str) -> None:
    a_report()
    answer = signed_in("region_interface", language=language).get(page)

    assert answer.status_code == 200
    assert ('<html lang="en"' in answer.content.decode()) == (language == "en")


@pytest.mark.parametrize("page", FOR_SOME)
def test_a_page_of_another_role_looks_absent(signed_in: SignIn, page: str) -> None:
    for role in PLACES:
        assert signed_in(role).get(page).status_code == (200 if role in FOR_SOME[page] else 404), role


def test_nobody_looks_in_without_signing_in(network: None) -> None:
    order = a_report()

    for page in ("/", *PAGES, *FOR_SOME, f"/orders/{order.ref}/"):
        answer = Client().get(page)
        assert answer.status_code == 302 and answer["Location"].startswith("/accounts/login/"), page


@pytest.mark.parametrize("page", ["/accounts/login/", "/accounts/logout/", "/accounts/2fa/", "/no/such/page/"])
def test_pages_of_the_account_open(signed_in: SignIn, page: str) -> None:
    expected = 404 if "such" in page else 200
    client = Client() if "login" in page else signed_in("cc_agent")

    assert client.get(page).status_code == expected


def test_no_chinese_page_shows_an_english_sentence(signed_in: SignIn) -> None:
    order = a_report()
    client = signed_in("station_coordinator")

    for page in (
        "/queue/",
        "/notices/",
        "/requests/",
        "/intake/",
        "/search/",
        f"/orders/{order.ref}/",
        "/accounts/2fa/",
    ):
        words = _words_of(client.get(page).content.decode())
        english = re.findall(r"[A-Za-z]{2,}(?: [A-Za-z]{2,}){2,}", words)
        assert not english, (page, english)


def test_no_page_carries_an_inline_style_or_script(signed_in: SignIn) -> None:
    order = a_report()

    for page in (*PAGES, f"/orders/{order.ref}/", "/inbox/", "/intake/"):
        text = signed_in("region_interface").get(page).content.decode()
        assert not re.search(r"<style|\sstyle=|<script(?![^>]*\bsrc=)|\son[a-z]+=", text), page


def _words_of(page: str) -> str:
    """What people read: no tags, no values of attributes but titles and labels."""
    titles = " ".join(re.findall(r'(?:title|aria-label|placeholder)="([^"]*)"', page))
    return re.sub(r"<[^>]+>", "\n", page) + titles


@pytest.mark.parametrize("file", ["console.js", "styles.css", "charts.js", "icons.svg", "geo/china.json"])
def test_scripts_styles_and_shapes_travel_compressed(client: Client, file: str) -> None:
    plain = client.get(f"/static/dist/{file}")
    compressed = client.get(f"/static/dist/{file}", headers={"accept-encoding": "gzip"})

    assert compressed.headers["Content-Encoding"] == "gzip"
    sent = b"".join(compressed.streaming_content)  # type: ignore[attr-defined]
    whole = b"".join(plain.streaming_content)  # type: ignore[attr-defined]
    assert gzip.decompress(sent) == whole and len(sent) < len(whole) / 2
