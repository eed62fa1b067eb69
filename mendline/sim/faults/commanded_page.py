"""The sections of a night's page for what commands of their own told: the world, the hostile questions, the upgrade."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mendline.sim.faults.claims import rate, table
from mendline.sim.faults.commanded import DRAWN, FIRST_ROUND, faults_in
from mendline.sim.faults.night import Night
from mendline.sim.ground.situations import SITUATIONS

PARTS: Mapping[str, str] = {
    "description": "requests drawn from the interface's own description / 按接口说明随机生成的请求",
    "steps": "steps with right, nearly right and wrong facts / 各步骤，附对的、近乎对的、错的资料",
    "matrix": "every address and method, about what is somebody else's / 每个地址与方法，问别人的东西",
    "walls": "files, tables, passwords, secrets, requests from elsewhere / 文件、表、密码、机密、外来请求",
}


def world(night: Night) -> str:
    """Return the section of the simulated world; empty when none was played."""
    total = night.totals.get("world")
    if not total:
        return ""
    calls, seen = total.get("calls", 0), total.get("situations", {})
    never = [f"{says.en} / {says.zh}" for name, says in SITUATIONS.items() if not seen.get(name)]
    rows = "".join(
        f"| {says.en} / {says.zh} | {seen[name]:,} |\n" for name, says in SITUATIONS.items() if seen.get(name)
    )
    return (
        f"""\
## The simulated world / 模拟世界

Users, agents, stations, regions, parts and callbacks for three days, then calm, on simulated time through the whole
application; requests and answers are lost, lines cut around the commit, the sweeper stands still. An oracle that shares
no code with the product knows what each answer must be. {_pieces(total)}
各方在模拟时间里工作三天，途中丢请求、丢答复、断线、计时器停摆；独立的判定核对每个答复。
"""
        + table(
            ("seeds / 种子数", f"{total['seeds']:,}"),
            ("orders / 单", f"{total['reports']:,}" if "reports" in total else "not counted / 未计"),
            ("calls, each judged / 调用，逐一核对", f"{calls:,}"),
            ("answers or rows that the oracle objected to / 判定不符", rate(total.get("findings", 0), calls)),
            ("situations that came about, of those that must / 出现过的情形",
             f"{len(SITUATIONS) - len(never)} of {len(SITUATIONS)}"),
        )
        + f"\nNever seen / 未见：{'; '.join(never) or 'none / 无'}.\n\n| Situation / 情形 | n |\n| --- | --- |\n{rows}"
    )  # fmt: skip


def hostile(night: Night) -> str:
    """Return the section of the hostile questions; empty when none were asked."""
    total = night.totals.get("hostile")
    if not total or not total["runs"]:
        return ""
    parts = {name: total["parts"].get(name, _NOTHING) for name in FIRST_ROUND}
    # Among what the walls are asked are pages that fail on purpose, to see what they tell of the inside.
    answers = {name: _by_status(parts[name]["answers"]) for name in (*DRAWN, "matrix") if parts[name]["requests"]}
    by_role: dict[str, int] = {}
    for name in DRAWN:
        for role, n in parts[name]["by"].items():
            by_role[role] = by_role.get(role, 0) + n
    return f"""\
## Hostile input / 恶意输入

The questions of `mendline hostile`, part by part and seed by seed ({", ".join(total["runs"])}). A fault is an answer of
5xx, a status or a body that the description does not know, or whatever a test calls wrong: its failure stands below.
逐部分、逐种子提问；5xx、说明里没有的状态或内容，或测试判定的任何错误，都算问题。
""" + table(
        *((PARTS[name], f"{part['requests']:,} requests in {part['tests']:,} tests" if part["tests"] else "not tried")
          for name, part in parts.items()),
        ("drawn requests by role / 随机请求，按角色", ", ".join(f"{role} {n:,}" for role, n in by_role.items()) or "–"),
        *((f"answers, {name} / 答复", said) for name, said in answers.items()),
        ("5xx, or an answer outside the description, to what was drawn / 5xx 或说明以外的答复",
         rate(sum(parts[name]["failed"] for name in DRAWN),
              sum(parts[name]["requests"] for name in DRAWN))),
        ("tests that found something / 发现问题的测试",
         rate(sum(part["failed"] for part in parts.values()), sum(part["tests"] for part in parts.values()))),
    )  # fmt: skip


_NOTHING: Mapping[str, Any] = {"tests": 0, "requests": 0, "answers": {}, "by": {}, "failed": 0}


def upgrade(night: Night) -> str:
    """Return the section of the upgrade; empty when it was not drilled."""
    total = night.totals.get("upgrade")
    if not total:
        return ""
    if "drill" not in total:
        return f"## An upgrade under load / 带着负载升级\n\nLeft out / 未做: {total['left_out']}.\n"
    drilled, control = total["drill"], total["control"]
    phases = drilled["phases"]
    asked, faults = sum(map(_asked, phases)), sum(map(faults_in, phases))
    before, after = (drilled["commits"][name][:12] for name in ("before", "after"))
    return f"""\
## An upgrade under load / 带着负载升级

`mendline upgrade-drill` from {before} to {after}: the code of both on one database, whose tables change while machines
report, look, list and step. Changed / 更新: {", ".join(drilled["migrated"]) or "no table / 无"}.
新旧两版代码在同一数据库上，边改表边有机器报修、查询、办理。
""" + table(
        *((f"{phase['name']}: 5xx or no answer / 5xx 或无应答", rate(faults_in(phase), _asked(phase)))
          for phase in phases),
        ("together / 合计", rate(faults, asked)),
        ("acknowledged orders lost / 已答复而丢失", rate(drilled["lost"], drilled["acknowledged"])),
        ("what must hold and does not, at the end / 结束时不成立的", len(drilled["broken"])),
        ("control, a change that the old code cannot bear: answers that were faults / 对照：旧版承受不了的更新",
         rate(sum(map(faults_in, control["phases"])), sum(map(_asked, control["phases"])))),
    )  # fmt: skip


def _asked(phase: Mapping[str, Any]) -> int:
    return sum(phase["answers"].values())


def _by_status(answers: Mapping[str, int]) -> str:
    return ", ".join(f"{status} {n:,}" for status, n in sorted(answers.items()))


def _pieces(total: Mapping[str, Any]) -> str:
    """Say which seeds were played where, so that each can be played again."""
    return f"Played / 种子: {', '.join(total['pieces'])}." if total.get("pieces") else ""
