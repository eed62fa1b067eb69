"""The report of a run as one page in Chinese and in English: charts and tables, no scripts, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

from mendline.kernel.text import Text
from mendline.process.loading import latest
from mendline.sim.ground import charts, policies
from mendline.sim.ground.charts import Part, bars, stacked
from mendline.sim.ground.places import world_named
from mendline.sim.ground.situations import SITUATIONS

LANGUAGES = ("en", "zh")  # in this order in the page: the later one is shown until the earlier one is asked for
BLUE, GREEN, RED, BROWN, GREY = "#2563a8", "#0b6b3a", "#c0392b", "#8a5a00", "#8b95a3"
AMBER = "#d08a1d"
STYLE = (
    """
body{font:15px/1.55 system-ui,"Noto Sans CJK SC",sans-serif;max-width:62rem;margin:1.5rem auto;padding:0 1rem}
body{color:#1a2330;background:#fff}a{color:#1d4f8c}
h1{font-size:1.5rem;margin:.4rem 0}h2{font-size:1.15rem;margin:2rem 0 .2rem}p{margin:.4rem 0}.why{color:#4a5563}
table{border-collapse:collapse;max-width:100%}.wide{overflow-x:auto}
td,th{padding:.25rem .9rem .25rem 0;text-align:left;vertical-align:top;border-bottom:1px solid #dde3ea}
td{overflow-wrap:anywhere}.wide td{overflow-wrap:normal}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.bad{color:#a3001b;font-weight:600}.good{color:#0b6b3a}
#en{display:none}#en:target{display:block}#en:target~#zh{display:none}
"""
    + charts.STYLE
)
TITLE = Text("统修模拟", "Mendline simulation")
RECORDS = ("cancellation_request", "special_situation", "part_order", "callback")
HOURS = (1, 2, 3, 4, 6, 8, 24)


def page(results: Mapping[str, Any]) -> str:
    """Return the page for what `Results.as_json` returned."""
    body = "\n".join(
        f'<main id="{language}" lang="{"zh-Hans" if language == "zh" else "en"}">{_whole(results, language)}</main>'
        for language in LANGUAGES
    )
    return (
        '<!doctype html><html lang="zh-Hans"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{TITLE.zh} / {TITLE.en}</title><style>{STYLE}</style></head><body>\n{body}\n</body></html>\n"
    )


def _whole(results: Mapping[str, Any], language: str) -> str:
    other = '<a href="#en" lang="en">English</a>' if language == "zh" else '<a href="#zh" lang="zh-Hans">中文</a>'
    parts = [
        f"<nav>{other}</nav><h1>{TITLE.in_language(language)}</h1>",
        _found(results["findings"], results["cases"], language),
        _run(results, language),
    ]
    for title, drawn in SECTIONS:
        parts += [f"<h2>{title.in_language(language)}</h2>", drawn(results, language)]
    return "\n".join(parts)


# --- names of things ---


def _states() -> Mapping[str, Text]:
    return {name: state.label for name, state in latest("unified_repair").states.items()}


def _reasons() -> Mapping[str, Text]:
    return latest("unified_repair").facts["cancel_reason"].of


def _clock_names() -> Mapping[str, Text]:
    codes = ("unified_repair", *RECORDS)
    return {name: clock.label for code in codes for name, clock in latest(code).clocks.items()}


def _named(counted: Mapping[str, int], labels: Mapping[str, Text], language: str) -> list[tuple[str, int]]:
    return [(labels[name].in_language(language) if name in labels else name, count) for name, count in counted.items()]


# --- charts ---


def _ended(results: Mapping[str, Any], language: str) -> str:
    return bars(_named(results["figures"]["states"], _states(), language), BLUE, language)


def _why_cancelled(results: Mapping[str, Any], language: str) -> str:
    return bars(_named(results["figures"]["cancel_reasons"], _reasons(), language), BROWN, language)


def _clocks(results: Mapping[str, Any], language: str) -> str:
    met, missed, labels = results["figures"]["clocks_met"], results["figures"]["clocks_missed"], _clock_names()
    rows = {
        label.in_language(language): (met.get(name, 0), missed.get(name, 0))
        for name, label in labels.items()
        if met.get(name) or missed.get(name)
    }
    return stacked(rows, (Part(Text("按时", "Met"), GREEN), Part(Text("超时", "Missed"), RED)), language)


def _hours(results: Mapping[str, Any], language: str) -> str:
    """Draw how many contacts took how long; the limit lies between two of the steps."""
    figures = results["figures"]
    hours, below, rows = figures["contact_hours"], 0.0, []
    for limit in (*HOURS, float("inf")):
        count = sum(below < one <= limit or (not below and one == 0) for one in hours)
        last = limit == float("inf")
        name = (
            Text(f"超过 {below:g}", f"more than {below:g}")
            if last
            else Text(f"{below:g}–{limit:g}", f"{below:g}–{limit:g}")
        )
        rows.append((name.in_language(language), count))
        below = limit
    now = Text("现行时限 {limit}。", "The limit now: {limit}.").filled(limit=figures["what_if"]["limit_now"])
    return f'<p class="why">{now.in_language(language)}</p>' + bars(rows, BLUE, language)


def _load(results: Mapping[str, Any], language: str) -> str:
    stations = world_named(results["world"]).contents.stations
    nobody = Text("没有站", "no station").in_language(language)
    load = results["figures"]["load_per_station"]
    at_work = [count for number, count in load.items() if number != "-"]
    said = Text(
        "{n} 个维修站，{idle} 个没有单据；最多 {most} 单，中位 {middle} 单。",
        "{n} stations, {idle} of them without an order; at most {most}, half of them at most {middle}.",
    ).filled(n=len(at_work), idle=at_work.count(0), most=max(at_work, default=0), middle=_middle(at_work))
    rows = [
        (f"{number} {stations[number].name}" if number in stations else nobody, count) for number, count in load.items()
    ]
    return f'<p class="why">{said.in_language(language)}</p>' + bars(rows, GREEN, language)


def _middle(counts: Sequence[int]) -> int:
    return sorted(counts)[(len(counts) - 1) // 2] if counts else 0


SERVED = (
    Part(Text("县级覆盖", "Covered as a county"), GREEN), Part(Text("市级覆盖", "As a city"), BLUE),
    Part(Text("省级覆盖", "As a province"), AMBER), Part(Text("报修时无站可派", "Nobody at first"), RED),
)  # fmt: skip
FULL = (
    Part(Text("不到一半", "Under half"), GREY), Part(Text("50–75 %", "50–75 %"), BLUE),
    Part(Text("75–99 %", "75–99 %"), AMBER), Part(Text("派满", "Full"), RED),
)  # fmt: skip


def _policies(results: Mapping[str, Any], language: str) -> str:
    compared = results["figures"]["policies"]
    why = Text(
        "同样的报修、同样的时刻，只换选站办法（站内自建的单不算）。产能以站、产品线、天计。",
        "The same reports at the same moments; only the choice differs (stations' own orders aside)."
        " Capacity counts by station, line and day.",
    )
    names = {name: label.in_language(language) for name, label in policies.LABELS.items() if name in compared}
    who = {label: _who(compared[name]) for name, label in names.items()}
    days = {label: _fullness(compared[name]) for name, label in names.items()}
    titles = (
        Text("派给了谁", "Who got them"),
        Text("有单的那些天，最满时有多满", "How full the days with orders were, at their fullest"),
    )
    return (
        f'<p class="why">{why.in_language(language)}</p><h3>{titles[0].in_language(language)}</h3>'
        f"{stacked(who, SERVED, language)}<h3>{titles[1].in_language(language)}</h3>{stacked(days, FULL, language)}"
    )


def _who(one: Mapping[str, int]) -> tuple[int, int, int, int]:
    finer = (one.get("level_6", 0), one.get("level_4", 0))
    return *finer, one["dispatched"] - sum(finer), one["nobody"]


def _fullness(one: Mapping[str, int]) -> tuple[int, int, int, int]:
    half, most, full = one["days_50"], one["days_75"], one["days_100"]
    return one["days"] - half, half - most, most - full, full


# --- tables ---


def _run(results: Mapping[str, Any], language: str) -> str:
    lines = (
        (Text("网络", "world"), results["world"]), (Text("天数", "days"), results["days"]),
        (Text("每个种子的报修数", "reports per seed"), results["reports"]), (Text("故障", "faults"), results["faults"]),
        (Text("种子数", "seeds"), len(results["seeds"])), (Text("维修单", "orders"), results["figures"]["orders"]),
        (Text("调用", "calls"), results["calls"]),
        (Text("每次调用的 CPU 毫秒", "CPU ms per call"), results["cpu_ms_per_call"]),
        (Text("CPU 秒：模拟与产品", "CPU seconds, simulation and product"), results["cpu_seconds"]),
        (Text("CPU 秒：PostgreSQL", "CPU seconds, PostgreSQL"), results["server_cpu_seconds"]),
        (Text("内存至多 MiB", "memory at most, MiB"), results["memory_mib"]),
    )  # fmt: skip
    conditions = [(name, _plain(value)) for name, value in results["conditions"].items()]
    return _table([*((label.in_language(language), str(value)) for label, value in lines), *conditions])


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {one}" for name, one in value.items())
    return str(value)


def _found(findings: Sequence[Mapping[str, Any]], cases: Sequence[str], language: str) -> str:
    if not findings:
        return f'<p class="good">{Text("没有发现问题。", "Nothing was found.").in_language(language)}</p>'
    said = Text("发现 {n} 个问题", "{n} findings").filled(n=len(findings)).in_language(language)
    rows = "".join(
        f"<tr><td>{one['seed']}</td><td>{escape(one['invariant'])}</td><td>{escape(one[language])}</td></tr>"
        for one in findings[:100]
    )
    kept = "".join(f"<li>{escape(case)}</li>" for case in cases)
    return f'<p class="bad">{said}</p><table>{rows}</table><ul>{kept}</ul>'


def _limits(results: Mapping[str, Any], language: str) -> str:
    what_if = results["figures"]["what_if"]
    late = what_if["late_with_contact_limit"].items()
    promises = what_if["orders_that_used_all_of_so_many_promises"].items()
    capacity = what_if["orders_beyond_the_day_with_capacity_percent"].items()
    of_all = what_if["contacts"]
    titles = (Text("联系时限改为……时的超时单", "Late contacts with a contact limit of …"),
              Text("最多写几次承诺时用尽的单", "Orders that use up all promises with at most …"),
              Text("产能改变……时当天超出的单", "Orders beyond the day with capacity changed by …"))  # fmt: skip
    drawn = (
        bars(((f"{limit}", count) for limit, count in late), RED, language),
        bars(((f"{most}", count) for most, count in promises), BROWN, language),
        bars(((f"{change} %", count) for change, count in capacity), BLUE, language),
    )
    base = Text("共 {n} 次联系。", "{n} contacts in all.").filled(n=of_all).in_language(language)
    charts_of = "".join(f"<h3>{t.in_language(language)}</h3>{d}" for t, d in zip(titles, drawn, strict=True))
    return f'<p class="why">{base}</p>{charts_of}'


def _situations(results: Mapping[str, Any], language: str) -> str:
    rows = "".join(
        f'<tr><td>{escape(SITUATIONS[name].in_language(language))}</td>'
        f'<td class="n{"" if count else " bad"}">{count}</td></tr>'
        for name, count in results["situations"].items()
    )  # fmt: skip
    return f"<table>{rows}</table>"


def _seeds(results: Mapping[str, Any], language: str) -> str:
    names = (Text("种子", "seed"), Text("调用", "calls"), Text("CPU 秒", "CPU s"), Text("轨迹", "trace"))
    head = "".join(
        f'<th class="{"n" if n < 3 else ""}">{name.in_language(language)}</th>' for n, name in enumerate(names)
    )
    rows = "".join(
        f'<tr><td class="n">{one["seed"]}</td><td class="n">{one["calls"]}</td><td class="n">{one["cpu_seconds"]}</td>'
        f"<td>{one['trace'][:16]}</td></tr>"
        for one in results["seeds"]
    )
    return f'<div class="wide"><table><tr>{head}</tr>{rows}</table></div>'


def _table(rows: Sequence[tuple[str, str]]) -> str:
    return "<table>" + "".join(f"<tr><td>{escape(a)}</td><td>{escape(b)}</td></tr>" for a, b in rows) + "</table>"


SECTIONS: tuple[tuple[Text, Callable[[Mapping[str, Any], str], str]], ...] = (
    (Text("单据结果", "How orders ended"), _ended),
    (Text("时钟：按时与超时", "Clocks: met and missed"), _clocks),
    (Text("从派单到联系用户用了几小时", "Hours until the user was contacted"), _hours),
    (Text("撤单原因", "Why orders were cancelled"), _why_cancelled),
    (Text("各站负荷", "Orders per station"), _load),
    (Text("换一种选站办法会怎样", "What another way of choosing a station would change"), _policies),
    (Text("换一种时限或产能会怎样", "What another limit or capacity would change"), _limits),
    (Text("见过的情形", "Situations seen"), _situations),
    (Text("各种子", "Seeds"), _seeds),
)
