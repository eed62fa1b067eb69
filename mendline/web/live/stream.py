"""Telling open pages what changed: one small process, one reader of the history, any number of listeners.

A page that listens holds a connection for as long as it is looked at. A thread of the web server for each would
leave none for pages, so this is a process of its own that does nothing else (`mendline live`). It keeps a connection
and a few kilobytes for each listener, reads the history four times a second for all of them together, and says only
which numbers changed; what became of them the page asks the web server, which knows who may see what.

Whatever the history says of a person (switched off, signed out, moved to another station) ends that person's streams,
and tickets from before open none (P16): a page that may still look gets a new one with its session.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import parse_qs, urlsplit

from django.db import Error, connection

from mendline.access.actors import Actor, subject_of
from mendline.journal.feed import (
    AFTER,
    MOST,
    Happened,
    Reader,
    concerned_since,
    from_rows,
    happened_after,
    newest_entry,
)
from mendline.kernel.numbers import whole_number
from mendline.web.live.tickets import GOOD_FOR, Ticket, read_ticket

logger = logging.getLogger(__name__)
T = TypeVar("T")

PATH = "/live/"
EVERY = 0.25  # seconds between two readings
AGAIN = 2.0  # seconds to wait when the database does not answer
BEAT = 15.0  # seconds after which a silent connection gets a sign of life, so that nothing between closes it
SLOW = 64 * 1024  # bytes not taken by a listener until it is dropped; it comes back and asks for what it missed
LONGEST_REQUEST = 8 * 1024
PATIENCE = 10.0  # seconds for a request to arrive
BEFORE = 200  # entries looked through at the start for numbers that are still on their way
NAMED = 60  # orders named in one message; beyond that a page reads its list anew
HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-store\r\n"
    b"Connection: close\r\nAccess-Control-Allow-Origin: *\r\nX-Accel-Buffering: no\r\n\r\nretry: 2000\n\n"
)


@dataclass(eq=False, slots=True)
class Listener:
    """One open page."""

    actor: Actor
    writer: asyncio.StreamWriter
    is_open: bool = True  # the head of the answer is written, so that messages may follow

    @property
    def subject(self) -> str:
        """What the history calls the person."""
        return subject_of(self.actor.person_id) if self.actor.person_id is not None else ""

    def tell(self, happened: Iterable[Happened], number: int, *, is_all: bool = True) -> None:
        """Send which of it this listener may know, if any of it."""
        seen = [one.subject for one in happened if self.actor.sees(region=one.region, station_no=one.station_no)]
        if seen or not is_all:
            self.send(message(list(dict.fromkeys(seen)), number, is_all=is_all))

    def send(self, data: bytes) -> None:
        if not self.is_open:
            return
        if self.writer.transport.get_write_buffer_size() > SLOW:
            self.writer.transport.abort()
        else:
            self.writer.write(data)


def message(refs: list[str], number: int, *, is_all: bool = True) -> bytes:
    """Return one message of the stream; its number is where a listener goes on after a break."""
    told = {"refs": refs[:NAMED], "more": len(refs) > NAMED or not is_all}
    return f"id: {number}\ndata: {json.dumps(told, separators=(',', ':'))}\n\n".encode()


class Exchange:
    """The listeners, and the one thread that reads the database for them."""

    def __init__(self) -> None:
        self.listeners: set[Listener] = set()
        self._serving: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._reader: Reader | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="history")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection: refuse it, or keep it until it ends or its ticket does."""
        task = asyncio.current_task()
        assert task is not None
        self._serving[task] = writer
        try:
            request = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
            status, ticket, since = understood(request)
            if ticket is None:
                await _refuse(writer, status)
                return
            listener = Listener(ticket.actor, writer, is_open=False)
            self.listeners.add(listener)
            try:
                await self._asked(self._start)  # from here on nothing is passed over; what lies before is caught up
                if status := await self._refused(listener, ticket):
                    await _refuse(writer, status)
                    return
                writer.write(HEAD)
                listener.is_open = True
                await self._catch_up(listener, since)
                await asyncio.wait_for(_until_closed(reader), GOOD_FOR)
            finally:
                self.listeners.discard(listener)
        except (TimeoutError, ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # it went away, said nothing, or its time was over
        finally:
            del self._serving[task]
            writer.close()

    async def run(self) -> None:
        """Read and tell until cancelled. Without listeners nothing is read."""
        beat_at = time.monotonic() + BEAT
        while True:
            await asyncio.sleep(EVERY)
            if not self.listeners:
                self._reader = None
                continue
            found = await self._asked(self._read)
            if found is None:
                await asyncio.sleep(AGAIN)
                continue
            if found:
                self._tell(found, self._reader.top if self._reader else 0)
            if time.monotonic() >= beat_at:
                beat_at = time.monotonic() + BEAT
                for listener in list(self.listeners):
                    listener.send(b":\n\n")

    def _tell(self, happened: Sequence[Happened], number: int) -> None:
        subjects = {one.subject for one in happened}
        for listener in list(self.listeners):
            if listener.subject in subjects:
                listener.writer.transport.abort()
            else:
                listener.tell(happened, number)

    async def close(self) -> None:
        """End all connections, and give back that of the database."""
        for writer in self._serving.values():
            writer.transport.abort()
        await asyncio.gather(*self._serving)
        await asyncio.get_running_loop().run_in_executor(self._thread, _give_back)
        self._thread.shutdown()

    async def _refused(self, listener: Listener, ticket: Ticket) -> str:
        """Return why a ticket opens nothing any more: its person has a history since, or nobody can tell."""
        if not listener.subject:
            return ""
        is_void = await self._asked(lambda: concerned_since(listener.subject, ticket.made_at))
        return "503 Service Unavailable" if is_void is None else "401 Unauthorized" if is_void else ""

    async def _catch_up(self, listener: Listener, since: int | None) -> None:
        """Tell what happened between the page's drawing, or the last message, and now."""
        if since is None:
            return
        missed = await self._asked(lambda: happened_after(since))
        if missed is None:
            listener.tell([], since, is_all=False)  # nobody knows: the page may read its list anew
        elif missed:
            listener.tell(missed, missed[-1].id, is_all=len(missed) < MOST)

    def _start(self) -> None:
        if self._reader is None:
            fresh = Reader(max(0, newest_entry() - BEFORE))
            fresh.took(_rows(fresh), time.monotonic())  # old news: only the gaps in it matter
            self._reader = fresh

    def _read(self) -> list[Happened]:
        self._start()
        assert self._reader is not None
        return self._reader.took(_rows(self._reader), time.monotonic())

    async def _asked(self, ask: Callable[[], T]) -> T | None:
        """Ask the database in the one thread; None while it cannot answer."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, ask)
        except Error as problem:
            logger.warning("the history could not be read: %s", problem)
            await asyncio.get_running_loop().run_in_executor(self._thread, _give_back)
            return None


async def _refuse(writer: asyncio.StreamWriter, status: str) -> None:
    writer.write(f"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: 0\r\n".encode())
    writer.write(b"Access-Control-Allow-Origin: *\r\n\r\n")
    await writer.drain()


def understood(request: bytes) -> tuple[str, Ticket | None, int | None]:
    """Return status, the ticket, and from which entry on. A request that is none, or without a ticket, has none."""
    lines = request.decode("latin-1").split("\r\n")
    method, _, rest = lines[0].partition(" ")
    address = urlsplit(rest.rpartition(" ")[0])
    if method != "GET" or address.path != PATH:
        return "404 Not Found", None, None
    given = {name: values[-1] for name, values in parse_qs(address.query).items()}
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    ticket = read_ticket(given.get("ticket", ""))
    if ticket is None:
        return "401 Unauthorized", None, None
    since = headers.get("last-event-id") or given.get("since", "")
    return "200 OK", ticket, whole_number(since)


def _give_back() -> None:
    """Close the connection of the thread that this runs in."""
    connection.close()


def _rows(reader: Reader) -> list[Happened]:
    with connection.cursor() as cursor:
        cursor.execute(AFTER, reader.parameters())
        return from_rows(cursor.fetchall())


async def _until_closed(reader: asyncio.StreamReader) -> None:
    """Return when the other side is gone. Whatever it still says is not listened to."""
    while await reader.read(1024):
        pass
