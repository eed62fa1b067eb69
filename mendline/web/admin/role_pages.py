"""What each role may do, read from the process files: shown, not edited, because the procedure decides it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.db.models import Count
from django.http import HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from mendline.access.actors import EVERYWHERE, OF_A_REGION, OF_A_STATION
from mendline.access.models import Person
from mendline.contact.notice_kinds import kinds_for
from mendline.kernel.errors import NotVisible
from mendline.kernel.text import Text
from mendline.process.definition import Process, Transition
from mendline.process.loading import latest, processes
from mendline.web.admin.entries import COMMA
from mendline.web.admin.office import ADMIN, STEWARDS, room, show
from mendline.web.admin.people_pages import PERSON_ROLES
from mendline.web.admin.tables import link, table, tag
from mendline.web.console.visit import Visit
from mendline.web.templatetags.console import rule, say

HEADING = Text("角色权限", "Roles")
SEES = (
    (EVERYWHERE, Text("全部维修单", "every order")),
    (OF_A_REGION, Text("本大区", "its region")),
    (OF_A_STATION, Text("本维修站", "its station")),
)


@room(STEWARDS)
def roles(visit: Visit) -> HttpResponse:
    """All roles: what each sees, how many steps it may carry out, how many people have it."""
    people: Counter[str] = Counter(
        dict(Person.objects.filter(is_active=True).values_list("role").annotate(Count("pk")).order_by())
    )
    rows = [
        [
            link(reverse("admin:role", args=[code]), say(name)), say(_sees(code)),
            str(sum(len(steps) for _, steps in _steps(code))), str(len(kinds_for(code))),
            _people(visit, code, people[code]),
        ]
        for code, name in PERSON_ROLES.items()
    ]  # fmt: skip
    headers = [
        Text("角色", "Role"), Text("看到", "Sees"), Text("可做的步骤", "Steps"), Text("收到的通知", "Notices"),
        Text("在用人数", "Active people"),
    ]  # fmt: skip
    intro = Text(
        "角色能做什么由规程文件决定，经“规程文件”发布后生效；这里只显示，不修改。",
        "What a role may do is decided by process files and published with a procedure document; it is only shown here",
    )
    return show(visit, "list.html", {"heading": HEADING, "intro": intro, "parts": [{"table": table(headers, rows)}]})


@room(STEWARDS)
def role(visit: Visit, code: str) -> HttpResponse:
    """One role: its steps in each procedure, from which states, by which rules."""
    if code not in PERSON_ROLES:
        raise NotVisible
    headers = [Text("步骤", "Step"), Text("从哪些状态", "From"), Text("到", "To"), Text("规则", "Rules")]
    parts: list[dict[str, Any]] = [
        {"title": process.label, "table": table(headers, (_row(process, step) for step in steps))}
        for process, steps in _steps(code)
    ]
    if not parts:
        parts = [{"table": {}, "empty": Text("没有可做的步骤", "No steps"),
                  "todo": Text("这个角色只查看", "This role only looks")}]  # fmt: skip
    return show(visit, "list.html", {"heading": PERSON_ROLES[code], "intro": _sees(code), "parts": parts})


def _steps(role: str) -> list[tuple[Process, list[Transition]]]:
    """Return the steps that a role may carry out, in the newest version of every procedure that has any."""
    found = []
    for code in dict.fromkeys(code for code, _ in processes()):
        process = latest(code)
        steps = [step for step in process.transitions.values() if role in step.by]
        if steps:
            found.append((process, steps))
    return found


def _row(process: Process, step: Transition) -> list[Any]:
    names = {name: state.label for name, state in process.states.items()}
    sources = [names.get(name, Text("新建", "new")) for name in sorted(step.sources)]
    targets = dict.fromkeys(names[name] for name in step.to.values() if name in names)
    stays = all(source == target for source, target in step.to.items())
    return [
        say(step.label),
        say(COMMA).join(map(say, sources)) if len(sources) <= 6 else say(Text(f"{len(sources)} 种状态",
            f"{len(sources)} states")),
        tag(Text("不变", "unchanged")) if stays else say(COMMA).join(map(say, targets)),
        rules_markup(step.rules),
    ]  # fmt: skip


def rules_markup(rules: tuple[str, ...]) -> Any:
    """Return rule ids that lead to their texts."""
    return format_html("<span>{}</span>", format_html_join(" ", "{}", ((rule(one),) for one in rules)) or "—")


def _sees(code: str) -> Text:
    return next((text for roles, text in SEES if code in roles), Text("无", "nothing"))


def _people(visit: Visit, code: str, count: int) -> Any:
    return link(f"{reverse('admin:people')}?role={code}", str(count)) if visit.actor.role in ADMIN else str(count)
