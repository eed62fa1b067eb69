"""The lines of a storm: clear ones pass everything on, and each kind of bad weather does what its name says."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from mendline.sim.faults import proxy
from mendline.sim.faults.patience import wait_for
from mendline.sim.faults.proxy import Line, Lines, Weather


class Echo:
    """Answers every line with the same line, and remembers what it heard."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.ended = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._threads = [threading.Thread(target=self._serve, daemon=True)]
        self._threads[0].start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                self._threads.append(threading.Thread(target=self._answer, args=(self._socket.accept()[0],)))
                self._threads[-1].start()

    def _answer(self, line: socket.socket) -> None:
        with suppress(OSError), line:
            while said := line.recv(100):
                self.heard.append(said)
                line.sendall(said)
        self.ended += 1

    def close(self) -> None:
        with suppress(OSError):  # was closed already
            self._socket.shutdown(socket.SHUT_RDWR)
        self._threads[0].join(60)
        self._socket.close()

    def end(self) -> None:
        """Wait until nobody is answered any more; the lines must have been cut before."""
        self.close()
        for thread in self._threads:
            thread.join(60)


@pytest.fixture
def echo() -> Iterator[Echo]:
    made = Echo()
    yield made
    made.end()


@pytest.fixture
def lines(echo: Echo) -> Iterator[Lines]:
    made = Lines()
    yield made
    made.end()


def a_caller(line: Line) -> socket.socket:
    return socket.create_connection(("127.0.0.1", line.port), timeout=60)


def heard_by(caller: socket.socket) -> bytes:
    """Return what comes; nothing when the line is dead."""
    try:
        return caller.recv(100)
    except ConnectionError:
        return b""


def test_a_clear_line_passes_everything_on(lines: Lines, echo: Echo) -> None:
    with a_caller(lines.add(Line(echo.port))) as caller:
        for words in (b"one", b"two"):
            caller.sendall(words)
            assert heard_by(caller) == words


def test_a_line_between_sockets_of_the_file_system(lines: Lines, echo: Echo, tmp_path: Path) -> None:
    path = tmp_path / "line"
    lines.add(Line(echo.port, path=path))
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(path))
        caller.sendall(b"one")
        assert heard_by(caller) == b"one"


@pytest.mark.parametrize(
    ("weather", "reaches"),
    [("cut_before", False), ("cut_after", True), ("drop_reply", True), ("black_hole", False), ("half_close", True)],
)
def test_bad_weather_takes_what_its_name_says(lines: Lines, echo: Echo, weather: Weather, reaches: bool) -> None:
    line = lines.add(Line(echo.port))
    with a_caller(line) as caller:
        lines.set(line, weather)
        caller.sendall(b"one")
        wait_for(lambda: line.happened.get(weather, 0) > 0, f"{weather} to happen")
        if weather == "half_close":
            assert heard_by(caller) == b"one"
            wait_for(lambda: echo.ended > 0, "the other side to hear that nothing more comes")
        else:
            lines.set(line, "clear")
            assert heard_by(caller) == b"", "whoever lost an answer gets none later"
    assert bool(echo.heard) == reaches


def test_what_is_delayed_comes_all_the_same(lines: Lines, echo: Echo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxy, "DELAY", 0.01)
    line = lines.add(Line(echo.port))
    lines.set(line, "delay")
    with a_caller(line) as caller:
        caller.sendall(b"one")
        assert heard_by(caller) == b"one"
    assert line.happened["delay"] == 1


def test_nobody_behind_the_line_is_a_dead_line(lines: Lines, echo: Echo) -> None:
    echo.close()
    with a_caller(lines.add(Line(echo.port))) as caller:
        assert heard_by(caller) == b""
