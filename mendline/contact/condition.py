"""How the installation stands, read from rows: what waits longer than it should, and what to do about it.

A worker that died leaves no sign of its own, but its work does: timers that are due and open, messages
whose turn has come. So nothing here asks a process; it looks at what would have been done.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from mendline.database.statements import first_row
from mendline.journal import holds
from mendline.kernel.text import Text
from mendline.kernel.time import local_day
from mendline.process.calendar_table import cover_warning

# A worker looks every second; a minute of nothing is no hurry of its any more.
TIMERS_WAIT = timedelta(minutes=1)
MESSAGES_WAIT = timedelta(minutes=5)
GAVE_UP_WITHIN = timedelta(days=1)

_TIMERS = """
    SELECT count(*), min(due_at) FROM (
        SELECT due_at FROM process_timer WHERE state = 'open' AND due_at < %s ORDER BY due_at LIMIT 1000) AS waiting
"""
_MESSAGES = """
    SELECT channel, count(*), min(next_try_at), max(error) FROM (
        SELECT channel, next_try_at, error FROM journal_outgoing
        WHERE state = 'pending' AND next_try_at < %s ORDER BY next_try_at LIMIT 1000) AS waiting
    GROUP BY channel ORDER BY channel
"""
_FAILING = """
    SELECT count(*), max(error) FROM (
        SELECT error FROM journal_outgoing WHERE state = 'pending' AND attempts > 0 AND error <> ''
        ORDER BY next_try_at LIMIT 1000) AS failing
"""
_WORKER = Text("请检查工作进程 mendline worker 是否在运行", "see whether the process `mendline worker` runs")
CHANNELS = {"email": Text("邮件", "E-mail"), "webhook": Text("回调接口", "Webhooks")}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `todo` is empty where nothing needs to be done."""

    code: str
    name: Text
    ok: bool
    detail: Text
    todo: Text = Text("", "")


def findings(now: datetime) -> list[Finding]:
    """Look at everything that would wait if something did not work."""
    return [_timers(now), *(_held() or _messages(now)), _failing(), _calendar(now)]


def _timers(now: datetime) -> Finding:
    name = Text("时钟与提醒", "Clocks and reminders")
    count, oldest = _row(_TIMERS, now - TIMERS_WAIT)
    if not count:
        return Finding("timers", name, True, Text("到期即处理", "taken up when due"))
    return Finding("timers", name, False, _waiting(count, oldest, now), _WORKER)


def _held() -> list[Finding]:
    """After a restore messages wait for a person and for no worker."""
    hold = holds.standing()
    if hold is None:
        return []
    detail = Text("恢复备份之后，邮件与推送一律扣住", "e-mail and webhooks are held back since a restore")
    todo = Text("请看 mendline outbox status，再决定放行", "see `mendline outbox status` and decide what goes out")
    return [Finding("held", Text("外发消息", "Outgoing messages"), False, detail, todo)]


def _messages(now: datetime) -> Iterator[Finding]:
    with connection.cursor() as cursor:
        cursor.execute(_MESSAGES, [now - MESSAGES_WAIT])
        late = {channel: (count, oldest) for channel, count, oldest, _ in cursor.fetchall()}
    for channel, name in CHANNELS.items():
        if channel in late:
            yield Finding(channel, name, False, _waiting(*late[channel], now), _WORKER)
        else:
            yield Finding(channel, name, True, Text("没有积压", "nothing is waiting"))


def _failing() -> Finding:
    name = Text("投递失败", "Failed deliveries")
    count, error = _row(_FAILING)
    if not count:
        return Finding("deliveries", name, True, Text("没有", "none"))
    shown = error[:120]
    detail = Text(f"{count} 条正在重试，最近的原因：{shown}", f"{count} are tried again; a reason: {shown}")
    todo = Text("请检查邮件服务器设置与接收方地址", "check the mail server's settings and the receivers' addresses")
    return Finding("deliveries", name, False, detail, todo)


def _calendar(now: datetime) -> Finding:
    """A warning, not a fault: nobody can load make-up days that are not announced yet."""
    name = Text("节假日", "Holidays")
    warning = cover_warning(local_day(now))
    return Finding("calendar", name, True, warning or Text("已覆盖 60 天以上", "covered for 60 days and more"))


def _waiting(count: int, oldest: datetime, now: datetime) -> Text:
    minutes = int((now - oldest).total_seconds() // 60)
    many = f"{count}+" if count >= 1000 else str(count)
    return Text(
        f"{many} 条应处理而未处理，最早的已等 {minutes} 分钟",
        f"{many} should have been done, the oldest {minutes} min ago",
    )


def _row(statement: str, *bound: datetime) -> tuple[Any, ...]:
    row = first_row(statement, bound)
    assert row is not None  # a count always has one
    return row
