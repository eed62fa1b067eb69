"""How the clocks, steps and notices of two versions differ, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from mendline.kernel.durations import Duration, parse_duration
from mendline.kernel.text import Text
from mendline.process.definition import NEW, Clock, Notice, Process, Transition
from mendline.process.difference_words import (
    CALENDARS,
    CHANNELS,
    OWNERS,
    Difference,
    both,
    cause,
    come_and_gone,
    fact_label,
    from_to,
    listed,
    missing,
    notice_words,
    quoted,
    renamed,
    role,
    state_label,
)


def clocks(old: Process, new: Process) -> Iterator[Difference]:
    word = Text("时限", "clock")
    yield from come_and_gone("clocks", word, old, new, lambda one: one.clocks, lambda one, name: one.clocks[name].rules)
    for name, was, now in both(old.clocks, new.clocks):
        for text in _of_clock(old, new, was, now):
            yield Difference("clocks", name, "changed", text, now.rules or was.rules)


def _of_clock(old: Process, new: Process, was: Clock, now: Clock) -> Iterator[Text]:
    who = Text(f"时限“{now.label.zh}”", f"Clock “{now.label.en}”")
    if was.label != now.label:
        yield renamed(Text("时限", "clock"), was.label, now.label)
    if was.budget != now.budget:
        yield from_to(who, _budget(old, was), _budget(new, now))
    if was.calendar != now.calendar:
        yield from_to(Text(f"{who.zh}的日历", f"{who.en}: calendar"), CALENDARS[was.calendar], CALENDARS[now.calendar])
    for zh, en, before, after in (
        ("开始计时", "starts", was.starts, now.starts),
        ("停止计时", "stops", was.stops, now.stops),
        ("暂停计时", "pauses", was.pauses, now.pauses),
    ):
        if after - before:
            at = listed([cause(new, name) for name in sorted(after - before)])
            yield Text(f"{who.zh}现在遇{at.zh}{zh}", f"{who.en} now {en} at {at.en}")
        if before - after:
            at = listed([cause(old, name) for name in sorted(before - after)])
            yield Text(f"{who.zh}遇{at.zh}不再{zh}", f"{who.en} no longer {en} at {at.en}")
    if was.counts_from != now.counts_from:
        begins = [
            quoted(fact_label(process, clock.counts_from)) if clock.counts_from else Text("开始计时之时", "its start")
            for process, clock in ((old, was), (new, now))
        ]
        yield from_to(Text(f"{who.zh}的起算点", f"{who.en}: counts from"), *begins)
    if was.warns != now.warns:
        shares = [listed([Text(f"{share}%", f"{share}%") for share in clock.warns]) for clock in (was, now)]
        yield from_to(Text(f"{who.zh}的提醒点", f"{who.en}: reminders at"), *shares)
    if was.on_breach != now.on_breach:
        acts = [
            listed([cause(process, name) for name in clock.on_breach]) for process, clock in ((old, was), (new, now))
        ]
        yield from_to(Text(f"{who.zh}到期时系统执行", f"{who.en}: carried out when it ends"), *acts)
    if was.responsible != now.responsible:
        yield from_to(
            Text(f"{who.zh}的责任方", f"{who.en}: answerable"), OWNERS[was.responsible], OWNERS[now.responsible]
        )
    if set(was.rules) != set(now.rules):
        yield Text(f"{who.zh}的依据规则改变", f"{who.en} cites other rules")


def _budget(process: Process, clock: Clock) -> Text:
    value = process.parameters.get(clock.budget)
    return value.text() if isinstance(value, Duration) else parse_duration(clock.budget).text()


def transitions(old: Process, new: Process) -> Iterator[Difference]:
    for name in missing(new.transitions, old.transitions):
        step = new.transitions[name]
        yield Difference("transitions", name, "added", _new_step(new, step), step.rules)
    for name in missing(old.transitions, new.transitions):
        step = old.transitions[name]
        text = Text(f"不再有步骤“{step.label.zh}”", f"There is no step “{step.label.en}” any more")
        yield Difference("transitions", name, "gone", text, step.rules)
    for name, was, now in both(old.transitions, new.transitions):
        rules = _rules_of_change(was, now)
        who = Text(f"步骤“{now.label.zh}”", f"Step “{now.label.en}”")
        for text in (*_ways(old, new, was, now, who), *_roles(was, now, who), *_asks(old, new, was, now, who)):
            yield Difference("transitions", name, "changed", text, rules)
        for text, code in _checks(was, now, who):
            yield Difference("transitions", name, "changed", text, rules, code)
        for text in _manner(was, now, who):
            yield Difference("transitions", name, "changed", text, rules)


def _new_step(process: Process, step: Transition) -> Text:
    by = listed([role(code) for code in step.by])
    sources = listed(
        [state_label(process, source) for source in process.states if source in step.sources]
        or [state_label(process, NEW)]
    )
    return Text(
        f"新步骤“{step.label.zh}”：{by.zh}，从{sources.zh}",
        f"New step “{step.label.en}”: by {by.en}, from {sources.en}",
    )


def _ways(old: Process, new: Process, was: Transition, now: Transition, who: Text) -> Iterator[Text]:
    if was.label != now.label:
        yield renamed(Text("步骤", "step"), was.label, now.label)
    come = [quoted(state_label(new, name)) for name in (NEW, *new.states) if name in now.sources - was.sources]
    gone = [quoted(state_label(old, name)) for name in (NEW, *old.states) if name in was.sources - now.sources]
    if come:
        at = listed(come)
        yield Text(f"{who.zh}现在也允许从状态{at.zh}", f"{who.en} is now allowed from {at.en} as well")
    if gone:
        at = listed(gone)
        yield Text(f"{who.zh}不再允许从状态{at.zh}", f"{who.en} is no longer allowed from {at.en}")
    for source, before, after in both(was.to, now.to):
        if before != after:
            at, first, then = (
                quoted(state_label(new, source)),
                quoted(state_label(old, before)),
                quoted(state_label(new, after)),
            )
            yield Text(
                f"{who.zh}从{at.zh}不再到{first.zh}，改为到{then.zh}",
                f"{who.en} leads from {at.en} to {then.en} instead of {first.en}",
            )


def _roles(was: Transition, now: Transition, who: Text) -> Iterator[Text]:
    come, gone = missing(now.by, was.by), missing(was.by, now.by)
    if come:
        names = listed([role(code) for code in come])
        yield Text(f"{who.zh}现在也可由{names.zh}执行", f"{who.en} may now be taken by {names.en} as well")
    if gone:
        names = listed([role(code) for code in gone])
        yield Text(f"{who.zh}不再由{names.zh}执行", f"{who.en} is no longer taken by {names.en}")


def _asks(old: Process, new: Process, was: Transition, now: Transition, who: Text) -> Iterator[Text]:
    for name in missing(now.requires, was.requires):
        fact = quoted(fact_label(new, name))
        yield Text(f"{who.zh}现在必须填写{fact.zh}", f"{who.en} now requires {fact.en}")
    for name in missing(was.requires, now.requires):
        fact = quoted(fact_label(old, name))
        zh, en = ("改为选填", "is now optional") if name in now.accepts else ("不再填写", "is no longer asked for")
        yield Text(f"{who.zh}的{fact.zh}{zh}", f"{who.en}: {fact.en} {en}")
    for name in missing(now.accepts, (*was.accepts, *was.requires)):
        fact = quoted(fact_label(new, name))
        yield Text(f"{who.zh}现在可以填写{fact.zh}", f"{who.en} may now be given {fact.en}")
    for name in missing(was.accepts, now.takes):
        fact = quoted(fact_label(old, name))
        yield Text(f"{who.zh}的{fact.zh}不再填写", f"{who.en}: {fact.en} is no longer asked for")


def _checks(was: Transition, now: Transition, who: Text) -> Iterator[tuple[Text, str]]:
    """Guards, diverts, changes and effects are code names; the rules beside them say what they are about."""
    for zh, en, before, after in (
        ("守卫（条件）", "a guard", was.guards, now.guards),
        ("动作", "an effect", was.effects, now.effects),
    ):
        for name in missing(after, before):
            yield Text(f"{who.zh}加入一个{zh}", f"{who.en} gets {en}"), name
        for name in missing(before, after):
            yield Text(f"{who.zh}去掉一个{zh}", f"{who.en} loses {en}"), name
        if before != after and set(before) == set(after):
            yield Text(f"{who.zh}的{zh}次序改变", f"{who.en} has them in another order: {en[2:].strip()}s"), ""
    if dict(was.diverts) != dict(now.diverts):
        changed = sorted(set(was.diverts.items()) ^ set(now.diverts.items()))
        yield Text(f"{who.zh}的分流条件改变", f"{who.en} is diverted otherwise"), changed[0][0]


def _manner(was: Transition, now: Transition, who: Text) -> Iterator[Text]:
    come, gone = missing(now.rules, was.rules), missing(was.rules, now.rules)
    if come:
        yield Text(f"{who.zh}新引用规则{'、'.join(come)}", f"{who.en} now cites {', '.join(come)}")
    if gone:
        yield Text(f"{who.zh}不再引用规则{'、'.join(gone)}", f"{who.en} no longer cites {', '.join(gone)}")
    if (was.role_rule, was.state_rule) != (now.role_rule, now.state_rule) and not come and not gone:
        yield Text(f"{who.zh}拒绝时引用的规则改变", f"{who.en} is refused under another rule")
    if was.help != now.help:
        yield Text(f"{who.zh}的说明改变", f"{who.en} is explained otherwise")
    if was.danger != now.danger:
        zh, en = (
            ("现在需要再次确认", "now asks once more") if now.danger else ("不再需要确认", "no longer asks once more")
        )
        yield Text(f"{who.zh}{zh}", f"{who.en} {en}")


def notices(old: Process, new: Process) -> Iterator[Difference]:
    before, after = ({notice.name: notice for notice in process.notices} for process in (old, new))
    for name in missing(after, before):
        words = notice_words(new, after[name].text)
        text = Text(f"新通知：{words.zh}", f"New notice: {words.en}")
        yield Difference("notices", name, "added", text, after[name].rules)
    for name in missing(before, after):
        words = notice_words(old, before[name].text)
        text = Text(f"不再通知：{words.zh}", f"No longer told: {words.en}")
        yield Difference("notices", name, "gone", text, before[name].rules)
    for name, was, now in both(before, after):
        for text, code in _of_notice(old, new, was, now):
            yield Difference("notices", name, "changed", text, now.rules or was.rules, code)


def _of_notice(old: Process, new: Process, was: Notice, now: Notice) -> Iterator[tuple[Text, str]]:
    words = notice_words(new, now.text)
    who = Text(f"通知“{words.zh}”", f"Notice “{words.en}”")
    if was.text != now.text:
        yield renamed(Text("通知", "notice"), notice_words(old, was.text), words), ""
    for zh, en, before, after in (
        ("不再发给", "no longer goes to", [role(code) for code in was.to], [role(code) for code in now.to]),
        (
            "不再经由", "no longer goes by",
            [CHANNELS[one] for one in was.channels], [CHANNELS[one] for one in now.channels],
        ),
        (
            "的时机不再有", "no longer goes out at",
            [cause(old, one) for one in sorted(was.on)], [cause(new, one) for one in sorted(now.on)],
        ),
    ):  # fmt: skip
        come, gone = missing(after, before), missing(before, after)
        if gone:
            yield Text(f"{who.zh}{zh}{listed(gone).zh}", f"{who.en} {en} {listed(gone).en}"), ""
        if come:
            also = (zh.replace("不再", "现在也"), en.replace("no longer", "now also"))
            yield Text(f"{who.zh}{also[0]}{listed(come).zh}", f"{who.en} {also[1]} {listed(come).en}"), ""
    if was.when != now.when:
        yield Text(f"{who.zh}的发送条件改变", f"{who.en} is sent under another condition"), now.when or was.when or ""
    if set(was.rules) != set(now.rules):
        yield Text(f"{who.zh}的依据规则改变", f"{who.en} cites other rules"), ""


def _rules_of_change(was: Transition, now: Transition) -> tuple[str, ...]:
    """Rules that came or went say best why a step changed; else those that it cites."""
    moved = [*missing(now.rules, was.rules), *missing(was.rules, now.rules)]
    return tuple(moved or now.rules)
