"""Whose turn it is: what usually comes next from a state, and which role takes it."""

from __future__ import annotations

from mendline.kernel.text import Text
from mendline.process.definition import Process
from mendline.web.console.words import role_name

NOTHING = Text("", "")


def next_step(process: Process, state: str) -> Text:
    """Return the most likely step from a state and its role; empty where nothing follows."""
    step = next((step for step in process.steps_from(state) if not step.by_the_clock_only and not step.danger), None)
    if step is None or process.states[state].category in ("done", "void"):
        return NOTHING
    who = role_name(next(role for role in step.by if role != "timer"))
    return Text(f"{step.label.zh}（{who.zh}）", f"{step.label.en} ({who.en})")
