"""What has to be true of a restored database before anybody may connect to it.

Run with plain SQL by `mendline restore`, inside one transaction: nothing goes out (a hold), and the heads of the
sealed history say outside that the database was taken back on purpose.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from mendline.journal import holds, sealing_heads

_LAST = "SELECT max(number) FROM journal_seal"
_DUE = "SELECT count(*) FROM process_timer WHERE state = 'open' AND due_at <= %s"
_WAITING = "SELECT count(*) FROM journal_outgoing WHERE state = 'pending' AND channel <> 'inbox'"


class NotSettled(Exception):
    """The restored database is of a release that cannot hold its messages back."""


def settle(cursor: Any, as_of: datetime, *, now: datetime, seals: Path) -> str:
    """Hold back what goes outside, note the restore beside the heads, and return what the person must know."""
    if not holds.begin(cursor, since=now, as_of=as_of, why="restore"):
        raise NotSettled(
            "备份来自没有外发扣留的旧版本。请用备份时的版本恢复，升级后再备份。"
            " The backup is of a release that knew no holds: restore it with that release, upgrade, back up again."
        )
    _note(cursor, as_of, now, seals)
    waiting, due = _count(cursor, _WAITING), _count(cursor, _DUE, now)
    return (
        f"外发消息已全部扣住（{waiting} 条待发）：先看 mendline outbox status，再用 mendline outbox release 放行。\n"
        f"{due} 个时钟在此期间已到期：后台进程启动后会立即补办，记下应到与实到时间，通知只出现在系统内。"
        "请先只启动网页，补录恢复时点之后的电话与承诺，再启动 worker。\n"
        f"Everything outgoing is held ({waiting} waiting): see `mendline outbox status`, then `mendline outbox"
        " release`.\n"
        f"{due} clocks fell due meanwhile: the worker carries them out when it starts, with the times when they were"
        " due and when they struck; notices show inside only. Start the pages first, enter what was said after the"
        " restored moment, and then start the worker."
    )


def _note(cursor: Any, as_of: datetime, now: datetime, seals: Path) -> None:
    file = sealing_heads.file_of(cursor, seals)
    if file is not None:
        number = _count(cursor, _LAST)
        if file.last_number() > number:
            file.add_lines([sealing_heads.restored_line(number, at=now, until=as_of)])


def _count(cursor: Any, statement: str, *bound: datetime) -> int:
    cursor.execute(statement, list(bound))
    return int(cursor.fetchone()[0] or 0)
