"""Seeing a customer's whole telephone number: allowed to whoever works on the order, and always written down."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from mendline.access.actors import Actor
from mendline.journal.models import Entry
from mendline.kernel.errors import Invalid
from mendline.kernel.text import Text
from mendline.orders import store

REASONS = {
    "call_user": Text("联系用户", "To call the user"),
    "call_back": Text("回访", "For the callback"),
    "check_number": Text("核对号码", "To check the number"),
    "other_duty": Text("其他工作需要", "Another duty"),
}


def reveal_phone(ref: str, reason: str, *, actor: Actor, now: datetime) -> str:
    """Return the order's telephone number (international form) and note in its history who saw it and why.

    Raises:
        NotVisible: the order is outside the actor's scope.
        Invalid: no known reason was given.
    """
    if reason not in REASONS:
        raise Invalid({"reason": Text("请选择查看原因", "choose why the number is needed")})
    with transaction.atomic():
        order = store.load(ref, actor=actor)
        Entry.objects.create(
            at=now, subject=ref, kind="order.reveal_phone", process=order.process, from_state=order.state,
            to_state=order.state, revision=order.revision, actor_id=actor.person_id, actor_name=actor.name,
            actor_role=actor.role, station_no=order.station_no, region=order.region,
            data={"reason": REASONS[reason].as_dict()},
        )  # fmt: skip
    return str(order.facts["customer"]["phone"])
