"""Processes of a fault test: started by it, given one job, asked for what they found.

The process is `python -m mendline.sim.faults.crew MODULE:FUNCTION ARGUMENTS`, with the database in its environment.
What the function returns is printed as one line of JSON.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any
from urllib.parse import quote

import django
import orjson
from django.db import connection

from config.home import ROOT

OUTSIDE = ("DATABASE_URL", "DATABASE_URL_FILE", "DATABASE_OWNER_URL", "DATABASE_OWNER_URL_FILE")


def environment_for(owner_url: str, app_url: str, role: str) -> dict[str, str]:
    """Return the environment of a process that works with a database as `role`."""
    kept = {name: value for name, value in os.environ.items() if name not in OUTSIDE}
    return {
        **kept,
        "DATABASE_URL": app_url,
        "DATABASE_OWNER_URL": owner_url,
        "MENDLINE_DATABASE_ROLE": role,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "LOG_LEVEL": "CRITICAL",  # a killed database is no news here
    }


def on_the_test_database() -> dict[str, str]:
    """Return the environment of a process that works with the database of the running test, as its owner."""
    known = connection.settings_dict
    where = f"host={quote(known['HOST'], safe='/')}&port={known['PORT'] or '5432'}"
    user = f"{quote(known['USER'], safe='')}:{quote(known['PASSWORD'], safe='')}"
    url = f"postgresql://{user}@/{quote(known['NAME'])}?{where}"
    return environment_for(url, url, "owner")


def run_job(job: str, environment: Mapping[str, str], *, seconds: float = 300.0, **what: object) -> Any:
    """Do a job in a process of its own and return what it found, within `seconds`."""
    with started(job, environment, **what) as process:
        return found_by(process, seconds)


@contextmanager
def started(job: str, environment: Mapping[str, str], **what: object) -> Iterator[subprocess.Popen[bytes]]:
    """Start a job; it is killed at the end of the block if it still runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", "mendline.sim.faults.crew", job, orjson.dumps(what).decode()],
        cwd=ROOT, env=dict(environment), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def found_by(process: subprocess.Popen[bytes], seconds: float = 300.0) -> Any:
    """Wait for a job and return what it found; raises AssertionError with its last words when it failed."""
    answer, words = process.communicate(timeout=seconds)
    assert process.returncode == 0, words.decode(errors="replace")[-4000:]
    return orjson.loads(answer)


def main() -> None:
    job, what = sys.argv[1:]
    module, _, function = job.partition(":")
    django.setup()
    found = getattr(import_module(module), function)(**orjson.loads(what))
    sys.stdout.buffer.write(orjson.dumps(found) + b"\n")


if __name__ == "__main__":
    main()
