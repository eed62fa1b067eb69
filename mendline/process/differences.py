"""How two versions of a procedure differ, in words that its readers use. Pure.

Every thing that a process file says is compared by its name; what was renamed counts as gone and new. The rank of a
step (which button comes first) is the only thing that is passed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from mendline.kernel.text import Text
from mendline.process.definition import Fact, Process
from mendline.process.difference_words import (
    CATEGORIES,
    FIELD_TYPES,
    Difference,
    Kind,
    both,
    come_and_gone,
    fact_label,
    from_to,
    listed,
    missing,
    quoted,
    renamed,
    role,
)
from mendline.process.parameter_words import label_of, rules_of, value_words
from mendline.process.step_differences import clocks, notices, transitions


@dataclass(frozen=True, slots=True)
class Marks:
    """What a picture marks: states and steps by name, each with how it changed."""

    states: Mapping[str, Kind]
    steps: Mapping[str, Kind]


def differences(old: Process, new: Process) -> list[Difference]:
    """Return everything that `new` says otherwise than `old`, in the order of a file."""
    return [
        *_whole(old, new),
        *_parameters(old, new),
        *_facts(old, new),
        *_states(old, new),
        *clocks(old, new),
        *transitions(old, new),
        *notices(old, new),
    ]


def marks(found: Iterable[Difference]) -> Marks:
    """Return what to mark in a picture."""
    found = list(found)
    return Marks(
        {one.name: one.kind for one in found if one.part == "states"},
        {one.name: one.kind for one in found if one.part == "transitions"},
    )


def _whole(old: Process, new: Process) -> Iterator[Difference]:
    if old.label != new.label:
        yield Difference("whole", "label", "changed", from_to(Text("流程名称", "The name"), old.label, new.label))
    if old.source != new.source:
        yield Difference("whole", "source", "changed", Text("来源文件改变", "The source is another"), code=new.source)
    if old.kind != new.kind:
        text = Text("单据种类改变", f"The kind of record changes from {old.kind} to {new.kind}")
        yield Difference("whole", "kind", "changed", text)
    for name in missing(new.close_gate, old.close_gate):
        fact = quoted(fact_label(new, name))
        text = Text(f"没有{fact.zh}不能结束", f"Nothing ends any more without {fact.en}")
        yield Difference("whole", name, "added", text, rules_of_fact(new, name))
    for name in missing(old.close_gate, new.close_gate):
        fact = quoted(fact_label(old, name))
        text = Text(f"没有{fact.zh}也可以结束", f"{fact.en} is no longer needed to end")
        yield Difference("whole", name, "gone", text, rules_of_fact(old, name))


def _parameters(old: Process, new: Process) -> Iterator[Difference]:
    for name in dict.fromkeys((*old.parameters, *new.parameters)):
        label, process = label_of(name), new if name in new.parameters else old
        rules = rules_of(process, name)
        if name not in new.parameters:
            was = value_words(old, old.parameters[name])
            text = Text(f"不再有参数“{label.zh}”（原为{was.zh}）", f"No longer a parameter: {label.en} (was {was.en})")
            yield Difference("parameters", name, "gone", text, rules, name)
        elif name not in old.parameters:
            now = value_words(new, new.parameters[name])
            text = Text(f"新参数“{label.zh}”：{now.zh}", f"New parameter, {label.en}: {now.en}")
            yield Difference("parameters", name, "added", text, rules, name)
        elif old.parameters[name] != new.parameters[name]:
            was, now = value_words(old, old.parameters[name]), value_words(new, new.parameters[name])
            yield Difference("parameters", name, "changed", from_to(label, was, now), rules, name)


def _facts(old: Process, new: Process) -> Iterator[Difference]:
    word = Text("填写项", "field")
    yield from come_and_gone("facts", word, old, new, lambda process: process.facts, rules_of_fact)
    for name, was, now in both(old.facts, new.facts):
        rules = rules_of_fact(new, name)
        for text in _of_fact(was, now):
            yield Difference("facts", name, "changed", text, rules)


def _of_fact(was: Fact, now: Fact) -> Iterator[Text]:
    who = Text(f"填写项“{now.label.zh}”", f"Field “{now.label.en}”")
    if was.label != now.label:
        yield renamed(Text("填写项", "field"), was.label, now.label)
    if was.type != now.type:
        yield from_to(who, FIELD_TYPES[was.type], FIELD_TYPES[now.type])
    for code in missing(now.of, was.of):
        yield Text(f"{who.zh}新增选项“{now.of[code].zh}”", f"{who.en} gets the choice “{now.of[code].en}”")
    for code in missing(was.of, now.of):
        yield Text(f"{who.zh}不再有选项“{was.of[code].zh}”", f"{who.en} loses the choice “{was.of[code].en}”")
    for _, before, after in both(was.of, now.of):
        if before != after:
            yield renamed(Text(f"{who.zh}的选项", f"choice of “{now.label.en}”"), before, after)
    if dict(was.fields) != dict(now.fields):
        yield Text(f"{who.zh}的组成改变", f"{who.en} has other parts")
    if was.shown_to != now.shown_to:
        seen = [listed([role(code) for code in one.shown_to]) if one.shown_to else _ALL for one in (was, now)]
        yield from_to(Text(f"{who.zh}可见范围", f"{who.en}: who sees it"), *seen)
    if was.personal != now.personal:
        zh, en = (
            ("成为个人信息", "is now personal data") if now.personal else ("不再是个人信息", "is no longer personal")
        )
        yield Text(f"{who.zh}{zh}", f"{who.en} {en}")
    if was.longest != now.longest:
        lengths = [Text(f"{one.longest}字", f"{one.longest} characters") for one in (was, now)]
        yield from_to(Text(f"{who.zh}最长", f"{who.en}: most characters"), *lengths)
    if was.help != now.help:
        yield Text(f"{who.zh}的说明改变", f"{who.en} is explained otherwise")
    if was.suggest != now.suggest:
        yield Text(f"{who.zh}的常用语改变", f"{who.en} suggests other wordings")


_ALL = Text("所有人", "everybody")


def _states(old: Process, new: Process) -> Iterator[Difference]:
    word = Text("状态", "state")
    yield from come_and_gone("states", word, old, new, lambda process: process.states, leading_to)
    for name, was, now in both(old.states, new.states):
        rules = leading_to(new, name)
        if was.label != now.label:
            yield Difference("states", name, "changed", renamed(word, was.label, now.label), rules)
        if was.category != now.category:
            what = Text(f"状态“{now.label.zh}”", f"State “{now.label.en}”")
            text = from_to(what, CATEGORIES[was.category], CATEGORIES[now.category])
            yield Difference("states", name, "changed", text, rules)


def rules_of_fact(process: Process, name: str) -> tuple[str, ...]:
    """A fact carries no rule: it is those of the steps that ask for it, the nearest two."""
    return _first(step.rules for step in process.transitions.values() if name in step.takes)


def leading_to(process: Process, state: str) -> tuple[str, ...]:
    return _first(step.rules for step in process.transitions.values() if state in step.to.values())


def _first(rules: Iterable[tuple[str, ...]], most: int = 2) -> tuple[str, ...]:
    return tuple(dict.fromkeys(rule for cited in rules for rule in cited[:1]))[:most]
