"""The sample for nginx that an installation begins with, before the web process of a measurement.

The file is the one in `deploy/`, so that what it limits is what is measured; only names, ports and TLS are replaced.
"""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.home import ROOT
from mendline.sim.bench.crew import end_in_order
from mendline.sim.bench.scratch import BenchFailed

SAMPLE = ROOT / "deploy" / "nginx.conf"
START_SECONDS = 20.0


def program() -> str | None:
    """Return the path of nginx, None where it was not installed."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


def configuration(web: int, live: int, folder: Path, port: int) -> str:
    """Return the sample's second server, in clear on a port of this machine, in the frame that Debian puts it in."""
    sample = SAMPLE.read_text(encoding="utf-8")
    sample = sample.replace("127.0.0.1:8000", f"127.0.0.1:{web}").replace("127.0.0.1:8100", f"127.0.0.1:{live}")
    sample = re.sub(r"server \{\n    listen 80;.*?\n\}\n", "", sample, flags=re.DOTALL)
    sample = sample.replace("listen 443 ssl http2;", f"listen 127.0.0.1:{port};")
    sample = re.sub(r"    (listen \[::\]|ssl_|access_log ).*\n", "", sample)
    temporary = "\n".join(
        f'    {kind}_temp_path "{folder}/nginx-{kind}";'
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return (
        f'user root;\npid "{folder}/nginx.pid";\nerror_log "{folder}/nginx.log";\ndaemon off;\nworker_processes auto;\n'
        f"events {{ worker_connections 768; }}\nhttp {{\n    access_log off;\n{temporary}\n{sample}\n}}\n"
    )


@contextmanager
def before(web: int, live: int, folder: Path, port: int) -> Iterator[int]:
    """Run nginx before a web process; yields the port to ask at."""
    path = folder / "nginx.conf"
    path.write_text(configuration(web, live, folder, port), encoding="utf-8")
    found = program()
    assert found is not None
    process = subprocess.Popen([found, "-c", str(path), "-e", str(folder / "nginx.log")])
    try:
        until = time.monotonic() + START_SECONDS
        while process.poll() is None and time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                time.sleep(0.1)
            else:
                break
        else:
            raise BenchFailed(f"nginx did not start:\n{(folder / 'nginx.log').read_text(encoding='utf-8')[-1500:]}")
        yield port
    finally:
        end_in_order(process)
