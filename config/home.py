"""The state folder: everything this installation keeps outside the database server.

`.mendline/` in the project root unless MENDLINE_HOME names another folder. Git ignores it; deleting it makes
the next `make run` a first start.
"""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from config.env import env_text

ROOT = Path(__file__).resolve().parent.parent
"""The project root."""


def state_folder() -> Path:
    """Return the absolute path of the state folder, which need not exist yet."""
    named = Path(env_text("MENDLINE_HOME", str(ROOT / ".mendline"))).expanduser()
    return Path(os.path.abspath(named))  # noqa: PTH100 - pathlib has no way to drop ".." without following links


def make_state_folder(home: Path) -> None:
    """Make the state folder and the folders in it, if they are missing.

    The folder itself can be passed through but not listed, because as root the database server runs under another
    account; what is in it is private.
    """
    if not home.exists():
        home.mkdir(parents=True, exist_ok=True)
        home.chmod(0o711 if os.geteuid() == 0 else 0o700)
    for name in ("files", "mail", "logs", "static"):
        (home / name).mkdir(mode=0o700, exist_ok=True)


def local_secret(home: Path, name: str = "secret_key") -> str:
    """Return the secret kept in `home/<name>` (0600), made on first use.

    Only for local mode: a production installation is given its secrets. Two processes that start at the same
    moment get the same value, because the file is published by a hard link, which only one of them can make.
    """
    path = home / name
    if not path.exists():
        make_state_folder(home)
        draft = home / f".{name}.{os.getpid()}.{secrets.token_hex(4)}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48) + "\n")
        with suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_text(encoding="ascii").strip()
