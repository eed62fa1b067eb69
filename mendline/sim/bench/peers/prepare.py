"""Set a peer up on a PostgreSQL with Mendline's own settings, fill it, and write how to start it.

    python -m mendline.sim.bench.peers.prepare rt --home DIR
    python -m mendline.sim.bench.peers.prepare helpdesk --home DIR --python VENV/bin/python

Then `DIR/start.sh` starts the database server and every peer prepared in it, `DIR/stop.sh` ends them, and
`mendline bench --peers DIR/peers.json` measures. The peer itself must be installed: see docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from config.home import ROOT
from mendline.database import launcher
from mendline.database.launcher import DATABASE, Server
from mendline.sim.bench.crew import end_in_order
from mendline.sim.bench.peers import multiply, recipes, sites
from mendline.sim.bench.peers.load import Plan
from mendline.sim.bench.peers.product import Address, PeerDown, ask
from mendline.sim.bench.peers.request_tracker import CUSTOMERS
from mendline.sim.bench.peers.side_by_side import send

LEVELS = {"1k": 1_000, "100k": 100_000}
SAMPLE = 100
START_SECONDS = 180.0
FIRST_PORT = {"rt": 18_100, "helpdesk": 18_110}
ROWS = {"rt": multiply.REQUEST_TRACKER, "helpdesk": multiply.DJANGO_HELPDESK}
RT_SERVER = "/usr/share/request-tracker5/libexec/rt-server"


@dataclass(frozen=True, slots=True)
class Peer:
    """One peer being prepared: its folder, its server's address by role, and how its server is started."""

    kind: str
    folder: Path
    server: Server
    workers: int
    python: Path
    token: str

    @property
    def sockets(self) -> str:
        return self.server.urls["admin"].partition("host=")[2].partition("&")[0]

    def admin_url(self, database: str) -> str:
        return self.server.urls["admin"].replace(f"/{DATABASE}?", f"/{database}?")

    def environment(self, database: str, port: int) -> dict[str, str]:
        """Write what the server of this database reads, and return the environment that tells it so."""
        if self.kind == "rt":
            site = self.folder / f"{database}.pm"
            words = {"port": port, "sockets": self.sockets, "database": database, "password": recipes.ROLE_PASSWORD}
            site.write_text(recipes.RT_SITE.format(**words), encoding="utf-8")
            (self.folder / "none.d").mkdir(exist_ok=True)  # so that the machine's own RT is not read
            return {"RT_SITE_CONFIG": str(site), "RT_SITE_CONFIG_DIR": str(self.folder / "none.d")}
        (self.folder / "helpdesk_site.py").write_text(recipes.HELPDESK_SITE, encoding="utf-8")
        (self.folder / "helpdesk_addresses.py").write_text(recipes.HELPDESK_ADDRESSES, encoding="utf-8")
        return {
            "DJANGO_SETTINGS_MODULE": "helpdesk_site", "PYTHONPATH": str(self.folder), "BENCH_DATABASE": database,
            "BENCH_SOCKETS": self.sockets, "BENCH_PASSWORD": recipes.ROLE_PASSWORD,
        }  # fmt: skip

    def command(self, port: int) -> list[str]:
        if self.kind == "rt":
            return [
                RT_SERVER, "--server", "Starlet", "--host", "127.0.0.1", "--port", str(port),
                "--max-workers", str(self.workers), "--max-reqs-per-child", "1000000",
            ]  # fmt: skip
        return [
            str(self.python), "-m", "gunicorn", "django.core.wsgi:get_wsgi_application()",
            "--bind", f"127.0.0.1:{port}", "--workers", str(self.workers), "--threads", "4", "--keep-alive", "75",
        ]  # fmt: skip

    def entry(self, database: str, port: int, level: int) -> dict[str, Any]:
        """Return what the list of peers says of this database."""
        threads = "" if self.kind == "rt" else " of 4 threads"
        return {
            "product": self.kind, "level": level, "address": f"http://127.0.0.1:{port}", "user": recipes.USER,
            "password": recipes.PASSWORD, "token": self.token, "pid_file": str(self.folder / f"{database}.pid"),
            "database_pid_file": str(self.folder.parent / "server" / "postgres" / "cluster" / "postmaster.pid"),
            "setup": f"{self.workers} workers{threads}",
        }  # fmt: skip


def prepare(peer: Peer) -> None:
    """Install the schema and take the sample through the product's own interface."""
    base, port = f"{peer.kind}_sample", FIRST_PORT[peer.kind]
    environment = peer.environment(base, port)
    _say(f"{peer.kind}: schema")
    _drop(peer, base)
    (_install_rt if peer.kind == "rt" else _install_helpdesk)(peer, base, environment)
    _say(f"{peer.kind}: {SAMPLE} tickets through its interface")
    with _running(peer, environment, port):
        site = sites.site_of(peer.entry(base, port, SAMPLE), 1)
        site.product.get_ready()
        seen = send(Plan("127.0.0.1", port, 2, 3600.0, list(site.product.creating(1, SAMPLE))))
    if len(seen.bodies) != SAMPLE:
        raise PeerDown(f"{peer.kind}: {len(seen.bodies)} of {SAMPLE} tickets were taken, first trouble: {seen.strange}")


def fill_levels(peer: Peer) -> None:
    """Copy the sample to every level and name what came of it in the list of peers.

    Measuring creates tickets, so this is done again before a measurement that is to begin at the level.
    """
    base, port, entries = f"{peer.kind}_sample", FIRST_PORT[peer.kind], []
    for place, (name, level) in enumerate(LEVELS.items(), 1):
        database = f"{peer.kind}_{name}"
        _say(f"{peer.kind}: {level:,} tickets")
        _drop(peer, database)
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        _execute(peer, statement.format(sql.Identifier(database), sql.Identifier(base)))
        there = multiply.multiply(peer.admin_url(database), ROWS[peer.kind], level=level)
        if there != level:
            raise PeerDown(f"{database} holds {there:,} tickets instead of {level:,}")
        _write_start(peer, database, port + place)
        entries.append(peer.entry(database, port + place, level))
    _enter(peer.folder.parent / "peers.json", peer.kind, entries)


def _install_rt(peer: Peer, database: str, environment: Mapping[str, str]) -> None:
    password = psycopg.conninfo.conninfo_to_dict(peer.server.urls["admin"])["password"]
    setup = ["rt-setup-database-5", "--action", "init", "--dba", "mendline_admin"]
    _run([*setup, "--dba-password", str(password)], environment)
    base = peer.folder / "base.pl"
    words = {"user": recipes.USER, "password": recipes.PASSWORD, "customers": CUSTOMERS}
    base.write_text(recipes.RT_BASE.format(**words), encoding="utf-8")
    _run(["perl", str(base)], environment)


def _install_helpdesk(peer: Peer, database: str, environment: Mapping[str, str]) -> None:
    with psycopg.connect(peer.admin_url("postgres"), autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'helpdesk_bench'").fetchone() is None:
            password = sql.Literal(recipes.ROLE_PASSWORD)
            connection.execute(sql.SQL("CREATE ROLE helpdesk_bench LOGIN PASSWORD {}").format(password))
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER helpdesk_bench").format(sql.Identifier(database)))
    django = [str(peer.python), "-m", "django"]
    _run([*django, "migrate", "--verbosity", "0"], environment)
    words = {"user": recipes.USER, "password": recipes.PASSWORD, "token": peer.token}
    _run([*django, "shell", "--command", recipes.HELPDESK_BASE.format(**words)], environment)


@contextmanager
def _running(peer: Peer, environment: Mapping[str, str], port: int) -> Iterator[None]:
    with (peer.folder / "sample.log").open("wb") as log:
        process = subprocess.Popen(peer.command(port), env={**os.environ, **environment}, stdout=log, stderr=log)
    try:
        _wait_for(f"http://127.0.0.1:{port}", process)
        yield
    finally:
        end_in_order(process)


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    give_up_at = time.monotonic() + START_SECONDS
    while True:
        try:
            ask("the peer", Address.read(address), ("GET /", {}, ""))
            return
        except PeerDown:
            if process.poll() is not None or time.monotonic() > give_up_at:
                raise
            time.sleep(0.5)


def _write_start(peer: Peer, database: str, port: int) -> None:
    """Write how the server of this database is started; `start.sh` starts what lies in every folder."""
    settings = " ".join(f"{name}={shlex.quote(value)}" for name, value in peer.environment(database, port).items())
    log, pid = (shlex.quote(str(peer.folder / f"{database}.{kind}")) for kind in ("log", "pid"))
    lines = f"#!/bin/sh\n{settings} exec setsid {shlex.join(peer.command(port))} > {log} 2>&1 & echo $! > {pid}\n"
    (peer.folder / f"start-{database}.sh").write_text(lines.replace(" exec setsid ", " setsid "), encoding="utf-8")


def _enter(path: Path, kind: str, entries: Sequence[Mapping[str, Any]]) -> None:
    """Put the peer into the list, in place of what it said of this product before."""
    before = json.loads(path.read_text(encoding="utf-8"))["peers"] if path.exists() else []
    kept = [entry for entry in before if entry["product"] != kind]
    path.write_text(json.dumps({"peers": [*kept, *entries]}, indent=1) + "\n", encoding="utf-8")


def _token(path: Path, kind: str) -> str:
    """Return the key that the sample was made with, or a new one."""
    before = json.loads(path.read_text(encoding="utf-8"))["peers"] if path.exists() else []
    return next((str(entry["token"]) for entry in before if entry["product"] == kind), secrets.token_hex(20))


def _write_scripts(home: Path) -> None:
    quoted, server = shlex.quote(str(home)), shlex.quote(str(home / "server"))
    start = (
        "from pathlib import Path; from mendline.database import launcher;"
        " import sys; launcher.ensure_running(Path(sys.argv[1]))"
    )
    end = start.replace("ensure_running(Path(sys.argv[1]))", "stop(launcher.ensure_running(Path(sys.argv[1])))")
    python = f"cd {shlex.quote(str(ROOT))} && {shlex.quote(sys.executable)} -c"
    (home / "start.sh").write_text(
        f"#!/bin/sh\n({python} '{start}' {server})\nfor one in {quoted}/*/start-*.sh; do sh \"$one\"; done\n",
        encoding="utf-8",
    )
    (home / "stop.sh").write_text(
        f'#!/bin/sh\nfor one in {quoted}/*/*.pid; do kill "$(cat "$one")"; rm -f "$one"; done\n'
        f"sleep 3\n({python} '{end}' {server})\n",
        encoding="utf-8",
    )


def _drop(peer: Peer, database: str) -> None:
    _execute(peer, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))


def _execute(peer: Peer, statement: sql.Composed) -> None:
    with psycopg.connect(peer.admin_url("postgres"), autocommit=True) as connection:
        connection.execute(statement)


def _run(command: Sequence[str], environment: Mapping[str, str]) -> None:
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, errors="replace", check=False
    )
    if done.returncode != 0:
        raise PeerDown(f"{Path(command[0]).name} failed ({done.returncode}):\n{(done.stdout + done.stderr)[-2000:]}")


def _say(text: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="prepare", description="Set up a product to measure Mendline beside.")
    parser.add_argument("product", choices=sorted(FIRST_PORT))
    parser.add_argument("--home", type=Path, required=True, help="folder for everything that is made")
    parser.add_argument("--python", type=Path, help="Python that has django-helpdesk and gunicorn")
    parser.add_argument(
        "--workers", type=int, help="processes of its web server (RT 4, django-helpdesk 2 of 4 threads)"
    )
    parser.add_argument("--again", action="store_true", help="only fill anew, from the sample that is there")
    given = parser.parse_args(arguments)
    if given.product == "helpdesk" and given.python is None:
        parser.error("django-helpdesk needs --python")
    home: Path = given.home.absolute()
    folder = home / given.product
    folder.mkdir(parents=True, exist_ok=True)
    server = launcher.ensure_running(home / "server")
    workers = given.workers or (4 if given.product == "rt" else 2)
    python = given.python.absolute() if given.python else Path(sys.executable)
    peer = Peer(given.product, folder, server, workers, python, _token(home / "peers.json", given.product))
    if not given.again:
        prepare(peer)
    fill_levels(peer)
    _write_scripts(home)
    return 0


if __name__ == "__main__":
    sys.exit(main())
