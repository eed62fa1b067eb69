"""The operating-system account that runs the server. PostgreSQL refuses to run as root."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mendline.database.errors import DatabaseUnavailable

NAME = "mendline"


@dataclass(frozen=True)
class Account:
    """Who runs the server's programs: ourselves, or, if we are root, an unprivileged account."""

    uid: int
    gid: int
    is_other: bool

    def run(self, arguments: Sequence[str], *, timeout: float = 120, text: str | None = None) -> str:
        """Run a program as this account and return what it printed.

        Raises:
            subprocess.CalledProcessError: it failed; `.stdout` holds both its outputs.
        """
        done = subprocess.run(
            list(arguments),
            input=text or "",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            check=True,
            timeout=timeout,
            cwd="/",
            env=_environment(),
            start_new_session=True,
            user=self.uid if self.is_other else None,
            group=self.gid if self.is_other else None,
            extra_groups=[] if self.is_other else None,
        )
        return done.stdout

    def may_enter(self, folder: Path) -> bool:
        """Say whether this account can pass through `folder`, and so through all its parents."""
        if not self.is_other:
            return os.access(folder, os.X_OK)
        try:
            self.run(["/bin/sh", "-c", 'test -x "$0"', str(folder)], timeout=10)
        except (subprocess.SubprocessError, OSError):
            return False
        return True

    def own(self, folder: Path) -> None:
        """Make `folder` (0700) if it is missing, and give it to this account."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        if self.is_other:
            os.chown(folder, self.uid, self.gid)


def account_for(cluster: Path) -> Account:
    """Return the account that runs the server of `cluster`, which need not exist yet.

    As root, an existing cluster keeps its owner, so that one that was made without root goes on working.

    Raises:
        DatabaseUnavailable: the cluster is somebody else's, or no account could be made.
    """
    owner = cluster.stat().st_uid if cluster.exists() else None
    if os.geteuid() != 0:
        if owner not in (None, os.geteuid()):
            raise DatabaseUnavailable(
                f"数据库文件夹 {cluster} 属于用户编号 {owner}。请用该用户或 root 运行，或用 MENDLINE_HOME 另选文件夹。"
                f" {cluster} belongs to user id {owner}: run as that user or as root, or choose another MENDLINE_HOME."
            )
        return Account(os.geteuid(), os.getegid(), is_other=False)
    if owner:
        return Account(owner, cluster.stat().st_gid, is_other=True)
    entry = _system_user()
    return Account(entry.pw_uid, entry.pw_gid, is_other=True)


def give_to(account: Account, cluster: Path) -> None:
    """Give a cluster that root copied, and its log, back to the account: PostgreSQL wants to own its files."""
    if not account.is_other or not cluster.exists() or cluster.stat().st_uid == account.uid:
        return
    for path in (cluster.parent, *cluster.parent.rglob("*")):
        os.chown(path, account.uid, account.gid, follow_symlinks=False)


def _system_user() -> pwd.struct_passwd:
    for name in (NAME, None, NAME, "postgres"):
        if name is None:
            _add_system_user()
            continue
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise DatabaseUnavailable(
        f"PostgreSQL 不能以 root 运行，且无法建立系统用户 {NAME}。请先建立该用户：useradd --system {NAME}"
        f" PostgreSQL refuses to run as root and the system user {NAME} could not be made:"
        f" run `useradd --system {NAME}`."
    )


def _add_system_user() -> None:
    nologin = shutil.which("nologin", path="/usr/sbin:/sbin:/usr/bin:/bin") or "/bin/false"
    for command in (
        ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent",
         "--shell", nologin, NAME],
        ["adduser", "-S", "-D", "-H", "-h", "/nonexistent", "-s", nologin, NAME],  # busybox
    ):  # fmt: skip
        program = shutil.which(command[0], path="/usr/sbin:/sbin:/usr/bin:/bin")
        if program and subprocess.run([program, *command[1:]], capture_output=True, check=False).returncode == 0:
            return


def _environment() -> Mapping[str, str]:
    # The caller's PG* variables, locale and time zone must not leak into the server.
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
