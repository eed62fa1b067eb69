"""`mendline process prove`: proves the rules and writes the page that says who noticed what."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from mendline.sim.proof import Finding, all_switches, prove, sample, settled
from mendline.sim.proof_reasons import reason_for
from mendline.sim.scenarios import Output, scratch_database

HEAD = """# What every rule is noticed by / 规则的证明

> **摘要** 把流程文件里写的每一样东西（守卫、角色、必填项、动作、时限、通知对象、参数……）逐一去掉，再运行场景；
> 必须有场景不通过。下表是谁发现的；没有场景发现的，写明还有什么守住同一条规则。`make test` 每次抽查一部分；
> 改了流程文件之后运行 `mendline process prove --write`，全部重来并重写本页。

Each thing that a process file says was left out, one at a time, on a copy in memory, and scenarios were played until
one failed. A number was moved by its smallest unit, both ways; "role" let every role take the step. Where no scenario
fails, the row says what else keeps the rule. `make test` takes a sample; `mendline process prove --write` does all
of it and writes this page.
"""


def run(output: Output, *, folder: Path, one_in: int = 1, page: Path | None = None) -> int:
    """Prove the rules on a scratch database, a line for each switch; return how many nobody notices.

    A sample (`one_in` above 1) writes no page.
    """
    chosen = sample(all_switches(), one_in)
    done = 0

    def tell(finding: Finding) -> None:
        nonlocal done
        done += 1
        output.write(f"[{done}/{len(chosen)}] {finding.switch} — {finding.file or said(finding)}\n")

    with scratch_database():
        found = prove(chosen, settled(folder), on_finding=tell)
    if page is not None and one_in == 1:
        page.write_text(as_page(found), encoding="utf-8")
    lost = [finding for finding in found if not finding.noticed and reason_for(finding.switch) is None]
    for finding in lost:
        output.write(f"没有场景发现 nobody notices: {finding.switch} ({', '.join(finding.switch.rules)})\n")
    output.write(f"{sum(one.noticed for one in found)} noticed, {len(lost)} lost, {len(found)} left out in turn\n")
    return len(lost)


def said(finding: Finding) -> str:
    """Return who noticed, why nobody need, or that nobody does."""
    if finding.noticed:
        return f"`{finding.file}`"
    reason = reason_for(finding.switch)
    return f"{reason.zh} / {reason.en}" if reason else "**没有 nobody**"


def as_page(found: list[Finding]) -> str:
    """Return the page: the sums, then a table for each process version in the order of its file."""
    by_process = sorted(found, key=lambda one: (one.switch.code, one.switch.version))
    noticed = sum(finding.noticed for finding in found)
    carrying = sum(finding.noticed and finding.carries_the_rule for finding in found)
    lines = [
        HEAD,
        f"Of {len(found)} things left out, scenarios noticed {noticed}; in {carrying} cases the scenario carries",
        f"a rule that stands beside the thing itself. {len(found) - noticed} are kept by something else as well.",
    ]
    for (code, version), findings in groupby(by_process, key=lambda one: (one.switch.code, one.switch.version)):
        lines += [
            "",
            f"## {code} {version}",
            "",
            "| 去掉的 Left out | 规则 Rules | 谁发现 Noticed by |",
            "| --- | --- | --- |",
        ]
        order = {str(switch): place for place, switch in enumerate(all_switches())}
        for finding in sorted(findings, key=lambda one: order[str(one.switch)]):
            switch = finding.switch
            lines.append(f"| {switch.place}: {switch.what} | {', '.join(switch.rules[:3])} | {said(finding)} |")
    return "\n".join(lines) + "\n"
