"""`mendline serve`: the web process. Stateless: run as many as wanted against one database."""

import argparse
import os
import sys
from collections.abc import Sequence

from config.env import env_number

WEB_LIMITS_MS = {"MENDLINE_STATEMENT_TIMEOUT_MS": "5000", "MENDLINE_LOCK_TIMEOUT_MS": "3000"}
"""Nobody waits longer than this for a page; set in the environment of a web process unless given."""


def main(arguments: Sequence[str]) -> int:
    """Serve until stopped (SIGTERM ends it in order). Does not return unless the server cannot start."""
    parser = argparse.ArgumentParser(
        prog="mendline serve", description="启动网页服务。 Serve the web pages and the API."
    )
    parser.add_argument("--host", default="127.0.0.1", help="监听地址 address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, default=env_number("MENDLINE_PORT", 8000, minimum=1, maximum=65535))
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 2, help="进程数 processes")
    parser.add_argument("--threads", type=int, default=4, help="每个进程的线程数 threads of each process")
    given = parser.parse_args(arguments)
    command = web_command(given.host, given.port, workers=given.workers, threads=given.threads)
    sys.stdout.flush()
    os.execve(command[0], command, {**WEB_LIMITS_MS, **os.environ, "MENDLINE_DATABASE_ROLE": "app"})


def web_command(host: str, port: int, *, workers: int, threads: int) -> list[str]:
    """Return the command line of the web server."""
    return [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", host, "--port", str(port),
        "--workers", str(workers), "--blocking-threads", str(threads), "--no-ws", "--log-level", "warning",
        "--respawn-failed-workers", "--workers-kill-timeout", "10", "config.wsgi:application",
    ]  # fmt: skip
