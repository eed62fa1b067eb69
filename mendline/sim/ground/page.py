"""The report of a run as one page: tables and drawn bars, no scripts, Chinese before English."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from mendline.sim.ground.situations import SITUATIONS

WIDTH, BAR, GAP, NAMES = 720, 18, 6, 190
MOST_BARS = 20
STYLE = """
body{font:15px/1.5 system-ui,"Noto Sans CJK SC",sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
body{color:#1a2330;background:#fff}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}table{border-collapse:collapse}
td,th{padding:.2rem .8rem .2rem 0;text-align:left;vertical-align:top;border-bottom:1px solid #dde3ea}
td.n{text-align:right;font-variant-numeric:tabular-nums}.bad{color:#a3001b;font-weight:600}.good{color:#0b6b3a}
svg text{font:13px system-ui,"Noto Sans CJK SC",sans-serif;fill:#1a2330}
"""
CLOCKS = {
    "contact": "联系用户 contact", "visit": "承诺上门 visit", "dispatching": "待派单 dispatching",
    "unreachable": "联系不上 unreachable", "contact_quota": "联系次数 contact quota", "verdict": "大区判断 verdict",
    "callback": "回访 callback", "delivery": "备件配送 delivery",
}  # fmt: skip


def page(results: Mapping[str, Any]) -> str:
    """Return the page for what `Results.as_json` returned."""
    figures = results["figures"]
    parts = [
        _head(results), _findings(results["findings"], results["cases"]),
        "<h2>时钟 / Clocks</h2>", _clocks(figures["clocks_met"], figures["clocks_missed"]),
        "<h2>单据结果 / How orders ended</h2>", bars(figures["states"], "#2563a8"),
        "<h2>撤单原因 / Why orders were cancelled</h2>", bars(figures["cancel_reasons"], "#8a5a00"),
        "<h2>各站负荷 / Orders per station</h2>", bars(figures["load_per_station"], "#0b6b3a"),
        "<h2>换一种规定会怎样 / What another limit would change</h2>", _what_if(figures["what_if"]),
        "<h2>见过的情形 / Situations seen</h2>", _situations(results["situations"]),
        "<h2>各种子 / Seeds</h2>", _seeds(results["seeds"]),
    ]  # fmt: skip
    body = "\n".join(parts)
    return (
        '<!doctype html><html lang="zh-Hans"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>统修模拟 / Mendline simulation</title><style>{STYLE}</style></head><body>\n{body}\n</body></html>\n"
    )


def bars(counted: Mapping[str, int], colour: str) -> str:
    """Return a bar for each name, the longest first; what does not fit is said in a line below."""
    shown = sorted(counted.items(), key=lambda item: (-item[1], item[0]))[:MOST_BARS]
    if not shown:
        return "<p>无 / none</p>"
    most = max(count for _, count in shown) or 1
    rows = []
    for place, (name, count) in enumerate(shown):
        top = place * (BAR + GAP)
        length = max(1, (WIDTH - NAMES - 60) * count // most)
        rows.append(
            f'<text x="0" y="{top + 14}">{escape(name)}</text>'
            f'<rect x="{NAMES}" y="{top}" width="{length}" height="{BAR}" fill="{colour}"/>'
            f'<text x="{NAMES + length + 6}" y="{top + 14}">{count}</text>'
        )
    rest = len(counted) - len(shown)
    more = f"<p>另有 {rest} 项 / {rest} more</p>" if rest > 0 else ""
    label = escape("、".join(name for name, _ in shown[:3]))
    return _svg(len(shown) * (BAR + GAP), "".join(rows), label) + more


def _svg(height: int, content: str, label: str) -> str:
    return (
        f'<svg role="img" aria-label="{label}" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'xmlns="http://www.w3.org/2000/svg">{content}</svg>'
    )


def _clocks(met: Mapping[str, int], missed: Mapping[str, int]) -> str:
    """Return a bar for each clock: met in green, missed in red, both as numbers beside it."""
    names = [name for name in CLOCKS if met.get(name) or missed.get(name)]
    rows = []
    for place, name in enumerate(names):
        kept, late, top = met.get(name, 0), missed.get(name, 0), place * (BAR + GAP)
        width = (WIDTH - NAMES - 130) * kept // (kept + late)
        rest = WIDTH - NAMES - 130 - width
        rows.append(
            f'<text x="0" y="{top + 14}">{CLOCKS[name]}</text>'
            f'<rect x="{NAMES}" y="{top}" width="{width}" height="{BAR}" fill="#0b6b3a"/>'
            f'<rect x="{NAMES + width}" y="{top}" width="{rest}" height="{BAR}" fill="#c0392b"/>'
            f'<text x="{WIDTH - 122}" y="{top + 14}">✓ {kept} ✗ {late}</text>'
        )
    return _svg(max(1, len(names)) * (BAR + GAP), "".join(rows), "时钟按时与超时 clocks met and missed")


def _head(results: Mapping[str, Any]) -> str:
    orders = results["figures"]["orders"]
    lines = [
        ("网络 world", results["world"]), ("天数 days", results["days"]),
        ("报修/种子 reports per seed", results["reports"]),
        ("故障 faults", results["faults"]), ("种子 seeds", len(results["seeds"])), ("维修单 orders", orders),
        ("调用 calls", results["calls"]), ("CPU ms/调用 per call", results["cpu_ms_per_call"]),
        *((name, value) for name, value in results["conditions"].items()),
    ]  # fmt: skip
    return "<h1>统修模拟 / Mendline simulation</h1>" + _table([(str(a), str(b)) for a, b in lines])


def _findings(findings: Sequence[Mapping[str, Any]], cases: Sequence[str]) -> str:
    if not findings:
        return '<p class="good">没有发现问题。/ Nothing was found.</p>'
    rows = "".join(
        f"<tr><td>{one['seed']}</td><td>{escape(one['invariant'])}</td><td>{escape(one['zh'])}<br>{escape(one['en'])}</td></tr>"
        for one in findings[:100]
    )
    kept = "".join(f"<li>{escape(case)}</li>" for case in cases)
    return (
        f'<p class="bad">发现 {len(findings)} 个问题 / {len(findings)} findings</p><table>{rows}</table><ul>{kept}</ul>'
    )


def _what_if(what_if: Mapping[str, Any]) -> str:
    late = [(f"联系时限 contact limit {limit}", count) for limit, count in what_if["late_with_contact_limit"].items()]
    promises = what_if["orders_that_used_all_of_so_many_promises"].items()
    capacity = what_if["orders_beyond_the_day_with_capacity_percent"].items()
    rows = [
        *((f"{name}：超时 late", f"{count} / {what_if['contacts']}") for name, count in late),
        *((f"承诺最多写 {most} 次 at most {most} promises：用尽 used up", str(count)) for most, count in promises),
        *((f"产能 capacity {change} %：超出 beyond", str(count)) for change, count in capacity),
    ]
    return f"<p>现行 / now: {escape(what_if['limit_now'])}</p>" + _table(rows)


def _situations(seen: Mapping[str, int]) -> str:
    rows = "".join(
        f'<tr><td>{escape(SITUATIONS[name].zh)}<br>{escape(SITUATIONS[name].en)}</td>'
        f'<td class="n{"" if count else " bad"}">{count}</td></tr>'
        for name, count in seen.items()
    )  # fmt: skip
    return f"<table>{rows}</table>"


def _seeds(seeds: Sequence[Mapping[str, Any]]) -> str:
    rows = [(str(one["seed"]), f"{one['calls']} · {one['seconds']} s · {one['trace'][:16]}") for one in seeds]
    return _table(rows)


def _table(rows: Sequence[tuple[str, str]]) -> str:
    return "<table>" + "".join(f"<tr><td>{escape(a)}</td><td>{escape(b)}</td></tr>" for a, b in rows) + "</table>"
