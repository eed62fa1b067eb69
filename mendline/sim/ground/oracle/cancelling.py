"""Who may cancel what, when and for whom: the CAN sections read once more, as a list of objections.

The product has one verdict for every wish. Here every rule speaks for itself, so a refusal is right
when it names one of the objections, and an answer of "done" when there was none.
"""

from __future__ import annotations

# What must be closed normally by the station, whoever asks (CAN-18 to CAN-21, CAN-36).
CLOSED_NORMALLY = {
    "software": "CAN-18", "solved_by_telephone": "CAN-18", "replugged": "CAN-19", "complaint_repaired": "CAN-20",
    "no_fault": "CAN-21", "power_or_cabling": "CAN-21",
}  # fmt: skip
# What a station may bring (CAN-11 to CAN-17, CAN-27, CAN-30); its own slip of the pen only on its own order (CAN-09).
A_STATIONS = frozenset(
    ("wrong_area", "wrong_phone", "unreachable", "user_postponed", "user_solved", "user_refuses", "capacity_error",
     "incomplete_info", "already_normal", "special_request")
)  # fmt: skip
# What a user may want of an agent (CAN-04, CAN-31); a station's troubles do not come that way (CAN-07).
A_USERS = A_STATIONS - {"wrong_phone", "unreachable", "capacity_error"}
REASONS = (*sorted(A_STATIONS), "filled_in_wrongly", *CLOSED_NORMALLY)


def objections(
    *, origin: str, role: str, asked_by: str, reason: str, line: str, arrived: bool, agreed: bool
) -> set[str]:
    """Return the rules against this cancellation by `role`; none: it may be done.

    `origin` is who made the order (`cc`, `region`, `station`), `arrived` that a service was begun,
    `agreed` that the region consented to the form on a refusal (STN-43).
    """
    if reason in CLOSED_NORMALLY:
        return {CLOSED_NORMALLY[reason]}
    at_the_door = arrived or (agreed and reason == "user_refuses")
    found = (
        _of_a_station(origin, role, reason, line, at_the_door)
        if asked_by == "station"
        else _of_a_user(origin, role, reason, at_the_door)
    )
    if reason == "user_refuses" and arrived and not agreed:
        found.add("STN-43")
    return found


def _of_a_station(origin: str, role: str, reason: str, line: str, at_the_door: bool) -> set[str]:
    own = origin == "station"
    found: set[str] = set()
    if line == "line_800":
        found.add("CAN-10")
    if role == "cc_agent":
        found.add("CAN-07")
    if reason not in A_STATIONS and not (own and reason == "filled_in_wrongly"):
        found.add("CAN-17")
    left_to_region = not own or (at_the_door and reason == "user_refuses")
    if role == "station_coordinator" and left_to_region:
        found.add("CAN-08")
    if role == "region_interface" and not left_to_region:
        found.add("CAN-09")
    return found


def _of_a_user(origin: str, role: str, reason: str, at_the_door: bool) -> set[str]:
    found: set[str] = set()
    if reason not in A_USERS:
        found.add("CAN-07")
    match role:
        case "cc_agent" if at_the_door:
            found.add("STN-43")
        case "region_interface" if not at_the_door:
            found.add("CAN-31")
        case "station_coordinator" if at_the_door:
            found.add("STN-43")
        case "station_coordinator" if origin != "station":
            found.add("CAN-08")
        case _:
            pass
    return found


def may_ask(*, origin: str, reason: str, arrived: bool, agreed: bool) -> set[str]:
    """Return the rules against a station's request to its region (CAN-08, CAN-22)."""
    if reason in CLOSED_NORMALLY:
        return {CLOSED_NORMALLY[reason], "CAN-36", "STN-32"}
    found: set[str] = set()
    own = origin == "station"
    if reason not in A_STATIONS and not (own and reason == "filled_in_wrongly"):
        found.add("CAN-17")
    if own and not (arrived and reason == "user_refuses"):
        found.add("CAN-09")
    if reason == "user_refuses" and arrived and not agreed:
        found.add("STN-43")
    return found
