"""What somebody with the owner's account, and the triggers off, could do to the history. Each takes its chance from a
seed and returns the number of the first entry concerned, or None where no single entry is."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeAlias

from django.db import connection

from mendline.journal.sealing import Sealer, _add, seal_of
from mendline.journal.sealing_chain import SEAL_COLUMNS, Seal, beginning, read_leaves, sealed
from tests.journal.histories import LATER, happened


@dataclass(frozen=True, slots=True)
class History:
    """The numbers of the entries in each piece, and the file of the heads."""

    pieces: list[list[int]]
    heads: Path

    @property
    def entries(self) -> list[int]:
        return [number for piece in self.pieces for number in piece]


Mutation: TypeAlias = Callable[[History, random.Random], int | None]
TEXT_COLUMNS = (
    "subject",
    "kind",
    "process",
    "from_state",
    "to_state",
    "actor_name",
    "actor_role",
    "station_no",
    "region",
)


def _run(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, list(values))
        return list(cursor.fetchall()) if cursor.description else []


def _edit(history: History, chance: random.Random) -> int:
    """One value of one entry becomes another, whatever column it stands in."""
    entry = chance.choice(history.entries)
    what = chance.choice([*(f"{column} = {column} || 'x'" for column in TEXT_COLUMNS if column != "to_state"),
                          "revision = revision + 1", "actor_id = 7", "to_state = ''",
                          "data = jsonb_set(data, '{given,minutes}', '-1')", "data = data - 'changed'"])  # fmt: skip
    _run(f"UPDATE journal_entry SET {what} WHERE id = %s", entry)
    return entry


def _remove(history: History, chance: random.Random) -> int:
    """Some entries in the middle go."""
    first = chance.randrange(len(history.entries) - 3)
    gone = history.entries[first : first + chance.randint(1, 3)]
    _run("DELETE FROM journal_entry WHERE id = ANY(%s)", gone)
    return gone[0]


def _insert(history: History, chance: random.Random) -> int:
    """An entry is slipped in: into a gap of the numbers, or before the first."""
    if chance.random() < 0.3:
        entry = min(history.entries) - chance.randint(1, 5_000)
    else:
        entry = chance.choice(history.entries)
        _run("DELETE FROM journal_entry WHERE id = %s", entry)
    _run(
        "INSERT INTO journal_entry (id, at, subject, kind, process, from_state, to_state, revision, actor_name,"
        " actor_role, station_no, region, data) VALUES (%s, %s, 'WX000001', 'order.promise', 'unified_repair', '', '',"
        " 9, 'x', 'cc_agent', '', '', '{}')",
        entry, LATER,
    )  # fmt: skip
    return entry


def _reorder(history: History, chance: random.Random) -> int:
    """Two entries change their numbers: the same things happened, in another order."""
    one, other = sorted(chance.sample(history.entries, 2))
    _run("UPDATE journal_entry SET id = -1 WHERE id = %s", one)
    _run("UPDATE journal_entry SET id = %s WHERE id = %s", one, other)
    _run("UPDATE journal_entry SET id = %s WHERE id = -1", other)
    return one


def _swap_subjects(history: History, chance: random.Random) -> int:
    """What was done to one order is told of another, and the other way round."""
    while True:
        one, other = sorted(chance.sample(history.entries, 2))
        [(mine,)] = _run("SELECT subject FROM journal_entry WHERE id = %s", one)
        [(yours,)] = _run("SELECT subject FROM journal_entry WHERE id = %s", other)
        if mine != yours:
            break
    _run("UPDATE journal_entry SET subject = %s WHERE id = %s", yours, one)
    _run("UPDATE journal_entry SET subject = %s WHERE id = %s", mine, other)
    return one


def _move_in_time(history: History, chance: random.Random) -> int:
    """A promise is kept after all, by one microsecond or by a day."""
    entry = chance.choice(history.entries)
    by = chance.choice([timedelta(microseconds=1), timedelta(seconds=-1), timedelta(days=1)])
    _run("UPDATE journal_entry SET at = at + %s WHERE id = %s", by, entry)
    return entry


def _look_alike(history: History, chance: random.Random) -> int:
    """A text becomes one that looks the same: an invisible sign, a blank at the end, a full-width letter."""
    entry = chance.choice(history.entries)
    before, after = chance.choice(
        [("坐席", "坐\u200b席"), ("坐席", "坐席 "), ("坐席", "坐席\ufeff"), ("席", "\u2f3f席")]
    )
    column = chance.choice(["actor_name", "actor_name", "data"])
    if column == "data":
        _run("UPDATE journal_entry SET data = jsonb_set(data, '{given,note}', to_jsonb((data->'given'->>'note') ||"
             " %s::text)) WHERE id = %s", "\u200b", entry)  # fmt: skip
    else:
        _run("UPDATE journal_entry SET actor_name = replace(actor_name, %s, %s) WHERE id = %s", before, after, entry)
    return entry


def _cut_off(history: History, chance: random.Random) -> int:
    """The end goes, with its seals, and what is left hangs together."""
    keep = chance.randrange(1, len(history.pieces))
    first_gone = history.pieces[keep][0]
    _run("DELETE FROM journal_entry WHERE id >= %s", first_gone)
    _run("DELETE FROM journal_seal WHERE number > %s", keep)
    return first_gone


def _old_state(history: History, chance: random.Random) -> int:
    """An old backup is put back, and work goes on from there as if nothing had been."""
    first_gone = _cut_off(history, chance)
    sealer = Sealer()
    for _ in range(chance.randint(1, len(history.pieces))):
        happened(chance.randint(1, 9))
        sealer.seal(LATER)
    return first_gone


def _made_anew(history: History, chance: random.Random) -> int:
    """An entry is changed and every seal after it made again, so that the chain inside is whole."""
    entry = _edit(history, chance)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {SEAL_COLUMNS} FROM journal_seal ORDER BY number")
        old = [seal_of(row) for row in cursor.fetchall()]
        cursor.execute("DELETE FROM journal_seal")
        before: Seal = old[0] if chance.random() < 0.8 else beginning(chance.randbytes(32), old[0].sealed_at)
        _add(cursor, before)
        for seal in old[1:]:
            leaves = read_leaves(cursor, before.up_to, seal.up_to, 10_000)
            before = sealed(before, leaves, up_to=seal.up_to, now=seal.sealed_at)
            _add(cursor, before)
    return entry


def _seal_edited(history: History, chance: random.Random) -> None:
    """A seal says something else: its moment, its marks, its reach, its head."""
    what = chance.choice(["sealed_at = sealed_at + interval '1 second'", "entries = entries + 1", "up_to = up_to + 1",
                          "head = decode(repeat('ab', 32), 'hex')", "content = decode(repeat('cd', 32), 'hex')",
                          "form = 2"])  # fmt: skip
    _run(f"UPDATE journal_seal SET {what} WHERE number = %s", chance.randint(1, len(history.pieces)))


def _seal_removed(history: History, chance: random.Random) -> None:
    """A seal goes, not the last one."""
    _run("DELETE FROM journal_seal WHERE number = %s", chance.randint(0, len(history.pieces) - 1))


def _heads_edited(history: History, chance: random.Random) -> None:
    """The file outside is changed: a line gone, a head that is another, its end cut off."""
    lines = history.heads.read_text().splitlines()
    place = chance.randrange(2, len(lines))
    match chance.choice(["gone", "other", "cut"]):
        case "gone":
            del lines[place]
        case "other":
            lines[place] = lines[place][:-1] + ("0" if lines[place][-1] != "0" else "1")
        case _:
            del lines[place:]
    history.heads.write_text("".join(f"{line}\n" for line in lines))


MUTATIONS: Mapping[str, Mutation] = {
    "edited": _edit,
    "removed": _remove,
    "inserted": _insert,
    "reordered": _reorder,
    "swapped between orders": _swap_subjects,
    "moved in time": _move_in_time,
    "made to look alike": _look_alike,
    "cut off": _cut_off,
    "an old state put back": _old_state,
    "chain made anew": _made_anew,
    "seal edited": _seal_edited,
    "seal removed": _seal_removed,
    "heads outside edited": _heads_edited,
}
# These leave a chain that hangs together: only the heads outside can tell.
ONLY_FROM_OUTSIDE = frozenset(("cut off", "an old state put back", "chain made anew", "heads outside edited"))
