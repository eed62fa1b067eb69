"""Printing many orders at once: one document, a sheet for each, and nothing of what is not this person's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mendline.orders.store import Loaded
from mendline.web.print import pages
from tests.console.conftest import SignIn
from tests.make import a_report, do


@pytest.fixture
def printed(network: None, monkeypatch: pytest.MonkeyPatch) -> list[Loaded]:
    """Two orders on paper; the document is handed out as the page that it is made of."""
    monkeypatch.setattr(pages, "pdf_of", lambda page, styles: page.encode())
    return [on_paper() for _ in range(2)]


def on_paper() -> Loaded:
    now = datetime.now(UTC)
    order = a_report(now=now)
    do(order, "promise", now=now, promised_at=(now + timedelta(days=1)).isoformat())
    return do(order, "print_order", now=now)


def test_each_order_has_a_sheet_of_its_own_in_one_document(signed_in: SignIn, printed: list[Loaded]) -> None:
    answer = signed_in("station_coordinator").get("/queue/print/", {"ref": [order.ref for order in printed]})
    page = answer.content.decode()

    assert answer["Content-Type"] == "application/pdf"
    assert page.count('<section class="sheet">') == page.count("用户签字后方可关单") == 2
    assert page.index(printed[0].ref) < page.index(printed[1].ref)


def test_the_answer_to_many_printed_leads_to_the_one_document(signed_in: SignIn, printed: list[Loaded]) -> None:
    now = datetime.now(UTC)
    ready = [a_report(now=now) for _ in range(2)]
    for order in ready:
        do(order, "promise", now=now, promised_at=(now + timedelta(days=1)).isoformat())
    form = {"do": "print_order", "ref": [order.ref for order in ready]}

    page = signed_in("station_coordinator").post("/queue/many/", form).content.decode()
    assert f'href="/queue/print/?ref={ready[0].ref}&amp;ref={ready[1].ref}"' in page


def test_stn_50_what_was_not_printed_has_no_paper_among_others_either(signed_in: SignIn, printed: list[Loaded]) -> None:
    fresh = a_report(now=datetime.now(UTC))

    answer = signed_in("station_coordinator").get("/queue/print/", {"ref": [printed[0].ref, fresh.ref]})
    assert answer.status_code == 422 and "STN-50" in answer.content.decode()


def test_another_stations_order_is_as_if_it_were_none(signed_in: SignIn, printed: list[Loaded]) -> None:
    neighbour = signed_in("station_coordinator", station_no="000002")

    assert neighbour.get("/queue/print/", {"ref": [order.ref for order in printed]}).status_code == 404
    assert neighbour.get("/queue/print/").status_code == 404


def test_too_many_at_once_are_refused_in_words(
    signed_in: SignIn, printed: list[Loaded], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "MOST", 1)

    answer = signed_in("station_coordinator").get("/queue/print/", {"ref": [order.ref for order in printed]})
    assert answer.status_code == 422 and "一次最多打印 1 张" in answer.content.decode()
