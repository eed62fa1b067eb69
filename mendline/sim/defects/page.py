"""The page of evidence: which defects were planted, who noticed, and how long that took."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from mendline.sim.defects.board import Defect, by_promise
from mendline.sim.defects.catching import Verdict

WANTED = 0.95
_SHORT = re.compile(r"^tests/|\[(?!.*\.yaml\]$).*\]$")

HEAD = """\
# Planted defects / 植入的缺陷

> **摘要** 测试只有在出错时会变红才有用。这里把 {n} 处缺陷（锁、唯一约束、范围过滤、事务、计时器……）逐一植入项目的副本，
> 看哪个测试先发现：发现 {caught} 处（{share}）。没有测试发现的列在下面。复现：`mendline defects`。

A test is worth what it notices. Here each of {n} defects is planted, one at a time, in a copy of the project; then the
tests that ought to notice run, the cheapest first, until one fails. Caught: **{caught} of {n} ({share})**; the aim is
95 %. Every test that noticed one was run again on the sound copy, and passed: red below is red for the defect.

每处缺陷是 `mendline/sim/defects/planted/` 里的一个补丁；补丁对不上现在的代码，`make test` 就失败。
Each defect is a patch in `mendline/sim/defects/planted/`. A patch that does not fit the code any more fails
`make test`; and one of them, chosen by the code it is planted in, is really planted in every run of it.

| | |
| --- | --- |
| measured / 测于 | {when} |
| commit / 提交 | {commits} |
| machine / 机器 | {machine} |
| those tests without a defect / 这些测试在未植入时 | {control} |
| seconds until the first red test / 到第一个变红的测试的秒数 | median {median}, longest {longest} |

The seconds count the start of the tests and a fresh database for them. 秒数含测试启动和新建数据库。

## What the runs found / 各次运行发现了什么

Of the first sixty, four were noticed by nobody. Each is a gap in the tests and not in the product, and each has a test
now. 最初的六十处有四处没有任何测试发现：产品没有错，是测试有缺口，现已补上。

- `lapse-leaves-no-history`: no scenario looks at every history. Each now ends with all that must hold in a database.
  没有场景查看全部历史；现在每个场景结束时都检查数据库必须成立的一切。
- `outbox-after-commit`: the sweep that dies at each statement of a report never died at the last one, because each
  death left less to read for the next. It now begins with everything read. 逐句中断的测试从未断在最后一句；现已修正。
- `record-states-unguarded`: only orders were moved by SQL, not their requests. 只对维修单、没有对申请试过直接改状态。
- `figures-without-scope`: only an order that moved since it was counted tells the scope of the list from that of the
  count. 只有统计之后换了站的单子才能分辨清单与计数的范围。

A whole run on a busy machine missed one that had been caught before: `two-sweepers-one-timer` was noticed only when
killed sweepers happened to meet. A test that holds the timers while another sweeper asks leaves nothing to chance.
机器忙的时候整个再跑，漏了一处以前发现过的：两个扫描进程要碰巧相遇才看得出；现在有一个不靠运气的测试。

One was taken off the board because it breaks nothing: the name of a file checked before it is cleaned instead of after.
The list says which endings are allowed, and no name has an allowed one before cleaning and another one afterwards.
另有一处被取下，因为它什么也没破坏：先查后洗文件名，在只许几种扩展名时绕不过去。
"""


By = Mapping[str, Mapping[str, Mapping[str, Any]]]  # catcher, defect, what it said of it


def page(
    defects: Sequence[Defect], verdicts: Mapping[str, Verdict], conditions: Mapping[str, str], by: By | None = None
) -> str:
    """Return the page for the defects that were judged. `by`: what single catchers noticed by themselves."""
    judged = [(defect, verdicts[defect.name]) for defect in defects if defect.name in verdicts]
    caught = [verdict for _, verdict in judged if verdict.caught]
    seconds = [verdict.seconds for verdict in caught] or [0.0]
    text = HEAD.format(
        n=len(judged), caught=len(caught), share=f"{100 * len(caught) / max(1, len(judged)):.0f} %",
        median=f"{median(seconds):.0f}", longest=f"{max(seconds):.0f}", **conditions,
    )  # fmt: skip
    lines = [
        "", "## Who noticed / 谁发现的", "",
        "| Defect / 缺陷 | Breaks / 破坏了什么 | Promise / 承诺 | Noticed by / 发现者 | Seconds / 秒 |",
        "| --- | --- | --- | --- | --- |",
    ]  # fmt: skip
    lines += [_row(defect, verdict) for defect, verdict in judged]
    missed = [defect for defect, verdict in judged if verdict.caught is None]
    lines += ["", "## Not noticed / 没有发现的", ""]
    lines += [f"- `{defect.name}`: {defect.breaks.zh}。{defect.breaks.en}." for defect in missed] or ["没有。None."]
    lines += _by_themselves(by or {})
    lines += [
        "",
        "## By promise / 按承诺",
        "",
        "| Promise or invariant / 承诺或不变量 | Defects / 缺陷 |",
        "| --- | --- |",
    ]
    kept = by_promise(defect for defect, _ in judged)
    lines += [
        f"| {one} | {', '.join(f'`{name}`' for name in kept[one])} |"
        for one in sorted(kept, key=lambda one: (one[0] != "P", int(one[1:])))
    ]
    return text + "\n".join(lines) + "\n"


def _by_themselves(by: By) -> list[str]:
    """Return what a world or a sweep noticed that was written for no defect in particular."""
    if not by:
        return []
    lines = [
        "", "## What one catcher notices by itself / 单个发现者能发现什么", "",
        "None of these was written for a defect of the board. 它们都不是为某个缺陷而写的。", "",
        "| Catcher / 发现者 | Planted / 植入 | Noticed / 发现 | Median seconds / 秒（中位数） | Not noticed / 没发现 |",
        "| --- | --- | --- | --- | --- |",
    ]  # fmt: skip
    for catcher, found in by.items():
        caught = [one["seconds"] for one in found.values() if one["outcome"] == "caught"]
        missed = ", ".join(f"`{name}`" for name, one in found.items() if one["outcome"] != "caught") or "–"
        seconds = f"{median(caught):.0f}" if caught else "–"
        lines.append(f"| `{catcher}` | {len(found)} | {len(caught)} | {seconds} | {missed} |")
    return lines


def _row(defect: Defect, verdict: Verdict) -> str:
    by = verdict.caught
    noticed = f"`{_SHORT.sub('', by.by)}`" if by else "–"
    breaks = f"{defect.breaks.zh}<br>{defect.breaks.en}".replace("|", "\\|")
    return f"| `{defect.name}` | {breaks} | {' '.join(defect.keeps)} | {noticed} | {verdict.seconds:.0f} |"
