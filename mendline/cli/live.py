"""`mendline live`: tells open pages what changed. One for an installation is enough; more do no harm."""

import argparse
import os
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Serve until stopped (SIGTERM ends it in order). Does not return unless it cannot start."""
    parser = argparse.ArgumentParser(
        prog="mendline live",
        description="把变化告诉打开的页面。 Tell open pages what changed (server-sent events)."
        " MENDLINE_LIVE_ADDRESS tells the web process where browsers find it.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="监听地址 address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, default=8100, help="端口 port (8100)")
    given = parser.parse_args(arguments)
    command = live_command(given.host, given.port)
    sys.stdout.flush()
    os.execve(command[0], command, {**os.environ, "MENDLINE_DATABASE_ROLE": "app"})


def live_command(host: str, port: int) -> list[str]:
    """Return the command line of the process."""
    return [sys.executable, "-m", "mendline.web.live.serve", "--host", host, "--port", str(port)]
