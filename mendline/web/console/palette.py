"""Pages and actions by name, in Chinese, in English or by pinyin: what the palette offers beside orders."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from django.urls import reverse

from mendline.access.actors import Actor
from mendline.kernel.text import Text
from mendline.search.pinyin import initials_of, spelled
from mendline.search.words import plain
from mendline.web.console.creating import creations_for
from mendline.web.console.shell import MAY_REPORT, navigation_of

INTAKE = "/intake/"  # one entry is enough: to begin a report
PAGE, ACTION = Text("页面", "Page"), Text("操作", "Action")
# Characters with a reading beside the usual one that our own words use: 调 in 协调 is read tiao.
OTHER_READINGS = {"调": "t", "重": "c", "行": "h", "长": "c", "还": "h"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A page to open or something to do. `does` names what the browser itself carries out (`palette.ts`)."""

    label: Text
    kind: Text
    icon: str
    href: str = ""
    does: str = ""
    also: str = ""  # other words it is known by


EVERYBODYS = (
    Entry(Text("规则全文", "All rules"), PAGE, "gavel", "/rules/", also="规则 rule gz"),
    Entry(Text("个人设置", "My settings"), PAGE, "user-circle", "/settings/", also="时区 语言 通知 zone notices"),
    Entry(Text("双重验证", "Two-factor sign-in"), PAGE, "shield-check", "/accounts/2fa/", also="安全 security mfa"),
    Entry(Text("修改密码", "Change password"), PAGE, "lock", "/accounts/password/change/"),
    Entry(Text("切换明暗", "Light or dark"), ACTION, "moon", does="theme", also="深色 夜间 dark theme"),
    Entry(Text("切换到英文", "Switch to Chinese"), ACTION, "language", does="language", also="english 中文 语言"),
    Entry(Text("键盘快捷键", "Keyboard shortcuts"), ACTION, "keyboard", does="keys", also="帮助 help ?"),
    Entry(Text("退出登录", "Sign out"), ACTION, "logout", does="leave", also="log out logout"),
)  # fmt: skip


def entries_for(actor: Actor) -> list[Entry]:
    """Return everything this role may open or begin: actions first, then its pages, then what everybody has."""
    found: list[Entry] = []
    places = navigation_of(actor, "")
    if actor.role in MAY_REPORT:
        known_by = "报修受理 建单 bxsl jd take create"
        found.append(Entry(Text("新建报修单", "New report"), ACTION, "plus", INTAKE, also=known_by))
    for creation in creations_for(actor, None):
        href = reverse("console:create", args=[creation.process.code, creation.step.name])
        label = Text(
            f"{creation.step.label.zh}（{creation.process.label.zh}）",
            f"{creation.step.label.en} ({creation.process.label.en})",
        )
        found.append(Entry(label, ACTION, "plus", href))
    found += [Entry(place.label, PAGE, place.icon, place.href) for place in places if place.href != INTAKE]
    return [*found, *EVERYBODYS]


def narrowed(entries: Iterable[Entry], text: str, limit: int) -> list[Entry]:
    """Return the entries that `text` names, those that begin with it first; all of them when nothing was typed."""
    typed = plain(text)
    if not typed:
        return list(entries)[:limit]
    ranked = [(rank, entry) for entry in entries if (rank := _rank(entry, typed)) is not None]
    return [entry for _, entry in sorted(ranked, key=lambda pair: pair[0])][:limit]


def _rank(entry: Entry, typed: str) -> int | None:
    """Return how well the words fit: 0 begins so, 1 contains it, 2 known by it; None does not fit."""
    names = _names(entry.label)
    if any(name.startswith(typed) for name in names):
        return 0
    if len(typed) >= 2 or not typed.isascii():
        if any(typed in name for name in names[:3]):
            return 1
        if any(word.startswith(typed) for word in entry.also.split()):
            return 2
    return None


@lru_cache(maxsize=256)
def _names(label: Text) -> tuple[str, ...]:
    """Return what a label is found by: its words, its initials, its spelling, each in lower case."""
    zh, en = plain(label.zh), plain(label.en)
    other = "".join(OTHER_READINGS.get(character) or initials_of(character) for character in zh)
    return (zh, en, initials_of(zh), other, spelled(zh), *en.split())
