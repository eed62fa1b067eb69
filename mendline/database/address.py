"""Which database a process talks to, and how.

DATABASE_URL from outside wins. Otherwise the address is the one that the launcher wrote down when it started the
embedded server; this module only reads it, so that importing the settings never starts anything.
"""

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from config.env import SettingError, env_number, env_secret, env_text, has_env

RECORD = "database.json"
"""File in the state folder (0600) in which the launcher keeps the server's addresses, one per role."""

ROLES = ("app", "owner", "auditor")

# A server whose machine or cable fails says no word; TCP by itself waits for a quarter of an hour, and every thread
# of the web process with it. So we give up on one that acknowledges nothing for some ten seconds, busy or not: a
# server that works on a long statement acknowledges. What the address itself says goes before; sockets know no such.
SILENT_SERVER = {
    "connect_timeout": 5,
    "tcp_user_timeout": 10_000,  # milliseconds
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
}


def url_from_environment(role: str) -> str | None:
    """Return the address given from outside for `role`, or None if this installation runs its own server.

    DATABASE_OWNER_URL is used for migrations; without it, the application's own account migrates as well.
    """
    if role == "owner" and has_env("DATABASE_OWNER_URL"):
        return env_secret("DATABASE_OWNER_URL")
    return env_secret("DATABASE_URL") if has_env("DATABASE_URL") else None


def recorded_url(home: Path, role: str) -> str | None:
    """Return the embedded server's address for `role`, or None if it was never started."""
    try:
        urls = json.loads((home / RECORD).read_text(encoding="utf-8"))["urls"]
    except (FileNotFoundError, KeyError, ValueError):
        return None
    url = urls.get(role)
    return url if isinstance(url, str) else None


def django_database(home: Path, *, production: bool) -> dict[str, Any]:
    """Return the `DATABASES` entry for the role in MENDLINE_DATABASE_ROLE (`app` unless said otherwise).

    Raises:
        SettingError: production without DATABASE_URL, an unknown role, or an address that is not PostgreSQL's.
    """
    role = env_text("MENDLINE_DATABASE_ROLE", "app")
    if role not in ROLES:
        raise SettingError(
            f"MENDLINE_DATABASE_ROLE 应为 {'、'.join(ROLES)} 之一。 It must be one of {', '.join(ROLES)}."
        )
    url = url_from_environment(role)
    if url is None and production:
        raise SettingError("生产环境必须设置 DATABASE_URL。 Set DATABASE_URL (or DATABASE_URL_FILE) in production.")
    # Without a server the settings still load (for linters, `--help`, `makemigrations`); connecting then fails
    # with the name of a socket folder that does not exist yet.
    return _options_for(url or recorded_url(home, role) or f"postgresql://mendline_{role}@/mendline?host={home}/run")


def _options_for(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql"):
        raise SettingError(
            "DATABASE_URL 必须以 postgresql:// 开头，本系统只使用 PostgreSQL。"
            " DATABASE_URL must begin with postgresql://: no other database is supported."
        )
    query = dict(parse_qsl(parts.query))
    timeouts = (
        f"-c statement_timeout={env_number('MENDLINE_STATEMENT_TIMEOUT_MS', 0)}"
        f" -c lock_timeout={env_number('MENDLINE_LOCK_TIMEOUT_MS', 0)}"
    )
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "mendline",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.pop("host", "") or parts.hostname or "",
        "PORT": str(parts.port or query.pop("port", "")),
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            # Prepared on the server: the hot path's statements are planned once per connection.
            "server_side_binding": True,
            "prepare_threshold": 5,
            "options": " ".join(filter(None, (query.pop("options", ""), timeouts))),
            **SILENT_SERVER,
            **query,
        },
        "TEST": {"NAME": env_text("TEST_DATABASE_NAME", "test_mendline")},
    }
