"""A replay in words and as JSON: for the command line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from mendline.kernel.durations import parse_duration
from mendline.kernel.errors import Refused
from mendline.kernel.text import Text
from mendline.orders.replay import Replay, by_cause, replay
from mendline.process.definition import Parameter, Process
from mendline.process.loading import latest, read_files

EXAMPLES = 3


class NotReplayed(Exception):
    """The process or a parameter cannot be used; says which and what to do."""


def changed_process(named: str, settings: Iterable[str]) -> Process:
    """Return the process of a file or the latest of a code, with parameters changed (`contact_limit=3h`).

    Raises NotReplayed.
    """
    process = _from_file(Path(named)) if named.endswith((".yaml", ".yml")) else _in_use(named)
    parameters = dict(process.parameters)
    for setting in settings:
        name, _, value = setting.partition("=")
        if name not in parameters:
            known = ", ".join(parameters)
            raise NotReplayed(f"流程没有参数 {name}，可用：{known} / there is no parameter {name}; known: {known}")
        parameters[name] = _parameter(name, value, parameters[name])
    return replace(process, parameters=parameters)


def _from_file(path: Path) -> Process:
    if not path.is_file():
        raise NotReplayed(f"没有文件 {path} / there is no file {path}")
    found, faults = read_files([path])
    if faults or not found:
        raise NotReplayed("\n".join(map(str, sorted(faults))) or f"{path}: 没有流程 / no process in it")
    return next(iter(found.values()))


def _in_use(code: str) -> Process:
    try:
        return latest(code)
    except Refused as refusal:
        raise NotReplayed(str(refusal)) from None


def _parameter(name: str, value: str, present: Parameter) -> Parameter:
    try:
        if isinstance(present, int):
            return int(value)
        if isinstance(present, float):
            return float(value)
        if isinstance(present, tuple):
            return tuple(value.split(","))
        return value if isinstance(present, str) else parse_duration(value)
    except ValueError as problem:
        raise NotReplayed(f"参数 {name} 不能是 {value!r} / {name} cannot be {value!r}: {problem}") from None


def run(process: Process, *, days: int, now: datetime) -> Replay:
    """Replay the steps of the last `days` days."""
    return replay(process, since=now - timedelta(days=days))


def as_data(found: Replay) -> dict[str, Any]:
    return {
        "records": found.records,
        "steps": found.steps,
        "unsure": found.unsure,
        "refused": [
            {"step": step, "rule": rule, "why": asdict(why), "times": len(them), "refs": [one.ref for one in them]}
            for step, rule, why, them in by_cause(found.refused)
        ],
        "clocks": {name: asdict(met) for name, met in sorted(found.clocks.items())},
        "not_asked": dict(sorted(found.not_asked.items())),
    }


def lines(process: Process, found: Replay) -> Iterator[str]:
    """Say what came of it, Chinese first."""
    yield str(headline(found))
    for step, rule, why, them in by_cause(found.refused):
        label = process.transitions[step].label if step in process.transitions else Text(step, step)
        refs = "、".join(one.ref for one in them[:EXAMPLES]) + (" …" if len(them) > EXAMPLES else "")
        yield f"  {len(them)} × {label.zh} / {label.en}  {rule}  {why.zh} / {why.en}  {refs}"
    for name, met in sorted(found.clocks.items()):
        label = process.clocks[name].label if name in process.clocks else Text(name, name)
        yield (
            f"  {label.zh} / {label.en}：{met.times} 次停表，超时 {met.late_was} → {met.late_would}"
            f" / stopped {met.times} times, late {met.late_was} → {met.late_would}"
        )
    if found.unsure:
        yield f"  {found.unsure} 步历史不足，未判断 / {found.unsure} steps the history cannot tell enough of"
    if found.not_asked:
        names = ", ".join(sorted(found.not_asked))
        yield f"  未重新判断的条件（历史未保存所查事实）/ guards not asked again, their facts are not kept: {names}"


def headline(found: Replay) -> Text:
    """Return the one sentence that decides whether to publish."""
    refused, steps = len(found.refused), found.steps
    return Text(
        f"{found.records} 单 {steps} 步中，{refused} 步现在会被拒绝",
        f"{refused} of {steps} steps on {found.records} records would now be refused",
    )
