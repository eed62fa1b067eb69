"""Proposing other limits for an edition that holds: change them, see what they would have done, propose them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.urls import reverse

from mendline.kernel.errors import Invalid, NotVisible, Refused
from mendline.kernel.text import Text
from mendline.network.models import ProductLine
from mendline.orders import parameter_changes
from mendline.orders.transitions import begin
from mendline.process import overlays
from mendline.process.definition import Process
from mendline.process.difference_words import Difference
from mendline.process.differences import differences
from mendline.process.loading import processes
from mendline.process.parameter_words import label_of, rules_of, value_words
from mendline.web.console.editions import PROPOSES
from mendline.web.console.given import given_from
from mendline.web.console.replay_page import tried_on_the_past
from mendline.web.console.visit import Visit, go, screen

DAYS = 30
BESIDE = ("title", "change_reason", "product_line", "takes_effect_at")


@dataclass(frozen=True, slots=True)
class LimitField:
    """One parameter in the form: what the file says, and what is to hold instead."""

    name: str
    label: Text
    in_file: str
    in_words: Text
    value: str
    rules: tuple[str, ...]
    choices: tuple[tuple[str, Text], ...]  # of a word; empty for everything else
    is_list: bool
    said_in: tuple[Text, ...]  # notices that state the file's value in words

    @property
    def is_changed(self) -> bool:
        return self.value != self.in_file


@screen
def limits(visit: Visit, code: str, version: int) -> HttpResponse:
    """The form of a proposal. The fields begin with what holds now; its effect is shown before it is proposed."""
    base = processes().get((code, version))
    if visit.actor.role not in PROPOSES or base is None or not base.parameters:
        raise NotVisible
    fields = _fields(visit, base)
    posted = visit.posted if visit.request.method == "POST" else {}
    context: dict[str, Any] = {
        "process": base,
        "fields": fields,
        "lines": list(ProductLine.objects.order_by("code")),
        "given": {name: posted.get(name, "") for name in BESIDE},
    }
    if not posted:
        return visit.render("console/procedure/limits.html", context)
    settings = {field.name: field.value for field in fields if field.is_changed}
    faults = overlays.faults_of(base, settings)
    if faults:
        return visit.render("console/procedure/limits.html", {**context, "faults": faults}, status=422)
    if posted.get("do") == "propose":
        return _proposed(visit, base, settings, posted, context)
    return visit.render("console/procedure/limits.html", {**context, **_effect(visit, base, settings)})


def _proposed(
    visit: Visit, base: Process, settings: Mapping[str, str], posted: Mapping[str, str], context: Mapping[str, Any]
) -> HttpResponse:
    process = processes()["parameter_change", max(v for code, v in processes() if code == "parameter_change")]
    given = given_from(posted, process, process.transitions["propose"]) | {
        "changes_process": base.code,
        "changes_version": base.version,
        "new_limits": parameter_changes.lines_of(settings.items()),
    }
    try:
        record = begin(parameter_changes.PROCESS, "propose", actor=visit.actor, now=visit.now, given=given)
    except Invalid as problem:
        shown = {**context, "errors": problem.fields, **_effect(visit, base, settings)}
        return visit.render("console/procedure/limits.html", shown, status=422)
    except Refused as refusal:
        shown = {**context, "refusal": refusal, **_effect(visit, base, settings)}
        return visit.render("console/procedure/limits.html", shown, status=422)
    said = Text(f"已提出参数调整 {record.ref}，等待审核。", f"{record.ref} was proposed and waits for its review.")
    return go(visit, reverse("console:record", args=[record.ref]), said)


def _effect(visit: Visit, base: Process, settings: Mapping[str, str]) -> dict[str, Any]:
    tried = overlays.with_settings(base, settings)
    changes: list[Difference] = differences(base, tried)
    asked = urlencode({"days": DAYS, **{f"p_{name}": value for name, value in settings.items()}})
    at = f"{reverse('console:replay', args=[base.code, base.version])}?{asked}"
    return {"changes": changes, "days": DAYS, **tried_on_the_past(visit, tried, DAYS, at=at)}


def _fields(visit: Visit, base: Process) -> list[LimitField]:
    found: list[LimitField] = []
    for name, value in base.parameters.items():
        in_file = overlays.written(value)
        choices = tuple((word, value_words(base, word)) for word in overlays.WORDS_OF.get(name, ()))
        if isinstance(value, str) and not choices:
            continue  # a word that only the file may say
        asked = visit.posted.get(f"p_{name}", "") if visit.request.method == "POST" else visit.asked(f"p_{name}", 500)
        typed = asked.strip()[:500] or in_file
        said_in = tuple(overlays.texts_that_say(base, name)) if typed != in_file else ()
        found.append(
            LimitField(
                name,
                label_of(name),
                in_file,
                value_words(base, value),
                typed,
                rules_of(base, name),
                choices,
                isinstance(value, tuple),
                said_in,
            )
        )
    return found
