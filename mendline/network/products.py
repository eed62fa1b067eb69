"""Entering and renaming product lines and products. A code is for ever: orders, coverage and seats name it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from mendline.access.actors import Actor
from mendline.access.traces import note_change
from mendline.kernel.errors import Invalid, NotVisible
from mendline.kernel.text import Text
from mendline.network.models import Product, ProductLine
from mendline.network.revision import look_again

_CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}", re.ASCII)
TAKEN = Text("这个编号已存在，请换一个", "this code is taken: choose another")


@dataclass(frozen=True, slots=True)
class LineData:
    """A product line; `channel` says whose procedure it follows (CAN-34)."""

    code: str
    name_zh: str
    name_en: str
    channel: str


@dataclass(frozen=True, slots=True)
class ProductData:
    """A product of a line, as people name it."""

    code: str
    name_zh: str
    name_en: str
    line: str


@transaction.atomic
def add_line(data: LineData, *, actor: Actor, now: datetime) -> None:
    """Enter a product line. Raises Invalid, which names every wrong field."""
    _check(data.code, data.name_zh, data.name_en, {"channel": data.channel})
    if ProductLine.objects.filter(pk=data.code).exists() or Product.objects.filter(pk=data.code).exists():
        raise Invalid({"code": TAKEN})
    ProductLine.objects.create(code=data.code, name_zh=data.name_zh, name_en=data.name_en, channel=data.channel)
    note_change(f"line:{data.code}"[:32], "line.add", actor=actor, now=now, after=_line_shown(data))
    look_again()


@transaction.atomic
def change_line(data: LineData, *, actor: Actor, now: datetime) -> None:
    """Rename a line, or let it follow another channel's procedure from the next order on.

    Raises NotVisible, Invalid.
    """
    row = ProductLine.objects.select_for_update().filter(pk=data.code).first()
    if row is None:
        raise NotVisible
    _check(data.code, data.name_zh, data.name_en, {"channel": data.channel})
    before = LineData(row.code, row.name_zh, row.name_en, row.channel)
    if before == data:
        return
    row.name_zh, row.name_en, row.channel = data.name_zh, data.name_en, data.channel
    row.save(update_fields=["name_zh", "name_en", "channel"])
    note_change(
        f"line:{data.code}"[:32], "line.change", actor=actor, now=now,
        before=_line_shown(before), after=_line_shown(data),
    )  # fmt: skip
    look_again()


@transaction.atomic
def add_product(data: ProductData, *, actor: Actor, now: datetime) -> None:
    """Enter a product. Raises Invalid."""
    _check(data.code, data.name_zh, data.name_en, {"line": data.line}, longest=(60, 80))
    if not ProductLine.objects.filter(pk=data.line).exists():
        raise Invalid({"line": Text("没有这条产品线", "there is no such product line")})
    if Product.objects.filter(pk=data.code).exists():
        raise Invalid({"code": TAKEN})
    Product.objects.create(code=data.code, name_zh=data.name_zh, name_en=data.name_en, line_id=data.line)
    note_change(f"product:{data.code}"[:32], "product.add", actor=actor, now=now, after=_product_shown(data))
    look_again()


@transaction.atomic
def change_product(data: ProductData, *, actor: Actor, now: datetime) -> None:
    """Rename a product; it stays in its line, because its orders do. Raises NotVisible, Invalid."""
    row = Product.objects.select_for_update().filter(pk=data.code).first()
    if row is None:
        raise NotVisible
    _check(data.code, data.name_zh, data.name_en, {}, longest=(60, 80))
    before = ProductData(row.code, row.name_zh, row.name_en, row.line_id)
    after = ProductData(data.code, data.name_zh, data.name_en, row.line_id)
    if before == after:
        return
    row.name_zh, row.name_en = data.name_zh, data.name_en
    row.save(update_fields=["name_zh", "name_en"])
    note_change(
        f"product:{data.code}"[:32], "product.change", actor=actor, now=now,
        before=_product_shown(before), after=_product_shown(after),
    )  # fmt: skip
    look_again()


def _check(
    code: str, name_zh: str, name_en: str, others: dict[str, str], *, longest: tuple[int, int] = (40, 60)
) -> None:
    wrong: dict[str, Text] = {}
    if not _CODE.fullmatch(code):
        wrong["code"] = Text("请用小写字母、数字、横线或下划线", "lower-case letters, digits, hyphens, underscores")
    for field, value, most in (("name_zh", name_zh, longest[0]), ("name_en", name_en, longest[1])):
        if not 1 <= len(value) <= most or not value.isprintable():
            wrong[field] = Text(f"请填写名称，最多 {most} 个字", f"enter a name of at most {most} characters")
    wrong |= {field: Text("请选择", "choose one") for field, value in others.items() if not value}
    if wrong:
        raise Invalid(wrong)


def _line_shown(data: LineData) -> dict[str, str]:
    return {"name_zh": data.name_zh, "name_en": data.name_en, "channel": data.channel}


def _product_shown(data: ProductData) -> dict[str, str]:
    return {"name_zh": data.name_zh, "name_en": data.name_en, "line": data.line}
