"""Rows that a step causes beside its own, in memory: the effects of `orders`, `parts` and `care`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from mendline.access.actors import THE_CLOCK
from mendline.orders.effects import CARRIED_OVER, ENDING
from mendline.process.registry import Happening

if TYPE_CHECKING:
    from mendline.sim.national_door import MemoryDoor

Effect: TypeAlias = "Callable[[MemoryDoor, Happening], object]"
OF_A_REQUEST = ("cancel_reason", "cancel_detail")
OF_A_REASSIGNMENT = (*OF_A_REQUEST, "station_wish", "corrected_area", "corrected_address")


def _request_wrong_number_cancellation(door: MemoryDoor, happening: Happening) -> None:
    given = {"cancel_reason": "wrong_phone", "cancel_detail": happening.given["contact_note"]}
    door.begin(
        "cancellation_request", "submit", actor=happening.actor, now=happening.now, given=given,
        order_ref=happening.subject.ref,
    )  # fmt: skip


def _end_open_records(door: MemoryDoor, happening: Happening) -> None:
    settling = happening.context.get("settled_by")
    for record in list(door.memory.open_records(happening.subject.ref)):
        if record.process not in ENDING or (record.process == "part_order" and record.state == "arrived"):
            continue
        if record.ref != settling:
            door.perform(record.ref, ENDING[record.process], actor=THE_CLOCK, now=happening.now)


def _open_replacement(door: MemoryDoor, happening: Happening) -> None:
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
    door.begin(
        happening.subject.process, "reorder", actor=happening.actor, now=happening.now, given=given, links=links,
        ref=str(old["replaced_by"]),
    )  # fmt: skip


def _execute(door: MemoryDoor, happening: Happening, name: str, fields: tuple[str, ...]) -> None:
    request = happening.subject.facts
    door.perform(
        happening.subject.order_ref, name, actor=happening.actor, now=happening.now,
        given={"requested_by": "station", **{field: request[field] for field in fields if request.get(field)}},
        links={
            "cancel_requested_at": request.get("requested_at"), "cancel_judged_at": request.get("judged_at"),
            "settled_by": happening.subject.ref,
        },
    )  # fmt: skip


def _note_agreement_on_order(door: MemoryDoor, happening: Happening) -> None:
    links = {"situation_kind": happening.subject.facts["situation_kind"]}
    door.perform(happening.subject.order_ref, "note_special_agreement", actor=THE_CLOCK, now=happening.now, links=links)


def _cancel_refused_order(door: MemoryDoor, happening: Happening) -> None:
    form = happening.subject.facts
    door.perform(
        happening.subject.order_ref, "cancel", actor=happening.actor, now=happening.now,
        given={"requested_by": "station", "cancel_reason": "user_refuses", "cancel_detail": form["situation"]},
        links={"cancel_requested_at": form.get("requested_at"), "settled_by": happening.subject.ref},
    )  # fmt: skip


def _open_callback(door: MemoryDoor, happening: Happening) -> None:
    door.begin("callback", "open", actor=THE_CLOCK, now=happening.now, given={}, order_ref=happening.subject.ref)


def _note_callback_on_order(door: MemoryDoor, happening: Happening) -> None:
    outcome = happening.subject.facts.get("callback_outcome", "not_reached")
    _tell(door, happening, "record_callback", {"callback_outcome": outcome})


def _reopen_the_order(door: MemoryDoor, happening: Happening) -> None:
    door.perform(
        happening.subject.order_ref, "reopen", actor=THE_CLOCK, now=happening.now,
        given={"reopen_reason": happening.subject.facts["reopen_reason"]}, links={"settled_by": happening.subject.ref},
    )  # fmt: skip


def _open_part_order(door: MemoryDoor, happening: Happening) -> None:
    part = happening.subject.facts["parts"][-1]
    given = {"part_order_no": part["no"], "part_code": part["code"], "part_due_at": part["due_at"]}
    door.begin(
        "part_order", "open", actor=happening.actor, now=happening.now, given=given,
        order_ref=happening.subject.ref, ref=part["record"],
    )  # fmt: skip


def _note_part_due(door: MemoryDoor, happening: Happening) -> None:
    if happening.given.get("part_due_at"):
        _of_the_part(door, happening, "note_part_due", {"part_due_at": happening.subject.facts["part_due_at"]})


def _of_the_part(door: MemoryDoor, happening: Happening, name: str, more: Mapping[str, str]) -> None:
    part = happening.subject.facts
    _tell(door, happening, name, {"part_order_no": part["part_order_no"], "part_code": part["part_code"], **more})


def _tell(door: MemoryDoor, happening: Happening, name: str, given: Mapping[str, Any]) -> None:
    door.perform(happening.subject.order_ref, name, actor=THE_CLOCK, now=happening.now, given=given)


EFFECTS_IN_MEMORY: Mapping[str, Effect] = {
    "request_wrong_number_cancellation": _request_wrong_number_cancellation,
    "end_open_records": _end_open_records,
    "open_replacement": _open_replacement,
    "release_seat": lambda door, happening: door.memory.give_back_seat(happening.subject.ref),
    "cancel_the_order": lambda door, happening: _execute(door, happening, "cancel", OF_A_REQUEST),
    "reassign_the_order": lambda door, happening: _execute(door, happening, "cancel_and_reassign", OF_A_REASSIGNMENT),
    "note_agreement_on_order": _note_agreement_on_order,
    "cancel_refused_order": _cancel_refused_order,
    "open_callback": _open_callback,
    "note_callback_on_order": _note_callback_on_order,
    "reopen_the_order": _reopen_the_order,
    "open_part_order": _open_part_order,
    "note_part_late": lambda door, happening: _of_the_part(door, happening, "note_part_late", {}),
    "note_part_due": _note_part_due,
    "note_part_arrival": lambda door, happening: _of_the_part(door, happening, "part_arrived", {}),
    "note_part_dropped": lambda door, happening: _of_the_part(door, happening, "part_refused", {}),
}
