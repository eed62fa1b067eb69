"""A line that misbehaves: stands between two that talk, and delays, cuts, or swallows what they say.

One event loop in a thread of its own. A line is clear until somebody says what is to happen to it; that holds for
whatever is under way at the moment and begins from then on, until it is clear again.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

# `delay`: everything comes late. `cut_before`: the line breaks before a word of the asking side is passed on.
# `cut_after`: it was passed on, and the line breaks before the answer. `half_close`: the answering side hears that
# nothing more will come. `drop_reply`: the answer is swallowed and the line stays. `black_hole`: nothing passes.
Weather: TypeAlias = Literal["clear", "delay", "cut_before", "cut_after", "half_close", "drop_reply", "black_hole"]
BAD: tuple[Weather, ...] = ("delay", "cut_before", "cut_after", "half_close", "drop_reply", "black_hole")
DELAY = 2.5  # seconds; longer than a caller waits, shorter than the product's own limit on a statement
CHUNK = 65536


@dataclass(slots=True)
class Line:
    """One proxy: listens at `port` of this machine or at the socket `path`, and passes on to `target`."""

    target: int | Path
    port: int = 0
    path: Path | None = None
    weather: Weather = "clear"
    happened: dict[str, int] = field(default_factory=dict)  # how often each kind met something under way

    def met(self, weather: Weather) -> None:
        self.happened[weather] = self.happened.get(weather, 0) + 1


class Lines:
    """All lines of a storm."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._open: dict[int, set[asyncio.StreamWriter]] = {}
        self._servers: list[asyncio.AbstractServer] = []

    def add(self, line: Line) -> Line:
        self._open[id(line)] = set()
        self._do(self._listen(line))
        return line

    def set(self, line: Line, weather: Weather) -> None:
        """Let the line be so from now on; what is under way is touched where the kind says so."""
        self._do(self._turn(line, weather))

    def end(self) -> None:
        asyncio.run_coroutine_threadsafe(self._cut_everything(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _cut_everything(self) -> None:
        for server in self._servers:
            server.close()
        for writers in self._open.values():
            for writer in list(writers):
                writer.transport.abort()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _do(self, work: Awaitable[None]) -> None:
        async def done() -> None:
            await work

        asyncio.run_coroutine_threadsafe(done(), self._loop).result(10)

    async def _turn(self, line: Line, weather: Weather) -> None:
        line.weather = weather
        if weather in ("cut_before", "cut_after") and self._open[id(line)]:
            return
        if weather == "clear":  # what was held back or lost its answer never gets one
            for writer in list(self._open[id(line)]):
                if getattr(writer, "was_robbed", False):
                    writer.transport.abort()

    async def _listen(self, line: Line) -> None:
        def came(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Awaitable[None]:
            return self._pass_on(line, reader, writer)

        if line.path is not None:
            line.path.unlink(missing_ok=True)
            server: asyncio.AbstractServer = await asyncio.start_unix_server(came, path=line.path)
            line.path.chmod(0o777)
        else:
            listening = await asyncio.start_server(came, host="127.0.0.1", port=line.port)
            line.port = listening.sockets[0].getsockname()[1]
            server = listening
        self._servers.append(server)

    async def _pass_on(self, line: Line, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if isinstance(line.target, Path):
                there, towards = await asyncio.open_unix_connection(line.target)
            else:
                there, towards = await asyncio.open_connection("127.0.0.1", line.target)
        except OSError:
            writer.transport.abort()
            return
        both = (writer, towards)
        self._open[id(line)].update(both)
        try:
            with suppress(asyncio.CancelledError):  # the storm is over
                await asyncio.gather(self._there(line, reader, towards, both), self._back(line, there, writer, both))
        finally:
            for one in both:
                self._open[id(line)].discard(one)
                one.transport.abort()

    async def _there(
        self,
        line: Line,
        reader: asyncio.StreamReader,
        towards: asyncio.StreamWriter,
        both: tuple[asyncio.StreamWriter, ...],
    ) -> None:
        async def before(chunk: bytes) -> bool:
            match line.weather:
                case "cut_before":
                    _abort(line, both)
                    return False
                case "half_close":
                    towards.write(chunk)
                    with suppress(OSError, RuntimeError):
                        towards.write_eof()
                    line.met("half_close")
                    return False
                case "black_hole":
                    line.met("black_hole")
                    _rob(both)
                    return False
                case "delay":
                    line.met("delay")
                    await asyncio.sleep(DELAY)
            return True

        await _copy(reader, towards, before)

    async def _back(
        self,
        line: Line,
        there: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        both: tuple[asyncio.StreamWriter, ...],
    ) -> None:
        async def before(chunk: bytes) -> bool:
            match line.weather:
                case "cut_after":
                    _abort(line, both)
                    return False
                case "drop_reply" | "black_hole":
                    line.met(line.weather)
                    _rob(both)
                    return False
                case "delay":
                    await asyncio.sleep(DELAY)
            return True

        await _copy(there, writer, before)


def _abort(line: Line, both: tuple[asyncio.StreamWriter, ...]) -> None:
    line.met(line.weather)
    for one in both:
        one.transport.abort()


def _rob(both: tuple[asyncio.StreamWriter, ...]) -> None:
    for one in both:
        one.was_robbed = True  # type: ignore[attr-defined]


async def _copy(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, before: Callable[[bytes], Awaitable[bool]]
) -> None:
    """Pass on until one side ends; what `before` says no to goes nowhere, and the line stays open."""
    with suppress(OSError, RuntimeError):  # the other side is gone, which is what lines are for here
        while chunk := await reader.read(CHUNK):
            if await before(chunk):
                writer.write(chunk)
                await writer.drain()
        writer.write_eof()
