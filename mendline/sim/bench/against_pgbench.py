"""`perform` against pgbench, which sends the same statements without deciding anything.

The difference is what our own code costs. Both walk the same orders through the same steps on copies
of one database. pgbench cannot send another text with each transaction, so it reads the recorded
payload from a table inside the writing statement; what that reading costs is measured and taken off
pgbench's time, so that the comparison errs against us if it errs.
"""

from __future__ import annotations

import re
import resource
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from mendline.sim.bench import cpu
from mendline.sim.bench.crew import a_crew, a_member, all_at_once
from mendline.sim.bench.figures import Aim, Figure, Measured, ratio
from mendline.sim.bench.scratch import BenchFailed, Database, Scratch

STATION = "000001"
CLIENTS = (1, 4)
STEPS_PER_ORDER = 5
WARM_ORDERS = 4  # of each process; on a fresh connection the first five of a kind are not prepared
NAME = "a transition through perform, against pgbench sending the same statements"


@dataclass(slots=True)
class _Side:
    """What one side showed in each round."""

    rates: list[float] = field(default_factory=list)
    own_cpu_ms: list[float] = field(default_factory=list)
    server_cpu_ms: list[float] = field(default_factory=list)

    @property
    def cpu_in_all(self) -> tuple[float, ...]:
        return tuple(map(sum, zip(self.own_cpu_ms, self.server_cpu_ms, strict=True)))

    def note(self, steps: float, seconds: float, own_cpu: float, server_cpu: float) -> None:
        self.rates.append(steps / seconds)
        self.own_cpu_ms.append(1000 * own_cpu / steps)
        self.server_cpu_ms.append(1000 * server_cpu / steps)


def measure(scratch: Scratch, base: Database, *, orders: int, rounds: int, background: int) -> Measured:
    """Measure with 1 and 4 clients in alternation; `base` is a filled network to which nobody is connected."""
    program = scratch.program("pgbench")
    if program is None:
        raise BenchFailed("this PostgreSQL came without pgbench, so there is nothing to compare with")
    spare = WARM_ORDERS * max(CLIENTS)
    original = scratch.copy(base, "bench_walk")
    with a_member(scratch.environment(original)) as member:
        refs = member.do("take_orders", number=orders + spare, now="2026-03-02T01:00:00+00:00", station_no=STATION)
    refs, warm = refs[:orders], refs[orders:]
    figures: list[Figure] = []
    for clients in CLIENTS:
        figures += _compared(scratch, original, program, refs, warm, clients, rounds)
    scratch.drop("bench_walk")
    setup: dict[str, object] = {
        "orders": orders,
        "steps": orders * STEPS_PER_ORDER,
        "orders already there": background,
        "rounds": rounds,
        "pgbench": "prepared",
    }
    return Measured(NAME, tuple(figures), setup)


def _compared(
    scratch: Scratch, original: Database, program: str, refs: list[str], warm: list[str], clients: int, rounds: int
) -> list[Figure]:
    share = len(refs) // clients
    shares = [refs[place * share : (place + 1) * share] for place in range(clients)]
    with_payloads, read = _recorded(scratch, original, shares, warm)
    ours, theirs, reading = _Side(), _Side(), list[float]()
    for _ in range(rounds):
        database = scratch.copy(original, "bench_round")
        _perform(scratch, database, shares, warm, ours)
        database = scratch.copy(with_payloads, "bench_round")
        script = _walk_script(read, share)
        done = _pgbench(scratch, database, program, script, clients, share * STEPS_PER_ORDER, theirs)
        taken_off = _cost_of_reading(scratch, database, program, clients, share * STEPS_PER_ORDER)
        reading.append(taken_off * 1e6)
        theirs.rates[-1] = 1 / max(1 / done - taken_off / clients, 1e-9)
    scratch.drop("bench_round")
    scratch.drop("bench_payloads")
    say = f", {clients} client{'s' if clients > 1 else ''}"
    rate = Figure("perform" + say, "/s", tuple(ours.rates))
    their_rate = Figure("pgbench" + say, "/s", tuple(theirs.rates))
    cpu_ms = Figure("perform, CPU in all" + say, "ms", ours.cpu_in_all)
    their_cpu_ms = Figure("pgbench, CPU in all" + say, "ms", theirs.cpu_in_all)
    return [
        ratio(rate, their_rate, "perform ÷ pgbench" + say, Aim("at_least", 0.7)),
        ratio(their_cpu_ms, cpu_ms, "the same by CPU, which other work on the machine disturbs less" + say),
        rate,
        their_rate,
        Figure("perform, CPU of the process" + say, "ms", tuple(ours.own_cpu_ms)),
        Figure("perform, CPU of the server" + say, "ms", tuple(ours.server_cpu_ms)),
        Figure("pgbench, CPU of the process" + say, "ms", tuple(theirs.own_cpu_ms)),
        Figure("pgbench, CPU of the server" + say, "ms", tuple(theirs.server_cpu_ms)),
        Figure("reading the payload, taken off pgbench's time" + say, "µs", tuple(reading)),
    ]


def _recorded(scratch: Scratch, original: Database, shares: list[list[str]], warm: list[str]) -> tuple[Database, str]:
    """Walk the orders once on a copy; return a database with the payloads beside the orders, and the reading SQL."""
    rehearsal = scratch.copy(original, "bench_rehearsal")
    with a_member(scratch.environment(rehearsal)) as member:
        found = member.do("record_walk", shares=shares, station_no=STATION, warm=warm[:WARM_ORDERS])
    scratch.drop("bench_rehearsal")
    database = scratch.copy(original, "bench_payloads")
    with database.connect("owner") as connection:
        connection.execute("CREATE TABLE bench_payload (n int PRIMARY KEY, payload text)")
        connection.execute("ALTER TABLE bench_payload ALTER payload SET STORAGE PLAIN")  # nothing to unpack
        with connection.cursor() as cursor, cursor.copy("COPY bench_payload (n, payload) FROM STDIN") as copy:
            for row in found["payloads"]:
                copy.write_row(row)
        connection.execute("GRANT SELECT ON bench_payload TO mendline_app")
        connection.execute("VACUUM ANALYZE bench_payload")
    return database, str(found["read"])


def _perform(scratch: Scratch, database: Database, shares: list[list[str]], warm: list[str], side: _Side) -> None:
    with a_crew(scratch.environment(database), len(shares)) as members:
        warming = [
            {"refs": [], "station_no": STATION, "warm": warm[place * WARM_ORDERS : (place + 1) * WARM_ORDERS]}
            for place in range(len(shares))
        ]
        all_at_once(members, "walk", warming)
        before, begun = cpu.of_tree(scratch.server_pid), time.perf_counter()
        found = all_at_once(members, "walk", [{"refs": refs, "station_no": STATION} for refs in shares])
        seconds = time.perf_counter() - begun
        server = cpu.of_tree(scratch.server_pid) - before
    side.note(sum(one["steps"] for one in found), seconds, sum(one["cpu"] for one in found), server)


def _walk_script(read: str, share: int) -> str:
    """Return one step as pgbench's script. Variables keep their value from one step to the next."""
    parts = iter(("('WX' || :number)", ":station"))
    reading = re.sub("%s", lambda _: next(parts), read)
    return f"""
\\set number {100_000_000} + :client_id * {share} + :i % {share}
\\set n :client_id * {share * STEPS_PER_ORDER} + :i
\\set i :i + 1
{reading};
SELECT mendline_write((SELECT payload FROM bench_payload WHERE n = :n)::jsonb);
"""


def _pgbench(
    scratch: Scratch, database: Database, program: str, script: str, clients: int, each: int, side: _Side
) -> float:
    """Run the script `each` times for each client; note and return the transactions per second."""
    before, own = cpu.of_tree(scratch.server_pid), _children_cpu()
    rate = _run(database, program, script, clients, each)
    server, used = cpu.of_tree(scratch.server_pid) - before, _children_cpu() - own
    side.note(clients * each, clients * each / rate, used, server)
    return rate


def _cost_of_reading(scratch: Scratch, database: Database, program: str, clients: int, each: int) -> float:
    """Return the seconds that reading one payload takes: a statement that reads it against one that does not."""
    counting = f"\\set n :client_id * {each} + :i\n\\set i :i + 1\n"
    reading = _run(
        database, program, counting + "SELECT length(payload) FROM bench_payload WHERE n = :n;", clients, each
    )
    nothing = _run(database, program, counting + "SELECT length('') + :n;", clients, each)
    return max(0.0, clients / reading - clients / nothing)


def _run(database: Database, program: str, script: str, clients: int, each: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "script.sql"
        path.write_text(script, encoding="utf-8")
        done = subprocess.run(
            [program, "--no-vacuum", "--protocol=prepared", f"--client={clients}", f"--jobs={min(clients, 2)}",
             f"--transactions={each}", "--define=i=0", f"--define=station={STATION}", f"--file={path}",
             database.urls["app"]],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    found = re.search(r"tps = ([0-9.]+) \(without", done.stdout)
    if done.returncode != 0 or found is None:
        raise BenchFailed(f"pgbench failed: {done.stderr[-1500:]}")
    return float(found[1])


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
