"""Rows that a step of an order causes beside its own: requests, replacements, records that end with it."""

from __future__ import annotations

from typing import Any

from mendline.access.actors import THE_CLOCK
from mendline.orders.models import Record
from mendline.orders.transitions import begin, perform
from mendline.process.registry import Happening, effect

# How each kind of open record ends when its order does.
ENDING = {"cancellation_request": "lapse", "special_situation": "lapse", "part_order": "recall", "callback": "lapse"}
CARRIED_OVER = ("customer", "product", "serial_no", "fault", "service_mode", "wished_at", "area", "address")


@effect
def request_wrong_number_cancellation(happening: Happening) -> None:
    """The station tells the region of the wrong number by a cancellation request (STN-20)."""
    begin(
        "cancellation_request",
        "submit",
        actor=happening.actor,
        now=happening.now,
        given={"cancel_reason": "wrong_phone", "cancel_detail": happening.given["contact_note"]},
        order_ref=happening.subject.ref,
    )


@effect
def end_open_records(happening: Happening) -> None:
    """Nothing of an ended order stays in anybody's inbox; the request that ends it is settled by its own step."""
    settling = happening.context.get("settled_by")
    waiting = (
        Record.objects.unscoped("records of the order that ends")
        .filter(order_ref=happening.subject.ref, category__in=["open", "waiting"], process__in=ENDING)
        .exclude(process="part_order", state="arrived")  # nothing to recall; it waits to be taken back
        .order_by("id")
    )
    for record in waiting:
        if record.ref != settling:
            perform(record.ref, ENDING[record.process], actor=THE_CLOCK, now=happening.now)


@effect
def open_replacement(happening: Happening) -> None:
    """Create and dispatch the order that takes the voided one's place, in the same transaction (CAN-02).

    The old station is left out unless it is named; area and address may be corrected on the way,
    for the usual ground is a wrong area.
    """
    old = happening.subject.facts
    given: dict[str, Any] = {name: old[name] for name in CARRIED_OVER if old.get(name)}
    for name, corrected in (("area", "corrected_area"), ("address", "corrected_address")):
        if happening.given.get(corrected):
            given[name] = happening.given[corrected]
    links: dict[str, Any] = {"replaces": happening.subject.ref}
    if happening.given.get("station_wish"):
        given["station_wish"] = happening.given["station_wish"]
    elif happening.subject.station_no:
        links["excluded_stations"] = [happening.subject.station_no]
    begin(
        happening.subject.process,
        "reorder",
        actor=happening.actor,
        now=happening.now,
        given=given,
        links=links,
        ref=str(old["replaced_by"]),
    )
