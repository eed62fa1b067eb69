"""An order's times as the legacy system keeps them: T1, T2, T31 to T33, T4, promise type and reason, state. Pure.

T31 = 2010-01-01 means two things there: the user was not reached (STN-22), or the trouble was
solved by telephone (STN-29). Closed, type 承诺时间内 and one of the two fixed texts means solved by
telephone (STN-30, STN-31); everything else means not reached. An order that was first not reached
and later solved by telephone is known by its T2, which then lies before T4.

Lossless: every column, to the microsecond and with its offset (the legacy system shows minutes).
Not kept by these columns: type and reason of promises that were replaced, when each was written,
and who did it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, TypeAlias

from mendline.kernel.text import Text
from mendline.kernel.time import SHANGHAI, Unreadable, local_day, parse_moment
from mendline.orders.changes import SLOTS
from mendline.orders.guards import REMOTE_REASONS
from mendline.process.definition import Process

KIND, REASON, STATE = "承诺服务时间类型", "承诺服务原因描述", "状态"
MOMENTS = ("T1", "T2", *SLOTS, "T4")
COLUMNS = (*MOMENTS, KIND, REASON, STATE)
SPECIAL = date(2010, 1, 1)  # STN-22; the parameter `special_t31` of the process
WITHIN_PROMISE = "within_promise"

Meaning: TypeAlias = Literal["unreachable", "resolved_remotely"]
Resolution: TypeAlias = Literal["", "serviced", "resolved_remotely"]
_DAY_ONLY = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[ T]00?:00(?::00)?)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class LegacyTimes:
    """What the columns say of one order. `t3` holds what was written into T31, T32, T33, in that order."""

    t1: datetime | None
    t2: datetime | None
    t3: tuple[datetime | Meaning, ...]
    t4: datetime | None
    kind: str  # code of the promise type, "" where none was written
    reason: str
    state: str
    resolution: Resolution


def times_of(facts: Mapping[str, Any], state: str) -> LegacyTimes:
    """Return what the legacy columns can hold of an order's facts."""
    promises = facts.get("t3_promises") or ()
    return LegacyTimes(
        t1=_kept(facts.get("t1")),
        t2=_kept(facts.get("t2")),
        t3=tuple(_kept(promise["at"]) or promise["kind"] for promise in promises),
        t4=_kept(facts.get("t4")),
        kind=facts.get("promise_kind") or "",
        reason=facts.get("promise_reason") or "",
        state=state,
        resolution=facts.get("resolution") or "",
    )


def write_columns(times: LegacyTimes, process: Process) -> dict[str, str]:
    """Return the cells of one order, by column."""
    written = dict(zip(SLOTS, times.t3, strict=False))
    cells = {
        "T1": _moment(times.t1),
        "T2": _moment(times.t2),
        **{slot: _slot(written.get(slot)) for slot in SLOTS},
        "T4": _moment(times.t4),
        KIND: _label_of(promise_kinds(process), times.kind) if times.kind else "",
        REASON: times.reason,
        STATE: process.states[times.state].label.zh,
    }
    return {column: cells[column] for column in COLUMNS}


def read_columns(cells: Mapping[str, str], process: Process) -> LegacyTimes:
    """Take the cells of one order apart; a missing cell is an empty one.

    A moment without offset is read on the clock of Shanghai, to the minute or finer.

    Raises:
        Unreadable: a moment, type or state that cannot be read, T32 without T31, or a special date elsewhere.
    """
    moments = {column: _read_moment(column, cells.get(column, "")) for column in MOMENTS}
    kind = _code_of(KIND, promise_kinds(process), cells.get(KIND, ""))
    state = _code_of(STATE, {code: known.label for code, known in process.states.items()}, cells.get(STATE, ""))
    reason = cells.get(REASON, "").strip()
    t1, t2, t4 = (_no_special(column, moments[column]) for column in ("T1", "T2", "T4"))
    closed = state in process.states and process.states[state].category == "done"
    remote = closed and kind == WITHIN_PROMISE and reason in REMOTE_REASONS
    return LegacyTimes(
        t1=t1, t2=t2, t3=_slots(moments, remote=remote, t2=t2, t4=t4), t4=t4, kind=kind, reason=reason, state=state,
        resolution=("resolved_remotely" if remote else "serviced") if closed else "",
    )  # fmt: skip


def reads_back(times: LegacyTimes, process: Process) -> bool:
    """Say whether the columns hold everything of `times`. A few orders cannot be told apart in them.

    Such are an order solved by telephone and re-opened, which looks like a user who was not
    reached, and a serviced one whose typed reason is word for word one of the two fixed texts.
    """
    return read_columns(write_columns(times, process), process) == times


def promise_kinds(process: Process) -> Mapping[str, Text]:
    return process.facts["promise_kind"].of if "promise_kind" in process.facts else {}


def _slots(
    moments: Mapping[str, datetime | date | None], *, remote: bool, t2: datetime | None, t4: datetime | None
) -> tuple[datetime | Meaning, ...]:
    found: list[datetime | Meaning] = []
    for position, slot in enumerate(SLOTS):
        moment = moments[slot]
        if moment is None:
            continue
        if len(found) < position:
            raise Unreadable(Text(f"{slot} 有值而前一列为空", f"{slot} is filled and the column before it is empty"))
        if isinstance(moment, datetime):
            found.append(moment)
            continue
        if position > 0:
            _no_special(slot, moment)
        contacted_before = t2 is not None and t4 is not None and t2 < t4
        found.append("resolved_remotely" if remote and not contacted_before else "unreachable")
    return tuple(found)


def _slot(written: datetime | Meaning | None) -> str:
    return SPECIAL.isoformat() if isinstance(written, str) else _moment(written)


def _moment(moment: datetime | None) -> str:
    """ISO with seconds and offset, on the clock of Shanghai; parts of a second only where there are any."""
    return moment.astimezone(SHANGHAI).isoformat() if moment else ""


def _read_moment(column: str, cell: str) -> datetime | date | None:
    text = cell.strip()
    if not text:
        return None
    day = _DAY_ONLY.fullmatch(text)
    if day and tuple(map(int, day.groups())) == (SPECIAL.year, SPECIAL.month, SPECIAL.day):
        return SPECIAL
    try:
        moment = parse_moment(text.replace("/", "-"), SHANGHAI)
    except Unreadable as problem:
        raise Unreadable(Text(f"{column}：{problem.detail.zh}", f"{column}: {problem.detail.en}")) from None
    return SPECIAL if local_day(moment) == SPECIAL else moment


def _no_special(column: str, moment: datetime | date | None) -> datetime | None:
    if moment is None or isinstance(moment, datetime):
        return moment
    raise Unreadable(
        Text(
            f"{column} 不能是特殊时间 {SPECIAL}，只有 T31 可以", f"{column} cannot be {SPECIAL}; only T31 can (STN-22)"
        )
    )


def _label_of(labels: Mapping[str, Text], code: str) -> str:
    return labels[code].zh


def _code_of(column: str, labels: Mapping[str, Text], cell: str) -> str:
    label = cell.strip()
    if not label and column != STATE:
        return ""
    for code, known in labels.items():
        if known.zh == label:
            return code
    choices = "、".join(known.zh for known in labels.values())
    raise Unreadable(
        Text(f"{column}“{label}”不认识，请用：{choices}", f"{column} {label!r} is not known; use one of {choices}")
    )


def _kept(moment: object) -> datetime | None:
    return datetime.fromisoformat(moment) if isinstance(moment, str) and moment else None
