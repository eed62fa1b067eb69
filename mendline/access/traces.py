"""What was changed in the administration, by whom: one entry of the history for each change, in its transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mendline.access.actors import Actor
from mendline.journal.models import Entry

PROCESS = "administration"  # what these entries have instead of a process; no file has that name


def note_change(
    subject: str,
    kind: str,
    *,
    actor: Actor,
    now: datetime,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> Entry:
    """Add an entry `kind` (such as `person.change`) about `subject` (such as `person:17`).

    Of `before` and `after` only what differs is kept. Whoever calls leaves secrets out and masks personal data:
    the history can never be mended.
    """
    was, is_now = dict(before or {}), dict(after or {})
    names = [name for name in dict.fromkeys([*was, *is_now]) if was.get(name) != is_now.get(name)]
    data: dict[str, Any] = {"via": actor.via}
    if before is not None:
        data["before"] = {name: was.get(name) for name in names}
    if after is not None:
        data["after"] = {name: is_now.get(name) for name in names}
    return Entry.objects.create(
        at=now, subject=subject[:32], kind=kind, process=PROCESS, revision=0, actor_id=actor.person_id,
        actor_name=actor.name, actor_role=actor.role, station_no=actor.station_no, region=actor.region, data=data,
    )  # fmt: skip
