"""Lets plain `pytest` work: the database server is there before Django reads its settings.

Loaded with `-p` in pyproject.toml, because a conftest.py comes after the settings. The tests connect as the owner,
who makes and drops the test database; TEST_DATABASE_NAME names it (default `test_mendline`).
"""

import os

import pytest

from config.home import state_folder
from mendline.database.launcher import Server, ensure_running, stop_if_unused

SERVER = pytest.StashKey[Server]()
_found: list[Server] = []


def pytest_addoption() -> None:
    """Start or find the server. This is the one hook that runs before pytest-django loads the settings."""
    os.environ["MENDLINE_DATABASE_ROLE"] = "owner"
    _found.append(ensure_running(state_folder()))


def pytest_configure(config: pytest.Config) -> None:
    config.stash[SERVER] = _found[-1]


def pytest_report_header(config: pytest.Config) -> str:
    server = config.stash[SERVER]
    return f"postgresql: {server.version} ({'started' if server.started else 'already running'})"


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what we started, unless somebody else has come to use it."""
    server = config.stash.get(SERVER, None)
    if server is not None and server.started:
        stop_if_unused(server)
