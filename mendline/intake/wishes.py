"""When the user wants to be served: a phrase such as 明天下午三点以后在家, as a window on the clock of Shanghai.

A line also tells times that are no wish: since when it is broken, when it was bought, after how many
minutes it goes dark. Those are left alone and stay in the fault.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from mendline.intake.days import Days, days_at
from mendline.intake.hours import DAY, LATE, NOON, Hours, hours_at
from mendline.intake.line import TAKEN, Line, Span
from mendline.intake.numbers import NUMBER, number_of
from mendline.kernel.text import Text
from mendline.kernel.time import SHANGHAI, aware, day_text, moment_text

# The user would like somebody then, or somebody is there then.
_WANTED = (
    r"在家|在单位|在公司|有空|有人|有时间|方便|空闲|休息|上门|来人|过来|派人|派师傅|师傅来|来修|来看|"
    r"来维修|登门|来一趟|能来|可以来|来|"
    r"可以|都行|都可|也行|行|到家|回电|联系|打电话|维修|处理|取机|取件|去送|送来|送修|送过|送去|自己送|"
    r"拿去|拿过|带过|安排|预约|服务|见|吧|都在|我在|在的|能接|到(?=[\s,。]|$)"
)
_AFTERWARDS = re.compile(
    rf"(?:之间|之内|以内|的时间|时间段?|的时候|[的,\s]|我们?|家里|人|单位|公司|再|就|都|也|才|会|能|要|想|"
    rf"比较|一般|应该|最|里|请|给|帮|,)*(?:{_WANTED})"
)
_SWALLOWED = re.compile(
    r"(?:之间|的时间|时间段?|的时候)?[ ]?(?:我们?|家里|单位|公司)?(?:再|就|都|也|才|会|一般|应该|比较)*"
    r"(?:在家|有空|有人在?|有时间|方便|空闲|都行|都可以|也行|可以|到家|都在|在的|能?上门(?:服务|维修|检修|"
    r"看看|处理)?|"
    r"(?:能|可以)?(?:过来|来)(?:人|看看|看一下|维修|修|一趟)?(?![^\s,。;、!\x00]{1,6}(?:电|水)))"
    r"(?:即可|就行|最好|都行|都可以|吧|的|哦|哈|谢谢)*"
)
_NOT_THEN = re.compile(
    r"(?:都|全|也|我们?|人|他|家里|全天|一天|整天|,)*(?:不在|不行|没空|没时间|不方便|没人|别来|不要来|"
    r"不用|有事|要?出差|要?开会|不可以|除外|休息不|不上班|不接)"
)
_TELLS_OF_BEFORE = re.compile(
    r"(?:的时候|那天|时)?(?:我|就|才|刚|已经?|还|又|突然|在[^家,]{1,6})*"
    r"(?:买|购|修过|修的|修好|修完|换过|换的|换了|装的|装过|开始|起就|出现|坏|发现|突然|还好|还能|收到|"
    r"到货|升级|更新|摔|进水|进了|开机|关机|开不|用着|用的|用时|使用|来过|报过|报修过|报的|下单|打过|就不|"
    r"就坏|死机|黑屏|蓝屏|断|停电|打雷|响|自动|重启|弹|闪|卡|无法|不能|不亮|打不|连不)"
)
_ASKED_FOR = re.compile(
    r"(?:希望|想要?|预约在?|约在?|约|请|麻烦|最好|要求|需要|上门时间|方便时间|在家时间|服务时间|预约时间|"
    r"期望时间|时间|等到?|能不能|能否|可否|可以|只有|只能|改到|改|师傅|人|上门|送修|我|家里|一般|平时|在|"
    r"于)[是为:：在\s,]*$"
)
_EVERY = re.compile(r"(?:每|每个|自从|自|打从?|昨天?|前天?|去年|上个?|从前)$")
_LENGTH = re.compile(
    rf"(?:大概|大约|约|过)?(?:(?P<half>半)个?(?:小时|钟头)|"
    rf"(?P<count>{NUMBER})(?P<and_half>个半)?个?(?P<unit>分钟|小时|钟头)(?P<more>半)?)(?:(?P<within>之?内|"
    rf"以内)|(?:之|以)?后)"
)
_AT_ONCE = re.compile(r"尽快|尽早|越快越好|越早越好|马上|立刻|立即|现在|加急|急修|很急|比较急|着急用|急用")
_ANY_TIME = re.compile(
    r"(?:时间)?(?:随时|什么时候|任何时间|任何时候|啥时候|几点|哪天|时间)(?:来|上门|过来|联系|"
    r"打电话)?(?:都|均|皆)?(?:可以|行|可|有人|方便|在家|ok|OK|没问题|不限)(?:来|上门|联系)?"
    r"|随时(?:都)?(?:上门|来|联系)?|时间不限|全天(?:都)?(?:在家|有人|可以|方便|都行)|(?:家里|单位|"
    r"公司)?(?:一直|都|每天都?|天天)(?:有人|在家)"
)
_START = re.compile(
    r"[今明后大当第这近最本下双休周星礼月国十春过元五劳清端中年节放一二两三四五六七八九工\d上早晨凌正午傍晚夜白全整清]"
)


@dataclass(frozen=True, slots=True)
class Window:
    """From `since` to `until` (UTC); `until` None: open. `said` is the wording it was read from."""

    since: datetime
    until: datetime | None
    said: str = ""

    def text(self, now: datetime) -> Text:
        """Return the window for people, on the clock of Shanghai."""
        since = moment_text(self.since, now=now)
        if self.until is None:
            return Text(f"{since.zh} 起", f"from {since.en}")
        first, last = self.since.astimezone(SHANGHAI), self.until.astimezone(SHANGHAI)
        if first.date() == last.date():
            day = day_text(first.date(), today=now.astimezone(SHANGHAI).date())
            hours = f"{first:%H:%M}–{last:%H:%M}"
            return Text(f"{day.zh} {hours}", f"{day.en} {hours}")
        until = moment_text(self.until, now=now)
        return Text(f"{since.zh} 至 {until.zh}", f"{since.en} to {until.en}")


@dataclass(frozen=True, slots=True)
class _Phrase:
    """A time phrase in the line. `firm`: it can hardly be anything but a wish."""

    days: Days | None
    hours: Hours | None
    edge: str  # "", "by" (…前), "from" (…后)
    span: Span
    firm: bool


def find_window(line: Line, now: datetime) -> tuple[Window, Span] | None:
    """Return the first wished window that lies ahead, and what it was read from.

    `now` is aware. Nothing is rolled into the past: what is over was no wish.
    """
    local = aware(now).astimezone(SHANGHAI)
    text = line.free
    loose: tuple[Window, Span] | None = None
    for phrase in _phrases(text, local.date()):
        if not _is_wish(text, phrase):
            continue
        window = _resolved(phrase, local)
        if window is not None:
            return _with_wording(line, window, phrase.span)
    if length := _after_a_while(text, local):
        return _with_wording(line, *length)
    if match := _ANY_TIME.search(text):
        loose = Window(local.astimezone(UTC), None), match.span()
    elif match := _AT_ONCE.search(text):
        loose = Window(local.astimezone(UTC), None), match.span()
    return _with_wording(line, *loose) if loose else None


def _phrases(text: str, today: date) -> Iterator[_Phrase]:
    position = 0
    while position < len(text):
        phrase = _phrase_at(text, position, today) if _START.match(text, position) else None
        if phrase is None:
            position += 1
            continue
        yield phrase
        position = phrase.span[1]


def _phrase_at(text: str, start: int, today: date) -> _Phrase | None:
    if text[start].isdigit() and re.search(r"[0-9A-Za-z]$|\d[.:/-]$", text[:start]):
        return None
    named = days_at(text, start, today)
    if named is None:
        timed = hours_at(text, start)
        return _Phrase(None, timed[0], "", (start, timed[1]), False) if timed else None
    days, end = named
    if edge := re.compile(r"(?:的)?(?:(之前|以前|前)|(之后|以后|起|开始|后))(?!天|台|面|门)").match(text, end):
        return _Phrase(days, None, "by" if edge[1] else "from", (start, edge.end()), not days.bare or True)
    joint = re.compile(r"[的\s,]*(?:\(?(?:周|星期|礼拜)[一二三四五六日天]\)?)?[的\s,]*").match(text, end)
    timed = hours_at(text, joint.end()) if joint else None
    if timed:
        end = timed[1]
    if within := re.compile("之间|之内|以内").match(text, end):
        end = within.end()
    firm = (
        within is not None
        or (not days.vague and not days.bare)
        or (timed is not None and timed[0].clocked and not days.vague)
    )
    return _Phrase(days, timed[0] if timed else None, "by" if days.by else "", (start, end), firm)


def _is_wish(text: str, phrase: _Phrase) -> bool:
    start, end = phrase.span
    before, after = text[:start], text[end:]
    if re.search(r"(?:除了?|不要|不是|别)$", before) or (_EVERY.search(before) and not _AFTERWARDS.match(after)):
        return False
    if _NOT_THEN.match(after):
        return False
    asked = _AFTERWARDS.match(after) is not None
    if not asked and _TELLS_OF_BEFORE.match(after):
        return False
    if phrase.days is not None and phrase.days.bare and before and before[-1] not in f" ,。;、:!?(){TAKEN}\n":
        return bool(_ASKED_FOR.search(before))  # 信息路2号 is a house
    if phrase.firm or asked:
        return True
    timed = phrase.hours is not None and phrase.days is not None
    alone = _ends(before[-1:]) and _ends(after[:1])
    return bool(_ASKED_FOR.search(before)) or (
        alone and (timed or phrase.hours is not None or not after.strip(" 。,!"))
    )


def _ends(sign: str) -> bool:
    return not sign or sign in f" ,。;、!?(){TAKEN}\n"


def _resolved(phrase: _Phrase, local: datetime) -> Window | None:
    """Return the window, or None when it is over."""
    days, hours = phrase.days, phrase.hours
    if days is None:
        days = Days(local.date(), local.date(), vague=True)
        if hours is not None and _at(days.last, hours.until) <= local and not _later_today(hours, local):
            days = Days(days.first + timedelta(days=1), days.last + timedelta(days=1))
    if phrase.edge == "by":
        until = _at(days.last, DAY[1]) if days.by or days.long or days.last > days.first else _at(days.first, DAY[0])
        return _window(local, until, local)
    if phrase.edge == "from":
        return _window(_at(days.first, DAY[0]), None, local)
    if hours is None:
        until = _at(days.last, DAY[1])
        return _window(_at(days.first, DAY[0]), until if until > local else _at(days.last, LATE), local)
    if days.first == local.date() and _later_today(hours, local):
        hours = Hours(hours.since + NOON, hours.until + NOON if hours.until <= NOON else hours.until, True)
    return _window(_at(days.first, hours.since), _at(days.last, hours.until), local)


def _later_today(hours: Hours, local: datetime) -> bool:
    """Nine o'clock said at ten in the morning means nine in the evening."""
    if not hours.shifts or hours.since + NOON > LATE:
        return False
    passed = hours.since if hours.until - hours.since <= 60 else hours.until
    return _at(local.date(), passed) <= local


def _window(since: datetime, until: datetime | None, local: datetime) -> Window | None:
    if until is not None and until <= local:
        return None
    since = max(since, local)
    if until is not None and until <= since:  # 晚上十二点以后 ends after the evening does
        until = since + timedelta(hours=1)
    return Window(since.astimezone(UTC), until.astimezone(UTC) if until else None)


def _at(day: date, minutes: int) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI) + timedelta(minutes=minutes)


def _after_a_while(text: str, local: datetime) -> tuple[Window, Span] | None:
    """两小时后到家: an hour from then on. 使用两小时后死机 is a fault."""
    for match in _LENGTH.finditer(text):
        before, after = text[: match.start()], text[match.end() :]
        if not _AFTERWARDS.match(after) and not (_ends(before[-1:]) and _ends(after[:1])):
            continue
        minutes = 30 if match["half"] else number_of(match["count"]) * (1 if match["unit"] == "分钟" else 60)
        minutes += 30 if match["and_half"] or match["more"] else 0
        if not minutes:
            continue
        then = local + timedelta(minutes=minutes)
        if match["within"]:
            return Window(local.astimezone(UTC), then.astimezone(UTC)), match.span()
        return Window(then.astimezone(UTC), (then + timedelta(hours=1)).astimezone(UTC)), match.span()
    return None


def _with_wording(line: Line, window: Window, span: Span) -> tuple[Window, Span]:
    """Take in the words around that say no more than the window does: 请于…在家."""
    start, end = span
    before, after = line.free[:start], line.free[end:]
    said = line.shown[start:end].strip()
    if lead := re.search(
        r"(?:希望|想要?|预约在?|约在|请于?|麻烦|最好|要求|需要|(?:上门|方便|在家|服务|预约|"
        r"期望)?时间[是为:：]*|等到?|于|只有|只能)+[\s:：,]*$",
        before,
    ):
        start = lead.start()
    if tail := _SWALLOWED.match(after):
        end += tail.end()
    return Window(window.since, window.until, said), (start, end)
