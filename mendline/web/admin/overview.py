"""The first page of the administration: what needs attention, and where everything is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import HttpResponse
from django.urls import reverse

from mendline.access.models import Person
from mendline.contact.condition import Finding, findings
from mendline.kernel.text import Text
from mendline.kernel.time import local_day
from mendline.process.calendar_table import cover_warning
from mendline.web.admin.letting_in import with_factors
from mendline.web.admin.office import GROUPS, STEWARDS, room, show
from mendline.web.admin.tables import tag
from mendline.web.console.visit import Visit

GOOD, TODO = Text("正常", "fine"), Text("处理", "to do")


@room(STEWARDS)
def overview(visit: Visit) -> HttpResponse:
    """What waits, and the rooms of this role."""
    houses = [
        (title,
            [{"href": reverse(f"admin:{one.route}"), "icon": one.icon, "label": one.label,
                "does": one.does} for one in rooms])
        for title, group in GROUPS
        for rooms in [[one for one in group if visit.actor.role in one.roles]]
    ]  # fmt: skip
    return show(visit, "index.html", {"attention": list(_attention(visit)), "houses": houses})


def _attention(visit: Visit) -> Iterator[dict[str, Any]]:
    for one in findings(visit.now):
        yield {
            "name": one.name, "detail": one.detail, "todo": None if one.ok else one.todo,
            "tag": _tag(one, uncovered=cover_warning(local_day(visit.now)) is not None),
            "href": reverse("admin:calendar") if one.code == "calendar" else "",
        }  # fmt: skip
    if visit.actor.role == "admin":
        yield _second_factors()


def _tag(one: Finding, *, uncovered: bool) -> Any:
    """A calendar that will run out is no fault yet, but somebody must enter the next year."""
    if not one.ok:
        return tag(TODO, "danger")
    return tag(TODO, "warning") if one.code == "calendar" and uncovered else tag(GOOD, "success")


def _second_factors() -> dict[str, Any]:
    """Whoever may do everything should need more than a password."""
    admins = list(Person.objects.filter(role="admin", is_active=True).order_by("pk")[:100])
    without = [person.name for person, factors in with_factors(admins) if not factors]
    named = "、".join(without[:5])
    detail = (
        Text(f"未开启：{named}。", f"not set up by {', '.join(without[:5])}.")
        if without
        else Text("所有系统管理员都已开启", "set up by every administrator")
    )
    todo = Text("请本人在“双重验证”里开启", "each sets it up under Two-factor sign-in") if without else None
    return {
        "name": Text("双重验证", "Second factor"), "detail": detail, "todo": todo,
        "href": reverse("mfa_index") if without else "",
        "tag": tag(TODO, "warning") if without else tag(GOOD, "success"),
    }  # fmt: skip
