"""A process drawn from its file: states in their order, arrows for the changes; SVG without inline style.

The main line runs from left to right, arcs above it jump ahead and arcs below it lead back; below
stand what waits and what is void. Cancelling leads from nearly everywhere into the void states,
so only the arrow an order really took there is drawn. The same picture carries an order's path:
visited states and the present one have classes of their own, besides colours as plain attributes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path

from mendline.process.definition import NEW, Process, State, Transition
from mendline.process.differences import Marks
from mendline.process.loading import processes

BOX_WIDTH, BOX_HEIGHT = 104, 44
GAP_X, GAP_Y = 26, 34
MARGIN = 12
ARC = 13  # how much higher an arrow rises for each state it jumps over
MOST_RISE = 74
LINE_UNITS = 14  # half-width units that fit on one line of a box
FONT = 12.5
LANGUAGES = ("zh", "en")
FAR = 3  # with a path on it, the picture leaves out changes that jump further and were not taken


@dataclass(frozen=True, slots=True)
class _Box:
    """Where a state stands. Row 0 is the main line; below it stand what waits and what is void."""

    state: State
    column: int
    row: int

    @property
    def x(self) -> float:
        return MARGIN + self.column * (BOX_WIDTH + GAP_X)

    @property
    def middle(self) -> float:
        return self.x + BOX_WIDTH / 2


def svg(
    process: Process,
    language: str,
    path: Sequence[str] = (),
    current: str | None = None,
    *,
    times: Mapping[str, tuple[str, str]] | None = None,
    marked: Marks | None = None,
) -> str:
    """Return the picture of a process as SVG text.

    `path` holds the states an order has passed, in order, and `current` where it stands now.
    `times` are the words under a state's name and those that explain it on hovering. `marked` are states and
    steps that differ from another version; an arrow is marked when one of its steps is. `language` is a language
    tag; anything but English is Chinese.
    """
    boxes = _placed(process)
    changes = _changes(process)
    walked = set(zip(path, path[1:], strict=False))
    rise = _rise(boxes, changes)
    tops = _tops(boxes, rise)
    width = MARGIN * 2 + max(box.column for box in boxes.values()) * (BOX_WIDTH + GAP_X) + BOX_WIDTH
    height = max(tops.values()) + BOX_HEIGHT + MARGIN + rise / 2
    parts = [
        _arrow(
            boxes[source],
            boxes[target],
            tops,
            _names(steps, language),
            kind="walked" if (source, target) in walked else _mark_of(steps, marked),
        )  # fmt: skip
        for (source, target), steps in sorted(changes.items(), key=lambda item: item[0] in walked)
        if (source, target) in walked or _is_drawn(boxes[source], boxes[target], has_path=bool(path))
    ]
    told = times or {}
    parts += [
        _state(box, tops, language, path, current, *told.get(box.state.name, ("", "")), _mark(box.state.name, marked))
        for box in boxes.values()
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="process-diagram" width="{width}"'
        f' viewBox="0 0 {width} {height:g}" role="img" aria-label="{escape(process.label.in_language(language))}"'
        f' font-size="{FONT}" font-family="inherit">'
        f"<defs>{_heads(with_marks=marked is not None)}</defs>{''.join(parts)}</svg>"
    )


def write_all(folder: Path) -> list[Path]:
    """Write every process in both languages, with a typeface of its own so that a file stands alone."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for process in processes().values():
        for language in LANGUAGES:
            path = folder / f"{process.code}.{process.version}.{language}.svg"
            path.write_text(svg(process, language).replace('font-family="inherit"', STANDALONE), "utf-8")
            written.append(path)
    return written


# How an arrow is drawn by its kind: walked by an order, or what became of it since another version. Colour, width.
STROKES = {
    "other": ("#b5bdc9", 1.0),
    "walked": ("#066fd1", 2.2),
    "mark-added": ("#2f9e44", 2.0),
    "mark-changed": ("#d9730d", 2.0),
    "mark-gone": ("#d63939", 2.0),
}
STANDALONE = "font-family=\"'Noto Sans CJK SC', 'Noto Sans SC', 'PingFang SC', 'Microsoft YaHei', sans-serif\""


@cache
def _heads(*, with_marks: bool) -> str:
    """Return the heads of the arrows; those of marked ones only where something is marked."""
    return "".join(
        f'<marker id="arrow-{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"'
        f' markerUnits="userSpaceOnUse">'
        f'<path d="M0 0.5L7.5 4L0 7.5z" fill="{colour}" class="arrow-head {name}"/></marker>'
        for name, (colour, _) in STROKES.items()
        if with_marks or not name.startswith("mark-")
    )


def _placed(process: Process) -> dict[str, _Box]:
    """Put the states in their rows; a waiting state stands below the place it has in the file, void ones at the end."""
    boxes: dict[str, _Box] = {}
    column = 0
    for name, state in process.states.items():
        if state.category == "void":
            continue
        if state.category == "waiting" and column:
            boxes[name] = _Box(state, column - 1, 1)
            continue
        boxes[name] = _Box(state, column, 0)
        column += 1
    void = [state for state in process.states.values() if state.category == "void"]
    taken = {box.column for box in boxes.values() if box.row == 1}
    free = [place for place in range(max(column, len(void) + len(taken))) if place not in taken]
    places = free[len(free) - len(void) :]
    return boxes | {state.name: _Box(state, place, 1) for state, place in zip(void, places, strict=True)}


def _changes(process: Process) -> dict[tuple[str, str], list[Transition]]:
    """Return what leads from one state to another, without the creation and without staying."""
    found: dict[tuple[str, str], list[Transition]] = {}
    for step in process.transitions.values():
        for source, target in step.to.items():
            for reached in (target, *step.diverts.values()):
                if source not in (NEW, reached):
                    found.setdefault((source, reached), []).append(step)
    return found


def _rise(boxes: Mapping[str, _Box], changes: Mapping[tuple[str, str], object]) -> float:
    jumps = [_jump(boxes[a], boxes[b]) for a, b in changes if boxes[a].row == boxes[b].row == 0]
    return min(MOST_RISE, max(jumps, default=1) * ARC)


def _tops(boxes: Mapping[str, _Box], rise: float) -> dict[int, float]:
    """Return the upper edge of each row; the main line leaves room for its arcs above and below."""
    rows = sorted({box.row for box in boxes.values()})
    below = rise * 0.45
    return {row: MARGIN + rise + row * (BOX_HEIGHT + GAP_Y) + (below if row else 0) for row in rows}


def _is_drawn(source: _Box, target: _Box, *, has_path: bool) -> bool:
    return target.state.category != "void" and not (has_path and _jump(source, target) > FAR)


def _jump(source: _Box, target: _Box) -> int:
    return abs(source.column - target.column)


def _mark_of(steps: Sequence[Transition], marked: Marks | None) -> str:
    """Return how the arrow of these steps is drawn: as the one that changed most."""
    found = {marked.steps[step.name] for step in steps if step.name in marked.steps} if marked else set()
    return next((f"mark-{kind}" for kind in ("gone", "added", "changed") if kind in found), "other")


def _mark(state: str, marked: Marks | None) -> str:
    return f" mark-{marked.states[state]}" if marked and state in marked.states else ""


def _arrow(source: _Box, target: _Box, tops: Mapping[int, float], names: str, *, kind: str) -> str:
    colour, width = STROKES[kind]
    return (
        f'<path d="{_line(source, target, tops)}" fill="none" stroke="{colour}" stroke-width="{width:g}"'
        f' marker-end="url(#arrow-{kind})" class="edge {kind}"><title>{escape(names)}</title></path>'
    )


def _line(source: _Box, target: _Box, tops: Mapping[int, float]) -> str:
    """Neighbours are joined straight, others by an arc: forward above the line, backward below it."""
    top, other = tops[source.row], tops[target.row]
    if source.row != target.row:
        down = target.row > source.row
        start, end = (top + BOX_HEIGHT, other) if down else (top, other + BOX_HEIGHT)
        lean = -14 if down else 14
        from_x, to_x, half = source.middle + lean, target.middle + lean, (start + end) / 2
        return f"M{from_x:g} {start:g}C{from_x:g} {half:g} {to_x:g} {half:g} {to_x:g} {end:g}"
    if target.column == source.column + 1:
        y = top + BOX_HEIGHT / 2
        return f"M{source.x + BOX_WIDTH:g} {y:g}L{target.x:g} {y:g}"
    bow = min(MOST_RISE, _jump(source, target) * ARC) * 4 / 3
    if target.column > source.column:
        from_x, to_x, edge, far = source.middle + 18, target.middle - 18, top, top - bow
    else:
        from_x, to_x, edge = source.middle - 18, target.middle + 18, top + BOX_HEIGHT
        far = edge + bow * 0.6
    return f"M{from_x:g} {edge:g}C{from_x:g} {far:g} {to_x:g} {far:g} {to_x:g} {edge:g}"


def _names(steps: Sequence[Transition], language: str) -> str:
    return " / ".join(dict.fromkeys(step.label.in_language(language) for step in steps))


def _state(
    box: _Box,
    tops: Mapping[int, float],
    language: str,
    path: Sequence[str],
    current: str | None,
    reached: str,
    explained: str,
    mark: str,
) -> str:
    name, top = box.state.name, tops[box.row]
    classes, fill, stroke, ink = f"state {box.state.category}", "#ffffff", "#c8d0da", "#4a5565"
    if name in path:
        classes, fill, stroke, ink = f"{classes} visited", "#e6f0fb", "#066fd1", "#1d3557"
    if name == current:
        classes, fill, stroke, ink = f"{classes} current", "#066fd1", "#066fd1", "#ffffff"
    if mark:
        classes, stroke = f"{classes}{mark}", STROKES[mark.strip()][0]
    label = box.state.label.in_language(language)
    lines = _wrapped(label)
    count, apart = (len(lines) + 1, 13.5) if reached else (len(lines), 15)
    first = top + BOX_HEIGHT / 2 - (count - 1) * apart / 2 + 4.5
    words = "".join(
        f'<tspan x="{box.middle:g}" y="{first + place * apart:g}">{escape(line)}</tspan>'
        for place, line in enumerate(lines)
    )
    if reached:
        y = first + len(lines) * apart - 1
        words += f'<tspan x="{box.middle:g}" y="{y:g}" font-size="10" class="reached">{escape(reached)}</tspan>'
    dashes = ' stroke-dasharray="4 3"' if box.state.category == "void" else ""
    dashes += ' stroke-width="2.4"' if mark else ""
    return (
        f'<g class="{classes}"><title>{escape(explained or label)}</title>'
        f'<rect x="{box.x:g}" y="{top:g}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="7" fill="{fill}"'
        f' stroke="{stroke}"{dashes}/>'
        f'<text text-anchor="middle" fill="{ink}">{words}</text></g>'
    )


def _wrapped(label: str) -> list[str]:
    """Break a label that is too long for its box in two; Chinese anywhere, English between words."""
    if _units(label) <= LINE_UNITS + 1:
        return [label]
    joint = " " if " " in label else ""
    pieces = label.split(" ") if joint else list(label)
    at = min(range(1, len(pieces)), key=lambda n: abs(2 * _units(joint.join(pieces[:n])) - _units(label)), default=1)
    return [line for line in (joint.join(pieces[:at]), joint.join(pieces[at:])) if line]


def _units(text: str) -> int:
    return sum(2 if ord(sign) > 0x2E80 else 1 for sign in text)
