"""Where a person begins, and pages about the procedure itself."""

from __future__ import annotations

from django.http import HttpResponse, HttpResponseRedirect

from mendline.kernel.errors import NotVisible
from mendline.process import rules as rule_texts
from mendline.process.diagram import svg
from mendline.process.loading import processes
from mendline.web.console.shell import home_of
from mendline.web.console.visit import Visit, screen


@screen
def home(visit: Visit) -> HttpResponse:
    """The page this role works on in the morning."""
    return HttpResponseRedirect(home_of(visit.actor))


@screen
def procedures(visit: Visit) -> HttpResponse:
    """Every process file, the newest version of each first."""
    known = sorted(processes().values(), key=lambda process: (process.kind != "repair", process.code, -process.version))
    return visit.render("console/procedures.html", {"processes": known})


@screen
def procedure(visit: Visit, code: str, version: int) -> HttpResponse:
    """One procedure: its picture, its steps, who takes them and under which rules."""
    process = processes().get((code, version))
    if process is None:
        raise NotVisible
    return visit.render(
        "console/procedure.html",
        {"process": process, "picture": svg(process, visit.language), "steps": list(process.transitions.values())},
    )


@screen
def rule_list(visit: Visit) -> HttpResponse:
    """All rules with their sentences; refusals link here."""
    return visit.render("console/rules.html", {"rules": list(rule_texts.rules().values())})
