"""`mendline doctor`: is everything there that this installation needs? Changes nothing."""

import argparse
import json
import platform
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module

from config.home import state_folder
from mendline.cli import packages
from mendline.database.errors import DatabaseUnavailable
from mendline.database.launcher import ensure_running

LEAST_FREE_BYTES = 2_000_000_000


@dataclass(frozen=True)
class Finding:
    """One thing looked at."""

    name: str
    ok: bool
    detail: str


def main(arguments: Sequence[str]) -> int:
    """Print the findings; returns 1 if something must be done."""
    parser = argparse.ArgumentParser(prog="mendline doctor", description="检查本机与安装。 Look the installation over.")
    parser.add_argument("--json", action="store_true", help="供程序读取 for scripts")
    parser.add_argument(
        "--rows", action="store_true", help="核对全部单据、历史、计时器、名额是否相符 hold all rows against each other"
    )
    given = parser.parse_args(arguments)
    findings = [*_findings(), *(_rows() if given.rows else ())]
    if given.json:
        print(json.dumps([asdict(one) for one in findings], ensure_ascii=False, indent=1))
    else:
        for one in findings:
            print(f"{'✓' if one.ok else '✗'} {one.name}: {one.detail}")
    return 0 if all(one.ok for one in findings) else 1


def _findings() -> Iterator[Finding]:
    yield Finding("Python", sys.version_info >= (3, 11), platform.python_version())
    yield _state_folder()
    checks: tuple[tuple[str, Callable[[], Finding]], ...] = (
        ("数据库 database", _database),
        ("表 tables", _tables),
        ("节假日 holidays", _holidays),
        ("查毒 virus scanner", _scanner),
    )
    for name, check in checks:
        try:
            yield check()
        except Exception as error:  # whatever it is, the person should see the other findings too
            yield Finding(name, False, f"{type(error).__name__}: {error}")
    for needed in packages.PRINTING:
        there = needed.is_there()
        yield Finding(needed.what, there, "" if there else packages.advice([needed]))


def _rows() -> Iterator[Finding]:
    """Every invariant of the rows, each that does not hold by name; at a busy moment as well as at rest."""
    from datetime import UTC, datetime

    import psycopg

    invariants = import_module("mendline.sim.invariants")
    try:
        with psycopg.connect(ensure_running(state_folder()).url("owner"), autocommit=True) as connection:
            broken = invariants.broken(connection, datetime.now(UTC))
    except (psycopg.Error, DatabaseUnavailable) as error:
        yield Finding("数据相符 rows", False, f"{type(error).__name__}: {error}")
        return
    for one in broken:
        yield Finding(f"数据相符 rows {one.invariant}", False, f"{one.check}: {one.subject} ({one.detail})")
    if not broken:
        yield Finding("数据相符 rows", True, "全部成立 everything holds")


def _holidays() -> Finding:
    """Deadlines in working days need the next year's make-up days; a warning, not a fault, until they are announced."""
    from datetime import UTC, datetime

    import django

    from mendline.kernel.time import local_day

    django.setup()
    today = local_day(datetime.now(UTC))
    warning = import_module("mendline.process.calendar_table").cover_warning(today)
    detail = "已覆盖 60 天以上 covered for 60 days and more" if warning is None else f"⚠ {warning.zh} {warning.en}"
    return Finding("节假日 holidays", True, detail)


def _scanner() -> Finding:
    """Whether uploads are scanned; a scanner that is set and away is a fault, none at all is the operator's choice."""
    import django
    from django.conf import settings

    from mendline.kernel.scanning import ScannerAway

    django.setup()
    from mendline.orders.attachments import MAX_BYTES

    name = "查毒 virus scanner"
    if settings.SCANNING is None:
        return Finding(name, True, "未设置 CLAMD，上传的文件不查毒 CLAMD is not set: uploads are not scanned")
    scanner, trouble = settings.SCANNING.scanner, ""
    try:
        version = scanner.version()
        trouble = "收不下 10 MB 的文件，请看 StreamMaxLength takes no file of 10 MB, see StreamMaxLength: "
        scanner.found_in(bytes(MAX_BYTES))
        return Finding(name, True, f"{version}, {settings.CLAMD}")
    except ScannerAway as problem:
        if settings.SCANNING.when_away == "refuse":
            return Finding(name, False, f"{trouble}{problem}：上传会被拒绝 uploads are refused")
        return Finding(name, False, f"{trouble}{problem}：上传不经查毒 uploads are taken unscanned")


def _state_folder() -> Finding:
    home = state_folder()
    free = shutil.disk_usage(home).free
    return Finding("状态文件夹 state folder", free > LEAST_FREE_BYTES, f"{home}, {free / 1e9:.1f} GB 可用 free")


def _database() -> Finding:
    try:
        server = ensure_running(state_folder())
    except DatabaseUnavailable as error:
        return Finding("数据库 database", False, str(error))
    place = server.cluster.folder if server.cluster else "DATABASE_URL"
    return Finding("数据库 database", True, f"PostgreSQL {server.version}, {place}")


def _tables() -> Finding:
    import django
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    django.setup()
    executor = MigrationExecutor(connection)
    pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    detail = f"{len(pending)} 项待更新 pending: mendline migrate" if pending else "最新 up to date"
    return Finding("表 tables", not pending, detail)
