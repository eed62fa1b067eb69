"""P13: what people typed is text on the pages of the administration, in its sheet, and in the picture of a procedure.

The console's pages, paper, mail and exports are looked at in tests/console/test_bad_input_text.py.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from mendline.access import tokens
from mendline.access.models import Person
from mendline.channels.webhook.models import Webhook
from mendline.journal.models import Entry, Outgoing
from mendline.kernel.text import Text
from mendline.network.models import Product, ProductLine
from mendline.process.diagram import svg
from mendline.process.loading import latest
from mendline.web.admin.audit_pages import written
from tests.console.conftest import SignIn
from tests.console.conftest import network as network
from tests.console.conftest import signed_in as signed_in
from tests.console.test_bad_input_text import SCRIPT, Elements, is_harmless

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
NAME = SCRIPT[:40]
SHORT = "<img src=x onerror=a()>"
_CHANGED = {"before": {"name": SCRIPT}, "after": {SHORT: SCRIPT}, "reason": SCRIPT}
ROOMS = (
    "", "people/", "people/{person}/", "tokens/", "roles/", "roles/cc_agent/", "products/",
    "webhooks/", "webhooks/{hook}/", "outbox/", "audit/", "audit/?who=%3Cscript%3E&subject=%22%3E%3Cimg%3E", "texts/",
    "calendar/",
)  # fmt: skip


@pytest.fixture
def hostile_words(network: None) -> dict[str, int]:
    """Markup wherever the administration shows what somebody typed, put there past every check."""
    person = Person.objects.create_user(
        SHORT, name=SHORT, role="cc_agent", email=f"{SHORT}@x.example", phone="<b>1", region=SHORT[:20]
    )
    tokens.issue(person, NAME)
    hook = Webhook.objects.create(url=f"https://x.example/{SCRIPT}", events=[NAME], created_at=NOW)
    line = ProductLine.objects.create(code="<b>", name_zh=SHORT, name_en=SHORT, channel="desktop_repair")
    Product.objects.create(code="<i>", line=line, name_zh=SHORT, name_en=SHORT)
    Entry.objects.create(
        at=datetime.now(UTC), subject=SHORT, kind="person.change", process="administration", revision=0,
        actor_name=SHORT, actor_role="admin", data=_CHANGED,
    )  # fmt: skip
    Outgoing.objects.create(
        key="hostile", at=datetime.now(UTC), subject=SHORT, notice=SHORT, channel="webhook",
        address=f"webhook:{hook.pk}",
        data={"zh": SCRIPT, "en": SCRIPT, SHORT: SCRIPT}, state="failed", error=SCRIPT[:200], next_try_at=NOW,
    )  # fmt: skip
    return {"person": person.pk, "hook": hook.pk}


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_markup_is_text_on_every_page_of_the_administration(
    signed_in: SignIn, hostile_words: dict[str, int], language: str
) -> None:
    admin, wrong, shown = signed_in("admin", language=language), [], 0
    for room in ROOMS:
        answer = admin.get("/admin/" + room.format(**hostile_words))
        assert answer.status_code == 200, room
        page = answer.content.decode()
        shown += "&lt;img src=x onerror" in page
        wrong += [f"/admin/{room}: {element}" for element in is_harmless(Elements(page))]

    assert wrong == []
    assert shown >= 5, "control: it is on the pages"


def test_control_an_element_that_runs_is_found() -> None:
    assert is_harmless(Elements(f"<p>{SHORT}</p>"))


@pytest.mark.django_db
def test_a_formula_stays_text_in_the_sheet_of_the_audit() -> None:
    rows = [
        Entry(at=NOW, subject="=1+1", kind="person.change", actor_name="@SUM(1)", actor_role="admin", data={}),
        Entry(at=NOW, subject="-1", kind="order.cancel", actor_name="＝1", actor_role="+1", data={"reason": "=1"}),
    ]
    sheet = zipfile.ZipFile(io.BytesIO(written(rows))).read("xl/worksheets/sheet1.xml").decode()

    assert "<f>" not in sheet and "hyperlink" not in sheet.lower()


def test_markup_in_a_process_file_is_text_in_its_picture() -> None:
    """A process owner may send any file to be compared; its picture is put into a page as it is."""
    process = latest("coverage_change")
    label = Text(SCRIPT, SCRIPT)
    hostile = replace(
        process, label=label,
        states={name: replace(state, label=label) for name, state in process.states.items()},
        transitions={name: replace(step, label=label) for name, step in process.transitions.items()},
    )  # fmt: skip

    drawn = svg(hostile, "en")

    assert is_harmless(Elements(drawn)) == []
    assert "&lt;script&gt;" in drawn or "&lt;/textarea&gt;" in drawn, "control: it is in the picture"
