"""What people and the worker do between two backups: a process of its own, with the installation in its environment.

`python -m tests.database_backup.work report=3 mail=2 seal send` does so in this order and prints what each returned.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from typing import Any

import django
import orjson
from django.core.management import CommandError


def report(many: str) -> list[str]:
    """Report like orders of the demo world; returns their numbers."""
    from django.utils import timezone

    from mendline.access.actors import Actor
    from mendline.orders.models import RepairOrder
    from mendline.orders.transitions import begin
    from mendline.process import loading

    loading.processes()
    like = RepairOrder.objects.unscoped("a drill").order_by("id").first()
    assert like is not None
    agent = Actor(None, "坐席", "cc_agent", via="test")
    given = {
        "customer": {"name": "演练", "phone": "13800000001"}, "product": like.product, "area": like.area,
        "address": "演练路1号", "fault": "不开机", "service_mode": "on_site",
    }  # fmt: skip
    now = timezone.now()
    return [begin("unified_repair", "report", actor=agent, now=now, given=given).ref for _ in range(int(many))]


def mail(many: str) -> list[str]:
    """Put e-mails into the outbox, as an order's notice does; returns their keys."""
    from django.utils import timezone

    from mendline.journal.models import Outgoing

    now = timezone.now()
    made = [
        Outgoing(
            key=f"drill:{now.isoformat()}:{number}", at=now, subject="drill", notice="order_cancelled", channel="email",
            address="station@example.com", next_try_at=now, data={"zh": "已撤单", "en": "cancelled"},
        )
        for number in range(int(many))
    ]  # fmt: skip
    return [row.key for row in Outgoing.objects.bulk_create(made)]


def send() -> None:
    """Deliver what is due by e-mail, which goes into the folder `mail` of the installation."""
    from django.utils import timezone

    from mendline.contact.outbox import deliver_next
    from mendline.contact.ports import CHANNELS

    while deliver_next("email", CHANNELS["email"], now=timezone.now()):
        pass


def seal() -> None:
    from django.utils import timezone

    from mendline.journal.sealing import Sealer

    sealer = Sealer()
    while sealer.seal(timezone.now()):
        pass


def command(words: str) -> str:
    """Carry out a command of ours and return what it said."""
    from django.core.management import call_command

    out = io.StringIO()
    name, *rest = words.split()
    try:
        call_command(name, *rest, stdout=out)
    except CommandError as refusal:
        return f"refused: {refusal}"
    return out.getvalue()


WORK: dict[str, Callable[..., Any]] = {"report": report, "mail": mail, "send": send, "seal": seal, "command": command}


def main() -> None:
    django.setup()
    done: list[Any] = []
    for word in sys.argv[1:]:
        name, _, what = word.partition("=")
        done.append(WORK[name](*filter(None, [what])))
    sys.stdout.buffer.write(orjson.dumps(done) + b"\n")


if __name__ == "__main__":
    main()
