"""Being told of changes: by ticket, within the scope, and nothing missed between the page and the first message."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core import signing
from django.db import connection

from mendline.access import people
from mendline.access.actors import Actor
from mendline.access.models import Person
from mendline.access.people import PersonData
from mendline.journal.feed import MOST, Happened, Reader, happened_after, newest_entry
from mendline.web.live import tickets
from mendline.web.live.stream import NAMED, Exchange, Listener, message, understood
from mendline.web.live.tickets import read_ticket, ticket_for
from tests.console.conftest import SignIn
from tests.make import a_report, an_actor, do

STATION = an_actor("station_coordinator")
ADMIN = an_actor("admin")


def entry(number: int, *, station_no: str = "000001", region: str = "north") -> Happened:
    return Happened(number, f"WX{number}", region, station_no)


# --- tickets -----------------------------------------------------------------------------------------


def test_a_ticket_carries_the_scope_and_whose_it_is() -> None:
    ticket = read_ticket(ticket_for(replace(STATION, person_id=7)))

    assert ticket is not None
    assert ticket.actor == Actor(7, "", "station_coordinator", "", "000001", "live")


@pytest.mark.parametrize("ticket", ["", "nonsense", "a:b:c"])
def test_a_ticket_that_we_did_not_write_opens_nothing(ticket: str) -> None:
    assert read_ticket(ticket) is None


@pytest.mark.parametrize("said", [["admin", "", "", 1, 1_800_000_000], "x"])
def test_what_we_signed_for_something_else_is_no_ticket(said: object) -> None:
    assert read_ticket(signing.dumps(said)) is None


def test_a_ticket_of_the_release_before_makes_the_page_ask_for_a_new_one() -> None:
    assert read_ticket(signing.dumps(["station_coordinator", "", "000001"], salt=tickets.SALT)) is None


def test_a_ticket_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    ticket = ticket_for(STATION)
    monkeypatch.setattr(tickets, "GOOD_FOR", -1)

    assert read_ticket(ticket) is None


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        ("GET /live/?ticket={t} HTTP/1.1", "200 OK"),
        ("GET /live/ HTTP/1.1", "401 Unauthorized"),
        ("GET /live/?ticket=forged HTTP/1.1", "401 Unauthorized"),
        ("POST /live/?ticket={t} HTTP/1.1", "404 Not Found"),
        ("GET /other/?ticket={t} HTTP/1.1", "404 Not Found"),
        ("nonsense", "404 Not Found"),
        ("\x00\xff", "404 Not Found"),
    ],
)
def test_only_a_request_with_a_ticket_is_listened_to(request_line: str, status: str) -> None:
    request = request_line.format(t=ticket_for(STATION)).encode("latin-1") + b"\r\nHost: x\r\n\r\n"

    assert understood(request)[0] == status
    assert (understood(request)[1] is not None) == (status == "200 OK")


def test_a_listener_that_comes_back_goes_on_where_it_was() -> None:
    address = f"GET /live/?ticket={ticket_for(STATION)}&since=5 HTTP/1.1\r\n"

    assert understood(f"{address}\r\n".encode())[2] == 5
    assert understood(f"{address}Last-Event-ID: 9\r\n\r\n".encode())[2] == 9
    assert understood(f"{address}Last-Event-ID: -1; DROP\r\n\r\n".encode())[2] is None


# --- the feed ----------------------------------------------------------------------------------------


def test_an_entry_that_is_committed_after_its_successor_is_told_as_well() -> None:
    reader = Reader(top=10)
    assert reader.took([entry(11), entry(13)], now=0.0) == [entry(11), entry(13)]

    assert reader.parameters() == (13, [12], MOST)
    assert reader.took([entry(12)], now=0.2) == [entry(12)]
    assert reader.parameters() == (13, [], MOST)


def test_a_number_that_was_given_up_is_not_waited_for_for_ever() -> None:
    reader = Reader(top=10, patience=15)
    reader.took([entry(12)], now=0.0)

    reader.took([], now=15.0)
    assert list(reader.missing) == [11]
    reader.took([], now=15.1)
    assert list(reader.missing) == []


def test_what_happened_is_read_from_the_history_in_order(network: None) -> None:
    before = newest_entry()
    order = a_report()
    do(order, "download")

    found = happened_after(before)
    assert [one.subject for one in found] == [order.ref, order.ref]
    assert [(one.region, one.station_no) for one in found] == [("north", "000001")] * 2
    assert happened_after(found[-1].id) == []


# --- telling -----------------------------------------------------------------------------------------


class Written:
    """A connection's other end, as far as a listener uses it."""

    def __init__(self, waiting: int = 0) -> None:
        self.data = b""
        self.is_aborted = False
        self._waiting = waiting
        self.transport = self

    def get_write_buffer_size(self) -> int:
        return self._waiting

    def abort(self) -> None:
        self.is_aborted = True

    def write(self, data: bytes) -> None:
        self.data += data


def listening(actor: Actor, waiting: int = 0) -> tuple[Listener, Written]:
    written: Any = Written(waiting)
    return Listener(actor, written), written


@pytest.mark.parametrize(
    ("actor", "told"),
    [
        (STATION, ["WX1"]),
        (an_actor("station_coordinator", station_no="000002"), ["WX2"]),
        (an_actor("region_interface"), ["WX1", "WX2"]),
        (an_actor("region_interface", region="east"), ["WX3"]),
        (an_actor("cc_agent"), ["WX1", "WX2", "WX3"]),
    ],
)
def test_everybody_is_told_of_their_own_scope_only(actor: Actor, told: list[str]) -> None:
    listener, written = listening(actor)
    listener.tell([entry(1), entry(2, station_no="000002"), entry(3, region="east", station_no="000003")], 3)

    assert json.loads(re.findall(rb"data: (.*)", written.data)[0]) == {"refs": told, "more": False}
    assert b"id: 3\n" in written.data


def test_of_what_concerns_others_nobody_hears_anything() -> None:
    listener, written = listening(STATION)
    listener.tell([entry(2, station_no="000002")], 2)

    assert written.data == b""


def test_more_than_a_page_can_take_is_said_to_be_more() -> None:
    refs = [f"WX{number}" for number in range(NAMED + 1)]

    assert b'"more":true' in message(refs, 1) and b'"more":false' in message(refs[:-1], 1)


def test_a_listener_that_takes_nothing_is_dropped() -> None:
    listener, written = listening(STATION, waiting=1_000_000)
    listener.tell([entry(1)], 1)

    assert written.is_aborted and written.data == b""


@asynccontextmanager
async def an_exchange() -> AsyncIterator[Callable[..., Awaitable[asyncio.StreamReader]]]:
    """Serve streams as the process does; yields what opens one with a ticket."""
    exchange = Exchange()
    server = await asyncio.start_server(exchange.serve, "127.0.0.1", 0)
    telling = asyncio.create_task(exchange.run())
    held: list[asyncio.StreamWriter] = []

    async def opened(ticket: str, since: str = "") -> asyncio.StreamReader:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.sockets[0].getsockname()[1])
        held.append(writer)
        writer.write(f"GET /live/?ticket={ticket}&since={since} HTTP/1.1\r\n\r\n".encode())
        return reader

    try:
        async with asyncio.timeout(20):
            yield opened
    finally:
        for writer in held:
            writer.close()
        server.close()
        telling.cancel()
        await exchange.close()


@pytest.mark.django_db(transaction=True)
def test_a_stream_begins_with_what_was_missed_and_goes_on(network: None) -> None:
    """Over a real socket: a page drawn before the first step, opened after it, hears of both steps and no other's."""
    before = newest_entry()
    order = a_report(now=datetime.now(UTC))
    a_report(now=datetime.now(UTC), area="310104")

    async def scene() -> list[dict[str, Any]]:
        heard: list[dict[str, Any]] = []
        async with an_exchange() as opened:
            reader = await opened(ticket_for(STATION), str(before))
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
            while len(heard) < 2:
                line = await reader.readline()
                assert line, "the stream has ended"
                if line.startswith(b"data: "):
                    heard.append(json.loads(line.removeprefix(b"data: ")))
                    if len(heard) == 1:
                        await asyncio.to_thread(_download, order.ref)
        return heard

    # A thread of its own: where a browser test ran before in this process, its loop still runs in the main one.
    with ThreadPoolExecutor(1) as in_a_thread:
        heard = in_a_thread.submit(lambda: asyncio.run(scene())).result()
    assert heard == [{"refs": [order.ref], "more": False}] * 2


ENDINGS: dict[str, Callable[[int], object]] = {
    "switched off": lambda person_id: people.switch_off(person_id, actor=ADMIN, now=datetime.now(UTC)),
    "signed out": lambda person_id: people.end_signins(person_id, actor=ADMIN, now=datetime.now(UTC)),
    "moved": lambda person_id: people.change_person(
        person_id,
        PersonData("moved", "李明", "station_coordinator", station_no="000003"),
        actor=ADMIN,
        now=datetime.now(UTC),
    ),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("how", ENDINGS)
def test_p16_a_stream_ends_with_what_it_stood_for_and_its_ticket_opens_no_other(signed_in: SignIn, how: str) -> None:
    """Over real sockets; a neighbour's stream goes on, and a new ticket is good again (control)."""
    signed_in("station_coordinator").get("/queue/")
    signed_in("station_coordinator", station_no="000002")
    mine, other = Person.objects.get(station_no="000001"), Person.objects.get(station_no="000002")

    def end() -> None:
        ENDINGS[how](mine.pk)
        a_report(now=datetime.now(UTC))  # something to tell: of the region, so that one at least is heard by nobody
        connection.close()

    async def scene() -> tuple[bytes, bytes, bytes, bool]:
        async with an_exchange() as opened:
            ticket = ticket_for(mine.as_actor())
            reader, neighbour = await opened(ticket), await opened(ticket_for(other.as_actor()))
            assert await reader.readline() == await neighbour.readline() == b"HTTP/1.1 200 OK\r\n"
            await asyncio.to_thread(end)
            rest = await reader.read()  # to its end, which would never come
            again = await (await opened(ticket)).readline()
            later = time.time() + 2
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(time, "time", lambda: later)
                new = await (await opened(ticket_for(mine.as_actor()))).readline()
            return rest, again, new, neighbour.at_eof()

    with ThreadPoolExecutor(1) as in_a_thread:
        rest, again, new, is_theirs_ended = in_a_thread.submit(lambda: asyncio.run(scene())).result()
    assert b"data:" not in rest
    assert again.startswith(b"HTTP/1.1 401") and new.startswith(b"HTTP/1.1 200")
    assert not is_theirs_ended


def _download(ref: str) -> None:
    from mendline.orders.transitions import perform

    perform(ref, "download", actor=STATION, now=datetime.now(UTC))
    connection.close()


# --- without the live process ------------------------------------------------------------------------


def test_a_page_that_asks_hears_the_same(signed_in: SignIn) -> None:
    before = newest_entry()
    order = a_report()

    told = signed_in("station_coordinator").get(f"/changes/?since={before}").json()
    assert told == {"refs": [order.ref], "more": False, "id": newest_entry()}
    other = signed_in("station_coordinator", station_no="000002").get(f"/changes/?since={before}").json()
    assert other == {"refs": [], "more": False, "id": newest_entry()}
    assert signed_in("station_coordinator").get("/changes/?since=x").json()["refs"] == []


def test_a_new_ticket_takes_a_session(signed_in: SignIn) -> None:
    ticket = signed_in("station_coordinator").get("/changes/ticket/").json()["ticket"]

    read = read_ticket(ticket)
    assert read is not None and read.actor.station_no == "000001" and read.actor.person_id is not None
