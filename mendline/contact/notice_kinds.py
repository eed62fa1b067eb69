"""Which notices a role can be sent, read from the process files; and which of them nobody may do without."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache

from mendline.access.actors import OF_A_REGION, OF_A_STATION
from mendline.access.choices import NoticeChoices
from mendline.kernel.text import Text
from mendline.process.definition import Notice, Process
from mendline.process.loading import latest, processes

# Who owns a clock, as the process files name it.
OWNERS: Mapping[str, Collection[str]] = {
    "station": OF_A_STATION,
    "region": OF_A_REGION,
    "cc": frozenset({"cc_agent"}),
}
DOCUMENT = "document"


@dataclass(frozen=True, slots=True)
class NoticeKind:
    """One notice as somebody chooses about it. `shown_anyway` and `mailed_anyway` say why it cannot be left out."""

    name: str
    process: Text
    text: Text  # with 〔…〕 where the facts of an order will stand
    mailed: bool  # the procedure itself asks for e-mail
    shown_anyway: Text | None
    mailed_anyway: Text | None


@cache
def kinds_for(role: str) -> tuple[NoticeKind, ...]:
    """Return what this role can be told, in the order of the process files; the newest version of each counts."""
    found: dict[str, NoticeKind] = {}
    for code in dict.fromkeys(code for code, _ in processes()):
        process = latest(code)
        for notice in process.notices:
            if role in notice.to:
                found.setdefault(notice.name, _kind(process, notice, role))
    return tuple(found.values())


def allowed(role: str, chosen: NoticeChoices) -> NoticeChoices:
    """Return what of a choice counts: what nobody may do without stays, what this role is never told drops out."""
    kinds = kinds_for(role)
    return NoticeChoices(
        hidden=frozenset(kind.name for kind in kinds if kind.name in chosen.hidden and not kind.shown_anyway),
        mailed=frozenset(kind.name for kind in kinds if kind.name in chosen.mailed and not kind.mailed),
        unmailed=frozenset(
            kind.name for kind in kinds if kind.name in chosen.unmailed and kind.mailed and not kind.mailed_anyway
        ),
    )


def _kind(process: Process, notice: Notice, role: str) -> NoticeKind:
    return NoticeKind(
        name=notice.name,
        process=process.label,
        text=notice.text.filled(**_places(process)),
        mailed="email" in notice.channels,
        shown_anyway=_why_shown(process, notice, role),
        mailed_anyway=_why_mailed(process, notice),
    )


def _why_shown(process: Process, notice: Notice, role: str) -> Text | None:
    """Tell which clock of this role's own the notice speaks of: whoever answers for a limit hears of it."""
    for cause in sorted(notice.on):
        clock_name, _, step = cause.partition(".")
        clock = process.clocks.get(clock_name) if step else None
        if clock is not None and role in OWNERS.get(clock.responsible, ()):
            rules = "、".join(notice.rules)
            return Text(
                f"“{clock.label.zh}”由您负责，提醒不能关闭（{rules}）",
                f"You answer for “{clock.label.en}”, so this stays on ({rules.replace('、', ', ')})",
            )
    return _why_mailed(process, notice)


def _why_mailed(process: Process, notice: Notice) -> Text | None:
    """Controlled documents reach everybody on their list, and it must be possible to show that they did (UDS-04)."""
    if process.kind != DOCUMENT or "email" not in notice.channels:
        return None
    rules = ", ".join(notice.rules)
    return Text(f"规程文件必须送达名单上的每个人（{rules}）", f"Procedures reach everybody on their list ({rules})")


def _places(process: Process) -> dict[str, Text]:
    """Return what stands in a notice's places while there is no order: their names."""
    places = {
        "ref": Text("单号", "number"),
        "order_ref": Text("单号", "number"),
        "station_no": Text("维修站", "station"),
    }
    places |= {name: fact.label for name, fact in process.facts.items()}
    return {name: Text(f"〔{text.zh}〕", f"[{text.en}]") for name, text in places.items()}
