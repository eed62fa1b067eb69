"""The copy list of a procedure document: departments, stations and named persons (UDS-04)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Q

from mendline.access.models import Person, Role
from mendline.network.models import Station

_BETWEEN = re.compile(r"[、，,；;\n]+")
_RANK = re.compile(r"(?:全体|全员|经理)?(?:及?以上)?(?:人员)?$")
# Groups as the notices of the procedure name them.
GROUPS = {
    "各部门": (Role.SERVICE_SUPPORT_DEPT, Role.INFO_SUPPORT_DEPT),
    "大区客服": (Role.REGION_INTERFACE, Role.REGION_CHANNEL_SPECIALIST),
    "中心站": (Role.STATION_COORDINATOR,),
    "维修站": (Role.STATION_COORDINATOR,),
    "大区": (Role.REGION_INTERFACE, Role.REGION_CHANNEL_SPECIALIST),
}


@dataclass(frozen=True, slots=True)
class Copies:
    """Who is meant: `to` as it is stored (`role`, `station_no`, `person` or `address` each), and what nobody knows."""

    to: tuple[dict[str, str | int], ...]
    unknown: tuple[str, ...]


def read_copies(text: str) -> Copies:
    """Read a list as people write it, divided by 、 ; , or line breaks.

    An entry is a department or role (also "…经理以上"), a station's number, a login name, an e-mail
    address, or the name of somebody who alone has it. An address need not be an account's.
    """
    to: list[dict[str, str | int]] = []
    unknown: list[str] = []
    for entry in filter(None, map(str.strip, _BETWEEN.split(text))):
        found = _meant_by(entry)
        if not found:
            unknown.append(entry)
        to += [one for one in found if one not in to]
    return Copies(tuple(to), tuple(unknown))


def _meant_by(entry: str) -> list[dict[str, str | int]]:
    group = _RANK.sub("", entry)
    for code, label in Role.choices:
        if code in (entry, group) or str(label) == group:
            return [{"role": code}]
    if group in GROUPS:
        return [{"role": role.value} for role in GROUPS[group]]
    if entry.isdigit():
        return [{"station_no": entry}] if Station.objects.filter(number=entry).exists() else []
    people = Person.objects.filter(Q(username=entry) | Q(name=entry) | Q(email__iexact=entry), is_active=True)
    named = [person for person in people.order_by("pk") if person.username == entry] or list(people.order_by("pk"))
    if len(named) == 1 or (named and "@" in entry):
        return [{"person": named[0].pk}]
    return [{"address": entry}] if not named and _is_address(entry) else []


def _is_address(entry: str) -> bool:
    try:
        validate_email(entry)
    except ValidationError:
        return False
    return True
