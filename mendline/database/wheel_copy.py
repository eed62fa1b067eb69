"""The wheel's programs, where the unprivileged account can reach them.

In a virtual environment below a 0700 home, root can read the programs but the account that must run them cannot.
Opening the home to everybody is not ours to do, so the programs (40 MB) are copied to a public place instead.
"""

import shutil
from dataclasses import replace

from mendline.database.account import Account
from mendline.database.binaries import Binaries
from mendline.database.places import SYSTEM_FOLDER


def runnable_by(account: Account, binaries: Binaries) -> Binaries:
    """Return `binaries`, or a copy of them, in a folder that `account` can enter."""
    if account.may_enter(binaries.folder):
        return binaries
    copy = SYSTEM_FOLDER / f"postgresql-{binaries.version}"
    if not (copy / "bin" / "postgres").exists():
        SYSTEM_FOLDER.mkdir(mode=0o711, parents=True, exist_ok=True)
        draft = copy.with_name(f"{copy.name}.making")
        shutil.rmtree(draft, ignore_errors=True)
        shutil.copytree(binaries.folder.parent, draft, symlinks=True)
        for path in (draft, *draft.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        draft.rename(copy)
    return replace(binaries, folder=copy / "bin")
