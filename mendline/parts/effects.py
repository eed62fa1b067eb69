"""What ordering, shipping and receiving a part means for the repair order it is for."""

from __future__ import annotations

from mendline.access.actors import THE_CLOCK
from mendline.orders.transitions import begin, perform
from mendline.process.registry import Happening, effect


@effect
def open_part_order(happening: Happening) -> None:
    """Send the part order to the customer service support department (STN-35, STN-37)."""
    part = happening.subject.facts["parts"][-1]
    begin(
        "part_order",
        "open",
        actor=happening.actor,
        now=happening.now,
        given={"part_order_no": part["no"], "part_code": part["code"], "part_due_at": part["due_at"]},
        order_ref=happening.subject.ref,
        ref=part["record"],
    )


@effect
def note_part_late(happening: Happening) -> None:
    """The repair order learns that its part missed the promised delivery (STN-39)."""
    _tell_order(happening, "note_part_late")


@effect
def note_part_due(happening: Happening) -> None:
    """The repair order learns of the delivery time that the shipping department names instead (STN-36, STN-39)."""
    if happening.given.get("part_due_at"):
        due = {"part_due_at": happening.subject.facts["part_due_at"]}
        _tell_order(happening, "note_part_due", **due)


@effect
def note_part_arrival(happening: Happening) -> None:
    """The repair order goes on: print and send the engineer (STN-50)."""
    _tell_order(happening, "part_arrived")


@effect
def note_part_dropped(happening: Happening) -> None:
    """A part that will not be shipped no longer holds the order up; the station plans anew."""
    _tell_order(happening, "part_refused")


def _tell_order(happening: Happening, name: str, **more: str) -> None:
    part = happening.subject.facts
    perform(
        happening.subject.order_ref,
        name,
        actor=THE_CLOCK,
        now=happening.now,
        given={"part_order_no": part["part_order_no"], "part_code": part["part_code"], **more},
    )
