"""Between a dry run and the import: the table as it was sent, kept for a day for whoever sent it."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from django.conf import settings

from mendline.access.actors import Actor
from mendline.journal.models import Entry
from mendline.kernel.errors import NotVisible
from mendline.network.imports import JOURNAL_SUBJECT, Report, import_network
from mendline.network.limits import MOST_FILE_BYTES
from mendline.network.models import Upload
from mendline.network.sheets import Unreadable

KEPT_FOR = timedelta(days=1)
MOST_SHOWN = 20
_UNSAFE = re.compile(r"[^\w.\- ()（）]+")


def keep(content: bytes, *, name: str, actor: Actor, now: datetime) -> Upload:
    """Keep a table for its sender, and drop those that are older than a day.

    Raises:
        Unreadable: it is larger than any table may be, or infected.
    """
    if len(content) > MOST_FILE_BYTES:
        raise Unreadable("file_size", megabytes=len(content) // 1_000_000, limit=MOST_FILE_BYTES // 1_000_000)
    if settings.SCANNING is not None and (refusal := settings.SCANNING.refusal(content)) is not None:
        raise Unreadable(refusal)
    Upload.objects.filter(uploaded_at__lt=now - KEPT_FOR).delete()
    return Upload.objects.create(
        name=_UNSAFE.sub(" ", name).strip()[-120:] or "table", content=content,
        uploaded_by=_person_of(actor), uploaded_at=now,
    )  # fmt: skip


def upload_of(actor: Actor, upload_id: int) -> Upload:
    """Return what this person sent. Raises NotVisible for somebody else's and for what is gone."""
    found = Upload.objects.filter(pk=upload_id, uploaded_by=_person_of(actor)).first()
    if found is None:
        raise NotVisible
    return found


def checked(upload: Upload, *, actor: Actor, now: datetime) -> Report:
    """Say what the import would do; nothing is written. Raises Unreadable."""
    return import_network(bytes(upload.content), actor=actor, now=now, dry_run=True)


def imported(upload: Upload, *, actor: Actor, now: datetime) -> Report:
    """Import it, checked once more against the network of now. Twice changes nothing the second time.

    Raises:
        Unreadable: the file as a whole cannot be taken.
    """
    report = import_network(bytes(upload.content), actor=actor, now=now)
    if report.is_written:
        upload.imported_at = now
        upload.save(update_fields=["imported_at"])
    return report


def past_imports() -> list[Entry]:
    """Return who imported how much, the newest first."""
    entries = Entry.objects.filter(subject=JOURNAL_SUBJECT, kind="network.import").order_by("-id")
    return list(entries[:MOST_SHOWN])


def _person_of(actor: Actor) -> int:
    if actor.person_id is None:
        raise NotVisible
    return actor.person_id
