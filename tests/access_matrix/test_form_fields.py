"""A form takes what it shows and nothing else: whoever adds fields to it leaves every row as it would be without them.

Each form of the console and the administration that writes rows is sent as somebody fills it in, and once more with
every other column of the rows it is about, and of whoever sends it; a third of the forms in a run (`share.py`). What
is drawn anew every time (a key, a webhook's secret) is left out of the comparison.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import models
from django.test import Client

from mendline.access.models import Person, Token
from mendline.channels.models import Webhook
from mendline.journal.models import Entry
from mendline.network.models import Capacity, Product, ProductLine, Upload
from mendline.orders.models import Record, RepairOrder
from mendline.process.models import CalendarDay
from mendline.sim.faults.calls import at_time
from mendline.sim.faults.rows import Rows
from mendline.web.admin.people_pages import PersonForm
from mendline.web.models import SavedView
from tests.access_matrix.cast import NOW, Cast
from tests.access_matrix.share import TURN, WHOLE
from tests.access_matrix.valid_bodies import columns_of, taken_back

pytestmark = pytest.mark.django_db
KEPT_ANSWER = " orders_idempotencykey "  # holds a digest of what was sent, which is another one every time
# Drawn: the password of somebody who has none yet, a secret, and the numbers by which the history calls them.
DRAWN = re.compile(r'(?<="password":"!)[^"]*|(?<="secret":")[^"]*|(?<="person:)\d+|(?<="token:)\d+|(?<="webhook:)\d+')
ORDER = {
    "customer.name": "王先生", "customer.phone": "138 1234 5678", "product": "desktop", "area": "110108",
    "address": "上地信息路2号", "fault": "开机黑屏", "service_mode": "on_site",
}  # fmt: skip
LI = {"name": "李雷", "role": "region_interface", "region": "north", "station_no": "", "phone": "", "email": ""}
LINE = {"code": "notebook", "name_zh": "笔记本", "name_en": "Notebook", "channel": "desktop_repair"}
PRODUCT = {"code": "t14", "name_zh": "小黑", "name_en": "T14", "line": "desktop"}
DAY = {"day": "2027-12-30", "works": "off", "name": "公司年会", "provisional": "on"}
LOOKS = {"part": "looks", "language": "en", "theme": "", "zone": ""}
NOTICES = {"part": "notices", "quiet_from": "22:00", "quiet_until": "06:00", "digest_at": ""}
SEATS = {"per_day": "7", "first": "2027-03-01", "last": "2027-03-05", "reason": "两位工程师休假"}
KEY = {"name": "对接", "username": "cc_agent", "scopes": "read", "days": "30"}
HOOK = {"url": "https://example.org/hook", "events": "order.cancel"}
VERDICT = {"revision": "0", "verdict_note": "用户仍要维修"}
SUBJECT = (RepairOrder, Record)


@dataclass(frozen=True, slots=True)
class Form:
    """One form as it is filled in. `things` are its row and those above it; `ticket` is where its page is."""

    role: str
    path: str
    filled_in: Mapping[str, str]
    things: tuple[type[models.Model], ...]
    ticket: str = ""
    sends: str = ""  # the field of a file: the table of the network as it is handed out


FORMS = {
    "report": Form("cc_agent", "/intake/", ORDER, SUBJECT, ticket="/intake/"),
    "step": Form("station_coordinator", "/steps/{order}/download/", {"revision": "0"}, SUBJECT),
    "view": Form("cc_agent", "/queue/views/", {"name": "我的", "query": ""}, (SavedView,)),
    "looks": Form("station_coordinator", "/settings/", LOOKS, (Person,)),
    "notices": Form("station_coordinator", "/settings/", NOTICES, (Person,)),
    "add a person": Form("admin", "/admin/people/add/", {"username": "li.lei", **LI}, (Person,)),
    "change a person": Form("admin", "/admin/people/{person}/", {"username": "cc_agent", **LI}, (Person,)),
    "add a line": Form("admin", "/admin/products/lines/add/", LINE, (ProductLine,)),
    "change a line": Form("admin", "/admin/products/lines/desktop/", {**LINE, "code": "desktop"}, (ProductLine,)),
    "add a product": Form("admin", "/admin/products/add/", PRODUCT, (Product,)),
    "verdict": Form("region_interface", "/steps/{wish}/refuse/", VERDICT, SUBJECT),
    "capacity": Form("station_coordinator", "/network/capacity/000001/desktop/", SEATS, (Record, Capacity)),
    "issue a key": Form("admin", "/admin/tokens/issue/", KEY, (Token,)),
    "add a webhook": Form("admin", "/admin/webhooks/add/", HOOK, (Webhook,)),
    "import": Form("channel_management", "/network/import/", {}, (Upload,), sends="table"),
    "a holiday": Form("admin", "/admin/calendar/add/", DAY, (CalendarDay,)),
}


class Sender:
    """Whoever fills in a form, signed in once: the moment of that stands in his row."""

    def __init__(self, cast: Cast, form: Form) -> None:
        self._client = Client(headers={"accept-language": "zh-hans"})
        backend = "allauth.account.auth_backends.AuthenticationBackend"
        self._client.force_login(cast.people[form.role], backend=backend)
        order, wish = cast.mine["order"], cast.mine["cancellation_request"]
        self._path = form.path.format(order=order, wish=wish, person=cast.people["cc_agent"].pk)
        self._file = form.sends
        self._table = self._client.get("/network/export.xlsx").content if form.sends else b""
        self._rows = Rows()

    def page(self, path: str) -> str:
        return self._client.get(path).content.decode()

    def told(self, said: Mapping[str, str]) -> tuple[int, list[str]]:
        """Send the form and take back what it does; return the answer and what became of all rows."""
        with taken_back(), at_time(NOW):
            before, keys = self._rows.now(), set(Token.objects.values_list("pk", flat=True))
            file = {self._file: SimpleUploadedFile("表.xlsx", self._table)} if self._file else {}
            answer = self._client.post(self._path, {**said, **file})
            effect = (*self._rows.since(before).effect(), *_new_keys(keys))
        return answer.status_code, [DRAWN.sub("", line) for line in effect if KEPT_ANSWER not in line]


def _new_keys(known: set[int]) -> list[str]:
    """Return the rows of new keys, which `Rows` leaves out, without their digest."""
    rows = Token.objects.exclude(pk__in=known).values("person_id", "name", "scopes", "expires_at", "revoked_at")
    return [f"+ access_token {row}" for row in rows]


def smuggled(form: Form, shown: Container[str]) -> dict[str, str]:
    """Return every column that the form does not show: of its rows, of the history, and of the person who sends it."""
    columns = {**columns_of(*form.things), **columns_of(Entry), **columns_of(Person)}
    given = {f"given.{name}": value for name, value in columns_of(*SUBJECT).items()}
    return {name: str(value) for name, value in {**given, **columns}.items() if name not in shown}


def wrongly_taken(cast: Cast, form: Form) -> list[str]:
    """Return the answer and the rows that are others with those columns than without."""
    sender, ticket, shown = Sender(cast, form), {}, set(form.filled_in)
    if form.ticket:
        page = sender.page(form.ticket)
        shown |= set(re.findall(r' name="([^"]+)"', page))
        ticket = {"ticket": re.findall(r'name="ticket" value="([^"]+)"', page)[0]}
    status, meant = sender.told({**form.filled_in, **ticket})
    assert status in (200, 302) and meant, f"{form.path}: {status}, and {len(meant)} rows"
    also, became = sender.told({**smuggled(form, shown), **form.filled_in, **ticket})
    return [*([f"{also} instead of {status}"] if also != status else []), *sorted(set(became) ^ set(meant))]


@pytest.mark.parametrize("name", [name for place, name in enumerate(FORMS) if WHOLE or place % 3 == TURN % 3])
def test_what_a_form_does_not_show_is_not_taken(cast: Cast, name: str) -> None:
    assert wrongly_taken(cast, FORMS[name]) == []


def test_control_a_form_that_takes_a_right_it_does_not_show_is_found(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_for = PersonForm.data_given

    def and_more(form: PersonForm) -> Any:
        if "is_superuser" in form.data:
            Person.objects.filter(username=form.data["username"]).update(is_superuser=True)
        return asked_for(form)

    monkeypatch.setattr(PersonForm, "data_given", and_more)

    wrong = wrongly_taken(cast, FORMS["change a person"])

    assert [line[:15] for line in wrong] == ["+ access_person", "+ access_person"]
