"""Two editions side by side, or an edition and a file that nobody published yet: what differs, in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.http import HttpResponse

from mendline.kernel.errors import NotVisible
from mendline.kernel.numbers import whole_number
from mendline.kernel.text import Text
from mendline.process.definition import Process
from mendline.process.diagram import svg
from mendline.process.difference_words import Difference, Part
from mendline.process.differences import differences, marks
from mendline.web.console.editions import WRITES_PROCEDURES, editions_of, process_or_absent
from mendline.web.console.sent_process import read_sent
from mendline.web.console.visit import Visit, screen

PARTS: dict[Part, Text] = {
    "whole": Text("整体", "As a whole"),
    "parameters": Text("参数", "Limits"),
    "states": Text("状态", "States"),
    "transitions": Text("步骤", "Steps"),
    "clocks": Text("时限", "Clocks"),
    "facts": Text("填写项", "Fields"),
    "notices": Text("通知", "Notices"),
}
KINDS = {"added": Text("新增", "new"), "gone": Text("取消", "gone"), "changed": Text("改变", "changed")}


@dataclass(frozen=True, slots=True)
class Section:
    """All that differs in one part of the file."""

    label: Text
    rows: tuple[tuple[Text, Difference], ...]  # what kind of change, and the change


@screen
def compare(visit: Visit, code: str) -> HttpResponse:
    """Choose two editions and see what differs; whoever writes procedures may send a file instead of the second."""
    known = editions_of(code)
    if not known:
        raise NotVisible
    may_send = visit.actor.role in WRITES_PROCEDURES
    older = _chosen(visit, code, "a", known[min(1, len(known) - 1)].version)
    context = {"process": known[0].process, "known": known, "older": older, "may_send": may_send, "code": code}
    if visit.request.method == "POST":
        if not may_send:
            raise NotVisible
        older = _posted(visit, code, older.version)
        sent = read_sent(visit, code)
        context |= {"older": older, "sent": sent, "faults": sent.faults}
        if sent.process is None:
            return visit.render("console/procedure/differences.html", context, status=422)
        context["newer_name"] = visit.say(Text("发来的文件", "the file sent"))
        return visit.render("console/procedure/differences.html", {**context, **_compared(visit, older, sent.process)})
    newer = _chosen(visit, code, "b", known[0].version)
    context["newer_name"] = f"V{newer.edition}"
    return visit.render("console/procedure/differences.html", {**context, **_compared(visit, older, newer)})


def _chosen(visit: Visit, code: str, name: str, otherwise: int) -> Process:
    asked = whole_number(visit.asked(name, 6))
    return process_or_absent(code, otherwise if asked is None else asked)


def _posted(visit: Visit, code: str, otherwise: int) -> Process:
    asked = whole_number(visit.posted.get("a", "")[:6])
    return process_or_absent(code, otherwise if asked is None else asked)


def _compared(visit: Visit, older: Process, newer: Process) -> dict[str, object]:
    found = differences(older, newer)
    marked = marks(found)
    gone = [one for one in found if one.part in ("states", "transitions") and one.kind == "gone"]
    return {
        "newer": newer,
        "count": len(found),
        "sections": list(_sections(found)),
        "picture": svg(newer, visit.language, marked=marked) if marked.states or marked.steps else "",
        "picture_before": svg(older, visit.language, marked=marks(gone)) if gone else "",
    }


def _sections(found: Iterable[Difference]) -> Iterable[Section]:
    found = list(found)
    for part, label in PARTS.items():
        rows = tuple((KINDS[one.kind], one) for one in found if one.part == part)
        if rows:
            yield Section(label, rows)
