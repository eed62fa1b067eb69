"""Entering people, changing what they may do, letting them in anew. Every change leaves its line in the history.

Whether a region or a station exists is for the caller to ask: the network lies above this package.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from mendline.access import signins
from mendline.access.actors import OF_A_REGION, OF_A_STATION, Actor, subject_of
from mendline.access.models import Person, Role
from mendline.access.own_rows import rows_of
from mendline.access.traces import note_change
from mendline.kernel.errors import Invalid, NotVisible
from mendline.kernel.phones import masked
from mendline.kernel.text import Text

_USERNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,39}", re.ASCII)
TAKEN = Text("这个用户名已有人使用，请换一个", "this user name is taken: choose another")
LAST_ADMIN = Text(
    "这是最后一位在用的系统管理员，请先指定另一位", "this is the last active administrator: appoint another one first"
)
YOURSELF = Text("不能停用自己，请由另一位系统管理员操作", "you cannot switch yourself off: ask another administrator")


@dataclass(frozen=True, slots=True)
class PersonData:
    """What an administrator enters about somebody; the place must fit the role."""

    username: str
    name: str
    role: str
    region: str = ""
    station_no: str = ""
    phone: str = ""
    email: str = ""


@transaction.atomic
def add_person(data: PersonData, *, actor: Actor, now: datetime) -> Person:
    """Enter somebody, without a password: that is chosen through the first-password link.

    Raises:
        Invalid: names every field that is wrong and what to enter instead.
    """
    _check(data)
    person = Person(**_columns(data))
    person.set_unusable_password()
    try:
        with transaction.atomic():
            person.save()
    except IntegrityError:
        raise Invalid({"username": TAKEN}) from None
    note_change(subject_of(person.pk), "person.add", actor=actor, now=now, after=_shown(data))
    return person


@transaction.atomic
def change_person(person_id: int, data: PersonData, *, actor: Actor, now: datetime) -> Person:
    """Change role, place or contact; what has not changed is not written. Counts from the next request of this person.

    Raises:
        NotVisible: no such person.
        Invalid: a field is wrong, or the last administrator would be gone.
    """
    person = _locked(person_id)
    before = _data_of(person)
    if before == data:
        return person
    _check(data)
    if before.role == Role.ADMIN and data.role != Role.ADMIN and person.is_active:
        _keep_an_admin(person, "role")
    columns = {name: value for name, value in _columns(data).items() if getattr(before, name) != value}
    for name, value in columns.items():
        setattr(person, name, value)
    try:
        with transaction.atomic():
            person.save(update_fields=list(columns))
    except IntegrityError:
        raise Invalid({"username": TAKEN}) from None
    was, shown = _shown(before), _shown(data)
    for name in ("phone", "email"):
        if name in columns and was[name] == shown[name]:
            shown[name] += " *"  # another one that looks alike when masked
    note_change(subject_of(person_id), "person.change", actor=actor, now=now, before=was, after=shown)
    return person


@transaction.atomic
def switch_off(person_id: int, *, actor: Actor, now: datetime) -> bool:
    """Deactivate somebody, from the very next request of a browser or a machine; False when it was so already.

    Raises:
        NotVisible: no such person.
        Invalid: it is oneself, or the last administrator.
    """
    person = _locked(person_id)
    if not person.is_active:
        return False
    if person.pk == actor.person_id:
        raise Invalid({"is_active": YOURSELF})
    if person.role == Role.ADMIN:
        _keep_an_admin(person, "is_active")
    return _set_active(person, False, actor, now)


@transaction.atomic
def switch_on(person_id: int, *, actor: Actor, now: datetime) -> bool:
    """Let somebody in again; False when it was so already. Raises NotVisible."""
    person = _locked(person_id)
    return False if person.is_active else _set_active(person, True, actor, now)


@transaction.atomic
def end_signins(person_id: int, *, actor: Actor, now: datetime) -> int:
    """Sign somebody out everywhere, at once; return of how many browsers. The password stays. Raises NotVisible."""
    person = _locked(person_id)
    count = signins.end_all(person.pk)
    if count:
        note_change(
            subject_of(person_id), "person.end_signins", actor=actor, now=now,
            before={"signins": count}, after={"signins": 0},
        )  # fmt: skip
    return count


@transaction.atomic
def end_own_signins(actor: Actor, *, now: datetime, but: str | None, only: str = "") -> int:
    """End sign-ins of the actor's own, except the session `but`; all, or the one with the public name `only`."""
    assert actor.person_id is not None
    count = signins.end(actor.person_id, [only]) if only else signins.end_all(actor.person_id, but=but)
    if count:
        note_change(subject_of(actor.person_id), "person.end_signins", actor=actor, now=now, after={"ended": count})
    return count


@transaction.atomic
def reset_second_factor(person_id: int, *, actor: Actor, now: datetime, reason: str = "") -> int:
    """Forget the second factors and recovery codes of somebody who lost them; return how many there were.

    Whoever found the telephone is signed out as well. Raises NotVisible.
    """
    from allauth.mfa.models import Authenticator  # its models can be imported only when all apps are loaded

    person = _locked(person_id)
    with rows_of(person.pk):
        count, _ = Authenticator.objects.filter(user_id=person.pk).delete()
    if count:
        signins.end_all(person.pk)
        note_change(
            subject_of(person_id), "person.reset_second_factor", actor=actor, now=now,
            before={"factors": count}, after={"factors": 0, **({"reason": reason} if reason else {})},
        )  # fmt: skip
    return int(count)


def note_password_link(person: Person, *, by_mail: bool, actor: Actor, now: datetime) -> None:
    """Note that a link for choosing a password was made, and how it was handed over; never the link itself."""
    after = {"handed_over": "email" if by_mail else "shown"}
    note_change(subject_of(person.pk), "person.password_link", actor=actor, now=now, after=after)


def _set_active(person: Person, active: bool, actor: Actor, now: datetime) -> bool:
    person.is_active = active
    person.save(update_fields=["is_active"])
    note_change(
        subject_of(person.pk), "person.switch_on" if active else "person.switch_off", actor=actor, now=now,
        before={"is_active": not active}, after={"is_active": active},
    )  # fmt: skip
    return True


def _locked(person_id: int) -> Person:
    person = Person.objects.select_for_update().filter(pk=person_id).first()
    if person is None:
        raise NotVisible
    return person


def _keep_an_admin(person: Person, field: str) -> None:
    """Refuse what would leave nobody to undo it. The others are locked, so that two cannot remove each other."""
    others = Person.objects.select_for_update().filter(role=Role.ADMIN, is_active=True).exclude(pk=person.pk)
    if not list(others.order_by("pk")):
        raise Invalid({field: LAST_ADMIN})


def _check(data: PersonData) -> None:
    wrong: dict[str, Text] = {}
    if not _USERNAME.fullmatch(data.username):
        wrong["username"] = Text(
            "请用 2 至 40 个字母、数字、点、横线或下划线",
            "2 to 40 letters, digits, dots, hyphens or underscores",
        )
    if not 1 <= len(data.name) <= 40 or not data.name.isprintable():
        wrong["name"] = Text("请填写姓名，最多 40 个字", "enter a name of at most 40 characters")
    if data.role not in Role.values:
        wrong["role"] = Text("请选择角色", "choose a role")
    if data.role in OF_A_REGION and not data.region:
        wrong["region"] = Text("这个角色属于一个大区，请选择大区", "this role belongs to a region: choose it")
    if data.role in OF_A_STATION and not data.station_no:
        wrong["station_no"] = Text("这个角色属于一个维修站，请选择维修站", "this role belongs to a station: choose it")
    if data.region and data.role in Role.values and data.role not in OF_A_REGION:
        wrong["region"] = Text("这个角色不属于大区，请留空", "this role belongs to no region: leave it empty")
    if data.station_no and data.role in Role.values and data.role not in OF_A_STATION:
        wrong["station_no"] = Text("这个角色不属于维修站，请留空", "this role belongs to no station: leave it empty")
    if data.email and not _is_address(data.email):
        wrong["email"] = Text("不是有效的邮箱地址，请核对", "not an e-mail address: check it")
    if len(data.phone) > 20:
        wrong["phone"] = Text("电话最多 20 位", "at most 20 digits")
    if wrong:
        raise Invalid(wrong)


def _is_address(email: str) -> bool:
    try:
        validate_email(email)
    except ValidationError:
        return False
    return len(email) <= 254


def _columns(data: PersonData) -> dict[str, Any]:
    return {field.name: getattr(data, field.name) for field in fields(data)}


def _data_of(person: Person) -> PersonData:
    return PersonData(**{field.name: getattr(person, field.name) for field in fields(PersonData)})


def _shown(data: PersonData) -> dict[str, str]:
    """Return the data as the history may keep it: telephone number and address masked."""
    name, at, domain = data.email.partition("@")
    masked_email = f"{name[:1]}***{at}{domain}" if data.email else ""
    return {**_columns(data), "phone": masked(data.phone) if data.phone else "", "email": masked_email}
