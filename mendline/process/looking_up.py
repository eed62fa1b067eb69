"""Facts that a record's own row does not hold: whatever a step needs to know is asked for in one statement."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from mendline.access.actors import Actor
from mendline.database.statements import first_row
from mendline.process.registry import LOOKUPS, Facts, Question


def look_up(
    names: Iterable[str], facts: Facts, actor: Actor, now: datetime, confirm: Question | None = None
) -> dict[str, Any]:
    """Return the facts `names`, each as its lookup finds it; none of them sees what another found.

    `confirm` is asked along with them, and before anything is made of their answers; it raises when what the
    caller relied on does not hold.
    """
    found = {name: LOOKUPS[name](facts, actor, now) for name in names}
    asked = [name for name, value in found.items() if isinstance(value, Question)]
    first = [confirm] if confirm is not None else []
    if asked or first:
        answers = answers_to([*first, *(found[name] for name in asked)])
        found |= zip(asked, answers[len(first) :], strict=True)
    return found


def answers_to(questions: Sequence[Question]) -> list[Any]:
    """Ask the database all questions at once and return what each makes of its answer."""
    row = first_row(
        "SELECT " + ", ".join(f"({question.sql})::text" for question in questions),
        [value for question in questions for value in question.bound],
    )
    assert row is not None
    return [question.read(answer) for question, answer in zip(questions, row, strict=True)]
