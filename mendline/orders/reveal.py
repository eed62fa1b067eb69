"""Seeing a customer's whole telephone number: allowed to whoever works on the order, and always written down."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from django.db import connection, transaction

from mendline.access.actors import Actor
from mendline.journal.models import Entry
from mendline.kernel.errors import Invalid, TooOften
from mendline.kernel.text import Text
from mendline.orders import store

REASONS = {
    "call_user": Text("联系用户", "To call the user"),
    "call_back": Text("回访", "For the callback"),
    "check_number": Text("核对号码", "To check the number"),
    "other_duty": Text("其他工作需要", "Another duty"),
}

# Two a minute for an hour is more than anybody can ring up; who copies numbers wants thousands.
MOST_AN_HOUR = 120
HOUR = timedelta(hours=1)


def reveal_phone(ref: str, reason: str, *, actor: Actor, now: datetime) -> str:
    """Return the order's telephone number (international form) and note in its history who saw it and why.

    Raises:
        NotVisible: the order is outside the actor's scope.
        Invalid: no known reason was given.
        TooOften: this person saw `MOST_AN_HOUR` numbers within the last hour, at whatever door.
    """
    if reason not in REASONS:
        raise Invalid({"reason": Text("请选择查看原因", "choose why the number is needed")})
    with transaction.atomic():
        order = store.load(ref, actor=actor)
        if actor.person_id is not None:
            _hold_to_the_limit(actor.person_id, now)
        Entry.objects.create(
            at=now, subject=ref, kind="order.reveal_phone", process=order.process, from_state=order.state,
            to_state=order.state, revision=order.revision, actor_id=actor.person_id, actor_name=actor.name,
            actor_role=actor.role, station_no=order.station_no, region=order.region,
            data={"reason": REASONS[reason].as_dict()},
        )  # fmt: skip
    return str(order.facts["customer"]["phone"])


def _hold_to_the_limit(person_id: int, now: datetime) -> None:
    """Count what the history says, so that every web process counts the same; one look of a person at a time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('order.reveal_phone'), %s::int)", [person_id % 2**31])
    seen = Entry.objects.filter(kind="order.reveal_phone", actor_id=person_id, at__gt=now - HOUR)
    moments = list(seen.order_by("-at").values_list("at", flat=True)[:MOST_AN_HOUR])
    if len(moments) == MOST_AN_HOUR:
        seconds = max(1, math.ceil((moments[-1] + HOUR - now).total_seconds()))
        minutes = math.ceil(seconds / 60)
        zh = f"一小时内最多查看 {MOST_AN_HOUR} 个完整电话，请 {minutes} 分钟后再查看"
        raise TooOften(
            Text(zh, f"at most {MOST_AN_HOUR} whole numbers an hour; the next one in {minutes} min"), seconds
        )
