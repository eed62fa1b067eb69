"""Where lists of products and people come from."""

from __future__ import annotations

from mendline.access.models import Person, Role
from mendline.kernel.text import Text
from mendline.network.models import Product, ProductLine
from mendline.process.definition import Fact
from mendline.web.console.fields import Choice, Options


def options_for(station_no: str) -> Options:
    """Return the choices of facts whose answers are rows: products, their lines, and the engineers of a station."""

    def options(fact: Fact) -> tuple[Choice, ...]:
        if fact.type == "product":
            return products()
        if fact.type == "product_line":
            return product_lines()
        if fact.type == "person":
            return engineers(station_no)
        return ()

    return options


def products() -> tuple[Choice, ...]:
    """Products under their lines; a line itself is the answer of whoever knows no more."""
    rows = Product.objects.select_related("line").order_by("line__code", "code")
    found = {row.code: Choice(row.code, Text(row.name_zh, row.name_en), _name(row.line)) for row in rows}
    for line in ProductLine.objects.order_by("code"):
        found.setdefault(line.code, Choice(line.code, _name(line), _name(line)))
    return tuple(sorted(found.values(), key=lambda choice: (choice.group.zh if choice.group else "", choice.value)))


def product_lines() -> tuple[Choice, ...]:
    return tuple(Choice(line.code, _name(line)) for line in ProductLine.objects.order_by("code"))


def _name(line: ProductLine) -> Text:
    return Text(line.name_zh, line.name_en)


def engineers(station_no: str) -> tuple[Choice, ...]:
    rows = Person.objects.filter(role=Role.STATION_ENGINEER, station_no=station_no, is_active=True).order_by("username")
    return tuple(Choice(row.username, Text(row.name, row.name)) for row in rows) if station_no else ()
