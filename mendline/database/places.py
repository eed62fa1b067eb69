"""Where the embedded server's files and its socket go.

Both belong into the state folder. Two things can forbid that: the account that runs the server may not be able to
pass through a parent folder (a 0700 home, when we are root), and a socket's path may have 107 bytes only.
"""

import hashlib
import os
import stat
import tempfile
from pathlib import Path

from mendline.database.account import Account
from mendline.database.errors import DatabaseUnavailable

SYSTEM_FOLDER = Path("/var/lib/mendline")
LONGEST_SOCKET_PATH = 107
SOCKET_NAME = "/.s.PGSQL.5432"
# libpq reads a comma as "or", the server's configuration has its own quotes.
AWKWARD = set(",'\"\\\n")


def mark_of(home: Path) -> str:
    """Return a short name for this state folder, the same every time."""
    return hashlib.sha256(os.fsencode(home)).hexdigest()[:12]


def folder_for(home: Path, account: Account) -> Path:
    """Return the folder for the cluster and its log, made and owned by `account`."""
    inside = home / "postgres"
    if account.may_enter(home):
        account.own(inside)
        return inside
    SYSTEM_FOLDER.mkdir(mode=0o711, parents=True, exist_ok=True)
    outside = SYSTEM_FOLDER / mark_of(home)
    account.own(outside)
    if not account.may_enter(outside):
        raise DatabaseUnavailable(
            f"运行数据库的账号无法进入 {outside}。请用 MENDLINE_HOME 选择一个它能进入的文件夹。"
            f" The account that runs the database cannot enter {outside}: choose another folder with MENDLINE_HOME."
        )
    return outside


def socket_folder_for(folder: Path, account: Account) -> Path:
    """Return a folder (0700, owned by `account`) whose path is short and plain enough for a socket."""
    inside = folder / "run"
    if len(os.fsencode(inside)) + len(SOCKET_NAME) <= LONGEST_SOCKET_PATH and not AWKWARD & set(str(inside)):
        account.own(inside)
        return inside
    outside = Path(tempfile.gettempdir()) / f"mendline-{account.uid}-{mark_of(folder)}"
    try:
        outside.mkdir(mode=0o700)
        account.own(outside)
    except FileExistsError:
        found = outside.lstat()
        # Anybody may make names in the temporary folder, so one that is not ours is refused.
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != account.uid or found.st_mode & 0o077:
            raise DatabaseUnavailable(
                f"{outside} 不属于本系统，请删除它。 {outside} is not ours: remove it and start again."
            ) from None
    return outside
