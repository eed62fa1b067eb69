"""From a posted form to what a step is given: plain JSON, in the terms of the process file."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from mendline.kernel.time import Unreadable, parse_moment
from mendline.process.definition import Fact, Process, Transition
from mendline.web.shown_zone import shown_zone


def given_from(posted: Mapping[str, str], process: Process, step: Transition) -> dict[str, Any]:
    """Return the facts that the step takes and the form filled in.

    Only the form's own manners are undone here (wall time of the zone that is shown, yuan with a point); whether
    a value makes sense is for the engine to say, which names every faulty field at once.
    """
    given: dict[str, Any] = {}
    for name in step.takes:
        value = _value(process.facts[name], name, posted)
        if value not in (None, "", {}):
            given[name] = value
    return given


def _value(fact: Fact, name: str, posted: Mapping[str, str]) -> Any:
    if fact.type == "record":
        parts = {part.name: _value(part, f"{name}.{part.name}", posted) for part in fact.fields.values()}
        return {part: value for part, value in parts.items() if value not in (None, "")}
    text = posted.get(name, "").strip()
    if not text:
        return None
    if fact.type == "moment":
        return _moment(text)
    if fact.type == "money":
        return _fen(text)
    if fact.type == "duration":
        return text + posted.get(f"{name}.unit", "")
    return text


def _moment(text: str) -> str:
    try:
        return parse_moment(text, shown_zone()).isoformat()
    except Unreadable:
        return text  # the engine says what is wrong with it


def _fen(text: str) -> int | str:
    """Yuan as people write them, `120` or `1,200.50`, in fen; parts of a fen are not rounded away."""
    try:
        fen = Decimal(text.replace(",", "").replace("，", "").lstrip("¥￥")) * 100
    except InvalidOperation:
        return text
    return int(fen) if fen == fen.to_integral_value() else text
