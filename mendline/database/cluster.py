"""One PostgreSQL cluster on disk: made, started, stopped. Knows nothing of roles or of Mendline's tables."""

import os
import secrets
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mendline.database.account import Account
from mendline.database.binaries import Binaries
from mendline.database.errors import DatabaseUnavailable

SUPERUSER = "mendline_admin"
PORT = 5432
"""Part of the socket's file name only: the server listens on no network address."""

START_RETRY_SECONDS = 10.0
STOP_SECONDS = 30
LOG_LIMIT_BYTES = 10_000_000

CONFIGURATION = """\
# Written at every start by mendline/database/cluster.py; change it there.
listen_addresses = ''
port = {port}
unix_socket_directories = '{socket_folder}'
unix_socket_permissions = 0700
password_encryption = 'scram-sha-256'
synchronous_commit = on
shared_buffers = 256MB
max_connections = 200
max_locks_per_transaction = 256
max_slot_wal_keep_size = 4GB
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_error_verbosity = 'terse'  # the details of an error are whole rows, with names and numbers in them
lc_messages = 'C'
"""


@dataclass(frozen=True)
class Cluster:
    """Where the files are, which programs serve them, and who runs those."""

    folder: Path
    binaries: Binaries
    account: Account

    @property
    def log(self) -> Path:
        return self.folder.parent / "postgres.log"

    @property
    def pid_file(self) -> Path:
        return self.folder / "postmaster.pid"


def major_of(folder: Path) -> int | None:
    """Return the major version that made the cluster in `folder`, or None if there is none yet."""
    try:
        return int((folder / "PG_VERSION").read_text(encoding="ascii"))
    except FileNotFoundError:
        return None


def create(cluster: Cluster, password: str) -> None:
    """Make the cluster, with `password` for its superuser. Takes 1 to 3 s.

    It is made beside its place and moved there when complete, so that an interrupted attempt is not mistaken
    for a cluster.
    """
    draft = cluster.folder.with_name(f"{cluster.folder.name}.making")
    shutil.rmtree(draft, ignore_errors=True)
    password_file = cluster.folder.with_name(f".password.{secrets.token_hex(4)}")
    descriptor = os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(password)
    if cluster.account.is_other:
        os.chown(password_file, cluster.account.uid, cluster.account.gid)
    # With lc_ctype=C, trigrams of Chinese text are silently empty; see `launcher.assert_chinese_is_searchable`.
    locale = ["--encoding=UTF8", "--locale=C.UTF-8"]
    if cluster.binaries.major >= 17:
        locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    try:
        cluster.account.run(
            [cluster.binaries.program("initdb"), f"--pgdata={draft}", f"--username={SUPERUSER}",
             "--auth=scram-sha-256", f"--pwfile={password_file}", "--data-checksums", *locale]
        )  # fmt: skip
        with (draft / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write("\ninclude 'mendline.conf'\n")
        draft.rename(cluster.folder)
    except subprocess.CalledProcessError as error:
        raise DatabaseUnavailable(
            f"无法建立数据库文件：{error.stdout.strip()} The database files could not be made in {cluster.folder}."
        ) from error
    finally:
        password_file.unlink(missing_ok=True)


def configure(cluster: Cluster, socket_folder: Path) -> None:
    """Write our part of the configuration. It holds for the next start."""
    quoted = str(socket_folder).replace("'", "''")
    path = cluster.folder / "mendline.conf"
    path.write_text(CONFIGURATION.format(port=PORT, socket_folder=quoted), encoding="utf-8")
    if cluster.account.is_other:
        os.chown(path, cluster.account.uid, cluster.account.gid)


def start(cluster: Cluster) -> None:
    """Start the server and wait until it takes connections.

    After `kill -9` the dead server's pid, shared memory or children may linger for some seconds, during which
    PostgreSQL refuses; so we try again until START_RETRY_SECONDS have passed.

    Raises:
        DatabaseUnavailable: it does not start; the message ends with the server's own last words.
    """
    _make_room_for_log(cluster)
    give_up_at = time.monotonic() + START_RETRY_SECONDS
    while True:
        forget_stale_pid(cluster)
        try:
            cluster.account.run(
                [cluster.binaries.program("pg_ctl"), f"--pgdata={cluster.folder}", f"--log={cluster.log}",
                 "--wait", "--timeout=60", "--silent", "start"]
            )  # fmt: skip
            return
        except subprocess.CalledProcessError as error:
            if time.monotonic() > give_up_at:
                raise DatabaseUnavailable(
                    f"PostgreSQL 无法启动，日志在 {cluster.log}。 PostgreSQL does not start:\n"
                    f"{error.stdout.strip()}\n{last_words(cluster)}"
                ) from error
        time.sleep(0.3)


def stop(cluster: Cluster) -> None:
    """Stop the server in order. Open transactions are rolled back. Nothing happens if it is not running."""
    if running_pid(cluster) is None:
        return
    try:
        cluster.account.run(
            [cluster.binaries.program("pg_ctl"), f"--pgdata={cluster.folder}", "--mode=fast", "--wait",
             f"--timeout={STOP_SECONDS}", "--silent", "stop"]
        )  # fmt: skip
    except subprocess.CalledProcessError as error:
        # It may have ended by itself between the question and the order.
        if running_pid(cluster) is not None:
            raise DatabaseUnavailable(
                f"PostgreSQL 没有停止。 PostgreSQL did not stop within {STOP_SECONDS} s: {error.stdout.strip()}"
            ) from error


def set_superuser_password(cluster: Cluster, password: str) -> None:
    """Give the superuser of a cluster that is *not running* a new password; for when the old one was lost."""
    program = [cluster.binaries.program("postgres"), "--single", "-D", str(cluster.folder), "template1"]
    cluster.account.run(program, text=f"ALTER ROLE {SUPERUSER} PASSWORD '{password}';\n")


def running_pid(cluster: Cluster) -> int | None:
    """Return the pid of the living server of exactly this cluster, or None."""
    lines = _pid_file_lines(cluster)
    if len(lines) < 2 or not lines[0].isdigit():
        return None
    pid = int(lines[0])
    return pid if _is_postgres(pid) and _works_in(pid, cluster.folder, written=Path(lines[1])) else None


def forget_stale_pid(cluster: Cluster) -> None:
    """Remove a pid file whose server is gone.

    PostgreSQL does so itself unless the pid lives on as something else: another program, a dead process that its
    parent never collected, or the server of the folder that this one was copied from.
    """
    lines = _pid_file_lines(cluster)
    if not lines or running_pid(cluster) is not None:
        return
    with suppress(FileNotFoundError):
        cluster.pid_file.unlink()


def kill(cluster: Cluster) -> None:
    """End the server at once, as a crash would; for tests and for the fault harness."""
    pid = running_pid(cluster)
    if pid is not None:
        os.kill(pid, signal.SIGKILL)


def last_words(cluster: Cluster, lines: int = 12) -> str:
    """Return the end of the server's log."""
    try:
        return "\n".join(cluster.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return ""


def _pid_file_lines(cluster: Cluster) -> list[str]:
    try:
        return cluster.pid_file.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []


def _is_postgres(pid: int) -> bool:
    process = Path(f"/proc/{pid}")
    if Path("/proc/self/stat").exists():
        try:
            name, _, rest = (process / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")
        except (FileNotFoundError, ProcessLookupError):
            return False
        return "postgres" in name and rest.split()[0] != "Z"
    answer = subprocess.run(["ps", "-o", "stat=,comm=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return "postgres" in answer.stdout and not answer.stdout.lstrip().startswith("Z")


def _works_in(pid: int, folder: Path, *, written: Path) -> bool:
    """Say whether server `pid` serves `folder`; `written` is the folder that its pid file names.

    A server's working folder is its cluster, and stays so when the cluster is moved; a copy's pid file, on the
    other hand, names the server of the original.
    """
    try:
        return Path(f"/proc/{pid}/cwd").samefile(folder)
    except OSError:
        return written == folder


def _make_room_for_log(cluster: Cluster) -> None:
    with suppress(FileNotFoundError):
        if cluster.log.stat().st_size > LOG_LIMIT_BYTES:
            cluster.log.replace(cluster.log.with_suffix(".log.1"))
