"""The embedded PostgreSQL: found, made, started, given its roles. `ensure_running` is the way in.

With DATABASE_URL set nothing is started; the server named there is only asked whether it will do.
"""

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import LiteralString
from urllib.parse import quote

import psycopg
from psycopg import sql

from config.home import make_state_folder
from mendline.database import cluster as clusters
from mendline.database.account import account_for, give_to
from mendline.database.address import RECORD, ROLES, url_from_environment
from mendline.database.binaries import OLDEST_MAJOR, choose_binaries
from mendline.database.cluster import PORT, SUPERUSER, Cluster
from mendline.database.errors import DatabaseUnavailable
from mendline.database.places import folder_for, socket_folder_for
from mendline.database.wheel_copy import runnable_by

DATABASE = "mendline"
EXTENSIONS: tuple[LiteralString, ...] = ("pg_trgm", "btree_gist")


@dataclass(frozen=True)
class Server:
    """A PostgreSQL that takes connections."""

    urls: dict[str, str] = field(repr=False)  # passwords are in them
    """Address per role: `owner` (migrations), `app` (web and worker), `auditor` (reads), and `admin` if it is ours."""
    version: str
    started: bool
    """This call started it; False if it was running already or is not ours."""
    cluster: Cluster | None
    """None for a server that DATABASE_URL names."""

    def url(self, role: str) -> str:
        return self.urls[role]


def ensure_running(home: Path) -> Server:
    """Return the installation's database server, started if necessary and checked in any case.

    Safe to call from several processes at once; the second waits for the first.

    Raises:
        DatabaseUnavailable: no server can be found, started or used; the message says what to do.
    """
    app_url = url_from_environment("app")
    if app_url is not None:
        return _outside_server(app_url)
    make_state_folder(home)
    with _one_at_a_time(home / "database.lock"):
        return _embedded_server(home)


def stop(server: Server) -> None:
    """Stop an embedded server; a server named by DATABASE_URL is left alone."""
    if server.cluster is not None:
        clusters.stop(server.cluster)


def stop_if_unused(server: Server) -> bool:
    """Stop an embedded server unless somebody else is connected to it. Returns whether it was stopped."""
    if server.cluster is None:
        return False
    try:
        with psycopg.connect(server.urls["admin"], autocommit=True) as connection:
            row = connection.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            ).fetchone()
    except psycopg.OperationalError:
        row = None
    if row is not None and row[0]:
        return False
    clusters.stop(server.cluster)
    return True


def assert_chinese_is_searchable(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """Refuse a database in which trigrams of Chinese text come out empty.

    That happens with lc_ctype=C; every search index would be built without complaint and find nothing.
    """
    row = connection.execute("SELECT show_trgm('深圳市')").fetchone()
    if row is None or not row[0]:
        raise DatabaseUnavailable(
            "数据库的字符分类（lc_ctype）不认识汉字，搜索将失效。请用 C.UTF-8 重新建库。"
            " This database's lc_ctype does not know Chinese characters, so search would find nothing:"
            " make it again with LC_CTYPE 'C.UTF-8'."
        )


def _embedded_server(home: Path) -> Server:
    cluster = _cluster_for(home)
    running = clusters.running_pid(cluster) is not None
    record = _read_record(home)
    passwords = record.get("passwords", {})
    if clusters.major_of(cluster.folder) is not None and SUPERUSER not in passwords:
        # The state folder was emptied but the cluster lives elsewhere, or the record was lost.
        clusters.stop(cluster)
        running = False
        passwords = _new_passwords()
        clusters.set_superuser_password(cluster, passwords[SUPERUSER])
    elif SUPERUSER not in passwords:
        passwords = _new_passwords()

    sockets = socket_folder_for(cluster.folder.parent, cluster.account)
    urls = {role: _url(f"mendline_{role}", passwords, sockets) for role in (*ROLES, "admin")}
    _write_record(home, {"passwords": passwords, "urls": urls, "cluster": str(cluster.folder)})
    if clusters.major_of(cluster.folder) is None:
        clusters.create(cluster, passwords[SUPERUSER])
    if not running:
        clusters.configure(cluster, sockets)
        clusters.start(cluster)
    return Server(urls, _prepare(urls["admin"], passwords), started=not running, cluster=cluster)


def _cluster_for(home: Path) -> Cluster:
    account = account_for(home / "postgres" / "cluster")
    folder = folder_for(home, account) / "cluster"
    give_to(account, folder)
    binaries = choose_binaries(cluster_major=clusters.major_of(folder))
    return Cluster(folder, runnable_by(account, binaries), account)


def _prepare(admin_url: str, passwords: dict[str, str]) -> str:
    """Make the roles, the database and its extensions where they are missing; return the server's version."""
    with psycopg.connect(admin_url.replace(f"/{DATABASE}?", "/template1?"), autocommit=True) as connection:
        version = connection.info.parameter_status("server_version") or "?"
        for role in ROLES:
            _ensure_role(connection, f"mendline_{role}", passwords[f"mendline_{role}"])
        # The owner may act as the others, so that migrations and tests can check what those may do.
        connection.execute("GRANT mendline_app, mendline_auditor TO mendline_owner")
        connection.execute("ALTER ROLE mendline_owner CREATEDB")  # for test databases
        _ensure_extensions(connection)  # in template1: test databases get them as well
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
    if found is None:
        # A connection of its own: nobody may be connected to the template meanwhile.
        with psycopg.connect(admin_url.replace(f"/{DATABASE}?", "/postgres?"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE mendline OWNER mendline_owner")
            connection.execute("REVOKE ALL ON DATABASE mendline FROM PUBLIC")
            connection.execute("GRANT CONNECT ON DATABASE mendline TO mendline_app, mendline_auditor")
    with psycopg.connect(admin_url, autocommit=True) as connection:
        _ensure_extensions(connection)
        assert_chinese_is_searchable(connection)
    return version


def _ensure_role(connection: psycopg.Connection[tuple[object, ...]], name: str, password: str) -> None:
    role = sql.Identifier(name)
    if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone() is None:
        connection.execute(sql.SQL("CREATE ROLE {}").format(role))
    statement = sql.SQL("ALTER ROLE {} LOGIN NOSUPERUSER PASSWORD {}").format(role, sql.Literal(password))
    connection.execute(statement)
    if name == "mendline_auditor":
        connection.execute("ALTER ROLE mendline_auditor SET default_transaction_read_only = on")


def _ensure_extensions(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    connection.execute("SET client_min_messages = warning")
    for extension in EXTENSIONS:
        try:
            connection.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(extension)))
        except psycopg.Error as error:
            raise DatabaseUnavailable(
                f"数据库缺少扩展 {extension}，请安装 postgresql-contrib 或由管理员建立。"
                f" The extension {extension} is missing: install postgresql-contrib or have an administrator create it."
            ) from error


def _outside_server(app_url: str) -> Server:
    owner_url = url_from_environment("owner") or app_url
    try:
        with psycopg.connect(owner_url, autocommit=True, connect_timeout=10) as connection:
            version = connection.info.parameter_status("server_version") or "?"
            if connection.info.server_version < OLDEST_MAJOR * 10_000:
                raise DatabaseUnavailable(
                    f"需要 PostgreSQL {OLDEST_MAJOR} 或更新的版本，现在是 {version}。"
                    f" PostgreSQL {OLDEST_MAJOR} or newer is needed; DATABASE_URL names version {version}."
                )
            _ensure_extensions(connection)
            assert_chinese_is_searchable(connection)
    except psycopg.OperationalError as error:
        raise DatabaseUnavailable(
            f"无法连接 DATABASE_URL 指定的数据库。 The database named by DATABASE_URL does not answer: {error}"
        ) from error
    urls = {"app": app_url, "owner": owner_url, "auditor": url_from_environment("auditor") or app_url}
    return Server(urls, version, started=False, cluster=None)


def _url(user: str, passwords: dict[str, str], sockets: Path) -> str:
    return f"postgresql://{user}:{passwords[user]}@/{DATABASE}?host={quote(str(sockets), safe='/')}&port={PORT}"


def _new_passwords() -> dict[str, str]:
    return {name: secrets.token_urlsafe(24) for name in (SUPERUSER, *(f"mendline_{role}" for role in ROLES))}


def _read_record(home: Path) -> dict[str, dict[str, str]]:
    try:
        record = json.loads((home / RECORD).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def _write_record(home: Path, record: dict[str, object]) -> None:
    draft = home / f".{RECORD}.{os.getpid()}"
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(record, file, ensure_ascii=False, indent=1)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(home / RECORD)


@contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    with path.open("a", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
