"""Two PostgreSQL servers under Patroni, with etcd as the arbiter, on the wires of one run.

Settings that matter: synchronous mode (a commit is acknowledged when both have it, so the one that takes over lacks
nothing), a leader's lease of 20 s, a look every 2 s.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mendline.database.account import Account
from mendline.database.binaries import choose_binaries
from mendline.sim.failover.wires import Wires

SERVERS = ("one", "two")
LEASE_SECONDS = 20
PASSWORD = "failover"  # of servers that nobody else can reach and that live some minutes
PATIENCE = 180.0

_SETTINGS = """
scope: mendline
name: {host}
restapi: {{listen: "{address}:8008", connect_address: "{address}:8008"}}
etcd3: {{host: "{arbiter}:2379"}}
bootstrap:
  dcs:
    ttl: {lease}
    loop_wait: 2
    retry_timeout: 5
    maximum_lag_on_failover: 16777216
    synchronous_mode: {synchronous}
    postgresql:
      use_pg_rewind: true
      parameters:
        max_connections: 100
        shared_buffers: 128MB
        synchronous_commit: "on"
        fsync: "on"
        wal_keep_size: 512MB
        jit: "off"
  initdb: [{{encoding: UTF8}}, {{locale: C.UTF-8}}, data-checksums]
  pg_hba:
    - local all all trust
    - host all all 10.77.0.0/24 scram-sha-256
    - host replication replicator 10.77.0.0/24 scram-sha-256
postgresql:
  listen: "{address}:5432"
  connect_address: "{address}:5432"
  data_dir: "{folder}/data"
  bin_dir: "{programs}"
  pgpass: "{folder}/pgpass"
  parameters: {{unix_socket_directories: "{folder}"}}
  authentication:
    superuser: {{username: postgres, password: {password}}}
    replication: {{username: replicator, password: {password}}}
    rewind: {{username: rewinder, password: {password}}}
"""


@dataclass
class Pair:
    """The two servers and what looks after them."""

    wires: Wires
    folder: Path
    account: Account
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def url(self, user: str, database: str = "mendline") -> str:
        """Return an address that finds whichever server takes writes."""
        hosts = ",".join(self.wires.address(host) for host in SERVERS)
        return (
            f"postgresql://{user}:{PASSWORD}@/{database}?host={hosts}&port=5432,5432"
            "&target_session_attrs=read-write&connect_timeout=2"
        )

    def start(self, host: str) -> None:
        home = self.folder / host
        words = [*self.wires.inside(host), *self._as_account(), "/usr/bin/patroni", str(home / "patroni.yml")]
        with (home / "patroni.log").open("ab") as log:
            self.running[host] = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", start_new_session=True,
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            )  # fmt: skip

    def start_arbiter(self) -> None:
        client = f"http://{self.wires.address('arbiter')}:2379"
        own = self.folder / "arbiter"
        words = ["/usr/bin/etcd", "--name", "arbiter", "--data-dir", str(own / "data"), "--listen-client-urls", client,
                 "--advertise-client-urls", client, "--listen-peer-urls", "http://127.0.0.1:2380"]  # fmt: skip
        with (own / "etcd.log").open("ab") as log:
            self.running["arbiter"] = subprocess.Popen(
                [*self.wires.inside("arbiter"), *self._as_account(), *words], stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, cwd="/", start_new_session=True, env={"PATH": "/usr/bin:/bin"},
            )  # fmt: skip

    def leader(self) -> str | None:
        """Return who leads as the arbiter knows it and has a standby that is in step, or None for the moment."""
        known = self._ask("one", "/cluster") or self._ask("two", "/cluster")
        roles = {one["name"]: (one["role"], one["state"]) for one in known.get("members", ())}
        leaders = [name for name, (role, state) in roles.items() if role in ("leader", "master") and state == "running"]
        return leaders[0] if len(leaders) == 1 else None

    def in_step(self, synchronous: bool) -> bool:
        known = self._ask("one", "/cluster") or self._ask("two", "/cluster")
        roles = [one["role"] for one in known.get("members", ()) if one["state"] in ("running", "streaming")]
        lag = [one.get("lag", 0) for one in known.get("members", ())]
        wanted = "sync_standby" if synchronous else "replica"
        return wanted in roles and len(roles) == 2 and lag.count(0) == 2

    def kill(self, host: str) -> None:
        """End everything on a machine at once, as when its power fails."""
        for pid in self.wires.processes(host):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.running[host].wait()

    def kill_postgres(self, host: str) -> None:
        """End the database server alone; Patroni lives and notices."""
        for pid in self.wires.processes(host):
            with suppress(OSError):
                if Path(f"/proc/{pid}/comm").read_text(encoding="ascii").strip() == "postgres":
                    os.kill(pid, signal.SIGKILL)

    def set_synchronous(self, wanted: bool) -> None:
        body = json.dumps({"synchronous_mode": wanted}).encode()
        self._ask(self.leader() or "one", "/config", body)

    def psql(self, statement: str, database: str = "mendline") -> str:
        words = ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", self.url("postgres", database), "-c", statement]
        done = subprocess.run([*self.wires.inside("app"), *words], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip())
        return done.stdout.strip()

    def _ask(self, host: str, path: str, body: bytes | None = None) -> dict[str, Any]:
        """Ask Patroni's own interface, from the application's machine."""
        words = ["curl", "-s", "--max-time", "3", f"http://{self.wires.address(host)}:8008{path}"]
        if body is not None:
            words += ["-X", "PATCH", "-d", body.decode()]
        done = subprocess.run([*self.wires.inside("app"), *words], capture_output=True, text=True, check=False)
        try:
            found = json.loads(done.stdout)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def _as_account(self) -> list[str]:
        return ["setpriv", f"--reuid={self.account.uid}", f"--regid={self.account.gid}", "--clear-groups"]


@contextmanager
def a_pair(wires: Wires, folder: Path, account: Account, *, synchronous: bool) -> Iterator[Pair]:
    """Start the arbiter and both servers and wait until one leads and the other is in step."""
    programs = choose_binaries().folder
    for host in (*SERVERS, "arbiter"):
        account.own(folder / host)
    pair = Pair(wires, folder, account)
    for host in SERVERS:
        text = _SETTINGS.format(
            host=host, address=wires.address(host), arbiter=wires.address("arbiter"), lease=LEASE_SECONDS,
            synchronous=str(synchronous).lower(), folder=folder / host, programs=programs, password=PASSWORD,
        )  # fmt: skip
        (folder / host / "patroni.yml").write_text(text, encoding="utf-8")
    try:
        pair.start_arbiter()
        time.sleep(2)
        pair.start("one")
        until(lambda: pair.leader() == "one", "the first server leads")
        pair.start("two")
        until(lambda: pair.in_step(synchronous), "the second server is in step")
        yield pair
    finally:
        for host in (*SERVERS, "arbiter"):
            for pid in wires.processes(host):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def until(happened: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
    """Wait for something; raises TimeoutError, which is a fault of the set-up and not of the product."""
    give_up_at = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > give_up_at:
            raise TimeoutError(what)
        time.sleep(0.25)
