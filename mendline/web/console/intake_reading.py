"""A pasted line on its way into the form: every value is a guess that somebody has to look at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mendline.intake.line import LONGEST
from mendline.intake.products import ProductName
from mendline.intake.reading import AreaGuess, Reading, read
from mendline.kernel.phones import readable
from mendline.kernel.text import Text
from mendline.network import areas
from mendline.process.definition import Transition
from mendline.web.console.choices import products
from mendline.web.console.fields import Choice
from mendline.web.console.visit import Visit
from mendline.web.shown_zone import shown_zone

# What people look for first when something was not understood.
EXPECTED = {
    "customer.phone": Text("电话", "telephone"),
    "customer.name": Text("姓名", "name"),
    "area": Text("区划", "area"),
    "address": Text("地址", "address"),
    "product": Text("产品", "product"),
    "fault": Text("故障", "fault"),
}


@dataclass(frozen=True, slots=True)
class Offer:
    """A button that puts values into the form."""

    label: Text
    values: dict[str, str]


@dataclass(frozen=True, slots=True)
class ReadLine:
    """What the page needs to fill the form: values by field, places and products to choose from, what is missing."""

    values: dict[str, dict[str, str]]
    places: list[dict[str, str]]
    asked: Text | None
    products: list[Offer]
    missing: list[Text]


def read_line(visit: Visit, step: Transition) -> ReadLine:
    """Read the posted line."""
    choices = products()
    names = [ProductName(choice.value, _line_of(choice), (choice.label.zh, choice.label.en)) for choice in choices]
    found = read(visit.posted.get("line", "")[:LONGEST], now=visit.now, products=names)
    values = {name: value for name, value in _values(visit, found).items() if value["value"] or value.get("shown")}
    known = {choice.value: choice for choice in choices}
    return ReadLine(
        values=_with_whole_window(values, found, visit.now, step),
        places=[named_place(code) for code in found.area.candidates] if found.area else [],
        asked=_question(found.area) if found.area and found.area.candidates else None,
        products=[Offer(known[code].label, {"product": code}) for code in found.product_candidates if code in known],
        missing=[label for name, label in EXPECTED.items() if name not in values and name not in _said(found)],
    )


def named_place(code: str) -> dict[str, str]:
    """A municipality's 市辖区 says nothing alone, so the full name is shown."""
    return {"code": code, "name": areas.name_of(code)}


def as_dialled(phone: str) -> str:
    """Return a number as people in China write it: a landline begins with 0.

    >>> as_dialled("+8613812345678"), as_dialled("+861062981234"), as_dialled("+8657187654321;ext=802")
    ('13812345678', '01062981234', '057187654321 转 802')
    """
    local = readable(phone)
    mobile = local.startswith("1") and len(local) == 11
    return local if not local or mobile or not phone.startswith("+86") else f"0{local}"


def _values(visit: Visit, found: Reading) -> dict[str, dict[str, str]]:
    """Each value with the words it was read from; the area and the time also as people read them."""
    window = found.window
    return {
        "customer.phone": {"value": as_dialled(found.phone)},
        "customer.name": {"value": found.name},
        "area": _area(found.area, visit.language),
        "address": {"value": found.address},
        "product": {"value": found.product, "said": found.product_said},
        "serial_no": {"value": found.serial_no},
        "service_mode": {"value": found.service_mode},
        "wished_at": {
            "value": f"{window.since.astimezone(shown_zone()):%Y-%m-%dT%H:%M}" if window else "",
            "said": window.said if window else "",
            "window": visit.say(window.text(visit.now)) if window else "",
        },
        "fault": {"value": found.fault},
    }


def _said(found: Reading) -> set[str]:
    """What was said, but has to be chosen still."""
    return {"product"} if found.product_candidates else set()


def _area(guess: AreaGuess | None, language: str) -> dict[str, str]:
    if guess is None:
        return {"value": ""}
    shown = areas.name_of(guess.code, language) if guess.code else guess.said
    return {"value": guess.code, "shown": shown, "said": guess.said}


def _with_whole_window(
    values: dict[str, dict[str, str]], found: Reading, now: datetime, step: Transition
) -> dict[str, dict[str, str]]:
    """An order keeps one wished moment; until when stands with the fault, so that the station reads it too."""
    window, fault = found.window, values.get("fault", {}).get("value", "")
    if window is None or window.until is None or not fault or "wished_at" not in step.takes:
        return values
    return {**values, "fault": {"value": f"{fault}\n希望时间：{window.text(now).zh}"}}


def _question(area: AreaGuess) -> Text:
    """Why the area has to be chosen: several are called so, or only the city was said."""
    name = area.said
    if all(len(code) == 6 for code in area.candidates) and len({code[:4] for code in area.candidates}) > 1:
        return Text(f"“{name}”不止一处，请选择", f"There is more than one {name}: choose")
    return Text(f"“{name}”之下是哪个区县？请选择", f"Which district of {name}? Choose")


def _line_of(choice: Choice) -> str:
    return choice.group.zh if choice.group else ""
