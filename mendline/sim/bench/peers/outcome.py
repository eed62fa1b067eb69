"""What a comparison showed, as figures with ratios and as a table that people read. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence

from mendline.sim.bench.figures import Aim, Figure, Measured, plain, ratio
from mendline.sim.bench.peers.product import CHANGE, CREATE, LIST, SEARCH
from mendline.sim.bench.peers.side_by_side import CLIENTS, Comparison, Taken

QUESTIONS = (CREATE, CHANGE, LIST, SEARCH)
LEAST_SHARE = 0.95  # of the throughput with 4 clients that 16 must keep


def measured(found: Comparison, setup: dict[str, object]) -> Measured:
    """Return everything as figures; the first product is the one that the ratios are about."""
    return Measured(f"beside its peers, {found.level:,} tickets", tuple(_figures(found)), setup, tuple(found.faults))


def _figures(found: Comparison) -> Iterator[Figure]:
    ours, *others = found.products
    for (name, question, clients), taken in found.taken.items():
        said = f"{name}: {question}, {clients} client{'s' if clients > 1 else ''}"
        yield Figure(said, "/s", tuple(taken.per_second), remark=f"{taken.answers} answers of {taken.kb:.1f} kB")
        yield Figure(f"{said}: p50", "ms", tuple(taken.p50))
        yield Figure(f"{said}: p95", "ms", tuple(taken.p95))
        if any(taken.cpu_ms):
            yield Figure(f"{said}: CPU of server and database", "ms", tuple(taken.cpu_ms))
        if name == ours:
            for other in others:
                theirs = found.taken.get((other, question, clients))
                if theirs is not None and len(theirs.per_second) == len(taken.per_second):
                    yield ratio(_rate(taken), _rate(theirs), f"{said}: ÷ {other}")
    for name in found.products:
        for question in QUESTIONS:
            many, few = (found.taken.get((name, question, clients)) for clients in (16, 4))
            if many and few:
                aim = Aim("at_least", LEAST_SHARE) if name == ours else None
                yield ratio(_rate(many), _rate(few), f"{name}: {question}, 16 clients ÷ 4 clients", aim)
        each, together = found.memory_mb.get(name, ([], 0.0))
        if each:
            yield Figure(f"{name}: memory of a worker (PSS)", "MB", tuple(each), remark=f"{len(each)} workers")
            yield Figure(f"{name}: memory of all its processes (PSS)", "MB", (together,))


def _rate(taken: Taken) -> Figure:
    return Figure("", "/s", tuple(taken.per_second))


def as_table(found: Comparison) -> str:
    """Return medians side by side: answers a second, p95, CPU for each answer; and how often Mendline answers for one.

    It is Markdown, so that it can be put into a page as it is.
    """
    lines = [f"### {found.level:,} tickets", "", _row(["", "clients", *found.products, *_against(found)])]
    lines.append(_row(["---"] * (2 + len(found.products) + len(_against(found)))))
    for question in QUESTIONS:
        for clients in CLIENTS:
            cells = [found.taken.get((name, question, clients)) for name in found.products]
            said = [_cell(taken) if taken else "–" for taken in cells]
            lines.append(_row([question, str(clients), *said, *_times(cells)]))
    lines += ["", _memory(found)]
    lines += [
        f"- {name}: one answer to “{question}” takes {plain(taken)} s, so it was asked by one client only"
        for (name, question), taken in found.too_slow.items()
    ]
    lines += [f"- FAULT: {fault}" for fault in found.faults]
    return "\n".join(lines)


def _against(found: Comparison) -> list[str]:
    return [f"÷ {name}" for name in found.products[1:]]


def _cell(taken: Taken) -> str:
    cpu = statistics.median(taken.cpu_ms)
    said = f"{plain(statistics.median(taken.per_second))} /s, p95 {plain(statistics.median(taken.p95))} ms"
    return f"{said}, CPU {plain(cpu)} ms" if cpu else said


def _times(cells: Sequence[Taken | None]) -> list[str]:
    ours, *others = cells
    if ours is None:
        return ["" for _ in others]
    return [plain(ratio(_rate(ours), _rate(one), "").value) if one and all(one.per_second) else "–" for one in others]


def _memory(found: Comparison) -> str:
    parts = [
        f"{name} {plain(statistics.median(each))} MB ({len(each)} workers, all processes {plain(together)} MB)"
        for name, (each, together) in found.memory_mb.items()
        if each
    ]
    created = ", ".join(f"{name} {many:,}" for name, many in found.created.items())
    return f"Memory of a worker (PSS): {'; '.join(parts) or 'not known'}. Created while measuring: {created}."


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
