"""The page of evidence of a night: what was made to fail, how often, and what came of it, with n for every claim."""

from __future__ import annotations

from collections.abc import Mapping

from mendline.sim import invariants
from mendline.sim.faults.night import Night

HEAD = """\
# Storms / 风暴

> **摘要** 让产品在故障里工作：每条语句逐一失败、几个人按随机种子的次序同时操作、真实进程被杀死、停住、断线。
> 发现的问题：{found}。每项都给出次数 n；n 次中出现 0 次，只说明发生率（95 %）低于 3/n。复现：`make storm`。

The product works while things fail around it: every statement once, several people in drawn orders, real processes that
are killed, stopped and cut off. **Problems found: {found}.** Every claim has its n; 0 of n says no more than that the
rate is below 3/n (95 %). To repeat it: `make storm`, or `mendline storm --minutes {minutes:g} --seed {seed}`.

| | |
| --- | --- |
| begun / 开始 | {when} |
| length / 时长 | {spent:.0f} min of at most {minutes:g}{short} |
| commit / 提交 | {commit} |
| machine / 机器 | {machine} |
| seed / 种子 | {seed} |
| failures of the bench itself / 测试台自身的故障 | {rig} |
"""
SHORT = ", a shortened run (a night has 180) / 缩短的一次（整夜为 180 分钟）"


def page(night: Night, conditions: Mapping[str, str]) -> str:
    """Return the page."""
    spent = sum(night.spent.values()) / 60
    text = HEAD.format(
        found=len(night.problems), minutes=night.minutes, seed=night.seed, spent=spent, rig=len(night.rig_failures),
        short=SHORT if night.minutes < 180 else "", **conditions,
    )  # fmt: skip
    parts = [_nth(night), _orders(night), _world(night), _real(night), _controls(night), _checks(), _problems(night)]
    return text + "".join(f"\n{part}" for part in parts if part)


def rate(failures: int, n: int) -> str:
    """Say a rate, or what may be said of one that never happened.

    >>> rate(0, 1500), rate(2, 100), rate(0, 0)
    ('0 of 1,500 (< 0.2 %)', '2 of 100 (2 %)', 'not tried')
    """
    if not n:
        return "not tried"
    share = f"{100 * failures / n:.2g} %" if failures else f"< {min(100.0, 300 / n):.2g} %"
    return f"{failures:,} of {n:,} ({share})"


def _table(*rows: tuple[str, object]) -> str:
    return "\n| Claim / 结论 | n |\n| --- | --- |\n" + "".join(f"| {says} | {n} |\n" for says, n in rows)


def _nth(night: Night) -> str:
    total = night.totals.get("nth")
    if not total:
        return ""
    steps = {f"{one[0]}.{one[2]}" for one in total["swept"] if one[0] != "clock"}
    return f"""\
## Every sending fails once / 每一次发出都失败一次

Every step of {total["scenarios"]} scenarios was carried out through the interface: once undisturbed, then with a fault
at its first, second, third … statement, commit or file. The fault is an error before, an error after, or the line cut
when it was done. Then the caller tried again under the same key.
每一步都经接口执行，并在第 1、2、3……条语句、提交、文件处出错，再用同一编号重试。
""" + _table(
        ("steps swept, each from every state and for every role in which a scenario takes it / 扫过的步骤",
         f"{total['commands']:,}"),
        (f"different transitions among them, of {total.get('steps', 0)} registered / 其中不同的转换", len(steps)),
        ("faults / 故障", f"{total['faults']:,}"),
        ("the caller heard a failure and everything was done / 调用者不知结果而实际已完成", f"{total['unknown']:,}"),
        ("half, second or different effects, or another answer to the same key / 半途、重复或不同的结果",
         rate(_of(night, "L0"), total["faults"])),
    )  # fmt: skip


def _orders(night: Night) -> str:
    total = night.totals.get("orders")
    if not total:
        return ""
    wrong = {name: _of(night, f"L1 {name},") for name in total["plays"]}
    return f"""\
## Several at once, in drawn orders / 几个人同时，次序由种子决定

Real sessions, held before every statement; a seed says who goes on. {total["steps"]:,} statements, {total["waits"]:,}
waits for another's lock. {total["again"]:,} plays were played twice and went the same way.
真实会话在每条语句前停住，由种子决定谁继续；同一种子次序相同。
""" + _table(
        *((f"{name}: orders in which something is wrong / 出错的次序", rate(wrong[name], n))
          for name, n in total["plays"].items()),
        ("together / 合计", rate(sum(wrong.values()), sum(total["plays"].values()))),
    )  # fmt: skip


def _world(night: Night) -> str:
    total = night.totals.get("world")
    if not total:
        return ""
    calls = total.get("calls", 0)
    seen = sum(n > 0 for n in total.get("situations", {}).values())
    return "## The simulated world / 模拟世界\n" + _table(
        ("seeds of `mendline simulate --faults storm` / 种子数", total["seeds"]),
        ("calls, each judged by an oracle of its own / 调用数，由独立的判定核对", f"{calls:,}"),
        ("situations that came about / 出现过的情形", seen),
        ("answers or rows that the oracle objected to / 判定不符", rate(total.get("findings", 0), calls)),
    )


def _real(night: Night) -> str:
    total = night.totals.get("real")
    if not total:
        return ""
    blows = sum(total["blows"].values())
    ours = [problem for problem in night.problems if problem.startswith("L2")]
    lost, doubled, otherwise = (
        sum(what in problem for problem in ours) for what in ("I1 lost", "I2 doubled", "asked again")
    )
    answers = ", ".join(f"{name if name != '0' else 'none'} {n:,}" for name, n in sorted(total["statuses"].items()))
    return f"""\
## Real processes / 真实进程

Two web processes, two workers, the live one and PostgreSQL, with lines that misbehave before the web processes and
between them and the database; six callers that ask again until they are answered. {total["storms"]} storms.
Blows: {_by_kind(total["blows"])}.
Answers: {answers}. Chunks delayed, swallowed or cut: {total["touched"]:,}.
两个网页进程、两个后台进程、数据库，以及它们之间会出故障的线路；六个调用者，得到答复为止。
""" + _table(
        ("blows / 打击", f"{blows:,}"),
        ("acknowledged reports lost / 已答复而丢失", rate(lost, total["acknowledged"])),
        ("reports there twice / 重复", rate(doubled, total["stored"])),
        ("tries without an answer, each answered in the end / 没有答复的尝试，最后都得到答复",
         f"{total['unanswered']:,}"),
        ("acknowledged keys asked again that were answered otherwise / 再问同一编号而答复不同",
         rate(otherwise, total["repeated"])),
        ("anything else that is wrong, per blow / 其他问题",
         rate(len(ours) - lost - doubled - otherwise, blows)),
    )  # fmt: skip


def _controls(night: Night) -> str:
    total = night.totals.get("controls")
    if not total:
        return ""
    return """\
## Controls / 对照

The same with one wall taken away must go red, or nobody would see it missing.
拿掉一道防护，同样的风暴必须变红，否则测试看不见它。
""" + _table(*((name, _red(happened)) for name, happened in total.items()))


def _checks() -> str:
    rows = "".join(
        f"| {check.invariant} | {check.says.zh}。{check.says.en}. |\n"
        for check in sorted(invariants.checks(), key=lambda one: int(one.invariant[1:]))
    )
    return f"""\
## What must hold / 必须成立的

Asked of all rows after every scenario, play and storm, in SQL that shares nothing with the product.
每次之后对所有行提问；所用 SQL 与产品无共同代码。

| Invariant / 不变量 | |
| --- | --- |
{rows}"""


def _problems(night: Night) -> str:
    lines = [f"- {' '.join(problem.split())[:400]}" for problem in night.problems] or ["没有。None."]
    lines += [f"- the bench / 测试台: {' '.join(failure.split())[:300]}" for failure in night.rig_failures]
    return "## Problems / 问题\n\n" + "\n".join(lines) + "\n"


def _red(happened: object) -> str:
    if not happened:
        return "**no / 否**"
    return "yes / 是" if happened is True else f"yes / 是 ({happened})"


def _of(night: Night, begins: str) -> int:
    return sum(problem.startswith(begins) for problem in night.problems)


def _by_kind(blows: Mapping[str, int]) -> str:
    kinds: dict[str, int] = {}
    for blow, n in blows.items():
        kind = " ".join(word for word in blow.split() if not word.isdigit()).replace("_", " ")
        kinds[kind] = kinds.get(kind, 0) + n
    return ", ".join(f"{kind} {n}" for kind, n in sorted(kinds.items()))
