"""Whether the history is still what was sealed: everything is hashed again, and the first difference is named.

Two walls. The chain inside tells of every entry that was changed, removed or slipped in by whoever did not make the
seals anew. The heads outside tell of a chain that was made anew, of one that was cut off at its end, and of an old
state that was put back. Without heads from outside the second kind cannot be seen, and the verdict says so.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate
from pathlib import Path
from typing import Any

from mendline.journal import sealing_heads
from mendline.journal.sealing import seal_of
from mendline.journal.sealing_chain import (
    FORM,
    LOWEST,
    NOTHING,
    SEAL_COLUMNS,
    SHORT,
    Leaf,
    Seal,
    content_of,
    named,
    read_leaves,
)
from mendline.journal.sealing_heads import Heads
from mendline.kernel.text import Text

MOST_WRONG = 20  # then it is enough: the first says where to look
ROUND = 20_000  # entries held in memory at a time, unless one seal has more
# A seal is outside some seconds after it is made. After a minute it ought to be.
OUTSIDE_WITHIN = timedelta(minutes=1)
_SEALS = f"SELECT {SEAL_COLUMNS} FROM journal_seal WHERE number > %s ORDER BY number LIMIT 200"
_UNSEALED = "SELECT count(*), min(at) FROM journal_entry WHERE id > %s"


@dataclass(frozen=True, slots=True)
class Wrong:
    """One difference. `entry` is the number of the first entry concerned, where that can be told."""

    code: str
    seal: int
    entry: int | None
    what: Text


@dataclass(slots=True)
class Verdict:
    """What was looked at and what was found. `wrong` is in the order of the history."""

    entries: int = 0
    seals: int = 0
    head: str = ""
    last_entry: int = 0
    unsealed: int = 0
    oldest_unsealed: datetime | None = None
    heads_compared: int = 0
    wrong: list[Wrong] = field(default_factory=list)
    notes: list[Text] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.wrong


def verify(cursor: Any, now: datetime, files: Sequence[Path] | None = None) -> Verdict:
    """Compare the history with its seals and these with the heads in `files` (None: those of this installation).

    Read them under one snapshot (REPEATABLE READ) while work goes on. Takes about 10 s for a million entries.
    """
    heads, early, notes = _heads(cursor, files)
    verdict = Verdict(notes=notes)
    verdict.wrong += early
    before, up_to = NOTHING, LOWEST
    last: Seal | None = None
    for seal, leaves in _pieces(cursor):
        verdict.wrong += _look_at(seal, leaves, before, up_to, 0 if last is None else last.number + 1)
        if heads is not None:
            verdict.wrong += _compare(seal, heads, up_to, now)
            verdict.heads_compared += seal.number in heads.heads
        verdict.entries += len(leaves)
        verdict.seals += 1
        before, up_to, last = seal.head, seal.up_to, seal
        if len(verdict.wrong) >= MOST_WRONG:
            break
    else:
        verdict.wrong += _the_end(last, heads)
    if last is not None:
        verdict.head, verdict.last_entry = last.head.hex(), max(0, last.up_to)
    cursor.execute(_UNSEALED, [up_to])
    verdict.unsealed, verdict.oldest_unsealed = cursor.fetchone()
    verdict.wrong = sorted(verdict.wrong[:MOST_WRONG], key=lambda one: one.seal)  # stable: the entry before its seal
    return verdict


def _pieces(cursor: Any) -> Iterator[tuple[Seal, list[Leaf]]]:
    """Yield every seal with the entries between it and the one before, read in large rounds."""
    number, up_to = -1, LOWEST
    while True:
        cursor.execute(_SEALS, [number])
        seals = [seal_of(row) for row in cursor.fetchall()]
        if not seals:
            return
        while seals:
            many = 1 + bisect_left(list(accumulate(one.entries for one in seals)), ROUND)
            now, seals = seals[:many], seals[many:]
            leaves = read_leaves(cursor, up_to, now[-1].up_to, 1 << 62)
            numbers = [one.id for one in leaves]
            begin = 0
            for seal in now:
                end = bisect_right(numbers, seal.up_to)
                yield seal, leaves[begin:end]
                begin = max(begin, end)
            number, up_to = now[-1].number, now[-1].up_to


def _look_at(seal: Seal, leaves: Sequence[Leaf], before: bytes, up_to: int, number: int) -> Iterator[Wrong]:
    """Yield what is wrong inside: with the entries of one seal, and with the seal itself."""
    if seal.number != number:
        yield Wrong("seal_missing", number, None, Text(f"封存 {number} 不见了", f"seal {number} is missing"))
    same = content_of(leaves) == seal.content
    if seal.number and not same:
        yield from _entries_that_differ(seal, leaves)
    sound = seal.form == FORM and (seal.number == 0 or (seal.up_to > up_to and seal.entries == len(leaves) or not same))
    if seal.number == number and (seal.follows(before) != seal.head or not sound):
        what = Text(f"封存 {seal.number} 本身被改动", f"seal {seal.number} itself was changed")
        yield Wrong("seal_changed", seal.number, None, what)


def _entries_that_differ(seal: Seal, leaves: Sequence[Leaf]) -> Iterator[Wrong]:
    was, now = named(seal.leaves), {one.id: one.hash[:SHORT] for one in leaves}
    found = False
    for entry in sorted(was.keys() | now.keys()):
        if was.get(entry) == now.get(entry):
            continue
        found = True
        if entry not in now:
            yield Wrong("removed", seal.number, entry, Text(f"记录 {entry} 被删除", f"entry {entry} was removed"))
        elif entry not in was:
            what = Text(f"记录 {entry} 是封存之后塞入的", f"entry {entry} was slipped in after the sealing")
            yield Wrong("inserted", seal.number, entry, what)
        else:
            yield Wrong("changed", seal.number, entry, Text(f"记录 {entry} 被改动", f"entry {entry} was changed"))
    if not found:
        first = leaves[0].id if leaves else None
        what = Text(
            f"封存 {seal.number} 的内容与记录不符，而其中的逐条标记也被改过",
            f"seal {seal.number} does not fit its entries, and its marks of single entries were rewritten",
        )
        yield Wrong("rewritten", seal.number, first, what)


def _compare(seal: Seal, heads: Heads, up_to: int, now: datetime) -> Iterator[Wrong]:
    """Yield what is wrong between a seal and what was kept outside of it."""
    kept = heads.heads.get(seal.number)
    if kept is not None and kept != seal.head.hex():
        what = Text(
            f"封存 {seal.number}（记录 {_range(up_to, seal.up_to)}）与外部保存的封存号不同："
            "历史被整体改写，或外部文件被改",
            f"seal {seal.number} (entries {_range(up_to, seal.up_to)}) differs from its head outside:"
            " the history was made anew from there, or the file outside was changed",
        )
        yield Wrong("other_head", seal.number, max(up_to + 1, 1), what)
    if kept is None and now - seal.sealed_at > OUTSIDE_WITHIN:
        what = Text(
            f"封存 {seal.number} 没有外部封存号：外部文件缺行，或没有写到",
            f"seal {seal.number} has no head outside: a line is missing there, or was never written",
        )
        yield Wrong("no_head", seal.number, None, what)


def _the_end(last: Seal | None, heads: Heads | None) -> Iterator[Wrong]:
    if heads is None:
        return
    number = -1 if last is None else last.number
    if heads.last > number:
        entry = max(0, last.up_to) if last is not None else 0
        what = Text(
            f"历史止于封存 {number}（记录 {entry}），外部却保存到封存 {heads.last}"
            f"（记录 {heads.last_entry[heads.last]}）："
            "末尾被截断，或放回了旧的备份",
            f"the history ends with seal {number} (entry {entry}), but heads are kept up to {heads.last} (entry"
            f" {heads.last_entry[heads.last]}): its end was cut off, or an old state was put back",
        )
        yield Wrong("cut_off", number + 1, entry + 1, what)


def _heads(cursor: Any, files: Sequence[Path] | None) -> tuple[Heads | None, list[Wrong], list[Text]]:
    """Return the heads of this history, what is wrong with them alone, and remarks."""
    own = sealing_heads.file_of(cursor)
    history = own.first_line.split()[1] if own is not None else ""
    database = sealing_heads.database_of(cursor)
    wrong: list[Wrong] = []
    notes: list[Text] = []
    merged: Heads | None = None
    for path, heads in sealing_heads.heads_in([sealing_heads.folder()] if files is None else files):
        if heads.history == history and history:
            notes += [_restore_note(one) for one in heads.restored]
            for place, _ in heads.unreadable:
                notes.append(Text(f"{path.name} 第 {place} 行无法读取", f"{path.name}, line {place} cannot be read"))
            wrong += [_missing_line(number, path) for number in (*heads.missing(), *heads.contradictions)]
            merged = heads if merged is None else _both(merged, heads)
        elif heads.database == database or files is not None:
            what = Text(
                f"{path.name} 属于这个数据库的另一部历史：现在的历史是重新开始的，或文件拿错了",
                f"{path.name} is of another history of this database: what is there now was begun anew, or the file"
                " is not the right one",
            )
            wrong.append(Wrong("another_history", 0, 1, what))
    if merged is None:
        notes.append(
            Text(
                "没有外部封存号：整体改写、截去末尾、放回旧备份都看不出来",
                "no heads from outside: a history made anew, cut off or put back would not be seen",
            )
        )
    return merged, wrong, notes


def _both(one: Heads, other: Heads) -> Heads:
    """Join two files of one history, as two machines with workers keep them."""
    for number, head in other.heads.items():
        one.heads.setdefault(number, head)
        one.last_entry.setdefault(number, other.last_entry[number])
    return one


def _missing_line(number: int, path: Path) -> Wrong:
    what = Text(
        f"{path.name} 缺少封存 {number} 的那一行，或前后矛盾",
        f"{path.name}: the line of seal {number} is missing or contradicts itself",
    )
    return Wrong("head_file_changed", number, None, what)


def _restore_note(one: sealing_heads.Restored) -> Text:
    return Text(
        f"{one.at} 恢复过备份（到 {one.until}），封存 {one.number} 之后的旧历史不再核对",
        f"restored at {one.at} to {one.until}: the old life after seal {one.number} is no longer expected",
    )


def _range(up_to: int, until: int) -> str:
    return f"{max(up_to + 1, 1)}–{until}"
