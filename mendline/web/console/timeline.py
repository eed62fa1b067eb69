"""The history of an order as people read it: steps, calls, promises, clocks, and who was told what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mendline.journal.models import Entry, Outgoing
from mendline.kernel.text import Text
from mendline.orders.readings import REMINDER
from mendline.process.definition import Process
from mendline.web.console.fact_words import HIDDEN, PICTURES, Shown, shown
from mendline.web.console.words import CLOCK_VERBS, role_name
from mendline.web.shown_zone import shown_moment

ICONS = {
    "report": "headset", "self_order": "headset", "reorder": "headset", "dispatch": "send", "download": "file-text",
    "log_contact": "phone-call", "mark_unreachable": "phone", "promise": "calendar-event", "order_part": "package",
    "part_arrived": "package", "print_order": "printer", "assign_engineer": "user", "start_service": "tool",
    "resolve": "circle-check", "resolve_remotely": "circle-check", "record_callback": "star", "cancel": "ban",
    "cancel_and_reassign": "arrows-exchange", "urge": "alert-circle", "reopen": "refresh", "reveal_phone": "eye",
    "attach": "photo",
}  # fmt: skip
# What a person narrows the history to; an event that told somebody something belongs to "told" as well.
TOPICS = {
    "contact": Text("联系", "Contacts"),
    "promise": Text("承诺", "Promises"),
    "part": Text("备件", "Parts"),
    "told": Text("通知", "Notices"),
    "clock": Text("时限", "Deadlines"),
    "file": Text("照片与文件", "Files"),
    "phone": Text("查看电话", "Number seen"),
}
TOPIC_OF = {
    "log_contact": "contact", "mark_unreachable": "contact", "report_wrong_number": "contact", "urge": "contact",
    "log_attempt": "contact", "promise": "promise", "order_part": "part", "borrow_part": "part",
    "part_arrived": "part", "part_refused": "part", "note_part_late": "part", "attach": "file",
    "reveal_phone": "phone",
}  # fmt: skip
OTHER_KINDS = {
    "reveal_phone": Text("查看完整电话", "Saw the whole telephone number"),
    "attach": Text("上传文件", "File added"),
}
BESIDE_THE_STEPS = (".reveal_phone", ".attach")
READ_BY = "document."
# Codes of a change of limits; its page says in words what they mean.
SAID_IN_WORDS = frozenset({"changes_process", "changes_version", "new_limits"})
CHANNELS = {"inbox": Text("站内", "in-app"), "email": Text("邮件", "e-mail"), "webhook": Text("接口", "webhook")}
DELIVERY = {
    "pending": Text("待发送", "waiting"),
    "sent": Text("已发送", "sent"),
    "failed": Text("发送失败", "failed"),
    "declined": Text("收件人不要邮件", "no e-mail wanted"),
    "shown": Text("已送达", "delivered"),
}


@dataclass(frozen=True, slots=True)
class Told:
    """One notice that this step caused, and what became of it."""

    text: Text
    to: Text
    channel: Text
    delivery: Text
    failed: bool
    sent_at: datetime | None = None
    error: str = ""


@dataclass(slots=True)
class Event:
    """One thing that happened."""

    at: datetime
    title: Text
    who: Text
    icon: str
    tone: str = "step"  # step | clock | breach
    ref: str = ""  # of the record beside the order, if it happened there
    state: Text | None = None
    facts: list[Shown] = field(default_factory=list)
    clocks: list[Text] = field(default_factory=list)
    rules: tuple[str, ...] = ()
    told: list[Told] = field(default_factory=list)
    topic: str = ""

    @property
    def topics(self) -> str:
        """The topics this event is shown under, as one attribute."""
        found = {self.topic} | ({"told"} if self.told else set()) | ({"promise"} if self._promises else set())
        return " ".join(sorted(found - {""}))

    @property
    def _promises(self) -> bool:
        """A part order or an unresolved pass may carry a promise (STN-08)."""
        return any(fact.name == "promised_at" for fact in self.facts)


def timeline_of(
    order_ref: str, entries: Iterable[Entry], notices: Iterable[Outgoing], processes: dict[str, Process]
) -> list[Event]:
    """Return events, the latest first. `processes` holds the process of each subject by its number."""
    steps: dict[tuple[str, int], Event] = {}
    found: list[Event] = []
    for entry in entries:
        if entry.kind.startswith(READ_BY):
            continue  # who has read a document is a list of its own
        event = _event(order_ref, entry, processes.get(entry.subject))
        found.append(event)
        if not entry.kind.endswith(BESIDE_THE_STEPS):  # these leave the revision as it is
            steps.setdefault((entry.subject, entry.revision), event)
    for notice in notices:
        # A message's key begins with number and revision: the step that caused it.
        subject, _, rest = notice.key.partition(":")
        revision = rest.partition(":")[0]
        cause = steps.get((subject, int(revision))) if revision.isdecimal() else None
        if notice.channel == "webhook" or notice.notice == REMINDER:
            continue
        if cause is None:
            cause = Event(notice.at, Text("通知", "Notice"), role_name("timer"), "send", tone="clock")
            found.append(cause)
        cause.told.append(_told(notice))
    return sorted(found, key=lambda event: event.at, reverse=True)


def _event(order_ref: str, entry: Entry, process: Process | None) -> Event:
    subject, _, verb = entry.kind.partition(".")
    given = entry.data.get("given") or {}
    step = process.transitions.get(verb) if process else None
    clocks = [_clock_words(process, item) for item in entry.data.get("clocks") or ()]
    beside = "" if entry.subject == order_ref else entry.subject
    breached = verb in ("breach", "breached")
    if step is not None and process is not None:
        title = (
            step.label
            if not beside
            else Text(f"{process.label.zh}：{step.label.zh}", f"{process.label.en}: {step.label.en}")
        )
    elif subject == "clock" or breached or verb.startswith("warn"):
        title = clocks[0] if clocks else Text("时钟", "Clock")
    else:
        title = _with_what(OTHER_KINDS.get(verb, Text(verb, verb)), entry.data)
    moved = process is not None and entry.from_state != entry.to_state and entry.to_state in process.states
    return Event(
        at=entry.at,
        title=title,
        who=_who(entry),
        icon=ICONS.get(verb, "clock" if step is None and clocks else "circle-dot"),
        tone="breach" if breached else "clock" if step is None else "step",
        ref=beside,
        state=process.states[entry.to_state].label if moved and process else None,
        facts=_facts(process, given) if process and step else _file(process, entry),
        clocks=clocks if step is not None else clocks[1:],
        rules=tuple(entry.data.get("rules") or ()),
        topic=TOPIC_OF.get(verb, "clock" if step is None and clocks else ""),
    )


def _with_what(title: Text, data: Mapping[str, Any]) -> Text:
    """What the entry says besides its kind: why a number was shown, which file came."""
    reason = data.get("reason")
    if isinstance(reason, Mapping):
        return Text(f"{title.zh}：{reason.get('zh', '')}", f"{title.en}: {reason.get('en', '')}")
    name = str(data.get("name") or reason or "")
    return Text(f"{title.zh}：{name}", f"{title.en}: {name}") if name else title


def _facts(process: Process, given: Mapping[str, Any]) -> list[Shown]:
    """What was given with the step, in the file's order; what the history keeps hidden is left out."""
    return [
        shown(fact, given[name])
        for name, fact in process.facts.items()
        if given.get(name) not in (None, "", HIDDEN) and name not in SAID_IN_WORDS
    ]


def _file(process: Process | None, entry: Entry) -> list[Shown]:
    """The photo or document that this entry added, to be looked at where it is told."""
    stored, fact_name = str(entry.data.get("stored_as") or ""), str(entry.data.get("fact") or "")
    if not stored:
        return []
    fact = process.facts.get(fact_name) if process else None
    label = fact.label if fact else Text("文件", "File")
    name = Text(str(entry.data.get("name", "")), str(entry.data.get("name", "")))
    return [Shown(fact_name, label, name, file=stored, is_picture=fact is not None and fact.type in PICTURES)]


def _who(entry: Entry) -> Text:
    role = role_name(entry.actor_role)
    if entry.actor_role == "timer":
        return role
    where = f" {entry.station_no}" if entry.station_no and entry.actor_role.startswith("station") else ""
    return Text(f"{entry.actor_name}（{role.zh}{where}）", f"{entry.actor_name} ({role.en}{where})")


def _clock_words(process: Process | None, item: dict[str, str]) -> Text:
    name, verb = item.get("clock", ""), item.get("verb", "")
    label = process.clocks[name].label if process and name in process.clocks else Text(name, name)
    if verb.startswith("warn"):
        percent = verb.removeprefix("warn")
        return Text(f"“{label.zh}”已用去 {percent}% 时限", f"{label.en}: {percent}% of the limit is used")
    verb_words = CLOCK_VERBS.get(verb, Text(verb, verb))
    if verb in ("started", "resumed") and item.get("due"):
        due = shown_moment(datetime.fromisoformat(item["due"]))
        return Text(f"“{label.zh}”{verb_words.zh}，期限 {due.zh}", f"{label.en}: {verb_words.en}, due {due.en}")
    return Text(f"“{label.zh}”{verb_words.zh}", f"{label.en}: {verb_words.en}")


def _told(notice: Outgoing) -> Told:
    text = Text(str(notice.data.get("zh", notice.notice)), str(notice.data.get("en", notice.notice)))
    to = role_name(notice.role)
    if notice.station_no:
        to = Text(f"{to.zh} {notice.station_no}", f"{to.en} {notice.station_no}")
    channel = CHANNELS.get(notice.channel, Text(notice.channel, notice.channel))
    delivery = DELIVERY.get(notice.state, Text(notice.state, notice.state))
    return Told(text, to, channel, delivery, notice.state == "failed", notice.sent_at, notice.error)
