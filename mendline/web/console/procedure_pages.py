"""Pages about the procedure itself: what is in force, its steps and rules, and what a change of it would do."""

from __future__ import annotations

from django.http import HttpResponse

from mendline.orders import readings
from mendline.process import rules as rule_texts
from mendline.process.definition import base_of
from mendline.process.diagram import svg
from mendline.web.console.editions import (
    PROPOSES,
    WRITES_PROCEDURES,
    editions_of,
    families,
    limits_of,
    process_or_absent,
    waiting_for,
)
from mendline.web.console.visit import Visit, screen


@screen
def procedures(visit: Visit) -> HttpResponse:
    """Every process with its editions, which of them holds for whom, and what waits for a decision."""
    context = {
        "families": families(visit),
        "waiting": waiting_for(visit),
        "unread": sum(one.read_at is None for one in readings.to_read(visit.actor)),
        "may_try": visit.actor.role in WRITES_PROCEDURES,
    }
    return visit.render("console/procedure/list.html", context)


@screen
def procedure(visit: Visit, code: str, version: int) -> HttpResponse:
    """One procedure: its picture, its limits, its steps, who takes them and under which rules."""
    process = process_or_absent(code, version)
    base = process_or_absent(code, base_of(version))
    context = {
        "process": process,
        "base": base if base is not process else None,
        "picture": svg(process, visit.language),
        "limits": limits_of(process, base),
        "steps": list(process.transitions.values()),
        "may_try": visit.actor.role in WRITES_PROCEDURES,
        "may_propose": visit.actor.role in PROPOSES and process.parameters,
        "others": [one for one in editions_of(code) if one.version != version],
    }
    return visit.render("console/procedure/page.html", context)


@screen
def rule_list(visit: Visit) -> HttpResponse:
    """All rules with their sentences; refusals link here."""
    return visit.render("console/procedure/rules.html", {"rules": list(rule_texts.rules().values())})
