"""A history to seal: entries as the product writes them, in several pieces, with its heads outside."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from django.db import connection

from mendline.journal.models import Entry
from mendline.journal.sealing import Sealer
from mendline.journal.sealing_verify import Verdict, verify
from tests.make import MONDAY_NINE

LATER = MONDAY_NINE + timedelta(hours=1)  # long enough that every head must be outside
KINDS = ("order.report", "order.download", "order.promise", "order.resolve", "clock.warn")


def happened(many: int, *, now: datetime = MONDAY_NINE) -> list[int]:
    """Add `many` entries of several orders and return their numbers."""
    made = [
        Entry(
            at=now + timedelta(seconds=number), subject=f"WX{number % 7:06}", kind=KINDS[number % len(KINDS)],
            process="unified_repair", from_state="", to_state="promised", revision=number // 7, actor_id=None,
            actor_name=f"坐席\t{number}\\", actor_role="cc_agent", station_no="000001", region="north",
            data={"given": {"note": f"第{number}次\n联系", "minutes": number}, "changed": {"T31": None}},
        )
        for number in range(many)
    ]  # fmt: skip
    return [entry.pk for entry in Entry.objects.bulk_create(made)]


def sealed_history(pieces: int = 6, each: int = 12) -> list[list[int]]:
    """Add a history and seal it piece by piece; returns the numbers of the entries in each piece."""
    sealer, made = Sealer(), []
    for piece in range(pieces):
        made.append(happened(each, now=MONDAY_NINE + timedelta(minutes=piece)))
        sealer.seal(MONDAY_NINE + timedelta(minutes=piece, seconds=50))
    return made


def verdict(files: list[Path] | None = None, now: datetime = LATER) -> Verdict:
    with connection.cursor() as cursor:
        return verify(cursor, now, files)
