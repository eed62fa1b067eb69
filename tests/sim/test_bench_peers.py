"""`mendline bench --peers`: each product asked in its own way, wrong answers told from slow ones, sums that are right.

The stub answers as the products do: shapes recorded from Request Tracker 5.0.3 (which closes after every answer),
django-helpdesk 2.6.1 and Mendline.
"""

from __future__ import annotations

import json
import math
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from mendline.sim.bench.peers import load, memory, outcome, side_by_side, sites
from mendline.sim.bench.peers.django_helpdesk import DjangoHelpdesk
from mendline.sim.bench.peers.load import ClosedEarly, Plan
from mendline.sim.bench.peers.memory import Processes
from mendline.sim.bench.peers.mendline_orders import Mendline
from mendline.sim.bench.peers.multiply import DJANGO_HELPDESK, REQUEST_TRACKER
from mendline.sim.bench.peers.product import (
    CHANGE,
    CREATE,
    LIST,
    PHONES,
    SEARCH,
    STEP,
    Address,
    PeerDown,
    Product,
    Request,
    phone_of,
)
from mendline.sim.bench.peers.request_tracker import RequestTracker
from mendline.sim.bench.peers.side_by_side import Comparison, Contestant, Taken
from mendline.sim.bench.scratch import BenchFailed

RT_ROW = {
    "id": "1", "type": "ticket", "Subject": "开机黑屏", "Status": "open", "Due": "2030-01-01T08:00:00Z",
    "CustomFields": [{"id": "2", "name": "Phone", "type": "customfield", "values": ["13807919003"]}],
    "Requestor": [{"id": "c1@bench.invalid", "type": "user"}],
}  # fmt: skip
HELPDESK_ROW = {
    "ticket": "1 [service-1]", "id": 1, "priority": 3, "title": "开机黑屏", "queue": {"title": "service", "id": 1},
    "status": "Open", "due_date": "2030-01-01T08:00:00Z", "submitter": "c1@bench.invalid", "last_followup": None,
}  # fmt: skip
ORDER = {"ref": "WX1", "state": "dispatched", "station_no": "000001", "revision": 0, "clocks": {}, "due_at": None}
Answer = tuple[int, dict[str, str], object]


@dataclass
class Stub:
    """What the server answers with, and what it was asked. `rows` is how many a list has."""

    answer: Callable[[Stub, str, str, str], Answer]
    rows: int = 50
    status: int = 0  # in place of the right one
    closes: bool = False
    lets_in: bool = True
    asked: list[tuple[str, str]] = field(default_factory=list)
    address: Address = Address("127.0.0.1", 0)


def as_rt(stub: Stub, method: str, path: str, body: str) -> Answer:
    if path == "/NoAuth/Login.html":
        return 200, {"Set-Cookie": "RT_SID_bench.8080=0f; path=/; HttpOnly"} if stub.lets_in else {}, "<html></html>"
    if path == "/REST/2.0/queue/service":
        return (200, {}, {"Name": "service"}) if stub.lets_in else (401, {}, {"message": "Unauthorized"})
    if method == "POST":
        return 201, {}, {"_url": "http://127.0.0.1/REST/2.0/ticket/1", "type": "ticket", "id": "1"}
    if method == "PUT":
        return 200, {}, ["Ticket 1: Status changed from 'new' to 'open'"]
    rows = [RT_ROW] * (1 if "Phone" in path.split("&")[0] else stub.rows)
    return 200, {}, {"items": rows, "count": len(rows), "total": len(rows), "page": 1, "per_page": 50}


def as_helpdesk(stub: Stub, method: str, path: str, body: str) -> Answer:
    if path == "/login/":
        if method == "GET":
            return 200, {"Set-Cookie": "csrftoken=abc; expires=Sun, 21 Nov 2027 19:18:00 GMT; Path=/"}, "<form>"
        session = {"Set-Cookie": "sessionid=xyz; HttpOnly; Path=/; SameSite=Lax"}
        return (302, session, "") if stub.lets_in and "csrfmiddlewaretoken=abc" in body else (200, {}, "<form>")
    if path == "/api/tickets/":
        return 201, {}, {"id": 7, "status": 1, "title": "开机黑屏", "followup_set": [], "custom_phone": "13807919003"}
    if path == "/api/followups/":
        return 201, {}, {"id": 9, "ticket": 7, "new_status": 3, "title": "Resolved"}
    return 200, {}, {"data": [HELPDESK_ROW] * stub.rows, "recordsFiltered": stub.rows, "recordsTotal": 1, "draw": 1}


def as_mendline(stub: Stub, method: str, path: str, body: str) -> Answer:
    if path == "/api/v1/orders":
        return 201, {}, ORDER
    if path.endswith("/transitions/download"):
        return 200, {}, {**ORDER, "state": "downloaded", "revision": 1}
    if path.startswith("/search/"):
        return 200, {}, '<a class="order-no" href="/orders/WX1/">WX1</a>'
    return 200, {}, {"items": [ORDER] * stub.rows, "next": None}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one piece
    stub: ClassVar[Stub]

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self.stub.asked.append((f"{self.command} {self.path}", body))
        status, headers, found = self.stub.answer(self.stub, self.command, self.path, body)
        data = found.encode() if isinstance(found, str) else json.dumps(found, ensure_ascii=False).encode()
        self.send_response(self.stub.status or status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        if self.stub.closes:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()

    do_GET = do_POST = do_PUT = handle_any  # noqa: N815 - names that http.server looks for

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: pytest shows what it was asked."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64  # sixteen connect at once


@pytest.fixture
def serve() -> Iterator[Callable[[Stub], Stub]]:
    """Serve stubs on free ports until the test is over."""
    servers: list[Server] = []

    def start(stub: Stub) -> Stub:
        server = Server(("127.0.0.1", 0), type("Bound", (Handler,), {"stub": stub}))
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        stub.address = Address("127.0.0.1", server.server_address[1])
        return stub

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def product_of(kind: str, address: Address) -> Product:
    if kind == "rt":
        return RequestTracker(address, "agent", "secret", 1_000)
    if kind == "helpdesk":
        return DjangoHelpdesk(address, "f00", "agent", "secret", 1_000)
    return Mendline(address, {"cc": "k-agent", "000001": "k-station"}, "s1", ["13807919003"])


ANSWERS = {"rt": as_rt, "helpdesk": as_helpdesk, "mendline": as_mendline}


@pytest.mark.parametrize("kind", sorted(ANSWERS))
def test_every_question_is_asked_in_the_products_own_way_and_its_answer_understood(
    kind: str, serve: Callable[[Stub], Stub], monkeypatch: pytest.MonkeyPatch
) -> None:
    stub = serve(Stub(ANSWERS[kind], closes=kind == "rt"))
    monkeypatch.setattr(side_by_side, "send", load.run)
    monkeypatch.setattr(side_by_side, "WARM_SECONDS", 0.0)
    contestant = Contestant(product_of(kind, stub.address), Processes())

    found = side_by_side.compare([contestant], level=1_000, seconds=0.0, rounds=1)

    assert found.faults == []
    assert {(question, clients) for _, question, clients in found.taken} == {
        (question, clients) for question in (CREATE, CHANGE, LIST, SEARCH) for clients in (1, 4, 16)
    }
    # Without time to go on, each client asks once: what is counted is what was answered.
    assert {(key[2], taken.answers) for key, taken in found.taken.items()} == {(1, 1), (4, 4), (16, 16)}
    assert found.created == {contestant.name: 21}


def test_what_is_sent_is_what_the_products_document(serve: Callable[[Stub], Stub]) -> None:
    rt, helpdesk = serve(Stub(as_rt)), serve(Stub(as_helpdesk))
    for kind, stub in (("rt", rt), ("helpdesk", helpdesk)):
        product = product_of(kind, stub.address)
        product.get_ready()
        created = product.creating(5, 1)[0]
        assert json.loads(created[2])["CustomFields" if kind == "rt" else "custom_phone"] == (
            {"Phone": phone_of(5), "Serial": "SN0000000005", "Address": "建设路5号"} if kind == "rt" else phone_of(5)
        )
        assert created[1].get("Authorization") == (None if kind == "rt" else "Token f00")
    signing_in = [body for line, body in rt.asked if line == "POST /NoAuth/Login.html"]
    assert signing_in == ["user=agent&pass=secret"] * 16
    assert [line.split(" ")[0] for line, _ in helpdesk.asked[:2]] == ["GET", "POST"]


@pytest.mark.parametrize("kind", sorted(ANSWERS))
def test_fewer_rows_than_asked_for_or_a_refusal_are_faults_not_fast_answers(
    kind: str, serve: Callable[[Stub], Stub], monkeypatch: pytest.MonkeyPatch
) -> None:
    stub = serve(Stub(ANSWERS[kind]))
    monkeypatch.setattr(side_by_side, "send", load.run)
    contestant = Contestant(product_of(kind, stub.address), Processes())
    contestant.product.get_ready()
    found = Comparison(1_000, 1, (contestant.name,))

    stub.rows = 49
    side_by_side._note(found, contestant, LIST, 4, side_by_side._read(contestant, LIST, 4, 0.0, seed=1))
    stub.status = 500
    side_by_side._note(found, contestant, LIST, 1, side_by_side._read(contestant, LIST, 1, 0.0, seed=1))

    short, refused = found.faults
    assert "4 of 4 answers do not hold what was asked for" in short
    assert "answers {'500': 1}" in refused
    assert found.taken[contestant.name, LIST, 1].per_second == [0.0]


@pytest.mark.parametrize("kind", ["helpdesk", "rt"])
def test_a_peer_that_is_down_or_lets_nobody_in_is_said_in_a_sentence(kind: str, serve: Callable[[Stub], Stub]) -> None:
    nobody = product_of(kind, Address("127.0.0.1", 1))
    with pytest.raises(PeerDown) as down:
        nobody.get_ready()
    assert f"{nobody.name} 在 http://127.0.0.1:1 没有应答" in str(down.value)
    assert f"{nobody.name} does not answer at http://127.0.0.1:1" in str(down.value)

    with pytest.raises(PeerDown, match="does not let 'agent' in"):
        product_of(kind, serve(Stub(ANSWERS[kind], lets_in=False)).address).get_ready()


def test_the_generator_is_a_process_of_its_own_and_connects_again_where_a_server_closes(
    serve: Callable[[Stub], Stub],
) -> None:
    stub = serve(Stub(as_rt, closes=True))
    requests: list[Request] = [("PUT /REST/2.0/ticket/1", {}, '{"Status": "open"}')] * 30

    seen = side_by_side.send(Plan("127.0.0.1", stub.address.port, 4, 60.0, requests))

    assert seen.statuses == {"200": 30} and len(seen.latencies) == 30
    assert {body for _, body in stub.asked} == {'{"Status": "open"}'}


def test_half_an_answer_is_no_answer(serve: Callable[[Stub], Stub]) -> None:
    def cut(stub: Stub, method: str, path: str, body: str) -> Answer:
        return 200, {"Content-Length": "5000", "Connection": "close"}, "half"

    class Cutting(Handler):
        stub = Stub(cut)

        def send_header(self, keyword: str, value: str) -> None:
            if (keyword, value) != ("Content-Length", "4"):
                super().send_header(keyword, value)

    server = Server(("127.0.0.1", 0), Cutting)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        with pytest.raises(ClosedEarly, match="bytes of an answer"):
            load.run(Plan("127.0.0.1", server.server_address[1], 1, 0.0, [("POST /", {}, "{}")]))
    finally:
        server.shutdown()
        server.server_close()
    assert Cutting.stub.asked == [("POST /", "{}")]  # it may have been carried out, so it is not sent again


ENTRY = {"product": "rt", "level": 1_000, "address": "http://127.0.0.1:1", "user": "agent", "password": "x"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"product": "jira"}, "'product' of peer 1 must be one of rt, helpdesk"),
        ({"password": ""}, "'password' of peer 1 is needed"),
        ({"level": "1k"}, "'level' of peer 1 must be a number of tickets"),
        ({"address": "127.0.0.1:80"}, "'address' of peer 1"),
        ({"product": "helpdesk"}, "'token' of peer 1 is needed"),
    ],
    ids=["product", "password", "level", "address", "token"],
)
def test_a_list_of_peers_that_lacks_something_names_the_entry_and_the_field(
    change: dict[str, Any], said: str, tmp_path: Path
) -> None:
    file = tmp_path / "peers of mine.json"
    file.write_text(json.dumps({"peers": [ENTRY]}), encoding="utf-8")
    assert [(site.product.name, site.level) for site in sites.read_sites(file)] == [("Request Tracker", 1_000)]

    file.write_text(json.dumps({"peers": [{**ENTRY, **change}]}), encoding="utf-8")
    with pytest.raises(BenchFailed, match=said):
        sites.read_sites(file)


def test_a_list_that_is_not_there_or_names_nobody_is_said(tmp_path: Path) -> None:
    with pytest.raises(BenchFailed, match="cannot be read"):
        sites.read_sites(tmp_path / "none.json")
    (tmp_path / "empty.json").write_text("{}", encoding="utf-8")
    with pytest.raises(BenchFailed, match="names no `peers`"):
        sites.read_sites(tmp_path / "empty.json")


def a_comparison() -> Comparison:
    found = Comparison(1_000, 3, ("Mendline", "Peer"))
    for name, factor in (("Mendline", 4.0), ("Peer", 1.0)):
        for clients, rates in ((1, [10.0, 20.0, 30.0]), (4, [100.0, 100.0, 100.0]), (16, [90.0, 120.0, 94.0])):
            taken = Taken([factor * rate for rate in rates], [1.0] * 3, [2.0, 9.0, 3.0], [0.5] * 3, 12, 1.5)
            found.taken[name, CREATE, clients] = taken
    found.taken["Peer", CREATE, 1].per_second = [5.0, 40.0, 10.0]
    found.memory_mb = {"Mendline": ([80.0, 90.0], 190.0), "Peer": ([], 0.0)}
    return found


def test_ratios_are_taken_round_by_round_and_the_sixteen_are_held_against_the_four() -> None:
    part = outcome.measured(a_comparison(), {})
    named = {figure.name: figure for figure in part.figures}

    ratio = named["Mendline: create, 1 client: ÷ Peer"]
    assert ratio.rounds == (8.0, 2.0, 12.0) and ratio.value == 8.0
    assert named["Mendline: create, 4 clients: ÷ Peer"].value == 4.0
    kept = named["Mendline: create, 16 clients ÷ 4 clients"]
    assert kept.rounds == (0.9, 1.2, 0.94) and kept.is_met is False
    assert named["Peer: create, 16 clients ÷ 4 clients"].aim is None
    assert named["Mendline: memory of a worker (PSS)"].value == 85.0
    assert "Peer: memory of a worker (PSS)" not in named


def test_the_table_shows_medians_with_the_ratio_beside_them() -> None:
    found = a_comparison()
    found.faults.append("Peer: something was wrong")

    text = outcome.as_table(found)

    assert "| create | 1 | 80 /s, p95 3 ms, CPU 0.5 ms | 10 /s, p95 3 ms, CPU 0.5 ms | 8 |" in text
    assert "Mendline 85 MB (2 workers, all processes 190 MB)" in text
    assert "- FAULT: Peer: something was wrong" in text


def test_what_takes_seconds_for_one_is_not_asked_by_sixteen(
    serve: Callable[[Stub], Stub], monkeypatch: pytest.MonkeyPatch
) -> None:
    stub = serve(Stub(as_helpdesk))
    used = iter(range(0, 10_000, 3))  # three seconds of processor time for whatever is asked
    monkeypatch.setattr(side_by_side, "send", load.run)
    monkeypatch.setattr(side_by_side, "WARM_SECONDS", 0.0)
    monkeypatch.setattr(Processes, "cpu_seconds", lambda self: (float(next(used)), 0.0))
    contestant = Contestant(product_of("helpdesk", stub.address), Processes())

    found = side_by_side.compare([contestant], level=1_000, seconds=0.0, rounds=1)

    assert {clients for _, question, clients in found.taken if question in (LIST, SEARCH)} == {1}
    assert {clients for _, question, clients in found.taken if question in (CREATE, CHANGE)} == {1, 4, 16}
    assert "one answer to “list of 50” takes 3 s" in outcome.as_table(found)


def test_nobody_is_always_first() -> None:
    three = [Contestant(product_of(kind, Address("127.0.0.1", 1)), Processes()) for kind in sorted(ANSWERS)]

    firsts = {side_by_side.turned(three, number)[0].name for number in range(3)}

    assert firsts == {"Mendline", "Request Tracker", "django-helpdesk"}


def test_memory_is_what_the_kernel_says_of_the_processes_that_a_peer_names(tmp_path: Path) -> None:
    (tmp_path / "4711").mkdir()
    (tmp_path / "4711" / "smaps_rollup").write_text("5500-7ffd ---p 00000000 00:00 0 [rollup]\nPss:  2048 kB\n")
    (tmp_path / "server.pid").write_text("4711\n")
    (tmp_path / "postmaster.pid").write_text("4712\n/data folder\n1\n")

    named = memory.found({"pid_file": tmp_path / "server.pid", "database_pid_file": tmp_path / "postmaster.pid"})

    assert named == Processes((4711,), 4712)
    assert memory.pss_mb(4711, tmp_path) == 2.0
    assert memory.pss_mb(4712, tmp_path) is None
    assert memory.found({"pid_file": tmp_path / "gone"}) == Processes()


def test_what_works_beside_the_server_counts_as_memory_and_time_but_is_no_worker() -> None:
    processes = Processes(beside=(os.getpid(),))

    assert processes.workers == [] and os.getpid() in processes.all
    assert processes.cpu_seconds()[0] > 0


def test_no_two_tickets_of_a_fill_share_a_telephone_number() -> None:
    assert math.gcd(STEP, PHONES) == 1
    assert len({phone_of(ticket) for ticket in range(1, 20_001)}) == 20_000


@pytest.mark.parametrize("rows", [REQUEST_TRACKER, DJANGO_HELPDESK], ids=["rt", "helpdesk"])
def test_a_copy_moves_every_number_by_the_width_of_a_table_that_is_copied(rows: Any) -> None:
    widths = {one.table: 10 for one in rows}

    for one in rows:
        for expression in one.changed.values():
            assert "{" not in expression.format(**widths, sample=100, still_open=10)
