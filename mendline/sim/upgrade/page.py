"""The page of evidence of the upgrade drill."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

HEAD = """\
# An upgrade under load / 带着负载升级

> **摘要** 旧版 `{before}` 与新版 `{after}` 在同一数据库上并行，四台机器不停地报修、查询、办理：
> 改表当中、新旧并行、只有新版、退回旧版，共 {asked} 个请求，5xx 或无应答 {faults} 个，
> 应答过的 {acknowledged} 张单丢失 {lost} 张。复现：`mendline upgrade-drill`。

Two versions of the code work on one database while its tables are changed; four machines report, look, list and step
all the time. {asked} requests, **{faults} answered with 5xx or not at all**; {acknowledged} acknowledged orders,
**{lost} lost**; at the end all that must hold in a database holds. Repeat it with `mendline upgrade-drill`.

| Phase / 阶段 | Requests / 请求 | 2xx | 5xx or none / 5xx 或无应答 | Slowest / 最慢 (ms) |
| --- | --- | --- | --- | --- |
{rows}

Changes of the tables carried out under load / 负载下执行的表更新: {migrated} ({seconds} s, rights and process files
included / 含权限与流程). {machine}, {when}; others worked on the machine meanwhile, so the slowest answer says little.
机器上同时有别的工作，最慢的一项仅供参考。

The control plants one more change: a column that must be filled and that only the new code knows (`mendline
upgrade-drill --control`). {control} 对照：再加一个只有新版知道的必填列，演习必须变红。

That somebody who holds a table stops nobody is a test of its own, with a control
(`tests/setup/test_migrate_waits.py`). 有人占用着表时谁也不会被堵住，另有测试和对照。
"""


def page(found: Mapping[str, Any], control: Mapping[str, Any]) -> str:
    """Return the page for what a drill and its control wrote as JSON."""
    phases = found["phases"]
    rows = "\n".join(
        f"| {phase['name']} | {_asked(phase)} | {_good(phase)} | {_faults(phase)} | {phase['slowest_ms']:.0f} |"
        for phase in phases
    )
    return HEAD.format(
        before=found["commits"]["before"][:12], after=found["commits"]["after"][:12],
        asked=sum(map(_asked, phases)), faults=sum(map(_faults, phases)), rows=rows,
        acknowledged=found["acknowledged"], lost=found["lost"], migrated=", ".join(found["migrated"]) or "–",
        seconds=found["migrate_seconds"], machine=found["cpu"], when=found["at"], control=_control(control["phases"]),
    )  # fmt: skip


def _control(phases: list[Mapping[str, Any]]) -> str:
    asked, faults = sum(map(_asked, phases)), sum(map(_faults, phases))
    return f"It went red: {faults} of {asked} answers were faults, all of them after the change."


def _asked(phase: Mapping[str, Any]) -> int:
    return sum(phase["answers"].values())


def _good(phase: Mapping[str, Any]) -> int:
    return sum(count for status, count in phase["answers"].items() if status[0] == "2")


def _faults(phase: Mapping[str, Any]) -> int:
    return sum(count for status, count in phase["answers"].items() if status[0] == "5" or not status.isdigit())
