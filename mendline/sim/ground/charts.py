"""Drawn figures of a report: bars and stacked bars that fit a telephone as well as a desk, without scripts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from mendline.kernel.text import Text

MOST_BARS = 20
NONE, MORE = Text("无", "none"), Text("另有 {n} 项", "{n} more")
STYLE = """
.chart{display:grid;grid-template-columns:minmax(6rem,14rem) 1fr auto;gap:.3rem .8rem;align-items:center;margin:.6rem 0}
.chart .name{overflow-wrap:anywhere}.chart .n{text-align:right;font-variant-numeric:tabular-nums}
.bar{display:flex;height:1.1rem;background:#eef1f5;border-radius:2px;overflow:hidden}.bar i{display:block;height:100%}
.key{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;margin:.4rem 0;font-size:.9rem}
.key i{display:inline-block;width:.8rem;height:.8rem;border-radius:2px;margin-right:.4rem;vertical-align:-.05rem}
@media(max-width:34rem){.chart{grid-template-columns:1fr auto}.chart .bar{grid-column:1/-1}
.chart{grid-auto-flow:dense;gap:.1rem .8rem}.chart .bar{margin-bottom:.5rem}}
"""


@dataclass(frozen=True, slots=True)
class Part:
    """One colour of a stacked bar."""

    label: Text
    colour: str


def bars(counted: Iterable[tuple[str, int]], colour: str, language: str) -> str:
    """Return a bar for each name, the longest as long as there is room; what does not fit is said in a line below."""
    rows = [(name, count) for name, count in counted if count]
    if not rows:
        return f"<p>{NONE.in_language(language)}</p>"
    most = max(count for _, count in rows)
    drawn = "".join(_row(name, [(count, colour)], most, str(count)) for name, count in rows[:MOST_BARS])
    rest = len(rows) - MOST_BARS
    more = f"<p>{MORE.filled(n=rest).in_language(language)}</p>" if rest > 0 else ""
    return f'<div class="chart">{drawn}</div>{more}'


def stacked(rows: Mapping[str, Sequence[int]], parts: Sequence[Part], language: str) -> str:
    """Return a full bar for each name, shared out among the parts, with a key to the colours and the counts beside."""
    if not rows:
        return f"<p>{NONE.in_language(language)}</p>"
    drawn = "".join(
        _row(name, [(count, part.colour) for count, part in zip(counts, parts, strict=True)], sum(counts) or 1,
             " · ".join(str(count) for count in counts))
        for name, counts in rows.items()
    )  # fmt: skip
    key = "".join(
        f'<span><i style="background:{part.colour}"></i>{escape(part.label.in_language(language))}</span>'
        for part in parts
    )
    return f'<div class="key">{key}</div><div class="chart">{drawn}</div>'


def _row(name: str, shares: Sequence[tuple[int, str]], whole: int, said: str) -> str:
    drawn = "".join(
        f'<i style="width:{100 * count / whole:.2f}%;background:{colour}"></i>' for count, colour in shares if count
    )
    return (
        f'<span class="name">{escape(name)}</span><span class="bar" aria-hidden="true">{drawn}</span>'
        f'<span class="n">{escape(said)}</span>'
    )
