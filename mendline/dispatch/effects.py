"""What the process files of orders name of dispatching: two guards, a change, and the seats."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mendline.dispatch import seats
from mendline.dispatch.choosing import refusals
from mendline.dispatch.explanations import why_none
from mendline.process.registry import Facts, Happening, No, Parameters, change, effect, guard


@guard("chosen_station")
def station_found(facts: Facts, parameters: Parameters) -> No | None:
    """Some station takes the order; otherwise the closest one says why it does not (COM-10, STN-01, STN-18 …)."""
    choice = facts["chosen_station"]
    if choice["station_no"]:
        return None
    rule, why = why_none(refusals(choice))
    return No(
        rule, f"没有可派的维修站：{why.zh}", f"no station can take it: {why.en}", "station_wish", ("COM-10", "CAN-02")
    )


@guard("chosen_station")
def a_station_is_found(facts: Facts, parameters: Parameters) -> No | None:
    """The same statement for a step that must not go on without a station."""
    return station_found(facts, parameters)


@guard("chosen_station")
def named_station_can_take_it(facts: Facts, parameters: Parameters) -> No | None:
    """A station that somebody named must pass what every station must pass; nobody is named: nothing to say."""
    return station_found(facts, parameters) if facts.get("station_wish") else None


@guard("chosen_station")
def station_has_capacity(facts: Facts, parameters: Parameters) -> No | None:
    """Refuse only where capacity is what is missing (COM-10)."""
    choice = facts["chosen_station"]
    refused = refusals(choice)
    if choice["station_no"] or not refused or refused[0].outcome not in ("full", "no_capacity"):
        return None
    return station_found(facts, parameters)


@change("chosen_station")
def record_station(facts: Facts, parameters: Parameters) -> Mapping[str, Any]:
    """Write whom the order goes to, or the region that must find somebody (COM-05).

    Why is kept once, in the history of the step. A wish holds for one choice; it stays readable
    there and does not bind the next dispatch.
    """
    choice = facts["chosen_station"]
    written = {"station_no": choice["station_no"], "region": choice["region"]}
    return {**written, "station_wish": ""} if facts.get("station_wish") else written


@change("own_seat")
def take_own_seat(facts: Facts, parameters: Parameters) -> Mapping[str, Any]:
    """A station's own order uses a seat of its day if one is left; it is never refused for want of one.

    The source is silent; a station that brings its own work has less room for the call centre's.
    The look-up has found the seat, and it is taken with the order, so there is no fact to write.
    """
    return {}


@effect
def release_seat(happening: Happening) -> None:
    """Give the seat of a voided order back; the station can take another one that day (COM-10)."""
    if happening.transition == "cancel_and_reassign":
        seats.announce_move()
    seats.release(happening.subject.ref)
