"""The page of evidence of a night: what was made to fail, how often, and what came of it, with n for every claim."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from mendline.kernel.text import Text
from mendline.sim import invariants
from mendline.sim.faults import commanded_page
from mendline.sim.faults.beyond_rows import ASKED_ELSEWHERE, NOTHING_TO_ASK
from mendline.sim.faults.callers import AGAIN
from mendline.sim.faults.claims import rate, table
from mendline.sim.faults.night import AGAIN_LINE, WHOLE_NIGHT, Night
from mendline.sim.faults.proxy import BAD, DELAY
from mendline.sim.faults.walking import never_met, of_nobody, registered

HEAD = """\
# Storms / 风暴

> **摘要** 让产品在故障里工作：每条语句逐一失败、几个人按随机种子的次序同时操作、模拟世界、真实进程被杀死、停住、断线，
> 每种角色的恶意输入，带着负载升级。发现的问题：{found}。每项都给出次数 n；n 次中出现 0 次，只说明发生率（95 %）
> 低于 3/n。复现：`make storm`。

The product works while things fail around it: every statement once, several people in drawn orders, a simulated world,
real processes that are killed, stopped and cut off, hostile input as every role, an upgrade under load. **Problems
found: {found}.** Every claim has its n; 0 of n says no more than that the rate is below 3/n (95 %). To repeat it:
`make storm`, or `mendline storm --minutes {minutes:g} --seed {seed}`.

| | |
| --- | --- |
| begun / 开始 | {when} |
| length / 时长 | {spent:.0f} min of at most {minutes:g}{short} |
| by layer / 各层（min） | {by_layer} |
| commit / 提交 | {commit} |
| machine / 机器 | {machine}{load} |
| seed / 种子 | {seed} |
| failures of the bench itself / 测试台自身的故障 | {rig} |
"""
SHORT = ", a shortened run (a night has 180) / 缩短的一次（整夜为 180 分钟）"
# What a line does to whoever talks over it, by what the blow is called.
ON_LINES: Mapping[str, str] = {
    "delay": f"everything comes {DELAY:g} s late / 一切晚到",
    "cut_before": "cut before the request is passed on / 请求送达前断线",
    "cut_after": "cut after the request, before the answer / 请求送达后、答复前断线",
    "half_close": "cut off after the first part of a request / 请求只送到一半",
    "drop_reply": "the answer is swallowed / 答复被吞",
    "black_hole": "nothing passes / 全部被吞",
}


def page(night: Night, machine: str) -> str:
    """Return the page."""
    text = HEAD.format(
        found=len(night.problems), minutes=night.minutes, seed=night.seed, spent=sum(night.spent.values()) / 60,
        rig=len(night.rig_failures), short=SHORT if night.minutes < WHOLE_NIGHT else "", when=night.begun or "?",
        by_layer=", ".join(f"{layer} {seconds / 60:.0f}" for layer, seconds in night.spent.items()) or "–",
        commit=_commits(night), machine=machine, load=_load(night),
    )  # fmt: skip
    parts = [_nth(night), _orders(night), commanded_page.world(night), _real(night), commanded_page.hostile(night),
             commanded_page.upgrade(night), _controls(night), _checks(), _problems(night)]  # fmt: skip
    return text + "".join(f"\n{part}" for part in parts if part)


def _commits(night: Night) -> str:
    """Say which code the layers were done with: a night that was gone on with may have seen several."""
    found: dict[str, list[str]] = {}
    for layer in night.spent:
        for commit in night.commits.get(layer, ["?"]):
            found.setdefault(commit, []).append(layer)
    if len(found) < 2:
        return "".join(found) or night.commit
    return "; ".join(f"{commit} ({', '.join(layers)})" for commit, layers in found.items())


def _load(night: Night) -> str:
    if not night.loads:
        return ""
    low, high = night.loads
    return f"; load average {low:g} to {high:g} / 平均负载 {low:g} 至 {high:g}"


def _nth(night: Night) -> str:
    total = night.totals.get("nth")
    if not total:
        return ""
    steps = {f"{one[0]}.{one[2]}" for one in total["swept"] if one[0] != "clock"}
    return (f"""\
## Every sending fails once / 每一次发出都失败一次

Every step of {total["scenarios"]} scenarios was carried out through the interface: once undisturbed, then with a fault
at its first, second, third … statement, commit or file. The fault is an error before, an error after, or the line cut
when it was done. Then the caller tried again under the same key.
每一步都经接口执行，并在第 1、2、3……条语句、提交、文件处出错，再用同一编号重试。
{_files(total)}
""" + table(
        ("steps swept, each from every state and for every role in which a scenario takes it / 扫过的步骤",
         f"{total['commands']:,}"),
        (f"different transitions among them, of {len(registered())} registered / 其中不同的转换", len(steps)),
        ("faults / 故障", f"{total['faults']:,}"),
        ("the caller heard a failure and everything was done / 调用者不知结果而实际已完成", f"{total['unknown']:,}"),
        ("half, second or different effects, or another answer to the same key / 半途、重复或不同的结果",
         rate(_of(night, "L0"), total["faults"])),
    ) + _never_met(never_met(total["met"])))  # fmt: skip


def _never_met(never: Sequence[str]) -> str:
    """Say which transitions were not taken. Of those that no person takes only some are commands by themselves."""
    causes = of_nobody()
    ours, others = ([name for name in never if (name in causes) == caused] for caused in (False, True))
    return f"""
Registered and never taken / 登记而未走到的转换 ({len(ours)}): {_names(ours)}.

Never taken by themselves, as no person takes them: the clock does, or a step that causes them and fails with them /
无人单独执行的，由时钟或别的步骤引起，随之一起出错 ({len(others)}): {_names(others)}.
"""


def _names(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none / 无"


def _files(total: Mapping[str, Any]) -> str:
    """Say how many scenario files the time did not reach; a night of old did not count them."""
    left = total.get("files_left")
    if left is None:
        return ""
    if not left:
        return "No scenario file was left out. 场景文件全部走过。"
    return f"{left} scenario files were not reached in the time. 时间内未走到的场景文件：{left}。"


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
""" + table(
        *((f"{name}: orders in which something is wrong / 出错的次序", rate(wrong[name], n))
          for name, n in total["plays"].items()),
        ("together / 合计", rate(sum(wrong.values()), sum(total["plays"].values()))),
    )  # fmt: skip


def _real(night: Night) -> str:
    total = night.totals.get("real")
    if not total:
        return ""
    blows = sum(total["blows"].values())
    ours = [problem for problem in night.problems if problem.startswith("L2")]
    lost, doubled, otherwise = (
        sum(what in problem for problem in ours) for what in ("I1 lost", "I2 doubled", "asked again")
    )
    answered = {int(status): n for status, n in total["statuses"].items() if status != "0"}
    broke = total.get("broke", {})
    none = sum(broke.values()) + total["statuses"].get("0", 0)
    return f"""\
## Real processes / 真实进程

Two web processes, two workers, the live one and PostgreSQL, with lines that misbehave before the web processes and
between them and the database; six callers that ask again until they are answered. {total["storms"]} storms.
两个网页进程、两个后台进程、数据库，以及它们之间会出故障的线路；六个调用者，得到答复为止。

{_blows(total["blows"], total.get("met"))}""" + table(
        ("blows / 打击", f"{blows:,}"),
        ("acknowledged reports lost / 已答复而丢失", rate(lost, total["acknowledged"])),
        ("reports there twice / 重复", rate(doubled, total["stored"])),
        ("tries without an answer / 没有答复的尝试" + _how_far(broke), f"{none:,}"),
        ("answers that say come again, by status / 要求重试的答复", _statuses(answered, AGAIN) or "0"),
        ("of all these, never answered in the end / 其中最终没有答复的",
         rate(sum("were never answered" in problem for problem in ours),
              none + sum(n for status, n in answered.items() if status in AGAIN))),
        ("acknowledged keys asked again that were answered otherwise / 再问同一编号而答复不同",
         rate(otherwise, total["repeated"])),
        ("anything else that is wrong, per blow / 其他问题",
         rate(len(ours) - lost - doubled - otherwise, blows)),
    )  # fmt: skip


def _how_far(broke: Mapping[str, int]) -> str:
    """Say how far tries came as their caller could tell: which of them were carried out he cannot know."""
    if not broke:
        return ""
    words = {"unsent": "not sent / 未送出", "unanswered": "sent, no answer / 送出而无答复",
             "half answered": "half an answer / 答复只到一半"}  # fmt: skip
    return ": " + ", ".join(f"{words.get(far, far)} {n:,}" for far, n in broke.items())


def _statuses(answered: Mapping[int, int], wanted: Collection[int]) -> str:
    return ", ".join(f"{status}: {n:,}" for status, n in sorted(answered.items()) if status in wanted)


def _blows(blows: Mapping[str, int], met: Mapping[str, int] | None) -> str:
    """Return a table of what struck whom how often, and how much was under way at that moment and met it."""
    struck, touched = _by_kind(blows), _by_kind(met or {})
    rows = [f"| {kind} {whom} | {n} | – |" for (kind, whom), n in sorted(struck.items()) if kind not in BAD]
    for kind in BAD:
        for whom, says in (("line", "callers / 调用者"), ("database line", "database / 数据库")):
            if n := struck.get((kind, whom)):
                hit = f"{touched.get((kind, whom), 0):,}" if met is not None else "?"
                rows.append(f"| line, {says}: {ON_LINES[kind]} | {n} | {hit} |")
    return "| Blow / 打击 | n | met / 碰上的 |\n| --- | --- | --- |\n" + "\n".join(rows) + "\n"


def _controls(night: Night) -> str:
    total = night.totals.get("controls")
    if not total:
        return ""
    return """\
## Controls / 对照

The same with one wall taken away must go red, or nobody would see it missing.
拿掉一道防护，同样的风暴必须变红，否则测试看不见它。
""" + table(*((name, _red(happened)) for name, happened in total.items()))


def _checks() -> str:
    """Every invariant by its number: what the rows are asked, who asks else, or why nobody does."""
    said = [(check.invariant, check.says) for check in invariants.checks()]
    said += [*ASKED_ELSEWHERE.items()]
    said += [
        (number, Text(f"无从检查：{why.zh}", f"nothing to ask: {why.en}")) for number, why in NOTHING_TO_ASK.items()
    ]
    rows = "".join(
        f"| {number} | {says.zh}。{says.en}. |\n" for number, says in sorted(said, key=lambda one: int(one[0][1:]))
    )
    return f"""\
## What must hold / 必须成立的

Asked of all rows after every scenario, play and storm, in SQL that shares nothing with the product;
I3, I14, I18 and I19 of answers.
每次之后对所有行提问，所用 SQL 与产品无共同代码；I3、I14、I18、I19 问的是答复。

| Invariant / 不变量 | |
| --- | --- |
{rows}"""


def _problems(night: Night) -> str:
    """Return every problem whole, with the command that finds it again; then what failed of the bench itself."""
    parts = [_problem(problem) for problem in night.problems] or ["没有。None.\n"]
    parts += [f"The bench / 测试台:\n\n{_quoted(failure)}" for failure in night.rig_failures]
    return "## Problems / 问题\n\n" + "\n".join(parts)


def _problem(problem: str) -> str:
    says, _, again = problem.rpartition(f"\n{AGAIN_LINE}")
    if not says:
        return _quoted(problem)
    return f"{_quoted(says)}\nAgain / 复现: `{again}`\n"


def _quoted(text: str) -> str:
    return f"````text\n{text.strip()}\n````\n"


def _red(happened: object) -> str:
    if not happened:
        return "**no / 否**"
    return "yes / 是" if happened is True else f"yes / 是 ({happened})"


def _of(night: Night, begins: str) -> int:
    return sum(problem.startswith(begins) for problem in night.problems)


def _by_kind(blows: Mapping[str, int]) -> dict[tuple[str, str], int]:
    """Add up `cut_after line 0` and `cut_after line 1`: whatever struck one of several of a kind."""
    kinds: dict[tuple[str, str], int] = {}
    for blow, n in blows.items():
        kind, *whom = (word for word in blow.split() if not word.isdigit())
        name = (kind, " ".join(whom))
        kinds[name] = kinds.get(name, 0) + n
    return kinds
