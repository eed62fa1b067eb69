"""Which ways orders really took through the procedure, how often, and how they differ from the usual and the declared.

A way is the sequence of steps that changed the state. Compared are orders that have ended: what an
open one will still do nobody knows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from mendline.figures.asking import BASES, Question
from mendline.figures.measures import COUNTS
from mendline.figures.models import Path
from mendline.figures.reckoning import rows_of
from mendline.kernel.text import Text
from mendline.process.definition import NEW, Process
from mendline.process.loading import processes

MOST_MARKED = 60  # comparing hundreds would take longer than counting them
_COUNTED = f"""
    SELECT f.path_id, count(*), (avg(f.minutes))::bigint, count(*) FILTER (WHERE {COUNTS["contacts_late"].condition}),
           count(*) FILTER (WHERE {COUNTS["cancelled"].condition})
    FROM figures_orderfact f
    WHERE {{narrowed}} AND {BASES["reported"]} AND f.ended_on IS NOT NULL AND f.path_id IS NOT NULL
    GROUP BY 1
"""


@dataclass(frozen=True, slots=True)
class Arrow:
    """One step from one state to another."""

    source: str
    step: str
    target: str


@dataclass(frozen=True, slots=True)
class Mark:
    """One step of a way beside the usual way: `same`, `more` (the usual one has it not) or `less` (it is left out)."""

    step: str
    label: Text
    kind: str


@dataclass(frozen=True, slots=True)
class Variant:
    """One way, how many orders took it, and how. `undeclared` are arrows that the process file does not have."""

    id: int
    version: int
    steps: tuple[str, ...]
    orders: int
    percent: int
    average_minutes: int
    contacts_late: int
    cancelled: int
    is_usual: bool
    marks: tuple[Mark, ...]  # compared with the usual way for the most frequent ones, plain for the others
    undeclared: tuple[Arrow, ...]


@dataclass(frozen=True, slots=True)
class ArrowCount:
    """A step from state to state, how many orders took it, and whether its process file declares it."""

    arrow: Arrow
    label: Text
    source: Text
    target: Text
    orders: int
    passes: int
    is_declared: bool
    paths: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Mined:
    """What the history says of a period: `orders` ended ones took `len(variants)` ways."""

    orders: int
    variants: list[Variant]  # most first; the first is the usual way
    arrows: list[ArrowCount]  # by state, in the order of the process file
    as_usual: int  # orders that took the usual way
    undeclared: int  # orders that took an arrow which their process file does not have


def mined(question: Question) -> Mined:
    """Find out which ways the orders reported in the period took."""
    rows = {row[0]: row[1:] for row in rows_of(_COUNTED, question)}
    known = {path.pk: path for path in Path.objects.filter(pk__in=list(rows))}
    total = sum(row[0] for row in rows.values())
    ordered = sorted(known.values(), key=lambda path: (-rows[path.pk][0], path.pk))
    usual = _steps_of(ordered[0]) if ordered else ()
    variants = [
        _variant(path, rows[path.pk], total, usual, is_marked=place < MOST_MARKED) for place, path in enumerate(ordered)
    ]
    return Mined(
        orders=total,
        variants=variants,
        arrows=_arrows(ordered, {pk: row[0] for pk, row in rows.items()}),
        as_usual=sum(variant.orders for variant in variants if variant.is_usual),
        undeclared=sum(variant.orders for variant in variants if variant.undeclared),
    )


def paths_along(arrow: Arrow) -> tuple[int, ...]:
    """Return the ways that go along an arrow, for the list of their orders."""
    marked = f"{arrow.step}:{arrow.target}"
    return tuple(
        path.pk for path in Path.objects.filter(steps__contains=marked).order_by("id") if arrow in arrows_of(path)
    )


def arrows_of(path: Path) -> list[Arrow]:
    """Return a way as arrows.

    >>> arrows_of(Path(steps="report:dispatched promise:promised"))[1]
    Arrow(source='dispatched', step='promise', target='promised')
    """
    found: list[Arrow] = []
    state = NEW
    for part in path.steps.split():
        step, _, target = part.partition(":")
        found.append(Arrow(state, step, target))
        state = target
    return found


def declares(process: Process | None, arrow: Arrow) -> bool:
    """Tell whether a process file has this arrow."""
    step = process.transitions.get(arrow.step) if process else None
    return step is not None and (
        step.to.get(arrow.source) == arrow.target or arrow.source in step.sources and arrow.target in _diverts(step)
    )


def _diverts(step: Any) -> set[str]:
    return set(step.diverts.values())


def _steps_of(path: Path) -> tuple[str, ...]:
    return tuple(arrow.step for arrow in arrows_of(path))


def _variant(path: Path, row: tuple[Any, ...], total: int, usual: tuple[str, ...], *, is_marked: bool) -> Variant:
    orders, minutes, late, cancelled = row
    process = processes().get((path.process, path.version))
    arrows = arrows_of(path)
    steps = tuple(arrow.step for arrow in arrows)
    return Variant(
        id=path.pk, version=path.version, steps=steps, orders=orders, percent=100 * orders // total,
        average_minutes=int(minutes or 0), contacts_late=late, cancelled=cancelled,
        is_usual=steps == usual,
        marks=tuple(_marks(steps, usual if is_marked else steps, process)),
        undeclared=tuple(arrow for arrow in arrows if not declares(process, arrow)),
    )  # fmt: skip


def _marks(steps: tuple[str, ...], usual: tuple[str, ...], process: Process | None) -> list[Mark]:
    """Return the steps as they differ from the usual way."""
    found: list[Mark] = []
    for kind, a, b, c, d in SequenceMatcher(None, usual, steps, autojunk=False).get_opcodes():
        if kind == "equal":
            found += [Mark(step, label_of(process, step), "same") for step in steps[c:d]]
            continue
        found += [Mark(step, label_of(process, step), "less") for step in usual[a:b]]
        found += [Mark(step, label_of(process, step), "more") for step in steps[c:d]]
    return found


def label_of(process: Process | None, step: str) -> Text:
    found = process.transitions.get(step) if process else None
    return found.label if found else Text(step, step)


def state_label(process: Process | None, state: str) -> Text:
    if state == NEW:
        return Text("建单", "New")
    found = process.states.get(state) if process else None
    return found.label if found else Text(state, state)


def _arrows(paths: list[Path], orders: Mapping[int, int]) -> list[ArrowCount]:
    """Count how often each arrow was taken, beside what the newest file declares: also what nobody ever took."""
    if not paths:
        return []
    newest = max((processes()[key] for key in processes() if key[0] == paths[0].process), key=lambda one: one.version)
    taken: Counter[Arrow] = Counter()
    passed: Counter[Arrow] = Counter()
    through: dict[Arrow, set[int]] = {}
    of_their_own: set[Arrow] = set()  # declared by the version under which the orders ran
    for path in paths:
        process = processes().get((path.process, path.version))
        for arrow, times in Counter(arrows_of(path)).items():
            of_their_own |= {arrow} if declares(process, arrow) else set()
            taken[arrow] += orders[path.pk]
            passed[arrow] += orders[path.pk] * times
            through.setdefault(arrow, set()).add(path.pk)
    declared = {
        Arrow(source, step.name, target)
        for step in newest.transitions.values()
        for source, to in step.to.items()
        for target in {to, *step.diverts.values()}
        if source != target
    }
    places = {state: place for place, state in enumerate((NEW, *newest.states))}
    return [
        ArrowCount(arrow, label_of(newest, arrow.step), state_label(newest, arrow.source),
                   state_label(newest, arrow.target), taken[arrow], passed[arrow], arrow in declared | of_their_own,
                   tuple(sorted(through.get(arrow, ()))))
        for arrow in sorted(
            declared | set(taken),
            key=lambda one: (places.get(one.source, 99), -taken[one], places.get(one.target, 99), one.step),
        )
    ]  # fmt: skip
