"""Stored facts as people read them. Telephone numbers are masked; revealing one is a step of its own, with a reason."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.core.cache import cache

from mendline.access.actors import Actor
from mendline.access.models import Person
from mendline.kernel.durations import parse_duration
from mendline.kernel.phones import masked
from mendline.kernel.text import Text
from mendline.kernel.time import day_text
from mendline.network import areas
from mendline.network.models import Product, ProductLine
from mendline.process.definition import Fact, Process
from mendline.web.console.words import MOMENTS, ORIGINS
from mendline.web.shown_zone import shown_moment

STORED_TYPES = frozenset({"photo", "file", "signature"})
PICTURES = frozenset({"photo", "signature"})
STORED = re.compile(r"[0-9a-f]{2}/[A-Za-z0-9_-]{32}", re.ASCII)  # what `orders.attachments` names a kept file
NAMES, NAMES_SECONDS = "console.product_names", 60
HIDDEN = "•"  # what the history keeps in place of personal data


@dataclass(frozen=True, slots=True)
class Shown:
    """One fact for the page. `wide` ones need a whole line; `file` is what a picture or document is stored under."""

    name: str
    label: Text
    value: Text
    wide: bool = False
    file: str = ""
    is_picture: bool = False


def facts_shown(process: Process, facts: Mapping[str, Any], actor: Actor, *, leave_out: frozenset[str]) -> list[Shown]:
    """Return the known facts of the process that this actor may see, in the file's order."""
    found: list[Shown] = []
    for name, fact in process.facts.items():
        value = facts.get(name)
        if name in leave_out or value in (None, "", [], {}) or (fact.shown_to and actor.role not in fact.shown_to):
            continue
        found.append(shown(fact, value))
    return found


def moments_shown(facts: Mapping[str, Any]) -> list[Shown]:
    """Return T1, T2, T31–T33 and T4 as far as they are written (STN-07 to STN-10, STN-51)."""
    found = [_moment_shown(name, facts[name]) for name in ("t1", "t2") if facts.get(name)]
    for promise in facts.get("t3_promises") or ():
        name = str(promise["slot"]).lower()
        found.append(
            _moment_shown(name, promise["at"]) if promise.get("at") else Shown(name, MOMENTS[name], _special(promise))
        )
    return [*found, *([_moment_shown("t4", facts["t4"])] if facts.get("t4") else [])]


def _moment_shown(name: str, value: str) -> Shown:
    return Shown(name, MOMENTS[name], shown_moment(datetime.fromisoformat(value)))


def _special(promise: Mapping[str, Any]) -> Text:
    """A T31 that is no promise: nobody was reached (STN-22), or it was solved by telephone (STN-29)."""
    if promise.get("kind") == "unreachable":
        return Text("联系不上用户", "user not reached")
    return Text("电话解决", "solved by telephone")


def shown(fact: Fact, value: Any) -> Shown:
    words = words_of(fact, value)
    wide = (fact.type == "text" and fact.longest > 200) or len(words.zh) > 40
    stored = str(value) if fact.type in STORED_TYPES and STORED.fullmatch(str(value)) else ""
    return Shown(fact.name, fact.label, words, wide, stored, is_picture=fact.type in PICTURES and bool(stored))


def words_of(fact: Fact, value: Any) -> Text:
    """Return one stored value in words; what does not fit its type is shown as it is, never hidden."""
    if value == HIDDEN:
        return Text("（个人信息）", "(personal)")
    try:
        return _WORDS.get(fact.type, _plain)(fact, value)
    except (ValueError, TypeError, AttributeError):
        return _plain(fact, value)


def _plain(fact: Fact, value: Any) -> Text:
    return Text(str(value), str(value))


def _choice(fact: Fact, value: Any) -> Text:
    return fact.of.get(str(value), Text(str(value), str(value)))


def _yes_no(fact: Fact, value: Any) -> Text:
    return Text("是", "Yes") if value in (True, "yes") else Text("否", "No")


def _money(fact: Fact, value: Any) -> Text:
    amount = f"¥{int(value) // 100:,}.{int(value) % 100:02d}"
    return Text(amount, amount)


def _moment(fact: Fact, value: Any) -> Text:
    return shown_moment(datetime.fromisoformat(str(value)))


def _day(fact: Fact, value: Any) -> Text:
    return day_text(date.fromisoformat(str(value)))


def _duration(fact: Fact, value: Any) -> Text:
    return parse_duration(str(value)).text()


def _phone(fact: Fact, value: Any) -> Text:
    return Text(masked(str(value)), masked(str(value)))


def _area(fact: Fact, value: Any) -> Text:
    return Text(areas.name_of(str(value)), areas.name_of(str(value), "en"))


def _product(fact: Fact, value: Any) -> Text:
    return product_name(str(value))


def _person(fact: Fact, value: Any) -> Text:
    return person_name(str(value))


def _record(fact: Fact, value: Any) -> Text:
    if not isinstance(value, Mapping):
        return _plain(fact, value)
    parts = [words_of(part, value[name]) for name, part in fact.fields.items() if value.get(name)]
    return Text(" ".join(part.zh for part in parts), " ".join(part.en for part in parts))


def _signature(fact: Fact, value: Any) -> Text:
    return Text("已签字", "Signed") if STORED.fullmatch(str(value)) else _plain(fact, value)


_WORDS: dict[str, Callable[[Fact, Any], Text]] = {
    "choice": _choice, "yes_no": _yes_no, "money": _money, "moment": _moment, "day": _day, "duration": _duration,
    "phone": _phone, "area": _area, "product": _product, "product_line": _product, "person": _person, "record": _record,
    "signature": _signature,
}  # fmt: skip


def product_names() -> dict[str, Text]:
    """Return the names of all products and product lines; a list asks for them once."""
    names: dict[str, Text] | None = cache.get(NAMES)
    if names is None:
        names = {row.code: Text(row.name_zh, row.name_en) for row in ProductLine.objects.all()}
        names |= {row.code: Text(row.name_zh, row.name_en) for row in Product.objects.all()}
        cache.set(NAMES, names, NAMES_SECONDS)
    return names


def product_name(code: str) -> Text:
    """Return the name of a product or of a product line; every line is a product of the same code as well."""
    names = product_names()
    if code not in names:
        cache.delete(NAMES)  # it may just have been added
        names = product_names()
    return names.get(code, Text(code, code))


def person_name(username: str) -> Text:
    name = Person.objects.filter(username=username).values_list("name", flat=True).first() or username
    return Text(name, name)


def origin_name(code: str) -> Text:
    return ORIGINS.get(code, Text(code, code))
