"""One pasted line, read into the fields of a report. What is left over is the fault: nothing is dropped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mendline.intake.addresses import address_after, address_anywhere
from mendline.intake.line import Line
from mendline.intake.names import find_name
from mendline.intake.phone_numbers import find_phone
from mendline.intake.place_names import place_names
from mendline.intake.places import find_place
from mendline.intake.products import ProductName, find_product
from mendline.intake.wishes import Window, find_window

_SERIAL = re.compile(
    r"(?:序列号|主机编号|机器编号|主机号|机器号|机号|设备号|编号|S/?N|serial(?: no\.?|"
    r" number)?)\s*(?:码)?[是为:\s]*([A-Za-z0-9][A-Za-z0-9\-]{4,29})",
    re.IGNORECASE,
)
_SENT_IN = re.compile(r"送修|自己送|送过去|送到(?:维修)?站|送去|拿去修|拿过去|带过去修|到站维修|寄修|自行送")
_ON_SITE = re.compile(r"上门|在家|派(?:个)?(?:人|师傅)|来修|来看看|来人|过来修|登门")
# Words that only lead from one part to the next.
_LEAD = re.compile(
    r"^(?:[\s,，。;；、:：!！/|·\-]|您?你?好|麻烦(?:您|你)?|请问|请|我要|我想|需要|报修|要?求?维修|"
    r"用户(?:称|说|反映|反应)?|客户(?:称|说|反映|反应)?|(?:故障|问题|现象|情况)(?:现象|描述|是|为)?[:：]|"
    r"(?:产品|型号|机型|设备|品牌|地址|住址|电话|手机|姓名|联系人|时间)(?:型号|"
    r"名称)?[是为]?[:：]?(?=[\s,，。;；、:：]|$)|我?(?:家里?|们?公司|们?单位)的|我的|我家|一台|这台|有台|"
    r"联想的?|的|住在|住|在(?=[\s,，。]|$)|是(?=[\s,，。]|$)|之?间$)+"
)
_TAIL = re.compile(
    r"(?:[\s,，。;；、:：/|·\-]|谢谢(?:了|您)?|麻烦(?:了|您)?|拜托了?|辛苦了?|联系人$|电话$|手机$|地址$|"
    r"姓名$|(?:地址|住址)(?:在|是)$|我(?:现在)?在$|^我$|(?<=[\s,，。;；])(?:请|我在|住|在|我|时间))+$"
)


@dataclass(frozen=True, slots=True)
class AreaGuess:
    """The area's code; or, where the words fit several or none, what to choose from."""

    code: str
    candidates: tuple[str, ...]
    said: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a line says, each part empty where it says nothing. All of it is a guess until somebody has looked."""

    phone: str = ""  # international form
    name: str = ""
    area: AreaGuess | None = None
    address: str = ""
    product: str = ""
    product_candidates: tuple[str, ...] = ()
    product_said: str = ""
    serial_no: str = ""
    window: Window | None = None
    service_mode: str = ""  # on_site | send_in
    fault: str = ""


def read(written: str, *, now: datetime, products: Sequence[ProductName]) -> Reading:
    """Read a line; parts may come in any order. `now` is aware and decides what 明天 means.

    >>> from datetime import UTC
    >>> line = "13812345678 王先生 北京市海淀区上地信息路2号 扬天M4000q开机黑屏，明天下午三点以后在家"
    >>> found = read(line, now=datetime(2026, 3, 4, 2, tzinfo=UTC), products=[ProductName("d", "d", ("台式机",))])
    >>> found.phone, found.name, found.area.code, found.address, found.product, found.fault
    ('+8613812345678', '王先生', '110108', '上地信息路2号', 'd', '扬天M4000q开机黑屏')
    >>> found.window.text(datetime(2026, 3, 4, 2, tzinfo=UTC)).zh
    '3月5日 周四 15:00–20:00'
    """
    line = Line(written)
    phone = name = address = serial = ""
    if found_phone := find_phone(line):
        phone = found_phone[0]
        line.take(found_phone[1])
    if match := _SERIAL.search(line.free):
        serial = match[1].upper()
        line.take(match.span())
    mode = "send_in" if _SENT_IN.search(line.text) else "on_site" if _ON_SITE.search(line.text) else ""
    window = _take_window(line, now)
    area, address = _take_place(line)
    if found_name := find_name(line):
        name = found_name[0]
        line.take(found_name[1])
    found = find_product(line, products)
    said = line.shown[slice(*found.span)].strip() if found else ""
    if found and found.whole and _opens_its_piece(line, found.span[0]):
        line.take(found.span)
    return Reading(
        phone=phone, name=name, area=area, address=address, serial_no=serial, window=window, service_mode=mode,
        product=found.code if found else "", product_candidates=found.candidates if found else (),
        product_said=said, fault=_fault(line),
    )  # fmt: skip


def _take_window(line: Line, now: datetime) -> Window | None:
    found = find_window(line, now)
    if found is None:
        return None
    line.take(found[1])
    return found[0]


def _take_place(line: Line) -> tuple[AreaGuess | None, str]:
    """Take the area with the address behind it; an address may also stand apart."""
    place = find_place(line, place_names())
    if place is None:
        span = address_anywhere(line)
        return None, line.take(span) if span else ""
    span = address_after(line, place.span[1])
    said = line.shown[slice(*place.span)].strip()
    address = line.take(span) if span else ""
    line.take(place.span)
    if not address and (apart := address_anywhere(line)):
        address = line.take(apart)
    return AreaGuess(place.code, place.candidates, said), address


def _opens_its_piece(line: Line, start: int) -> bool:
    """Whether nothing but filling stands before the product: then its name need not be repeated in the fault."""
    before = re.split(r"[\s,。;!?\n\x00]", line.free[:start])[-1]
    return not _LEAD.sub("", before)


def _fault(line: Line) -> str:
    pieces = [_TAIL.sub("", _LEAD.sub("", piece)).strip() for piece in line.rest]
    return "，".join(piece for piece in pieces if re.search(r"\w", piece))
