"""A replay in words and as JSON: for the command line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from mendline.kernel.text import Text
from mendline.orders.replay import Replay, replay
from mendline.process import overlays
from mendline.process.definition import Process
from mendline.process.naming import NotAProcess, process_named

EXAMPLES = 3


class NotReplayed(Exception):
    """The process or a parameter cannot be used; says which and what to do."""

    def __init__(self, text: Text) -> None:
        super().__init__(f"{text.zh} / {text.en}")
        self.text = text


def changed_process(named: str, settings: Iterable[str]) -> Process:
    """Return the process of a file or the latest of a code, with parameters changed (`contact_limit=3h`).

    Raises NotReplayed.
    """
    try:
        process = process_named(named)
    except NotAProcess as problem:
        raise NotReplayed(problem.text) from None
    return with_parameters(process, settings)


def with_parameters(process: Process, settings: Iterable[str]) -> Process:
    """Return the process with other parameters, each written as `name=value`.

    Raises NotReplayed.
    """
    try:
        return overlays.with_settings(process, dict(setting.partition("=")[::2] for setting in settings))
    except overlays.NotALimit as problem:
        raise NotReplayed(problem.text) from None


def run(process: Process, *, days: int, now: datetime, most: int | None = None) -> Replay:
    """Replay the steps of the last `days` days."""
    return replay(process, since=now - timedelta(days=days), most=most)


def as_data(found: Replay) -> dict[str, Any]:
    return {
        "records": found.records,
        "steps": found.steps,
        "unsure": found.unsure,
        "refused": [
            {
                "step": step,
                "rule": rule,
                "why": asdict(them.why),
                "times": them.times,
                "refs": [one.ref for one in them.examples],
            }
            for step, rule, them in found.ranked()
        ],  # fmt: skip
        "clocks": {name: asdict(met) for name, met in sorted(found.clocks.items())},
        "not_asked": dict(sorted(found.not_asked.items())),
    }


def lines(process: Process, found: Replay) -> Iterator[str]:
    """Say what came of it, Chinese first."""
    yield str(headline(found))
    for step, rule, them in found.ranked():
        label = process.transitions[step].label if step in process.transitions else Text(step, step)
        refs = "、".join(one.ref for one in them.examples[:EXAMPLES]) + (" …" if them.times > EXAMPLES else "")
        yield f"  {them.times} × {label.zh} / {label.en}  {rule}  {them.why.zh} / {them.why.en}  {refs}"
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
    refused, steps = found.refusals, found.steps
    return Text(
        f"{found.records} 单 {steps} 步中，{refused} 步现在会被拒绝",
        f"{refused} of {steps} steps on {found.records} records would now be refused",
    )
