"""What a scenario's `then` may expect, each compared with the database as it stands."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mendline.access.actors import OF_A_REGION, OF_A_STATION
from mendline.journal.models import Outgoing
from mendline.kernel.text import Text
from mendline.kernel.time import SHANGHAI, local_day, parse_moment
from mendline.network.models import Capacity, DayLoad
from mendline.orders.models import Record
from mendline.orders.store import Loaded

if TYPE_CHECKING:
    from mendline.sim.scenario_files import Step
    from mendline.sim.scenarios import Stage

_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}")


class Unmet(Exception):
    """An expectation that does not hold; says what was expected and what is."""


def text(zh: str, en: str) -> Text:
    return Text(zh, en)


def check(stage: Stage, step: Step, subject: Loaded | None) -> None:
    """Compare every expectation of a step.

    Raises Unmet for the first that does not hold.
    """
    for name, expected in step.then.items():
        if name in _WITHOUT_SUBJECT:
            _WITHOUT_SUBJECT[name](stage, expected)
        elif subject is None:
            raise Unmet(f"{name} is expected of nothing: say what the step is on")
        else:
            _OF_SUBJECT[name](stage, subject, expected)


def _same(what: str, expected: object, actual: object) -> None:
    if expected != actual:
        raise Unmet(f"{what}: expected {expected!r}, is {actual!r}")


def _state(stage: Stage, subject: Loaded, expected: Any) -> None:
    _same("state", expected, subject.state)


def _station(stage: Stage, subject: Loaded, expected: Any) -> None:
    _same("station", str(expected or ""), subject.station_no)


def _region(stage: Stage, subject: Loaded, expected: Any) -> None:
    _same("region", str(expected), subject.region)


def _assignee(stage: Stage, subject: Loaded, expected: Any) -> None:
    person = stage.world.actor(str(expected)) if expected else None
    _same("assignee", person.person_id if person else None, subject.facts.get("assignee_id"))


def _version(stage: Stage, subject: Loaded, expected: Any) -> None:
    _same("version", expected, subject.process_version)


def _clocks(stage: Stage, subject: Loaded, expected: Any) -> None:
    """Each clock: the moment it is due, or `stopped`, `paused`, `absent`."""
    for name, value in _mapping("clocks", expected).items():
        clock = subject.clocks.get(name)
        if value in ("stopped", "paused", "absent", "running"):
            _same(f"clock {name}", value, clock.run if clock else "absent")
        elif clock is None or not clock.is_running:
            raise Unmet(
                f"clock {name}: expected due {value}, it {'does not exist' if clock is None else 'is ' + clock.run}"
            )
        else:
            _same(f"clock {name} due", _local(parse_moment(str(value), SHANGHAI)), _local(clock.due_at))


def _breached(stage: Stage, subject: Loaded, expected: Any) -> None:
    actual = sorted(name for name, clock in subject.clocks.items() if clock.is_breached)
    _same("breached", sorted(expected or []), actual)


def _facts(stage: Stage, subject: Loaded, expected: Any) -> None:
    """Facts by name; a moment, however it is written, is compared to the minute of the wall clock."""
    for name, value in _mapping("facts", expected).items():
        actual = _dig(subject.facts, name)
        if isinstance(actual, str) and _MOMENT.match(actual) and _MOMENT.match(str(value)):
            _same(f"fact {name}", _local(parse_moment(str(value), SHANGHAI)), _local(datetime.fromisoformat(actual)))
        elif value == "set":
            _same(f"fact {name} is set", True, actual not in (None, "", [], {}))
        else:
            _same(
                f"fact {name}",
                {"yes": True, "no": False}.get(value, value) if isinstance(value, str) else value,
                actual,
            )


def _dig(facts: Mapping[str, Any], name: str) -> Any:
    """Follow `t3_promises.0.slot` into lists and records; a list's length is `….count`."""
    value: Any = facts
    for part in name.split("."):
        if part == "count" and isinstance(value, (list, dict)):
            value = len(value)
        elif isinstance(value, list):
            value = value[int(part)] if part.lstrip("-").isdigit() and -len(value) <= int(part) < len(value) else None
        elif isinstance(value, Mapping):
            value = value.get(part)
        else:
            return None
    return value


def _told(stage: Stage, expected: Any) -> None:
    """`told: []` — nobody; a mapping from role (`role@station`), login or address to notice; or a list of those."""
    rows = list(Outgoing.objects.filter(id__gt=stage.told_since).exclude(channel="webhook").order_by("id"))
    logins = {person_id: login for login, person_id in stage.world.person_ids.items()}
    heard = {(_audience(row, named, logins), row.notice) for row in rows for named in (False, True)}
    heard_by_channel = {
        (_audience(row, named, logins), f"{row.notice} by {row.channel}") for row in rows for named in (False, True)
    }
    if expected == []:
        if rows:
            raise Unmet(f"told: expected nobody, but {', '.join(sorted(f'{who}: {what}' for who, what in heard))}")
        return
    pairs = _pairs(expected)
    audience = {person for person, _ in heard}
    for who, what in pairs:
        if what == "nothing":
            met = who not in audience
        else:
            met = (who, what) in heard | heard_by_channel if what else who in audience
        if not met:
            actual = ", ".join(sorted(f"{person}: {notice}" for person, notice in heard)) or "nobody"
            raise Unmet(f"told: expected {who}: {what or 'anything'}; told were {actual}")


def _pairs(expected: Any) -> list[tuple[str, str]]:
    if isinstance(expected, list):
        return [pair for item in expected for pair in (_pairs(item) if isinstance(item, dict) else [(str(item), "")])]
    pairs: list[tuple[str, str]] = []
    for who, what in _mapping("told", expected).items():
        pairs += [(str(who), str(notice)) for notice in (what if isinstance(what, list) else [what])]
    return pairs


def _audience(row: Outgoing, named: bool, logins: Mapping[int, str]) -> str:
    """A named person by login, an address without an account as it is, all others by role and place."""
    if row.person_id is not None:
        return logins.get(row.person_id, f"person {row.person_id}")
    if not row.role:
        return row.address
    if named and row.role in OF_A_STATION:
        return f"{row.role}@{row.station_no}"
    if named and row.role in OF_A_REGION:
        return f"{row.role}@{row.region}"
    return row.role


def _open_requests(stage: Stage, subject: Loaded, expected: Any) -> None:
    """The open records beside the order: their processes, or how many."""
    query = Record.objects.unscoped("scenario").filter(order_ref=subject.order_ref, category__in=["open", "waiting"])
    open_now = sorted(query.values_list("process", flat=True))
    _same(
        "open requests",
        sorted(expected) if isinstance(expected, list) else expected,
        open_now if isinstance(expected, list) else len(open_now),
    )


def _linked(stage: Stage, subject: Loaded, expected: Any) -> None:
    """`{replaces: order}`, `{replaced_by: replacement}`: by the scenario's names, or `nothing`."""
    from mendline.sim.scenarios import _ref

    for field, name in _mapping("linked", expected).items():
        actual = subject.facts.get(field) or ""
        _same(f"linked {field}", "" if name in (None, "nothing") else _ref(stage, str(name)), actual)


def _documents(stage: Stage, subject: Loaded, expected: Any) -> None:
    """Papers that exist for the order: `repair_order` once it was printed."""
    actual = ["repair_order"] if subject.facts.get("prints") else []
    _same("documents", sorted(expected or []), actual)


def _capacity_left(stage: Stage, expected: Any) -> None:
    """Seats left today, by `station` or `station/product line`."""
    day = local_day(stage.now)
    for place, seats in _mapping("capacity_left", expected).items():
        number, _, line = str(place).partition("/")
        loads = {load.product_line: load for load in DayLoad.objects.filter(station_no=number, day=day)}
        left = 0
        for capacity in Capacity.objects.filter(station=number, effective_from__lte=day).order_by("effective_from"):
            if (not line or capacity.product_line == line) and (
                capacity.effective_until is None or capacity.effective_until > day
            ):
                load = loads.get(capacity.product_line)
                left += capacity.per_day - (load.taken if load else 0)
        _same(f"capacity left at {place}", seats, left)


def _found(stage: Stage, expected: Any) -> None:
    _same("found", sorted(expected or []), sorted(stage.found))


def _reasons(stage: Stage, expected: Any) -> None:
    for place in expected or []:
        if place not in stage.reasons:
            raise Unmet(f"reasons: expected {place}, are {', '.join(stage.reasons) or 'none'}")


def _mapping(what: str, expected: Any) -> dict[str, Any]:
    if not isinstance(expected, dict):
        raise Unmet(f"{what} must have keys and values")
    return expected


def _local(moment: datetime) -> str:
    return moment.astimezone(SHANGHAI).strftime("%Y-%m-%dT%H:%M")


_OF_SUBJECT: dict[str, Callable[[Any, Loaded, Any], None]] = {
    "state": _state, "station": _station, "region": _region, "assignee": _assignee, "clocks": _clocks,
    "breached": _breached, "facts": _facts, "open_requests": _open_requests, "linked": _linked,
    "documents": _documents, "version": _version,
}  # fmt: skip
_WITHOUT_SUBJECT: dict[str, Callable[[Any, Any], None]] = {
    "told": _told, "capacity_left": _capacity_left, "found": _found, "reasons": _reasons,
}  # fmt: skip
