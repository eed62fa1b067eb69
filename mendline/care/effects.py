"""Callbacks: every closed order has one, and what the user says goes back to the order (STN-48)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mendline.access.actors import THE_CLOCK
from mendline.orders.transitions import begin, perform
from mendline.process.registry import Facts, Happening, No, Parameters, change, effect, guard
from mendline.process.values import stored_moment


@effect
def open_callback(happening: Happening) -> None:
    """Put the closed order on the callback list; no share is left out (STN-48)."""
    begin("callback", "open", actor=THE_CLOCK, now=happening.now, given={}, order_ref=happening.subject.ref)


@guard()
def solved_or_reopened(facts: Facts, parameters: Parameters) -> No | None:
    """A user whose problem persists is not "called back": the same order goes on (contradiction 9: continue)."""
    if not facts.get("solved"):
        return No(
            "STN-45", "未解决的请选择“未解决，重开维修单”", "if it is not solved, re-open the order instead", "solved"
        )
    return None


@guard()
def tried_often_enough(facts: Facts, parameters: Parameters) -> No | None:
    wanted, made = int(str(parameters["callback_attempts"])), int(facts.get("attempts_made") or 0)
    if made < wanted:
        return No(
            "STN-48",
            f"至少联系 {wanted} 次（已 {made} 次）",
            f"at least {wanted} attempts are made first ({made} so far)",
        )
    return None


@change()
def record_callback_attempt(facts: Facts, parameters: Parameters) -> Mapping[str, Any]:
    return {"attempts_made": int(facts.get("attempts_made") or 0) + 1, "last_attempt_at": stored_moment(facts["now"])}


@change()
def record_callback_done(facts: Facts, parameters: Parameters) -> Mapping[str, Any]:
    return {"called_back_at": stored_moment(facts["now"]), "called_back_by": facts.get("actor_name", "")}


@effect
def note_callback_on_order(happening: Happening) -> None:
    outcome = happening.subject.facts.get("callback_outcome", "not_reached")
    perform(
        happening.subject.order_ref,
        "record_callback",
        actor=THE_CLOCK,
        now=happening.now,
        given={"callback_outcome": outcome},
    )


@effect
def reopen_the_order(happening: Happening) -> None:
    perform(
        happening.subject.order_ref,
        "reopen",
        actor=THE_CLOCK,
        now=happening.now,
        given={"reopen_reason": happening.subject.facts["reopen_reason"]},
        links={"settled_by": happening.subject.ref},
    )
