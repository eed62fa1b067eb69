"""The people at work in an upgrade drill: what they count as a fault, and that a change of servers waits for them."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from mendline.sim.upgrade.drill import plant_a_bad_change
from mendline.sim.upgrade.load import Load

TOKENS = {"cc": "a", "000001": "b"}


@contextmanager
def a_server(*, fails_at: str = "") -> Iterator[int]:
    """Answers as the interface does; with 500 where the path begins with `fails_at`."""
    numbers = itertools.count(1)

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(200, {})

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            order = {"ref": f"WX{next(numbers)}", "state": "dispatched", "station_no": "000001", "revision": 0}
            self._answer(201 if self.path.endswith("/orders") else 200, order)

        def _answer(self, status: int, body: object) -> None:
            said = json.dumps(body).encode()
            self.send_response(500 if fails_at and fails_at in self.path else status)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *args: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def a_load() -> Load:
    return Load(itertools.repeat({}), TOKENS, clients=2)


def test_answers_are_counted_by_phase_and_none_of_them_is_a_fault() -> None:
    load = a_load()
    with a_server() as first, a_server() as second:
        load.begin("one", first)
        with load.at_work():
            load.until(load.phases[0], 12)
            load.until(load.begin("the other", second), 12)

    assert [phase.faults for phase in load.phases] == [0, 0]
    assert all(phase.asked >= 12 and set(phase.answers) == {"200", "201"} for phase in load.phases)
    assert len(load.acknowledged) == sum(phase.answers["201"] for phase in load.phases)


def test_control_a_fault_of_ours_is_counted_and_quoted() -> None:
    load = a_load()
    with a_server(fails_at="/transitions/") as port:
        load.begin("failing", port)
        with load.at_work():
            load.until(load.phases[0], 12)

    assert load.phases[0].faults == load.phases[0].answers["500"] > 0
    assert load.phases[0].wrong[0].startswith("POST /orders/WX")


def test_control_a_server_that_does_not_answer_is_a_fault() -> None:
    load = a_load()
    with a_server() as port:
        pass  # gone again
    load.begin("gone", port)
    with load.at_work():
        load.until(load.phases[0], 3)

    assert load.phases[0].faults == load.phases[0].asked >= 3


def test_the_bad_change_of_the_control_follows_the_newest_one(tmp_path: Path) -> None:
    folder = tmp_path / "mendline" / "orders" / "migrations"
    folder.mkdir(parents=True)
    for name in ("0001_initial", "0009_last", "__init__"):
        (folder / f"{name}.py").touch()

    plant_a_bad_change(tmp_path)

    assert '("orders", "0009_last")' in (folder / "0010_control.py").read_text(encoding="utf-8")
