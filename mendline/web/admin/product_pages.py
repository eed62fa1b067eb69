"""Product lines and their products."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.urls import reverse

from mendline.kernel.errors import NotVisible, Refused
from mendline.kernel.text import Text
from mendline.network import products as actions
from mendline.network.models import Product, ProductLine
from mendline.network.products import LineData, ProductData
from mendline.process.loading import processes
from mendline.web.admin.forms import OfficeForm, choice, line
from mendline.web.admin.office import STEWARDS, room, show
from mendline.web.admin.tables import isolated, link, table
from mendline.web.admin.words import both
from mendline.web.console.visit import Visit, go
from mendline.web.templatetags.console import say

HEADING = Text("产品线", "Product lines")
CODE_HELP = both("录入后不能修改：维修单、覆盖与名额都用它", "for ever: orders, coverage and seats name it")
CHANNELS = {
    "desktop_repair": Text("台式机维修", "Desktop repair"),
    "customer_service_support": Text("客户服务支持", "Customer service support"),
    "customer_information_support": Text("客户信息支持", "Customer information support"),
}


class LineForm(OfficeForm):
    code = line(both("编号", "Code"), longest=40, help_text=CODE_HELP)
    name_zh = line(both("中文名称", "Chinese name"), longest=40)
    name_en = line(both("英文名称", "English name"), longest=60)
    channel = choice(
        both("渠道", "Channel"),
        help_text=both("决定遵循哪套规程，对新单生效", "says whose procedure new orders follow"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["channel"].choices = [(code, channel_name(code)) for code in channels()]  # type: ignore[attr-defined]


class ProductForm(OfficeForm):
    code = line(both("编号", "Code"), longest=40, help_text=CODE_HELP)
    name_zh = line(both("中文名称", "Chinese name"), longest=60)
    name_en = line(both("英文名称", "English name"), longest=80)
    line = choice(both("产品线", "Product line"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        lines = ProductLine.objects.order_by("code").values_list("code", "name_zh", "name_en")
        names = [(code, say(Text(zh, en))) for code, zh, en in lines]
        self.fields["line"].choices = names  # type: ignore[attr-defined]


def channels() -> list[str]:
    """Return the channels that a process file or a line names; a line keeps one that no file knows any more."""
    found: set[str] = set(ProductLine.objects.values_list("channel", flat=True))
    for process in processes().values():
        named = process.parameters.get("channels", ())
        found |= set(named) if isinstance(named, tuple) else set()
    return sorted(found)


def channel_name(code: str) -> str:
    return say(CHANNELS[code]) if code in CHANNELS else code


@room(STEWARDS)
def products(visit: Visit) -> HttpResponse:
    """All lines, each with its products."""
    lines = list(ProductLine.objects.prefetch_related("products").order_by("code"))
    line_rows = [
        [
            link(reverse("admin:line", args=[one.code]), say(Text(one.name_zh, one.name_en))), isolated(one.code),
            channel_name(one.channel), str(len(one.products.all())),
        ]
        for one in lines
    ]  # fmt: skip
    product_rows = [
        [
            link(reverse("admin:product", args=[one.code]), say(Text(one.name_zh, one.name_en))), isolated(one.code),
            say(Text(kin.name_zh, kin.name_en)),
        ]
        for kin in lines
        for one in sorted(kin.products.all(), key=lambda product: product.code)
    ]  # fmt: skip
    parts = [
        {
            "title": HEADING, "empty": Text("还没有产品线", "No product lines yet"),
            "todo": Text("先新增一条产品线，再为维修站设置覆盖", "Add one, then let stations cover it"),
            "table": table([Text("名称", "Name"), Text("编号", "Code"), Text("渠道", "Channel"),
                Text("产品数", "Products")], line_rows),
        },
        {
            "title": Text("产品", "Products"), "empty": Text("还没有产品", "No products yet"),
            "table": table([Text("名称", "Name"), Text("编号", "Code"), Text("产品线", "Line")], product_rows),
        },
    ]  # fmt: skip
    buttons = [
        {"href": reverse("admin:add_line"), "icon": "plus", "label": Text("新增产品线", "Add a line")},
        {"href": reverse("admin:add_product"), "icon": "plus", "label": Text("新增产品", "Add a product")},
    ]
    return show(visit, "list.html", {"heading": HEADING, "parts": parts, "buttons": buttons})


@room(STEWARDS)
def edit_line(visit: Visit, code: str = "") -> HttpResponse:
    """Enter a line, or change one."""
    known = ProductLine.objects.filter(pk=code).first() if code else None
    return _edit(visit, LineForm, known, code, Text("新增产品线", "Add a line"), _save_line)


@room(STEWARDS)
def edit_product(visit: Visit, code: str = "") -> HttpResponse:
    """Enter a product, or rename one."""
    known = Product.objects.filter(pk=code).first() if code else None
    return _edit(visit, ProductForm, known, code, Text("新增产品", "Add a product"), _save_product)


def _edit(visit: Visit, form_class: type[OfficeForm], known: Any, code: str, heading: Text, save: Any) -> HttpResponse:
    if code and known is None:
        raise NotVisible
    initial = (
        {name: getattr(known, f"{name}_id" if name == "line" else name) for name in form_class.base_fields}
        if known
        else {}
    )
    form = form_class(visit.request.POST or None, initial=initial, label_suffix="")
    if known:
        form.fields["code"].disabled = True
        if "line" in form.fields:
            form.fields["line"].disabled = True
    if visit.request.method == "POST" and form.is_valid():
        try:
            save(visit, {name: str(value).strip() for name, value in form.cleaned_data.items()}, known is not None)
        except Refused as refused:
            form.refuse(refused)
        else:
            return go(visit, reverse("admin:products"), Text("已保存", "Saved"))
    context = {
        "heading": Text(known.name_zh, known.name_en) if known else heading, "form": form,
        "submit": Text("保存", "Save"),
        "back": (reverse("admin:products"), HEADING),
    }  # fmt: skip
    return show(visit, "form.html", context, status=422 if form.errors else 200)


def _save_line(visit: Visit, given: dict[str, str], known: bool) -> None:
    carry_out = actions.change_line if known else actions.add_line
    carry_out(LineData(**given), actor=visit.actor, now=visit.now)


def _save_product(visit: Visit, given: dict[str, str], known: bool) -> None:
    carry_out = actions.change_product if known else actions.add_product
    carry_out(ProductData(**given), actor=visit.actor, now=visit.now)
