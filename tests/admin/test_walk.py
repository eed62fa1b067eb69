"""Every page of the administration: for whom it is there, in one language at a time, under the console's policy."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from mendline.access import tokens
from mendline.access.models import Person
from mendline.access.people import PersonData, add_person, change_person
from mendline.channels.webhook.actions import add_webhook
from mendline.contact.resending import send_again
from mendline.journal.models import Outgoing
from mendline.network.products import LineData, change_line
from mendline.process.calendar_days import DayData, set_day
from mendline.web.admin.urls import urlpatterns
from tests.console.conftest import PLACES, SignIn
from tests.console.test_bad_input_addresses import VALUES, fault_of
from tests.make import MONDAY_NINE, a_report

pytestmark = pytest.mark.django_db

ADMIN_ONLY = ("people", "tokens", "webhooks", "outbox")
SHARED = ("roles", "calendar", "products", "texts", "audit")
# What stands in Latin letters on a Chinese page: names of rules and things, and what people or machines typed.
ALLOWED = re.compile(
    r"Mendline|mendline worker|English|Excel|[A-Z]{3}-\d\d|[A-Z]{2}\d{6}-\w+|T3\d?|V\d|CC|WEB|POST|https?://[\w./-]*|UTC|"
    r"\b(chief|li|bridge|example|desktop|WX1|XX|admin|cc_agent)\b|[\w.*-]+@[\w.]+"
)


class Words(HTMLParser):
    """Collects what people read and hear; parts that say they are English are left out."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        silent = tag in ("script", "style") or known.get("lang") == "en" or any(hidden for _, hidden in self._open)
        if tag not in ("meta", "link", "input", "br", "img", "hr", "use"):
            self._open.append((tag, silent))
        if not silent and known.get("class") != "rule-id":  # a rule's sentence quotes prescribed wordings
            names = ("aria-label", "title", "placeholder", "alt", "data-label", "data-ask")
            self.found += [known[name] or "" for name in names if name in known]

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not any(hidden for _, hidden in self._open):
            self.found.append(data)


def words_of(html: str) -> list[str]:
    parser = Words()
    parser.feed(html)
    return [text.strip() for text in parser.found if text.strip()]


@pytest.fixture
def pages(network: None) -> list[str]:
    """Some of everything; returns the address of every page of the administration."""
    chief = Person.objects.create(username="chief", name="主管", role="admin").as_actor("admin")
    data = PersonData("li", "李明", "station_coordinator", station_no="000001", email="li@example.com")
    li = add_person(data, actor=chief, now=MONDAY_NINE)
    moved = PersonData("li", "李明", "station_engineer", station_no="000002", email="li@example.com")
    change_person(li.pk, moved, actor=chief, now=MONDAY_NINE)
    tokens.issue(li, "接口 bridge", actor=chief, now=MONDAY_NINE)
    hook = add_webhook("https://example.com/", ["order.report"], now=MONDAY_NINE, actor=chief)
    set_day(DayData(MONDAY_NINE.date(), True, "调休", True), actor=chief, now=MONDAY_NINE)
    change_line(LineData("desktop", "台式电脑", "Desktop", "desktop_repair"), actor=chief, now=MONDAY_NINE)
    a_report()
    delivery = Outgoing.objects.get(channel="webhook")
    Outgoing.objects.filter(pk=delivery.pk).update(state="failed", error="对方没有应答", next_try_at=None)
    send_again(delivery.pk, actor=chief, now=MONDAY_NINE)
    Outgoing.objects.filter(pk=delivery.pk).update(state="failed", error="对方没有应答", next_try_at=None)
    names: dict[str, object] = {
        "person_id": li.pk, "token_id": 1, "webhook_id": hook.pk, "when": "2026-03-02", "outgoing_id": delivery.pk,
    }  # fmt: skip
    posted = {"person_step", "revoke_token", "remove_day", "stop_webhook", "send_again"}
    codes = {"role": "station_coordinator", "line": "desktop", "product": "desktop"}
    found = []
    for pattern in urlpatterns:
        if pattern.name not in posted:
            needs = pattern.pattern.converters
            given = {name: codes[str(pattern.name)] if name == "code" else names[name] for name in needs}
            found.append(reverse(f"admin:{pattern.name}", kwargs=given))
    return [*found, "/admin/audit/?since=2026-03-01&until=2026-03-03", "/admin/calendar/?year=2026"]


def test_every_page_opens_for_an_administrator_and_says_everything_in_chinese(
    pages: list[str], signed_in: SignIn
) -> None:
    client = signed_in("admin")
    strange = []
    for path in pages:
        answer = client.get(path)
        assert answer.status_code == 200, path
        said = words_of(answer.content.decode())
        strange += [f"{path}: {text[:80]}" for text in said if re.search(r"[A-Za-z]{2,}", ALLOWED.sub("", text))]
    assert not strange, "\n".join(dict.fromkeys(strange))


def test_every_page_says_everything_in_english_too(pages: list[str], signed_in: SignIn) -> None:
    client = signed_in("admin", language="en")
    own = re.compile(
        "统修|中文|李明|主管|台式电脑|台式机|调休|接口|对方没有应答|维修站\\d+|华北区|华东区|元旦|春节|清明节|劳动节|端午节|中秋节|国庆节|上班|、"
    )
    strange = []
    for path in pages:
        if "/calendar/" in path or "/texts/" in path:  # holidays have one name, and texts are shown in both languages
            continue
        said = words_of(client.get(path).content.decode())
        strange += [f"{path}: {text[:80]}" for text in said if re.search(r"[\u4e00-\u9fff]", own.sub("", text))]
    assert not strange, "\n".join(dict.fromkeys(strange))


@pytest.mark.parametrize("role", [role for role in PLACES if role not in ("admin", "process_owner")])
def test_for_other_roles_it_is_not_there(pages: list[str], signed_in: SignIn, role: str) -> None:
    client = signed_in(role)
    assert {client.get(path).status_code for path in pages} == {404}
    assert "/admin/" not in client.get("/settings/").content.decode()


def test_a_process_owner_finds_what_is_theirs_and_nothing_else(signed_in: SignIn) -> None:
    client = signed_in("process_owner")
    assert {client.get(f"/admin/{name}/").status_code for name in SHARED} == {200}
    assert {client.get(f"/admin/{name}/").status_code for name in ADMIN_ONLY} == {404}
    said = client.get("/admin/").content.decode()
    assert "/admin/audit/" in said and "/admin/people/" not in said


def test_strangers_are_asked_to_sign_in(pages: list[str]) -> None:
    for path in pages:
        answer = Client().get(path)
        assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, "/accounts/login/"), path


def test_its_pages_have_the_policy_of_the_console(signed_in: SignIn) -> None:
    client = signed_in("admin")
    policy = client.get("/admin/people/")["Content-Security-Policy"]
    assert policy == client.get("/settings/")["Content-Security-Policy"]
    assert "unsafe" not in policy
    said = client.get("/admin/people/").content.decode()
    assert "x-data" not in said and "style=" not in said and "<style" not in said


def test_nothing_is_changed_by_looking(pages: list[str], signed_in: SignIn) -> None:
    client = signed_in("admin")
    for name, path in (("revoke_token", "tokens/1/revoke"), ("off", "people/1/off"), ("again", "outbox/1/again")):
        assert client.get(f"/admin/{path}/").status_code == 405, name


def test_a_long_list_asks_no_more_than_a_short_one(
    signed_in: SignIn, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client = signed_in("admin")
    for number in range(40):
        person = Person.objects.create(username=f"p{number}", name="李明", role="cc_agent")
        tokens.issue(person, "接口")
    for path in ("/admin/people/", "/admin/tokens/", "/admin/roles/"):
        client.get(path)
        with django_assert_max_num_queries(12):
            client.get(path)


def test_pages_of_people_follow_each_other_without_a_gap(signed_in: SignIn) -> None:
    client = signed_in("admin")
    Person.objects.bulk_create(Person(username=f"p{number}", name="李明", role="cc_agent") for number in range(110))
    found: list[str] = []
    address: str | None = "/admin/people/?role=cc_agent"
    while address:
        answer = client.get(address)
        found += [str(row[1]) for row in answer.context["parts"][0]["table"]["rows"]]
        after = answer.context["next_after"]
        address = f"/admin/people/?role=cc_agent&after={after}" if after else None
    assert len(found) == len(set(found)) == 110


@pytest.mark.parametrize("page", [*ADMIN_ONLY, *SHARED])
def test_no_parameter_of_the_administration_edited_by_hand_breaks_a_page(page: str, signed_in: SignIn) -> None:
    client = signed_in("admin")
    names = ("after", "year", "day", "state", "role", "q", "kind", "since", "until", "person", "subject")
    broken = {
        said: fault
        for said, value in VALUES.items()
        if (fault := fault_of(client, reverse(f"admin:{page}"), {name: [value] for name in names}))
    }

    assert broken == {}
