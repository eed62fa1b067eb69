"""`mendline restore`: an installation's database and attachments from a backup, at its end or at a moment."""

import argparse
import shlex
import shutil
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from pathlib import Path

from config.home import state_folder
from mendline.cli.backup import seals_folder
from mendline.database import restore as restoring
from mendline.database.backup_catalogue import BackupFailed


def main(arguments: Sequence[str]) -> int:
    """Returns 1 when nothing was restored; then the state folder is as it was."""
    parser = argparse.ArgumentParser(
        prog="mendline restore",
        description="从备份恢复数据库与附件；已有数据时拒绝。恢复后外发消息扣住，由人放行。"
        " Restore database and attachments; refuses where there is data. What goes outside is held until a person"
        " lets it go.",
    )
    parser.add_argument(
        "from_", type=Path, metavar="FROM", help="一个备份，或备份所在的文件夹 a backup, or the folder of them"
    )
    parser.add_argument(
        "--until", type=_moment, metavar="TIME",
        help="恢复到此刻（含），如 2026-03-02T09:30+08:00；不写则到日志末尾"
        " the moment to go back to, inclusive; without it to the end of the log",
    )  # fmt: skip
    parser.add_argument("--into", type=Path, metavar="DIR", help="新的状态文件夹，默认 MENDLINE_HOME the state folder")
    given = parser.parse_args(arguments)
    if str(given.into or "").startswith("postgres"):
        parser.error(
            "--into 只能是文件夹：备份是整个服务器的文件，恢复后再用 pg_dump 移入别的服务器，见文档"
            " --into takes a folder: the backup is a whole server's; move it on with pg_dump, see the documentation"
        )
    home: Path = (given.into or state_folder()).absolute()
    not_settled = import_module("mendline.contact.after_restore").NotSettled
    try:
        backup = restoring.choose(given.from_.absolute(), given.until)
        restored = restoring.restore(backup, home, until=given.until, settle=_settling(home, backup.repository))
    except (BackupFailed, not_settled) as failure:
        print(failure, file=sys.stderr)
        return 1
    print(f"✓ {home}\n  {restored.as_of.astimezone():%F %T %z}, {restored.files} 个附件 attachments\n{restored.told}")
    print(f"\nMENDLINE_HOME={shlex.quote(str(home))} mendline audit verify")
    return 0


def _settling(home: Path, repository: Path) -> restoring.Settle:
    """Return what settles the restored database; the heads that were kept come along where the home has none."""
    seals = seals_folder(home)

    def settle(cursor: object, as_of: datetime) -> str:
        seals.mkdir(mode=0o700, parents=True, exist_ok=True)
        for kept in (repository / "seals").glob("*.log"):
            if not (seals / kept.name).exists():
                shutil.copyfile(kept, seals / kept.name)
        work = partial(import_module("mendline.contact.after_restore").settle, now=datetime.now(UTC), seals=seals)
        return str(work(cursor, as_of))

    return settle


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} 不是时间，应如 2026-03-02T09:30+08:00 write a moment like 2026-03-02T09:30+08:00"
        ) from None
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text!r} 没有时区，请写 +08:00 write the zone as well, such as +08:00")
    return moment
