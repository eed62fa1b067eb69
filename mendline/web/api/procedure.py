"""Processes and rules over HTTP: what a client needs to draw any form and to explain any refusal."""

from __future__ import annotations

from functools import lru_cache

import orjson
from django.http import HttpResponse
from ninja import Router

from mendline.kernel.errors import NotVisible
from mendline.process.definition import Process
from mendline.process.loading import in_force, latest, process_for, processes
from mendline.process.overlays import overlaid_versions
from mendline.process.rules import rules
from mendline.web.api import shown
from mendline.web.api.calls import Call, answer, reading
from mendline.web.api.schemas import ProcessBrief, ProcessOut, RuleOut

router = Router(tags=["procedure"])


@router.get("/processes", response=list[ProcessBrief], operation_id="list_processes")
@reading
def list_processes(call: Call) -> HttpResponse:
    """List the processes with their versions and the one that is in force for new records."""
    found = []
    for code in sorted({code for code, _ in processes()}):
        newest = latest(code)
        found.append(
            {
                "code": code,
                "kind": newest.kind,
                "label": newest.label.as_dict(),
                "versions": [process.version for process in _versions(code)],
                "in_force": in_force(code, "", call.now),
            }
        )
    return answer(found)


@router.get("/processes/{code}", response=ProcessOut, operation_id="get_process")
@reading
def get_process(call: Call, code: str) -> HttpResponse:
    """Return every version of a process: states, steps with their facts, clocks, notices and the texts of its rules."""
    found = _versions(code)
    if not found:
        raise NotVisible
    described = [orjson.Fragment(_described(process.code, process.version)) for process in found]
    return answer({"code": code, "in_force": in_force(code, "", call.now), "versions": described})


def _versions(code: str) -> list[Process]:
    """Return the versions of a process, newest first: those of its files, and each file's with other limits."""
    found = [process for (known, _), process in processes().items() if known == code]
    if found:  # what is asked for may be anything at all
        found += [process_for(code, number) for number in overlaid_versions(code)]
    return sorted(found, key=lambda process: -process.version)


@lru_cache(maxsize=64)
def _described(code: str, version: int) -> bytes:
    """A version never changes once it was in force, so its description is made once."""
    return orjson.dumps(shown.process_full(process_for(code, version)))


@router.get("/rules/{rule_id}", response=RuleOut, operation_id="get_rule")
@reading
def get_rule(call: Call, rule_id: str) -> HttpResponse:
    """Return the sentence of a rule, e.g. CAN-08."""
    rule = rules().get(rule_id)
    if rule is None:
        raise NotVisible
    return answer({"id": rule.id, "texts": rule.text.as_dict(), "inferred": rule.inferred})
