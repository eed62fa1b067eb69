"""A process drawn from its file: states as boxes in their order, transitions as arrows; SVG without inline style.

The main line runs from left to right in rows; waiting states hang below it, void ones stand at the
bottom with one dashed arrow each, because cancelling leads there from nearly everywhere. The same
picture carries an order's path: visited states and the present one have classes of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from mendline.process.definition import NEW, Process
from mendline.process.loading import processes

BOX_WIDTH, BOX_HEIGHT = 124, 44
GAP_X, GAP_Y = 56, 84
MARGIN = 36
PER_ROW = 6
LANGUAGES = ("zh", "en")
START_RADIUS = 9


@dataclass(frozen=True, slots=True)
class _Box:
    """Where a state stands, in pixels of the picture."""

    name: str
    x: int
    y: int

    @property
    def middle(self) -> tuple[int, int]:
        return self.x + BOX_WIDTH // 2, self.y + BOX_HEIGHT // 2


def svg(process: Process, language: str, path: Sequence[str] = (), current: str | None = None) -> str:
    """Return the picture of a process as SVG text.

    `path` holds the states an order has passed, in order, and `current` where it stands now.
    `language` is a language tag; anything but English is Chinese.
    """
    boxes = _placed(process)
    width = max(box.x for box in boxes.values()) + BOX_WIDTH + MARGIN
    height = max(box.y for box in boxes.values()) + BOX_HEIGHT + MARGIN
    walked = set(zip(path, path[1:], strict=False))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="process-diagram" viewBox="0 0 {width} {height}" role="img"'
        f' aria-label="{escape(process.label.in_language(language))}">',
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path class="arrow-head" d="M0 0 8 4 0 8z"/></marker></defs>',
    ]
    parts += [_edge(boxes[a], boxes[b], _edge_class(process, a, b, walked)) for a, b in _edges(process)]
    parts += [_start(boxes, process)]
    parts += [_node(process, boxes[name], language, path, current) for name in process.states]
    return "".join(parts) + "</svg>"


def write_all(folder: Path) -> list[Path]:
    """Write every process in both languages, with colours of its own so that a file stands alone."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for process in processes().values():
        for language in LANGUAGES:
            path = folder / f"{process.code}.{process.version}.{language}.svg"
            path.write_text(svg(process, language).replace("<defs>", f"<style>{STANDALONE}</style><defs>"), "utf-8")
            written.append(path)
    return written


STANDALONE = (
    "text{font:13px 'Noto Sans CJK SC','Noto Sans SC',sans-serif;text-anchor:middle;fill:#182433}"
    ".state rect{fill:#fff;stroke:#667382;stroke-width:1.4}.state.done rect{fill:#e6f6ea;stroke:#2fb344}"
    ".state.void rect{fill:#f6f8fb;stroke:#929dab;stroke-dasharray:4 3}.state.waiting rect{fill:#fff7e6;stroke:#f59f00}"
    ".edge{fill:none;stroke:#929dab;stroke-width:1.2}.edge.to-void{stroke-dasharray:3 4}.arrow-head{fill:#929dab}"
    ".start{fill:#182433}"
)


def _placed(process: Process) -> dict[str, _Box]:
    """Main line in rows from left to right, then the void states in a row of their own."""
    line = [name for name, state in process.states.items() if state.category != "void"]
    ends = [name for name, state in process.states.items() if state.category == "void"]
    boxes: dict[str, _Box] = {}
    for place, name in enumerate(line):
        boxes[name] = _at(name, place % PER_ROW, place // PER_ROW)
    last_row = (len(line) - 1) // PER_ROW + 1
    for place, name in enumerate(ends):
        boxes[name] = _at(name, place, last_row)
    return boxes


def _at(name: str, column: int, row: int) -> _Box:
    return _Box(name, MARGIN + 30 + column * (BOX_WIDTH + GAP_X), MARGIN + row * (BOX_HEIGHT + GAP_Y))


def _edges(process: Process) -> list[tuple[str, str]]:
    """Pairs of states to draw: of those into a void state only the one from the last open state."""
    pairs = sorted(pair for pair in process.allowed_changes if NEW not in pair and pair[0] != pair[1])
    order = list(process.states)
    kept = [pair for pair in pairs if process.states[pair[1]].category != "void"]
    for name, state in process.states.items():
        sources = [source for source, target in pairs if target == name]
        if state.category == "void" and sources:
            kept.append((max(sources, key=order.index), name))
    return kept


def _edge_class(process: Process, source: str, target: str, walked: Iterable[tuple[str, str]]) -> str:
    names = ["edge"]
    if process.states[target].category == "void":
        names.append("to-void")
    if (source, target) in walked:
        names.append("walked")
    return " ".join(names)


def _edge(start: _Box, end: _Box, css: str) -> str:
    """Neighbours are joined straight; a jump forward bows above the line, a way back below it."""
    (x1, y1), (x2, y2) = start.middle, end.middle
    if y1 == y2:
        reach = abs(x2 - x1) // (BOX_WIDTH + GAP_X)
        if x2 > x1 and reach == 1:
            d = f"M{x1 + BOX_WIDTH // 2} {y1}H{x2 - BOX_WIDTH // 2}"
        else:
            side = -1 if x2 > x1 else 1
            edge_y = y1 + side * BOX_HEIGHT // 2
            bow = edge_y + side * (10 + 6 * min(reach, 5))
            d = f"M{x1} {edge_y}C{x1} {bow} {x2} {bow} {x2} {edge_y}"
    else:
        side = 1 if y2 > y1 else -1
        a, b = y1 + side * BOX_HEIGHT // 2, y2 - side * BOX_HEIGHT // 2
        middle = (a + b) // 2
        d = f"M{x1} {a}C{x1} {middle} {x2} {middle} {x2} {b}"
    return f'<path class="{css}" d="{d}" marker-end="url(#arrow)"/>'


def _start(boxes: dict[str, _Box], process: Process) -> str:
    """A dot with an arrow into each state a record can begin in."""
    parts = []
    for target in sorted({target for source, target in process.allowed_changes if source == NEW}):
        box = boxes[target]
        x, y = box.x - 22, box.y + BOX_HEIGHT // 2
        parts.append(f'<circle class="start" cx="{x - START_RADIUS}" cy="{y}" r="4"/>')
        parts.append(f'<path class="edge" d="M{x - 4} {y}H{box.x}" marker-end="url(#arrow)"/>')
    return "".join(parts)


def _node(process: Process, box: _Box, language: str, path: Sequence[str], current: str | None) -> str:
    state = process.states[box.name]
    names = ["state", state.category]
    if box.name in path:
        names.append("visited")
    if box.name == current:
        names.append("current")
    label = state.label.in_language(language)
    x, y = box.middle
    lines = _wrapped(label, language)
    first = y + 5 - (len(lines) - 1) * 8
    words = "".join(f'<text x="{x}" y="{first + 16 * place}">{escape(line)}</text>' for place, line in enumerate(lines))
    return (
        f'<g class="{" ".join(names)}"><title>{escape(label)}</title>'
        f'<rect x="{box.x}" y="{box.y}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="6"/>{words}</g>'
    )


def _wrapped(label: str, language: str) -> list[str]:
    """Break a label that is too long for its box in two."""
    longest = 16 if language.startswith("en") else 8
    if len(label) <= longest:
        return [label]
    words = label.split(" ") if " " in label else [label[: len(label) // 2], label[len(label) // 2 :]]
    half = min(range(1, len(words)), key=lambda n: abs(len(" ".join(words[:n])) - len(label) // 2), default=1)
    joint = " " if " " in label else ""
    return [joint.join(words[:half]), joint.join(words[half:])]
