"""`mendline backup`: a backup, the list of them, whether one is whole, or the log between them as it is written."""

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

from config.env import env_secret, has_env
from config.home import state_folder
from mendline.database import backup_catalogue as catalogue
from mendline.database import backup_follow
from mendline.database.backup import Source, source_of, take
from mendline.database.backup_catalogue import Backup, BackupFailed, backups_in
from mendline.database.launcher import ensure_running

KEEP = 14


def main(arguments: Sequence[str]) -> int:
    """Returns 1 when there is no backup afterwards, or one is damaged."""
    parser = _parser()
    given = parser.parse_args(arguments)
    repository: Path = (given.to or state_folder() / "backups").absolute()
    if given.keep < 1:
        parser.error("--keep 应为 1 以上 --keep must be 1 or more")
    try:
        if given.list:
            return _list(repository, as_json=given.json)
        if given.check:
            return _check(repository)
        source = _source()
        if given.forget_slot:
            backup_follow.forget_slot(source)
            return 0
        if given.follow:
            return _follow(source, repository)
        backup = take(source, repository, keep=given.keep, now=datetime.now(UTC))
    except BackupFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    _tell(backup, as_json=given.json)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mendline backup",
        description="备份数据库与附件，不必停机。 Back up the database and the attachments while everything works.",
    )
    parser.add_argument("--to", type=Path, metavar="DIR", help="放到哪里，默认状态文件夹的 backups/ where to")
    parser.add_argument("--keep", type=int, default=KEEP, help=f"保留几个 how many are kept ({KEEP})")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--list", action="store_true", help="列出已有的备份 list what there is")
    what.add_argument("--check", action="store_true", help="重算全部校验值 hash everything again")
    what.add_argument(
        "--follow", action="store_true",
        help="持续接收日志与新附件，直到 Ctrl-C：有了它才能恢复到任意时刻"
        " take the log and new attachments until Ctrl-C: with it any moment can be restored",
    )  # fmt: skip
    what.add_argument("--forget-slot", action="store_true", help="不再接收日志 the log is not taken any more")
    parser.add_argument("--json", action="store_true", help="供程序读取 for scripts")
    return parser


def _source() -> Source:
    home = state_folder()
    url = env_secret("DATABASE_BACKUP_URL") if has_env("DATABASE_BACKUP_URL") else None
    server = ensure_running(home)
    return source_of(server, url, files=home / "files", seals=seals_folder(home))


def seals_folder(home: Path) -> Path:
    """Return where the heads of the sealed history are; the settings say the same to Django."""
    from config.env import env_text

    return Path(env_text("MENDLINE_SEALS", str(home / "seals")))


def _follow(source: Source, repository: Path) -> int:
    stopping = Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stopping.set())
    print(f"正在接收日志，Ctrl-C 停止。 Taking the log until Ctrl-C: {repository / 'wal'}", flush=True)
    backup_follow.follow(source, repository, stopping)
    return 0


def _list(repository: Path, *, as_json: bool) -> int:
    found = backups_in(repository)
    if as_json:
        print(json.dumps([_line(one) for one in found], ensure_ascii=False, indent=1))
        return 0
    for one in found:
        print(f"{one.manifest.name}  {one.manifest.finished_at}  PostgreSQL {one.manifest.postgres}  {one.folder}")
    pieces = catalogue.pieces_of_log(repository / "wal")
    reach = (
        f"{len(pieces)} 段日志 pieces of the log, {pieces[0].name} – {pieces[-1].name}" if pieces else "没有日志 no log"
    )
    print(f"{len(found)} 个备份 backups, {reach}")
    return 0


def _check(repository: Path) -> int:
    faults = [fault for one in backups_in(repository) for fault in catalogue.differences(one)]
    for fault in faults:
        print(fault)
    print("✗ 有损坏 damaged" if faults else "✓ 全部完好 all as they were written")
    return 1 if faults else 0


def _tell(backup: Backup, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(_line(backup), ensure_ascii=False, indent=1))
        return
    size = sum(path.stat().st_size for path in (backup.folder / "base").rglob("*") if path.is_file())
    print(f"✓ {backup.folder}  {size / 1e6:,.0f} MB, {len(backup.manifest.files)} 个附件 attachments")


def _line(backup: Backup) -> dict[str, object]:
    said = {name: value for name, value in asdict(backup.manifest).items() if name not in ("base", "files")}
    return {**said, "files": len(backup.manifest.files), "folder": str(backup.folder)}
