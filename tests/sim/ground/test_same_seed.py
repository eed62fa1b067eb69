"""A seed is its world: two processes that hash differently play the same, and another seed plays something else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from mendline.sim.ground.oracle.plain import Network
from mendline.sim.ground.places import world_named


def url(name: str) -> str:
    used = connection.settings_dict
    query = urlencode({"host": used["HOST"], "port": used["PORT"] or 5432})
    return f"postgresql://{used['USER']}:{quote(used['PASSWORD'], safe='')}@/{name}?{query}"


def played(database: str, hash_seed: str) -> dict[str, Any]:
    environment = {
        **os.environ, "DATABASE_URL": url(database), "DATABASE_OWNER_URL": url(database), "PYTHONHASHSEED": hash_seed,
        "MENDLINE_DATABASE_ROLE": "owner", "PYTHONPATH": str(settings.BASE_DIR),
    }  # fmt: skip
    command = [sys.executable, "-m", "mendline.sim.ground.child", "--seed", "21", "--reports", "5", "--days", "0.5"]
    done = subprocess.run([*command, "--storm"], env=environment, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_same_seed_makes_the_same_trace_whatever_python_hashes(network: Network) -> None:
    name = str(connection.settings_dict["NAME"])
    first = played(name, "1")
    call_command("flush", verbosity=0, interactive=False)
    world_named("small").build()
    second = played(name, "4711")

    assert first["calls"] > 20
    assert first["trace"] == second["trace"]
    assert first["findings"] == second["findings"] == []
