"""One command for the whole measurement: see the package."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from mendline.cli.serve import WEB_LIMITS_MS, web_command
from mendline.database.account import account_for
from mendline.sim.bench.crew import end_in_order
from mendline.sim.bench.scratch import NAMED_OUTSIDE
from mendline.sim.failover.pair import PASSWORD, SERVERS, Pair, a_pair, until
from mendline.sim.failover.wires import wires

PORT = 8000  # in the application's own namespace
KINDS = ("machine", "processes", "postgres", "cable")
BEFORE, AFTER = 40, 40  # acknowledged reports before and after what happens
RIG_FAILED = 3


@dataclass(frozen=True, slots=True)
class Round:
    """What one failover showed. Seconds are from the kill to the first report that succeeded after the silence."""

    kind: str
    synchronous: bool
    acknowledged: int
    lost: int
    doubled: int
    refused: int
    seconds: float
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Told:
    """What the clients were told: reference by key, and the moments of all answers in order."""

    acknowledged: Mapping[str, str]
    moments: tuple[float, ...]
    refused: int


def main() -> int:
    """Returns 1 when an acknowledged report is missing or doubled, 3 when the set-up failed."""
    parser = argparse.ArgumentParser(prog="python -m mendline.sim.failover", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="of each kind")
    parser.add_argument("--only", choices=KINDS, nargs="*", default=KINDS)
    parser.add_argument("--no-control", action="store_true", help="leave out the round that must lose reports")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="mendline-failover-"))
    folder.chmod(0o711)
    found: list[Round] = []
    try:
        with wires() as laid, a_pair(laid, folder, account_for(folder / "none"), synchronous=True) as pair:
            token = _set_up(pair)
            with _web(pair):
                for number in range(given.rounds):
                    for kind in given.only:
                        found.append(_one(pair, kind, token, f"{kind}-{number}"))
                if not given.no_control:
                    pair.set_synchronous(False)
                    until(lambda: pair.in_step(False), "asynchronous")
                    found.append(_one(pair, "control", token, "control"))
    except (TimeoutError, PermissionError, RuntimeError, subprocess.CalledProcessError) as fault:
        sys.stderr.write(f"the set-up failed: {fault}\n")
        kept = Path(tempfile.gettempdir()) / "mendline-failover-failed"
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(folder, kept, ignore=shutil.ignore_patterns("data", ".s.*"))
        return RIG_FAILED
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if given.json and found:
            given.json.write_text(json.dumps([asdict(one) for one in found], indent=1), encoding="utf-8")
    bad = [one for one in found if one.synchronous and (one.lost or one.doubled)]
    blind = [one for one in found if not one.synchronous and not one.lost]
    return 1 if bad or blind else 0


def _one(pair: Pair, kind: str, token: str, name: str) -> Round:
    """Let something happen to the leader under load and see what became of what was acknowledged."""
    folder = pair.folder / name
    folder.mkdir()
    leader = pair.leader()
    assert leader is not None
    other = next(host for host in SERVERS if host != leader)
    with _load(pair, token, folder):
        until(lambda: len(_told(folder).moments) >= BEFORE, "reports before")
        if kind == "control":  # the other falls behind by what is acknowledged meanwhile
            pair.wires.cut(other)
            enough = len(_told(folder).moments) + BEFORE
            until(lambda: len(_told(folder).moments) >= enough, "reports that only one server has")
        happened = time.monotonic()
        _let_happen(pair, kind, leader)
        if kind == "control":
            pair.wires.join(other)
        seconds = _silence(folder, happened)
    after = pair.leader() or "?"
    told, stored = _told(folder), _stored(pair)
    lost = [ref for ref in told.acknowledged.values() if ref not in stored]
    doubled = int(pair.psql("SELECT count(*) - count(DISTINCT serial_no) FROM orders_repairorder"))
    _put_right(pair, kind, leader)
    found = Round(kind, kind != "control", len(told.acknowledged), len(lost), doubled, told.refused,
                  round(seconds, 1), leader, after)  # fmt: skip
    sys.stdout.write(json.dumps(asdict(found)) + "\n")
    sys.stdout.flush()
    return found


def _let_happen(pair: Pair, kind: str, leader: str) -> None:
    match kind:
        case "postgres":
            pair.kill_postgres(leader)
        case "cable":
            pair.wires.cut(leader)
        case "processes":
            pair.kill(leader)
        case _:  # the power: what lay in the machine's own queues would otherwise still be sent
            pair.wires.cut(leader)
            pair.kill(leader)


def _put_right(pair: Pair, kind: str, leader: str) -> None:
    """Bring the machine back and wait until it is in step again."""
    pair.wires.join(leader)
    if kind not in ("postgres", "cable"):
        pair.start(leader)
    if kind != "control":
        until(lambda: pair.leader() is not None and pair.in_step(True), "in step again")


def _silence(folder: Path, happened: float) -> float:
    """Return the seconds from what happened to the end of the longest silence after it."""

    def enough() -> bool:
        moments = [moment for moment in _told(folder).moments if moment > happened]
        gaps = [(b - a, b) for a, b in zip([happened, *moments], moments, strict=False)]
        return bool(gaps) and sum(moment > max(gaps)[1] for moment in moments) >= AFTER and max(gaps)[0] > 0.5

    until(enough, "reports afterwards")
    moments = [moment for moment in _told(folder).moments if moment > happened]
    return max((b - a, b) for a, b in zip([happened, *moments], moments, strict=False))[1] - happened


def _told(folder: Path) -> Told:
    acknowledged, moments, refused = {}, [], 0
    for path in folder.glob("client-*.log"):
        for line in path.read_text(encoding="utf-8").split("\n")[:-1]:
            match line.split(" "):
                case ["told", _, _, word] if word.startswith("refused"):
                    refused += 1
                case ["told", key, moment, ref]:
                    acknowledged[key] = ref
                    moments.append(float(moment))
    return Told(acknowledged, tuple(sorted(moments)), refused)


def _stored(pair: Pair) -> set[str]:
    return set(pair.psql("SELECT ref FROM orders_repairorder").split())


def _set_up(pair: Pair) -> str:
    """Make accounts, database and tables as on a production server; return an agent's key."""
    for role in ("owner", "app", "auditor"):
        pair.psql(f"CREATE ROLE mendline_{role} LOGIN PASSWORD '{PASSWORD}'", "postgres")
    pair.psql("CREATE DATABASE mendline OWNER mendline_owner", "postgres")
    for extension in ("pg_trgm", "btree_gist"):
        pair.psql(f"CREATE EXTENSION {extension}")
    environment = {**_environment(pair), "MENDLINE_DATABASE_ROLE": "owner"}
    for words in (["mendline.cli.main", "migrate", "--verbosity", "0"], ["mendline.sim.failover.prepare"]):
        done = subprocess.run(
            [*pair.wires.inside("app"), sys.executable, "-m", *words],
            env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            raise RuntimeError(f"{words}: {done.stderr[-2000:]}")
    return done.stdout.strip()


def _environment(pair: Pair) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in NAMED_OUTSIDE}
    return {
        **kept, "DATABASE_URL": pair.url("mendline_app"), "DATABASE_OWNER_URL": pair.url("mendline_owner"),
        "MENDLINE_HOME": str(pair.folder / "home"), "MENDLINE_MODE": "local", "MENDLINE_DATABASE_ROLE": "app",
        "DJANGO_SETTINGS_MODULE": "config.settings", "LOG_LEVEL": "CRITICAL",
    }  # fmt: skip


@contextmanager
def _web(pair: Pair) -> Iterator[None]:
    command = web_command("127.0.0.1", PORT, workers=2, threads=4)
    with (pair.folder / "web.log").open("ab") as log:
        web = subprocess.Popen(
            [*pair.wires.inside("app"), *command], env={**_environment(pair), **WEB_LIMITS_MS}, stdout=log, stderr=log
        )
    try:
        yield
    finally:
        end_in_order(web)


@contextmanager
def _load(pair: Pair, token: str, folder: Path) -> Iterator[None]:
    words = [sys.executable, "-m", "mendline.sim.failover.load", str(PORT), token, str(folder)]
    clients = subprocess.Popen([*pair.wires.inside("app"), *words], env=_environment(pair))
    try:
        yield
    finally:
        (folder / "stop").touch()
        try:
            clients.wait(30)
        except subprocess.TimeoutExpired:
            clients.kill()
            clients.wait()


if __name__ == "__main__":
    sys.exit(main())
