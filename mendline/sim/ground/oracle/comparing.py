"""An answer held against what it must be; every difference is a finding that says both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from mendline.sim.ground.oracle.model import Clock
from mendline.sim.ground.oracle.plain import Answer, Call, Finding


@dataclass(frozen=True, slots=True)
class Expected:
    """What the answer must be: `absent`, `conflict`, `forbidden`, `refused` (for one of `rules`) or `ok`."""

    answer: str
    rules: frozenset[str] = frozenset()

    @property
    def status(self) -> int:
        return {"absent": 404, "conflict": 409, "forbidden": 403, "refused": 422}.get(self.answer, 0)


def compare(call: Call, expected: Expected, answer: Answer) -> list[Finding]:
    """Hold the kind of answer against what it must be."""
    if answer.kind == "ok":
        if expected.answer == "ok":
            return []
        zh = f"{call.name} 应为 {expected.answer} {sorted(expected.rules)}，却成功了"
        en = f"{call.name} on {call.about} had to be {expected.answer} {sorted(expected.rules)} and was done"
        return [Finding(f"done_{expected.answer}", "I4", zh, en, call.number)]
    said = f"{answer.status} {answer.code} {sorted(answer.rules)}"
    if expected.answer == "ok":
        zh, en = f"{call.name} 应成功，却答 {said}", f"{call.name} on {call.about} had to be done, but: {said}"
        return [Finding("refused_wrongly", "I4", zh, en, call.number)]
    right = answer.status == expected.status
    if right and expected.answer == "refused" and "any" not in expected.rules:
        right = bool(expected.rules & (answer.rules | {f"code:{answer.code}"}))
    if right:
        return []
    zh = f"{call.name} 应为 {expected.answer} {sorted(expected.rules)}，却答 {said}"
    en = f"{call.name} on {call.about}: expected {expected.answer} {sorted(expected.rules)}, got {said}"
    return [Finding("another_refusal", "I4", zh, en, call.number)]


def differs(call: Call, what: str, held: str, seen: str) -> list[Finding]:
    if held == seen:
        return []
    zh = f"{call.about} 经 {call.name} 后 {what} 应为 {held!r}，却是 {seen!r}"
    en = f"after {call.name} the {what} of {call.about} must be {held!r} and is {seen!r}"
    return [Finding(f"{what}_wrong", "I4", zh, en, call.number)]


def clock_faults(call: Call, held: Mapping[str, Clock], answer: Answer) -> list[Finding]:
    if answer.replayed:  # it shows the clocks as they were when it was first given
        return []
    expected = {n: ("running" if c.running else "stopped", c.due, c.shows_breach) for n, c in held.items()}
    seen = {n: (c.run, c.due, c.breached) for n, c in answer.clocks.items()}
    if expected == seen:
        return []
    wrong = sorted(name for name in expected.keys() | seen.keys() if expected.get(name) != seen.get(name))
    en = "; ".join(f"{name}: {_shown(expected.get(name))}, is {_shown(seen.get(name))}" for name in wrong)
    return [Finding("clock_wrong", "I11", f"{call.about} 时钟有误：{en}", f"clocks of {call.about}: {en}", call.number)]


def _shown(clock: tuple[str, datetime, bool] | None) -> str:
    return "none" if clock is None else f"{clock[0]} due {clock[1]:%m-%d %H:%M:%S}{' breached' if clock[2] else ''}"


def same_list(call: Call, kind: str, held: list[str], seen: list[str]) -> list[Finding]:
    if held == seen:
        return []
    missing, extra = sorted(set(held) - set(seen))[:5], sorted(set(seen) - set(held))[:5]
    zh, en = f"缺 {missing}，多 {extra}", f"missing {missing}, too many {extra}"
    return [Finding(kind, "I14", f"{call.by} 的列表：{zh}", f"the list of {call.by}: {en}", call.number)]
