"""What a difference is made of, and words for what a process file says in codes. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar

from mendline.kernel.text import Text
from mendline.process.decide import ROLE_NAMES_ZH
from mendline.process.definition import NEW, Clock, Fact, Process, State

Kind: TypeAlias = Literal["added", "gone", "changed"]
Part: TypeAlias = Literal["whole", "parameters", "facts", "states", "clocks", "transitions", "notices"]
T = TypeVar("T")
Labelled: TypeAlias = "Fact | State | Clock"

CATEGORIES = {
    "open": Text("进行中", "open"),
    "waiting": Text("等待", "waiting"),
    "done": Text("已完成", "done"),
    "void": Text("作废", "void"),
}
CALENDARS = {
    "always": Text("全天", "round the clock"),
    "working_hours": Text("工作时间", "working hours"),
    "working_days": Text("工作日", "working days"),
}
CHANNELS = {"inbox": Text("站内通知", "the inbox"), "email": Text("邮件", "e-mail")}
OWNERS = {
    "station": Text("维修站", "the station"),
    "region": Text("大区", "the region"),
    "cc": Text("呼叫中心", "the call centre"),
    "parts": Text("备件", "the parts department"),
    "headquarters": Text("本部", "headquarters"),
}
FIELD_TYPES = {
    "text": Text("文字", "text"), "choice": Text("选项", "choice"), "yes_no": Text("是否", "yes or no"),
    "number": Text("数字", "number"), "money": Text("金额", "money"), "moment": Text("时间", "moment"),
    "day": Text("日期", "day"), "duration": Text("时长", "duration"), "phone": Text("电话", "telephone number"),
    "area": Text("行政区划", "area"), "address": Text("地址", "address"), "product": Text("产品", "product"),
    "product_line": Text("产品线", "product line"),
    "serial": Text("编号", "number or code"), "person": Text("人员", "person"), "photo": Text("照片", "photo"),
    "file": Text("文件", "file"), "signature": Text("签字", "signature"), "record": Text("多项", "several parts"),
}  # fmt: skip
NOTHING = Text("无", "nothing")


def role(code: str) -> Text:
    return Text(ROLE_NAMES_ZH.get(code, code), "the clock" if code == "timer" else code.replace("_", " "))


def cause(process: Process, name: str) -> Text:
    """Return the words for a state, a step, or a clock's step (`contact.breach`)."""
    clock, _, kind = name.partition(".")
    if kind and clock in process.clocks:
        label = process.clocks[clock].label
        zh, en = ("超时", "breached") if kind == "breach" else ("将到期", "near its end")
        return Text(f"“{label.zh}”{zh}", f"“{label.en}” {en}")
    if name in process.states:
        return quoted(process.states[name].label)
    return quoted(process.transitions[name].label) if name in process.transitions else Text(name, name)


def notice_words(process: Process, text: Text) -> Text:
    """Return the text of a notice with what its places stand for in place of their names."""
    places = {name: fact.label for name, fact in process.facts.items()}
    places |= {
        "ref": Text("单号", "number"),
        "order_ref": Text("维修单", "order"),
        "station_no": Text("维修站", "station"),
    }
    return text.filled(**{name: Text(f"〔{label.zh}〕", f"[{label.en}]") for name, label in places.items()})


def quoted(text: Text) -> Text:
    return Text(f"“{text.zh}”", f"“{text.en}”")


def listed(texts: Sequence[Text]) -> Text:
    """Return several words as one; nothing at all has a word as well."""
    texts = texts or [NOTHING]
    return Text("、".join(text.zh for text in texts), ", ".join(text.en for text in texts))


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that the newer version says otherwise. `code` is a registered name that has no words of its own."""

    part: Part
    name: str  # of the parameter, state, step …
    kind: Kind
    text: Text
    rules: tuple[str, ...] = ()
    code: str = ""


def come_and_gone(
    part: Part,
    word: Text,
    old: Process,
    new: Process,
    table: Callable[[Process], Mapping[str, Labelled]],
    rules: Callable[[Process, str], tuple[str, ...]],
) -> Iterator[Difference]:
    """Yield what one of the two versions has and the other has not, of one of their tables."""
    before, after = table(old), table(new)
    for name in missing(after, before):
        label = after[name].label
        text = Text(f"新{word.zh}“{label.zh}”", f"New {word.en} “{label.en}”")
        yield Difference(part, name, "added", text, rules(new, name))
    for name in missing(before, after):
        label = before[name].label
        text = Text(f"不再有{word.zh}“{label.zh}”", f"There is no {word.en} “{label.en}” any more")
        yield Difference(part, name, "gone", text, rules(old, name))


def from_to(what: Text, was: Text, now: Text) -> Text:
    return Text(f"{what.zh}由{was.zh}改为{now.zh}", f"{what.en}: {now.en} instead of {was.en}")


def renamed(what: Text, was: Text, now: Text) -> Text:
    return Text(f"{what.zh}“{was.zh}”改为“{now.zh}”", f"The {what.en} “{was.en}” is now “{now.en}”")


def missing(these: Iterable[T], those: Iterable[T]) -> list[T]:
    """Return what is among these and not among those, in order."""
    known = list(those)
    return [one for one in these if one not in known]


def both(old: Mapping[str, T], new: Mapping[str, T]) -> list[tuple[str, T, T]]:
    return [(name, value, new[name]) for name, value in old.items() if name in new]


def fact_label(process: Process, name: str) -> Text:
    return process.facts[name].label if name in process.facts else Text(name, name)


def state_label(process: Process, name: str) -> Text:
    if name == NEW:
        return Text("新建", "a new record")
    return process.states[name].label if name in process.states else Text(name, name)
