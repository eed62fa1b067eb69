"""The page of evidence of `mendline hostile`: what was tried against each promise, how often, and what came of it."""

from __future__ import annotations

import os
import platform
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from config.home import ROOT


@dataclass(frozen=True)
class Promise:
    """A promise of the security model, and the files of tests that try to break it."""

    number: str
    says: str
    files: tuple[str, ...]


PROMISES = (
    Promise("P11", "nobody sees or does what is not theirs / 看不到、做不了不属于自己的", ("tests/access_matrix/",)),
    Promise("P12", "uploads harm nobody / 上传的文件害不了人", ("upload", "scanning")),
    Promise("P13", "what people type is never carried out / 填写的文字不会被执行", ("hostile_words", "sinks")),
    Promise("P14", "no packet to an inside address / 不向内网发一个包", ("webhook",)),
    Promise("P15", "guessing finds nothing / 猜不出密码与验证码",
            ("guesses", "password", "second_factor", "signins", "rows_of_one_person")),
    Promise("P16", "no request of another site, no stale session / 外站请求与失效会话无用",
            ("requests_from_elsewhere", "form_before_caller", "production")),
    Promise("P17", "no secret in an answer, a log or the tree / 机密不外露",
            ("secrets", "tree_without_keys", "refusals_told")),
    Promise("P18", "one person's load is not everybody's / 一人的负载不拖累别人", ("limits", "proxy_sample", "load")),
    Promise("P19", "a bad table changes nothing, a cell is text / 坏表不入库，导出只是文字",
            ("tables", "imports", "sheet", "office")),
    Promise("P20", "no request that the description allows is a fault / 说明允许的请求都不出错",
            ("fuzz", "bad_input_addresses")),
    Promise("P21", "known parts, known licences / 组件与许可证都已知", ("asvs", "sbom", "licence", "hostile.py")),
)  # fmt: skip


@dataclass
class Row:
    """What one file of tests asked."""

    tests: int = 0
    found: int = 0
    left_out: int = 0
    seconds: float = 0.0
    answers: Counter[str] = field(default_factory=Counter)
    tried: Counter[str] = field(default_factory=Counter)

    def add(self, test: Mapping[str, Any]) -> None:
        self.tests += not test["skipped"]
        self.left_out += bool(test["skipped"])
        self.found += bool(test["failed"])
        self.seconds += test["seconds"]
        self.answers.update(test["answers"])
        self.tried.update(test.get("tried", {}))


def promise_of(file: str) -> Promise | None:
    """Return the promise that a file of tests is about; None for one that nobody has given a place."""
    name = file.rpartition("/")[2]
    return next(
        (one for one in PROMISES if any(word in (file if "/" in word else name) for word in one.files)),
        None,
    )


def page(told: Mapping[str, Mapping[str, Any]], *, command: str, load: Sequence[float]) -> str:
    """Return the page; `told` is what `hostile_told` wrote, `load` the load average before and after the run."""
    rows: dict[str, Row] = {}
    for name, test in told.items():
        rows.setdefault(name.partition("::")[0], Row()).add(test)
    every = Row()
    for test in told.values():
        every.add(test)
    head = HEAD.format(
        found=every.found, tests=f"{every.tests:,}", requests=f"{every.answers.total():,}", command=command,
        when=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"), minutes=f"{every.seconds / 60:.0f}",
        commit=_commit(), load=" – ".join(f"{one:.1f}" for one in load), left_out=every.left_out,
        machine=f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}",
        packages=", ".join(f"{name} {version(name)}" for name in ("django", "schemathesis", "hypothesis", "pytest")),
    )  # fmt: skip
    return head + "".join(_section(promise, rows) for promise in PROMISES) + _failures(told)


def _section(promise: Promise, rows: Mapping[str, Row]) -> str:
    own = {file: row for file, row in rows.items() if promise_of(file) is promise}
    if not own:
        return f"\n## {promise.number} · {promise.says}\n\nNot tried in this run / 这一次未试。\n"
    lines = "".join(
        f"| `{file}` | {row.tests:,} | {_tried(row.tried)} | {_answers(row.answers)} | {row.seconds:,.0f} "
        f"| {row.found or '**0**'} |\n"
        for file, row in sorted(own.items())
    )
    return f"""
## {promise.number} · {promise.says}

| Tests / 测试 | n | tried / 试了什么 | answers / 答复 | s | found / 发现 |
| --- | --- | --- | --- | --- | --- |
{lines}"""


def _tried(tried: Mapping[str, int]) -> str:
    return "; ".join(f"{n:,} {what}" for what, n in tried.items()) or "–"


def _answers(answers: Mapping[str, int]) -> str:
    """Say answers by their status; a fault of ours is told apart, for some tests make one on purpose."""
    return ", ".join(f"{status} {n:,}" for status, n in sorted(answers.items())) or "–"


def _failures(told: Mapping[str, Mapping[str, Any]]) -> str:
    found = [(name, test["failed"]) for name, test in told.items() if test["failed"]]
    if not found:
        return ""
    return "\n## Found / 发现\n" + "".join(f"\n### `{name}`\n\n{_quoted(failed)}" for name, failed in found)


def _quoted(failed: Iterable[str]) -> str:
    return "".join(f"    {line}\n" for text in failed for line in text.splitlines()[-12:])


def _commit() -> str:
    """Return the commit, with `+` when files differ from it; empty without git."""
    with suppress(OSError, subprocess.SubprocessError):
        return subprocess.run(
            ["git", "-C", str(ROOT), "describe", "--always", "--dirty=+", "--abbrev=12", "--match="],
            capture_output=True, text=True, check=True, timeout=20,
        ).stdout.strip()  # fmt: skip
    return ""


HEAD = """\
# Hostile input / 恶意输入

> **摘要** 安全测试的全集：{tests} 项测试，向程序发出 {requests} 个请求，发现问题 {found} 个。
> 逐条承诺列出试了什么、多少次、答复如何。复现：`{command}`。测试自己故意弄出的 500（看它泄露什么）也在答复的计数里。

Everything that the security tests can ask, as every role, with another seed each time: {tests} tests, {requests}
requests that reached the application, **problems found: {found}**. Answers of 500 are those that a test forces to see
what they tell; one that nobody forced fails its test. The page says what was tried and how often, the tests say what
must come of it. Seconds are those of one process.

| | |
| --- | --- |
| repeat by / 复现 | `{command}` |
| ended / 结束 | {when} |
| length / 时长 | {minutes} min |
| commit / 提交 | {commit} |
| machine / 机器 | {machine} |
| load before and after / 前后负载 | {load} |
| packages / 组件 | {packages} |
| tests left out / 未做的测试 | {left_out} |
"""
