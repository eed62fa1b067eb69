"""Members that are born of one prepared process instead of each starting by itself.

Starting Python with Django and the product takes longer than what a member does in the smallest run: twenty-five of
them were two thirds of it. So there one process starts, loads everything and opens nothing, and every member is a copy
of it that works with a database of its own. Measurements that count start theirs one by one: copies share memory.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TextIO

WANTED = "MENDLINE_BENCH_FAMILY"
"""`true` in the environment of the command: members are copies. Inside, it is the number of the leader's socket."""
GOODBYE_SECONDS = 10.0


class Copy:
    """The leader's end of one copied member: the same streams as a process has, over a socket."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._socket, theirs = socket.socketpair()
        with theirs, socket.socket(fileno=os.dup(int(environment[WANTED]))) as leader:
            socket.send_fds(leader, [b"x"], [theirs.fileno()])
        self.stdin: TextIO = self._socket.makefile("w", encoding="utf-8")
        self.stdout: TextIO = self._socket.makefile("r", encoding="utf-8")
        self.stdin.write(json.dumps(dict(environment)) + "\n")

    def end(self) -> None:
        """Let it go and wait until it is gone: nobody may be connected to a database that is copied next."""
        self._socket.shutdown(socket.SHUT_WR)
        self._socket.settimeout(GOODBYE_SECONDS)
        self.stdout.read()
        self._socket.close()


@contextmanager
def a_family(environment: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Start the process that members are copied from; yields what their environment has to say of it."""
    leader, theirs = socket.socketpair()
    with leader, theirs:
        command = [sys.executable, "-m", "mendline.sim.bench.member", str(theirs.fileno())]
        process = subprocess.Popen(command, env=dict(environment), pass_fds=[theirs.fileno()])
        theirs.close()
        try:
            yield {WANTED: str(leader.fileno())}
        finally:
            leader.shutdown(socket.SHUT_RDWR)
            process.wait()


def bear(descriptor: int, live: Callable[[TextIO, TextIO], None]) -> None:
    """Make a copy of this process for each socket that the leader sends, until the leader ends."""
    _load_what_members_need()
    born: list[int] = []
    with socket.socket(fileno=descriptor) as leader:
        while True:
            message, descriptors, _, _ = socket.recv_fds(leader, 1, 1)
            if not message:
                return
            child = os.fork()
            if child == 0:
                leader.close()
                _live(descriptors[0], live)
            os.close(descriptors[0])
            born.append(child)
            born[:] = [one for one in born if os.waitpid(one, os.WNOHANG) == (0, 0)]


def _live(descriptor: int, live: Callable[[TextIO, TextIO], None]) -> None:
    """Be a member: the first line is the environment, all others are jobs. Never returns."""
    try:
        with socket.socket(fileno=descriptor) as line:
            jobs, answers = line.makefile("r", encoding="utf-8"), line.makefile("w", encoding="utf-8")
            os.environ.update(json.loads(jobs.readline()))
            _work_with_the_named_database()
            live(jobs, answers)
            _leave_the_database()
    finally:
        os._exit(0)


def _load_what_members_need() -> None:
    from django.urls import get_resolver

    from mendline.process.loading import processes

    processes()
    assert get_resolver().url_patterns


def _work_with_the_named_database() -> None:
    from django.conf import settings
    from django.db import connections

    from mendline.database.address import django_database

    named = django_database(settings.HOME, production=False)
    connections["default"].settings_dict.update(named)


def _leave_the_database() -> None:
    from django.db import connections

    connections.close_all()
