"""The parts of `mendline bench --only hostile` that could be wrong without anybody noticing in its figures."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mendline.sim.bench import hostile_proxy, hostile_shapes, hostile_users


class Desk(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        status = 429 if self.path == "/refused" else 200
        self.send_response(status)
        if status == 429:
            self.send_header("Retry-After", "5")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: object) -> None:
        pass


class Desks(http.server.ThreadingHTTPServer):
    request_queue_size = 64  # all users may come at once


@pytest.fixture
def port() -> Iterator[int]:
    with Desks(("127.0.0.1", 0), Desk) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_every_user_is_counted_with_what_he_was_answered(port: int) -> None:
    kinds = ("order", "queue", "refused") * 4
    job = hostile_users.Job(port, 1000.0, [(kind, "GET", f"/{kind}", {}, "") for kind in kinds])

    found = hostile_users.run(job)

    assert found.statuses == {"order": {"200": 4}, "queue": {"200": 4}, "refused": {"429": 4}}
    assert all(len(waited) == 4 for waited in found.waited.values())


def test_whoever_is_never_answered_waited_all_his_patience() -> None:
    job = hostile_users.Job(1, 1000.0, [("order", "GET", "/", {}, "")])  # nobody listens there

    found = hostile_users.run(job)

    assert found.statuses == {"order": {"none": 1}} and found.waited["order"][0] >= 1000 * hostile_users.PATIENCE


def test_a_refusal_that_says_when_to_come_again_is_counted(port: int) -> None:
    told, attack = hostile_shapes.Told(), hostile_shapes.Attack("exports", port, 0.0)
    line = hostile_shapes._line(attack)
    for path in ("/refused", "/", "/refused"):
        line = hostile_shapes._asked(line, attack, told, ("GET", path, b""), {})
    line.close()

    assert told.statuses == {"429": 2, "200": 1} and told.said_when == 2


def test_the_proxy_of_the_measurement_is_the_sample_but_for_names_ports_and_tls(tmp_path: Path) -> None:
    made = hostile_proxy.configuration(41, 42, tmp_path, 43)

    assert "127.0.0.1:41" in made and "127.0.0.1:42" in made and "listen 127.0.0.1:43;" in made
    assert "ssl" not in made and "listen 80" not in made and made.count("{") == made.count("}")
    sample = hostile_proxy.SAMPLE.read_text(encoding="utf-8").partition("listen 443")[2]
    kept = [
        line for line in sample.splitlines() if "proxy_set_header" in line or "timeout" in line or "max_body" in line
    ]
    assert len(kept) > 6 and [line for line in set(kept) if line not in made] == []
