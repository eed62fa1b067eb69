"""How the history is sealed: what of an entry is hashed, and how the pieces hang together. Pure but for one COPY.

The entries are cut into pieces in the order of their numbers. A seal covers every entry after the
seal before it up to a number, and its head is made of those entries and of the head before. So
nobody can change, remove or add an entry below the newest seal without every later head being another.

A head proves nothing by itself, because whoever may write to the database can make all of them
anew; it proves something where it is also kept outside (see `sealing_heads`). The seal also keeps the first bytes
of every entry's own hash, which prove nothing and only serve to name the entry that differs.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

FORM = 1
LOWEST = -(1 << 63)  # no number lies below: an entry slipped in before the first would be found too
NOTHING = bytes(32)  # the head before the first
SHORT = 8  # bytes of an entry's hash that are kept beside its number

# One line per entry in the server's own copy format, in which a tab or a line break inside a text is written with a
# backslash: so no two different entries have the same line. Moments are written out, because the session's zone is not
# everybody's. What stands here never changes; a later shape of the history is form 2.
COLUMNS = (
    "id", "at", "subject", "kind", "process", "from_state", "to_state", "revision", "actor_id", "actor_name",
    "actor_role", "station_no", "region", "data",
)  # fmt: skip
_AS_TEXT = {"at": """to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US')""", "data": "data::text"}
_LINES = """
    COPY (SELECT {columns} FROM journal_entry WHERE id > {above} AND id <= {until} ORDER BY id LIMIT {most}) TO STDOUT
"""
SEAL_COLUMNS = "number, form, up_to, entries, sealed_at, content, head, leaves"


@dataclass(frozen=True, slots=True)
class Seal:
    """One piece of the history: all entries after the seal before, up to and with number `up_to`."""

    number: int
    form: int
    up_to: int
    entries: int
    sealed_at: datetime
    content: bytes
    head: bytes
    leaves: bytes

    def follows(self, before: bytes) -> bytes:
        """Return the head that this seal must have after head `before`."""
        moment = self.sealed_at.astimezone(UTC).isoformat(timespec="microseconds")
        said = (
            f"{self.form}\n{self.number}\n{self.up_to}\n{self.entries}\n{moment}\n{self.content.hex()}\n{before.hex()}"
        )
        return sha256(said.encode()).digest()


@dataclass(frozen=True, slots=True)
class Leaf:
    """An entry's number and its whole hash."""

    id: int
    hash: bytes


def leaf(line: bytes) -> Leaf:
    """Return the hash of one line of the copy; the zero byte tells an entry from anything else that is hashed."""
    return Leaf(int(line.partition(b"\t")[0]), sha256(b"\0" + line).digest())


def content_of(leaves: Iterable[Leaf]) -> bytes:
    """Return the hash of a piece.

    >>> content_of([]).hex()[:16]
    'e3b0c44298fc1c14'
    """
    return sha256(b"".join(one.hash for one in leaves)).digest()


def shortened(leaves: Iterable[Leaf]) -> bytes:
    """Return what a seal keeps to name the entry that differs: number and first bytes, one after the other."""
    return b"".join(struct.pack(">q", one.id) + one.hash[:SHORT] for one in leaves)


def named(leaves: bytes) -> dict[int, bytes]:
    """Return the numbers in a seal, with the first bytes of their hashes; odd bytes at the end are left out.

    >>> named(shortened([Leaf(7, b"abcdefghijkl")]))
    {7: b'abcdefgh'}
    """
    step = 8 + SHORT
    whole = len(leaves) - len(leaves) % step
    return {struct.unpack_from(">q", leaves, at)[0]: leaves[at + 8 : at + step] for at in range(0, whole, step)}


def sealed(before: Seal | None, leaves: Sequence[Leaf], *, up_to: int, now: datetime) -> Seal:
    """Return the seal over `leaves`, which are all entries after the seal `before` up to number `up_to`."""
    number, head = (0, NOTHING) if before is None else (before.number + 1, before.head)
    draft = Seal(number, FORM, up_to, len(leaves), now, content_of(leaves), NOTHING, shortened(leaves))
    return Seal(number, FORM, up_to, len(leaves), now, draft.content, draft.follows(head), draft.leaves)


def beginning(content: bytes, now: datetime) -> Seal:
    """Return the seal from which a history begins. It covers nothing; `content` is chance, so that no two are alike."""
    draft = Seal(0, FORM, LOWEST, 0, now, content, NOTHING, b"")
    return Seal(0, FORM, LOWEST, 0, now, content, draft.follows(NOTHING), b"")


def read_leaves(cursor: Any, above: int, until: int, most: int) -> list[Leaf]:
    """Return the hashes of the entries after number `above` up to `until`, in order, at most `most`."""
    columns = ", ".join(_AS_TEXT.get(column, column) for column in COLUMNS)
    statement = _LINES.format(columns=columns, above=int(above), until=int(until), most=int(most))
    with cursor.copy(statement) as copy:
        whole = b"".join(copy)
    return [leaf(line) for line in whole.split(b"\n")[:-1]]
