"""A form that arrives twice (a double click, a connection that broke, the Back button) has one effect."""

from __future__ import annotations

import hashlib
import re

from django.db import IntegrityError, transaction

from mendline.orders.models import IdempotencyKey
from mendline.web.console.visit import Visit

_KEY = re.compile(r"[0-9a-f]{32}", re.ASCII)


def already_done(visit: Visit, what: str, *, part: str = "") -> bool:
    """Note the form's key, in the caller's transaction; tell whether this form was carried out before.

    Call it inside the transaction that carries the form out: a refusal takes the note back, so a mended
    form may be sent again; and a twin waits here until the first has finished. A form without a key is
    not held up. `what` names the step and its subject; a form that is carried out in parts notes each `part`.
    """
    key = visit.request.POST.get("once", "")
    if not _KEY.fullmatch(key) or visit.actor.person_id is None:
        return False
    try:
        with transaction.atomic():
            IdempotencyKey.objects.create(
                person_id=visit.actor.person_id, key=f"form:{key}{part}", status=200, body="", created_at=visit.now,
                request_digest=hashlib.sha256(what.encode()).hexdigest(),
            )  # fmt: skip
    except IntegrityError:
        return True
    return False
