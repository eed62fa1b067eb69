"""Why late, in words: each run of a clock as a sentence and a list of steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from mendline.kernel.durations import Duration
from mendline.kernel.text import Text
from mendline.orders.explain_late import BREACHED, DUE, NOTHING, PAUSED, RESUMED, STARTED, ClockRun, Stage, clock_runs
from mendline.orders.queries import SubjectPage
from mendline.process.calendar_table import calendars_for
from mendline.process.definition import Process
from mendline.web.console.chips import span
from mendline.web.console.words import role_name
from mendline.web.shown_zone import shown_moment

A_DAY = timedelta(days=1)
OWNERS = {
    "station": Text("维修站", "the station"),
    "region": Text("大区", "the region"),
    "cc": Text("呼叫中心", "the call centre"),
    "parts": Text("备件", "parts supply"),
}
COUNTED = {
    "always": Text("昼夜连续计时", "counted round the clock"),
    "working_hours": Text("只计工作时间", "counted in working hours"),
    "working_days": Text("只计工作日", "counted on working days"),
}
VERBS = {
    STARTED: Text("开始计时", "the clock started"),
    RESUMED: Text("恢复计时", "the clock went on"),
    PAUSED: Text("暂停计时", "the clock paused"),
    BREACHED: Text("到期未办", "the limit was reached"),
    DUE: Text("到期未办", "the limit was reached"),
}


@dataclass(frozen=True, slots=True)
class StageRow:
    """One step of the story: what happened when, and what the clock counted until the next step."""

    at: datetime
    what: Text
    who: Text
    state: Text
    counted: Text
    total: Text
    is_over: bool  # the stretch that begins here lies beyond the limit
    is_longest: bool


@dataclass(frozen=True, slots=True)
class LateStory:
    """One run of a clock, told. `tone` is that of its chip."""

    ref: str
    label: Text
    tone: str
    icon: str
    sentence: Text
    owner: Text
    limit: Text
    calendar: Text
    rules: tuple[str, ...]
    rows: list[StageRow]
    is_late: bool


def late_stories(page: SubjectPage, now: datetime) -> list[LateStory]:
    """Return every clock run of an order and of its records: late ones first, then by their beginning."""
    found: list[LateStory] = []
    for part in (page, *page.records):
        calendars = calendars_for(part.subject.station_no)
        runs = clock_runs(part.process, part.timeline, now=now, calendars=calendars)
        found += [_story(part.process, run, part.subject.ref) for run in runs]
    return sorted(found, key=lambda story: (not story.is_late, story.rows[0].at))


def _story(process: Process, run: ClockRun, ref: str) -> LateStory:
    tone, icon = _LOOKS[run.outcome]
    station_no = run.stages[-1].station_no
    owner = OWNERS[run.clock.responsible]
    if run.clock.responsible == "station" and station_no:
        owner = Text(f"{owner.zh} {station_no}", f"station {station_no}")
    return LateStory(
        ref=ref,
        label=run.clock.label,
        tone=tone,
        icon=icon,
        sentence=_sentence(process, run, owner),
        owner=owner,
        limit=run.limit.text() if run.limit != Duration() else Text("到约定时间为止", "until the time agreed"),
        calendar=COUNTED.get(run.clock.calendar, Text("", "")),
        rules=run.clock.rules,
        rows=_rows(process, run),
        is_late=run.is_late,
    )


_LOOKS: Mapping[str, tuple[str, str]] = {
    "late": ("breached", "alert-triangle"),
    "running_late": ("breached", "alert-triangle"),
    "in_time": ("fulfilled", "circle-check"),
    "running": ("running", "clock"),
    "paused": ("paused", "player-pause"),
}


def _sentence(process: Process, run: ClockRun, owner: Text) -> Text:
    due, ended = shown_moment(run.due_at), shown_moment(run.ended_at)
    over, used = counted(run, run.over), counted(run, run.used)
    told = {
        "late": Text(
            f"{due.zh} 到期，{ended.zh} 才办到，超时 {over.zh}",
            f"due {due.en}, met only {ended.en}: {over.en} late",
        ),
        "running_late": Text(f"{due.zh} 到期，至今未办，已超时 {over.zh}", f"due {due.en}, still open: {over.en} late"),
        "in_time": Text(f"用时 {used.zh}，按时完成", f"met in time after {used.en}"),
        "running": Text(f"已用 {used.zh}，{due.zh} 到期", f"{used.en} used, due {due.en}"),
        "paused": Text(f"已用 {used.zh}，暂停中", f"{used.en} used, paused"),
    }[run.outcome]
    if not run.is_late:
        return Text(f"{told.zh}。", f"{told.en}.")
    state, length = max(run.by_state().items(), key=lambda pair: pair[1], default=("", NOTHING))
    where, long = process.states[state].label if state in process.states else Text("", ""), counted(run, length)
    return Text(
        f"{told.zh}。其中“{where.zh}”用去 {long.zh}，负责方：{owner.zh}。",
        f"{told.en}. {long.en} of it went at {where.en}; {owner.en} was answerable.",
    )


def _rows(process: Process, run: ClockRun) -> list[StageRow]:
    befores = ["", *(stage.state for stage in run.stages)]
    rows = [_row(process, run, stage, before) for stage, before in zip(run.stages, befores, strict=False)]
    return [*rows, _end(process, run)]


def _row(process: Process, run: ClockRun, stage: Stage, state_before: str) -> StageRow:
    length = stage.used + stage.over
    return StageRow(
        at=stage.begun_at if stage.verb == STARTED else max(stage.begun_at, run.stages[0].begun_at),
        what=_what(process, stage),
        who=_who(stage),
        state=process.states[stage.state].label
        if stage.state in process.states and stage.state != state_before
        else Text("", ""),
        counted=counted(run, length) if stage.is_counting else Text("不计时", "not counted"),
        total=counted(run, stage.total),
        is_over=bool(stage.over),
        is_longest=bool(length) and stage is run.longest,
    )


def _end(process: Process, run: ClockRun) -> StageRow:
    nothing = Text("", "")
    if run.ended_by is None:
        return StageRow(run.ended_at, Text("现在", "now"), nothing, nothing, nothing, nothing, False, False)
    step = process.transitions.get(run.ended_by.kind.partition(".")[2])
    what = step.label if step else Text("停止计时", "the clock stopped")
    who = role_name(run.ended_by.actor_role)
    named = Text(f"{run.ended_by.actor_name}（{who.zh}）", f"{run.ended_by.actor_name} ({who.en})")
    state = process.states[run.ended_by.to_state].label if run.ended_by.to_state in process.states else nothing
    return StageRow(run.ended_at, what, named, state, nothing, nothing, False, False)


def _what(process: Process, stage: Stage) -> Text:
    """The step that was taken, and what it did to the clock."""
    step = process.transitions.get(stage.entry.kind.partition(".")[2]) if stage.entry else None
    if stage.verb.startswith("warn"):
        percent = stage.verb.removeprefix("warn")
        return Text(f"提醒：时限已用 {percent}%", f"reminder: {percent}% of the limit used")
    verb = VERBS.get(stage.verb)
    if step is None:
        return verb or Text("", "")
    return Text(f"{step.label.zh}，{verb.zh}", f"{step.label.en}: {verb.en}") if verb else step.label


def _who(stage: Stage) -> Text:
    if stage.entry is None or stage.entry.actor_role == "timer":
        return Text("", "")
    role = role_name(stage.entry.actor_role)
    return Text(f"{stage.entry.actor_name}（{role.zh}）", f"{stage.entry.actor_name} ({role.en})")


def counted(run: ClockRun, length: timedelta) -> Text:
    """Return counted time; where the limit is in working days, whole ones first."""
    if not run.limit.working_days:
        return span(length)
    days, rest = divmod(length, A_DAY)
    hours = span(rest)
    if not days:
        return hours
    return Text(f"{days}个工作日{hours.zh}", f"{days} working d {hours.en}")
