"""A small network inside this machine: one namespace each for two servers, the arbiter and the application.

A switch in a namespace of its own joins them, so nothing of it touches the machine's real network. Needs root.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

SUBNET = "10.77.0"
HOSTS = {"one": 1, "two": 2, "arbiter": 9, "app": 20}


@dataclass(frozen=True, slots=True)
class Wires:
    """The namespaces of one run; `mark` keeps two runs apart."""

    mark: str

    def address(self, host: str) -> str:
        return f"{SUBNET}.{HOSTS[host]}"

    def inside(self, host: str) -> list[str]:
        """Return the words before a command that is to run on `host`."""
        return ["ip", "netns", "exec", self._space(host)]

    def cut(self, host: str) -> None:
        """Pull the cable of `host`: nothing comes through any more, in neither direction."""
        _run("ip", "-n", self._space("switch"), "link", "set", f"p-{host}", "down")

    def join(self, host: str) -> None:
        _run("ip", "-n", self._space("switch"), "link", "set", f"p-{host}", "up")

    def processes(self, host: str) -> list[int]:
        return [int(word) for word in _run("ip", "netns", "pids", self._space(host)).split()]

    def _space(self, name: str) -> str:
        return f"mf{self.mark}-{name}"

    def _build(self) -> None:
        switch = self._space("switch")
        _run("ip", "netns", "add", switch)
        _run("ip", "-n", switch, "link", "add", "br0", "type", "bridge")
        _run("ip", "-n", switch, "link", "set", "br0", "up")
        for host in HOSTS:
            space = self._space(host)
            _run("ip", "netns", "add", space)
            _run("ip", "-n", switch, "link", "add", f"p-{host}", "type", "veth", "peer", "name", "eth0", "netns", space)
            _run("ip", "-n", switch, "link", "set", f"p-{host}", "master", "br0", "up")
            _run("ip", "-n", space, "addr", "add", f"{self.address(host)}/24", "dev", "eth0")
            _run("ip", "-n", space, "link", "set", "eth0", "up")
            _run("ip", "-n", space, "link", "set", "lo", "up")

    def _remove(self) -> None:
        for host in (*HOSTS, "switch"):
            subprocess.run(["ip", "netns", "del", self._space(host)], capture_output=True, check=False)


@contextmanager
def wires() -> Iterator[Wires]:
    """Lay the wires; afterwards they are gone. Whoever runs something on them ends it first.

    Raises PermissionError: this account may make no namespaces.
    """
    if os.geteuid() != 0:
        raise PermissionError("需要 root 权限建立网络命名空间。 Namespaces need root.")
    made = Wires(f"{os.getpid() % 10000}")
    try:
        made._build()
        yield made
    finally:
        made._remove()


def _run(*words: str) -> str:
    return str(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
