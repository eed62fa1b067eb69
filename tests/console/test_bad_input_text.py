"""Text that is more than text: markup, formulas, marks that turn a line around, ten thousand characters."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from mendline.access.models import Person
from mendline.channels.email.adapter import compose
from mendline.channels.legacy.exports import as_csv, as_workbook, export_orders
from mendline.contact.ports import Message
from mendline.journal.models import Outgoing
from mendline.kernel.errors import Invalid
from mendline.kernel.text import Text
from mendline.orders import store
from mendline.orders.models import RepairOrder
from mendline.web.print.pages import html_of
from tests.console.bad_world import a_client, a_world, addresses_of, console_routes, no_paper
from tests.console.conftest import PLACES, SignIn
from tests.make import a_report, an_actor, do

__all__ = ["no_paper"]  # a fixture

SCRIPT = "</textarea></td><script>alert('x')</script><img src=x onerror=alert(1)>\"' onfocus=alert(2) {{7*7}}"
ARABIC = "اسم 138 طويل"
FORMULA = '=HYPERLINK("http://x.invalid/?"&A1,"看")'
HELD = re.compile("\u2068[^\u2068]*اسم[^\u2068]*\u2069")  # within a sentence, by marks
UNSEEN = ("\u202e", "\u2066", "\u200f", "\u200b", "\u2060", "\ufeff", "\u00ad", "\u3164", "\x07", "\x85", "\U000e0041")


class Elements(HTMLParser):
    """Every element of a page with its attributes, and every text with what it stands in."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, list[tuple[str, dict[str, str | None]]]]] = []
        self._open: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    VOID = frozenset({"meta", "link", "input", "img", "br", "hr", "use", "path", "circle", "line", "rect"})

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self._open.append((tag, dict(attrs)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        while self._open and any(name == tag for name, _ in self._open):
            if self._open.pop()[0] == tag:
                return

    def handle_data(self, data: str) -> None:
        self.texts.append((data, list(self._open)))


def pages(refs: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the address and the text of every page that anybody may open, each as the first role that may."""
    clients = {role: a_client(role, **place) for role, place in PLACES.items()}
    queries = {
        "queue/": ["", "?show=all"], "search/": ["?q=WX", "?q=13800000001"], "palette/": ["?q=13800000001"],
        "queue/rows/": [f"?ref={refs['late']}"], "inbox/": ["?tab=late", "?tab=undispatched", "?tab=situations", ""],
        "stations/<str:number>/": ["?show=reported"],
    }  # fmt: skip
    for route in console_routes():
        if route.endswith(("print/", "replay/")):
            continue
        for address in addresses_of(route, refs):
            for query in queries.get(route, [""]):
                for client in clients.values():
                    answer = client.get(address + query)
                    if answer.status_code == 404:
                        continue  # another role may see it; what is no page for one is none for anybody
                    if answer.status_code in (200, 503) and answer["Content-Type"].startswith("text/html"):
                        yield address + query, answer.content.decode()
                    break


def is_harmless(elements: Elements) -> list[str]:
    """Return every element of a page that could run something it was given by a person."""
    bad = [f"<{tag} {given}>" for tag, given in elements.found if tag == "script" and not given.get("src")]
    bad += [
        f"<{tag} {name}>" for tag, given in elements.found for name in given
        if name.startswith("on") or (tag == "img" and given.get("src") == "x")
    ]  # fmt: skip
    return bad


def test_markup_told_by_people_is_text_on_every_page(network: None, no_paper: None) -> None:
    Person.objects.update(name=SCRIPT[:40])
    refs = a_world(name=SCRIPT[:60], address=SCRIPT, fault=SCRIPT, note=SCRIPT)
    shown, faults = 0, []
    for address, page in pages(refs):
        shown += "onerror=alert(1)" in page
        faults += [f"{address}: {fault}" for fault in is_harmless(Elements(page))]

    assert shown > 12  # it stands on the pages, as text
    assert not faults, "\n".join(faults[:20])


def test_markup_is_text_in_what_a_form_sends_back(signed_in: SignIn) -> None:
    given = {name: SCRIPT for name in ("customer.name", "customer.phone", "area", "address", "product", "serial_no")}
    answers = [
        signed_in("cc_agent").post("/intake/", {**given, "fault": SCRIPT, "line": SCRIPT, "ticket": SCRIPT}),
        signed_in("cc_agent").post("/intake/read/", {"line": f"13812345678 {SCRIPT} 北京市海淀区"}),
        signed_in("cc_agent").post("/intake/proposal/", {**given, "fault": SCRIPT}),
        signed_in("cc_agent").post("/intake/caller/", given),
        signed_in("station_coordinator").post("/queue/views/", {"name": SCRIPT, "query": SCRIPT}, follow=True),
        signed_in("station_coordinator").post("/queue/many/", {"do": "download", "ref": SCRIPT}),
    ]

    for answer in answers:
        assert answer.status_code in (200, 422)
        assert not is_harmless(Elements(answer.content.decode()))


def test_markup_is_text_on_paper(network: None) -> None:
    refs = a_world(name=SCRIPT[:60], address=SCRIPT, fault=SCRIPT)
    order = store.load(refs["promised"], actor=an_actor("station_coordinator"))
    elements = Elements(html_of(order, here="http://testserver"))

    assert not is_harmless(elements)
    assert any(SCRIPT in text for text, _ in elements.texts)


def test_a_formula_stays_text_in_both_files_that_leave_the_house(network: None) -> None:
    now = datetime.now(UTC)
    for sign in ("=", "+", "-", "@"):
        order = a_report(now=now, fault=FORMULA)
        do(order, "cancel", "cc_agent", now=now, cancel_reason="user_solved", requested_by="user",
           request_line="line_800", cancel_detail=f"{sign}cmd|' /C calc'!A0")  # fmt: skip
    rows = [{name: FORMULA for name in row} for row in export_orders(an_actor("cc_agent")).rows]
    table = csv.reader(io.StringIO(as_csv(rows).decode("utf-8-sig")))
    cells = [cell for row in list(table)[1:] for cell in row]

    assert len(cells) > 20
    assert all(cell == "'" + FORMULA for cell in cells)
    assert b"<f>" not in unzipped(as_workbook(rows))
    for row in export_orders(an_actor("cc_agent")).rows:
        assert not [cell for cell in row.values() if cell.startswith(("=", "@"))]


def unzipped(book: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(book)) as parts:
        return b"".join(parts.read(name) for name in parts.namelist() if "sheet" in name)


def test_a_mail_takes_no_header_and_no_second_recipient_from_what_people_wrote(network: None) -> None:
    a_report(now=datetime.now(UTC), fault=f"坏了\nBcc: x@example.org\n\n{SCRIPT}")
    for row in Outgoing.objects.all():
        text = Text(str(row.data["zh"]), str(row.data["en"]))
        message = Message(row.pk, row.key, row.at, row.subject, row.notice, "a@example.org", text, {})
        assert "\n" not in compose(message).subject
        mail = compose(message).message()
        assert mail["Bcc"] is None and mail["To"] == "a@example.org"
        assert mail.get_content_type() == "text/plain"  # nothing in it is drawn as a page
    assert Outgoing.objects.exists()


# --- what nobody sees --------------------------------------------------------------------------------------


@pytest.mark.parametrize("sign", UNSEEN, ids=lambda sign: f"U+{ord(sign):04X}")
def test_a_sign_that_nobody_sees_is_refused_by_name(network: None, sign: str) -> None:
    with pytest.raises(Invalid) as refusal:
        a_report(fault=f"开机{sign}黑屏")

    assert f"U+{ord(sign):04X}" in refusal.value.fields["fault"].zh


def test_a_form_comes_back_without_what_nobody_sees_and_says_so(signed_in: SignIn) -> None:
    order = a_report(now=datetime.now(UTC))
    station = signed_in("station_coordinator")
    form = {"contact_outcome": "busy", "contact_note": "下午\u202e再打\u200b"}

    page = station.post(f"/steps/{order.ref}/log_contact/", form).content.decode()
    assert "U+202E, U+200B" in page and "已经去掉" in page
    assert ">下午再打</textarea>" in page

    again = station.post(f"/steps/{order.ref}/log_contact/", {**form, "contact_note": "下午再打"})
    assert again.status_code == 302


def test_a_text_of_the_other_direction_turns_nothing_beside_it_around(network: None, no_paper: None) -> None:
    refs = a_world(name=ARABIC, address=ARABIC, fault=ARABIC, note=ARABIC)
    bare: list[str] = []
    isolated = 0
    for address, page in pages(refs):
        for text, within in Elements(page).texts:
            if "اسم" not in text or any(tag in ("script", "title", "textarea", "option") for tag, _ in within):
                continue
            holds = any(tag == "bdi" or given.get("dir") == "auto" for tag, given in within) or HELD.search(text)
            isolated += bool(holds)
            bare += [] if holds else [f"{address}: {text.strip()[:60]} in {within[-1]}"]

    assert isolated > 12
    assert not bare, "\n".join(dict.fromkeys(bare))


def test_a_text_of_the_other_direction_stays_in_its_cell_on_paper(network: None) -> None:
    refs = a_world(name=ARABIC, address=ARABIC, fault=ARABIC)
    order = store.load(refs["promised"], actor=an_actor("station_coordinator"))
    texts = Elements(html_of(order, here="http://testserver")).texts

    held = [any(tag == "bdi" for tag, _ in within) for text, within in texts if "اسم" in text]
    assert len(held) == 3 and all(held)


def test_a_field_takes_the_direction_of_what_is_typed(signed_in: SignIn) -> None:
    page = signed_in("cc_agent").get("/intake/").content.decode()
    typed = [given for tag, given in Elements(page).found
             if given.get("name") in ("customer.name", "address", "fault", "line")]  # fmt: skip

    assert len(typed) == 4
    assert all(given.get("dir") == "auto" for given in typed)


# --- too much ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["customer.name", "address", "serial_no", "fault", "customer.phone"])
def test_ten_thousand_characters_are_refused_in_words_and_the_rest_stays(signed_in: SignIn, field: str) -> None:
    agent = signed_in("cc_agent")
    page = agent.get("/intake/").content.decode()
    ticket = re.search(r'name="ticket" value="([^"]+)"', page)
    assert ticket
    given = {
        "customer.name": "王先生", "customer.phone": "13812345678", "product": "desktop", "area": "110108",
        "address": "上地信息路2号", "fault": "开机黑屏", "service_mode": "on_site", "ticket": ticket[1],
    }  # fmt: skip

    answer = agent.post("/intake/", {**given, field: "1" * 10_000})
    assert answer.status_code == 422
    assert ("个字，现在有 10000 个" in answer.content.decode()) or field == "customer.phone"
    assert not RepairOrder.objects.unscoped("a test looks").exists()


def test_a_longest_possible_name_is_kept_whole(network: None) -> None:
    order = a_report(customer={"name": "长" * 60, "phone": "13800000001"})

    assert order.facts["customer"]["name"] == "长" * 60


def test_a_body_of_many_megabytes_is_refused_and_not_read(signed_in: SignIn) -> None:
    answer = signed_in("cc_agent").post("/intake/", {"fault": "长" * 3_000_000})

    assert answer.status_code in (400, 413)


def test_what_was_typed_into_the_search_is_shown_as_text_and_cut(signed_in: SignIn) -> None:
    page = signed_in("cc_agent").get("/search/", {"q": SCRIPT * 20}).content.decode()

    assert not is_harmless(Elements(page))
    assert "输入太长" in page
