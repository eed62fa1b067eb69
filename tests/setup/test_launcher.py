"""The embedded database survives what happens to machines: crashes, moves, copies, odd folders."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from mendline.database import cluster as clusters
from mendline.database import places, wheel_copy
from mendline.database.account import account_for
from mendline.database.binaries import installed
from mendline.database.cluster import Cluster
from mendline.database.errors import DatabaseUnavailable
from mendline.database.launcher import Server, ensure_running, stop, stop_if_unused

ORIGINS = sorted({one.origin for one in installed()})


@contextmanager
def a_state_folder() -> Iterator[Path]:
    """A state folder with a space in its name, where every account may pass; no server is left behind."""
    # Not pytest's own temporary folder: that one is closed to the account that runs the server.
    parent = Path(tempfile.mkdtemp(prefix="mendline setup "))
    parent.chmod(0o711)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "MENDLINE_POSTGRES"):
            patch.delenv(name, raising=False)
        patch.setattr(places, "SYSTEM_FOLDER", parent / "system")
        patch.setattr(tempfile, "tempdir", str(parent))  # sockets of long paths
        patch.setattr(wheel_copy, "SYSTEM_FOLDER", parent / "system")
        yield parent / "state 状态"
    for pid_file in parent.rglob("postmaster.pid"):
        clusters.kill(Cluster(pid_file.parent, installed()[0], account_for(pid_file.parent)))
    shutil.rmtree(parent, ignore_errors=True)


@pytest.fixture
def home() -> Iterator[Path]:
    with a_state_folder() as folder:
        yield folder


@pytest.fixture(params=ORIGINS)
def origin(request: pytest.FixtureRequest, home: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Every kind of PostgreSQL that this machine has: its own, and the wheel's."""
    monkeypatch.setenv("MENDLINE_POSTGRES", request.param)
    return str(request.param)


@pytest.fixture(scope="module", params=ORIGINS)
def running(request: pytest.FixtureRequest) -> Iterator[Server]:
    """One server of each kind, for tests that only look."""
    with a_state_folder() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("MENDLINE_POSTGRES", request.param)
        server = ensure_running(folder)
        yield server
        stop(server)


def test_a_crashed_database_comes_back_with_every_committed_row(home: Path, origin: str) -> None:
    server = ensure_running(home)
    with psycopg.connect(server.url("owner")) as connection:
        connection.execute("CREATE TABLE promise (written text)")
        connection.execute("INSERT INTO promise VALUES ('周三上午')")
        connection.commit()
    assert server.cluster is not None
    clusters.kill(server.cluster)

    again = ensure_running(home)

    assert again.started
    assert _one(again, "owner", "SELECT written FROM promise") == "周三上午"
    stop(again)


def test_a_second_start_finds_the_running_server(home: Path, origin: str) -> None:
    first = ensure_running(home)
    second = ensure_running(home)

    assert (first.started, second.started) == (True, False)
    assert first.urls == second.urls
    stop(first)


def test_nobody_gets_in_without_a_password_and_not_by_network(running: Server) -> None:
    assert running.cluster is not None
    home = running.cluster.folder.parent.parent

    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(running.url("admin"), password="wrong")
    assert _one(running, "admin", "SHOW listen_addresses") == ""
    for private in (running.cluster.folder, running.cluster.folder.parent / "run", home / "database.json"):
        assert private.stat().st_mode & 0o077 == 0, private
    assert "mendline_app" not in repr(running)  # addresses hold passwords


def test_the_settings_that_acknowledged_rows_depend_on(running: Server) -> None:
    for name in ("synchronous_commit", "fsync", "full_page_writes", "data_checksums"):
        assert _one(running, "admin", f"SHOW {name}") == "on", name


def test_chinese_words_have_trigrams(running: Server) -> None:
    assert _one(running, "app", "SELECT cardinality(show_trgm('深圳市'))") == 4


def test_the_roles_may_do_their_own_work_only(running: Server) -> None:
    with psycopg.connect(running.url("app"), autocommit=True) as connection, pytest.raises(psycopg.Error):
        connection.execute("CREATE TABLE mine (x int)")
    assert _one(running, "auditor", "SHOW default_transaction_read_only") == "on"


def test_a_moved_project_keeps_its_data(home: Path) -> None:
    server = ensure_running(home)
    _write(server)
    stop(server)
    moved = home.with_name("moved")
    home.rename(moved)

    again = ensure_running(moved)

    assert _one(again, "owner", "SELECT x FROM kept") == 7
    stop(again)


def test_a_copied_project_does_not_touch_the_running_original(home: Path) -> None:
    server = ensure_running(home)
    _write(server)
    copy = home.with_name("copy")
    with psycopg.connect(server.url("admin"), autocommit=True) as connection:
        connection.execute("CHECKPOINT")
    shutil.copytree(home, copy, ignore=shutil.ignore_patterns(".s.PGSQL*"))

    copied = ensure_running(copy)

    assert copied.started
    assert copied.url("app") != server.url("app")
    with psycopg.connect(copied.url("owner"), autocommit=True) as connection:
        connection.execute("UPDATE kept SET x = 8")
    assert _one(server, "owner", "SELECT x FROM kept") == 7
    stop(copied)
    stop(server)


def test_a_pid_file_that_names_another_program_is_cleared(home: Path) -> None:
    server = ensure_running(home)
    assert server.cluster is not None
    lines = server.cluster.pid_file.read_text(encoding="utf-8").splitlines()
    clusters.kill(server.cluster)
    # pid 1 is alive and certainly not PostgreSQL
    server.cluster.pid_file.write_text("\n".join(["1", *lines[1:]]) + "\n", encoding="utf-8")

    again = ensure_running(home)

    assert again.started
    stop(again)


def test_a_lost_password_file_does_not_lose_the_data(home: Path) -> None:
    server = ensure_running(home)
    _write(server)
    (home / "database.json").unlink()

    again = ensure_running(home)

    assert _one(again, "owner", "SELECT x FROM kept") == 7
    stop(again)


@pytest.mark.skipif(os.geteuid() != 0, reason="without root the server runs under our own account")
def test_root_may_keep_the_project_in_a_closed_home(home: Path, origin: str) -> None:
    closed = home.parent / "closed"
    closed.mkdir(mode=0o700)

    server = ensure_running(closed / "state")

    assert _one(server, "app", "SELECT 1") == 1
    assert closed.stat().st_mode & 0o077 == 0
    stop(server)


def test_a_long_path_gets_a_short_socket(home: Path) -> None:
    server = ensure_running(home.with_name("很长的文件夹名" * 8))

    assert _one(server, "app", "SELECT 1") == 1
    stop(server)


def test_a_cluster_of_another_major_version_is_named_and_left_alone(home: Path) -> None:
    server = ensure_running(home)
    stop(server)
    assert server.cluster is not None
    version = server.cluster.folder / "PG_VERSION"
    version.write_text("12\n", encoding="ascii")

    with pytest.raises(DatabaseUnavailable, match=r"made by PostgreSQL 12.*install PostgreSQL 12"):
        ensure_running(home)

    assert (server.cluster.folder / "base").is_dir()


def test_a_server_in_use_is_not_stopped_under_others(home: Path) -> None:
    server = ensure_running(home)

    with psycopg.connect(server.url("app")):
        assert not stop_if_unused(server)
    assert stop_if_unused(server)


def test_an_address_from_outside_starts_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@/nothing?host=/nonexistent")

    with pytest.raises(DatabaseUnavailable, match="DATABASE_URL does not answer"):
        ensure_running(home)

    assert not home.exists()


def _write(server: Server) -> None:
    with psycopg.connect(server.url("owner"), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS x")


def _one(server: Server, role: str, question: str) -> object:
    with psycopg.connect(server.url(role)) as connection:
        row = connection.execute(question.encode()).fetchone()
    assert row is not None
    return row[0]
