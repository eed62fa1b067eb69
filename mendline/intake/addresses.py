"""The street address: what follows the area, as far as it reads like an address."""

from __future__ import annotations

import re

from mendline.intake.line import TAKEN, Line, Span

_UNITS = r"号院|号楼|号|弄|栋|幢|座|单元|室|楼|层|户|组|队|房间|房|铺位|铺|期|排|段|#"
_THINGS = (
    r"大厦|大楼|写字楼|办公楼|教学楼|宿舍楼|广场|中心|小区|花园|公寓|家园|花苑|嘉园|苑|园区|产业园|科技园|"
    r"工业园|园|新城|城|新村|村|屯|庄|寨|镇|乡|街道|社区|"
    r"大街|大道[东西南北中]?|公路|路(?:[东西南北中](?=[\s\d一二三四五六七八九十]))?|街|道(?!理|歉)|巷|"
    r"胡同|里(?!面)|大学|学院|中学|小学|幼儿园|学校|医院|公司|集团|银行|支行|分行|酒店|宾馆|饭店|商场|"
    r"商厦|超市|市场|工厂|厂区|厂|"
    r"研究所|派出所|法院|检察院|税务局|公安局|局|政府|馆|车站|地铁站|府|庭|墅|郡|湾|寓|公馆|天地|"
    r"塔[0-9A-Z一二三]?|SOHO|门口|对面|旁边|附近|隔壁|院内|院"
)
_PART = re.compile(
    rf"[^\s,。;!?\n{TAKEN}]{{0,16}}?(?:(?:[0-9]{{1,5}}|[一二三四五六七八九十百]{{1,4}}|"
    rf"[甲乙丙丁A-Za-z]{{1,2}}|[东西南北](?=座|楼|门|区)|之|第)(?:{_UNITS})|{_THINGS})"
    rf"(?:[（(][^()（）]{{1,20}}[)）])?"
)
_DOOR = re.compile(
    rf"[-]?[A-Za-z]?\d{{1,5}}(?:-\d{{1,5}}){{0,3}}[A-Za-z]?(?!\d)(?:室|号|户|"
    rf"房)?(?!{_UNITS})(?=[\s,。;!?()（）\n\x00]|$|[\u4e00-\u9fff])(?!\s*(?:点|分|天|个|年|月|寸|次|台|"
    rf"小时|吨))"
)
_FURTHER = re.compile(
    rf"[\s,、]{{0,2}}(?=(?:[^\s,。;!?\n{TAKEN}]{{0,8}}?(?:[0-9A-Za-z一二三四五六七八九十]{{1,5}}(?:{_UNITS}))|"
    rf"\d{{1,4}}(?:-\d{{1,4}}){{1,3}}(?:室)?(?:[\s,。;\x00]|$)|[^\s,。;!?\n{TAKEN}]{{2,10}}(?:小区|大厦|"
    rf"公司|花园|公寓|家园|广场|苑|中心|大学|学校|医院|村|镇|路|街)))"
)
# Where one of these begins, the trouble begins.
_TROUBLE = re.compile(
    r"开机|关机|开不|打不|黑屏|蓝屏|花屏|白屏|死机|重启|不亮|不通|不能|不转|不了|不上|无法|没反应|没有|"
    r"没声|故障|坏了|损坏|报修|报错|卡纸|漏|异响|噪音|风扇|"
    r"电脑|主机|笔记本|打印|显示|屏幕|键盘|鼠标|系统|硬盘|电源|一台|这台|我的|家里的|家的|公司的|单位的|"
    r"的电|买的|用户|要求|希望|联系|姓名|电话|产品|型号|故障|先生|女士|小姐|师傅|老师|经理|时间|想|需要|"
    r"有台|有一|有个|出现|提示|突然"
)
_LABEL = re.compile(
    r"^[\s,，:：.、-]*(?:(?:详细|用户|联系|家庭|单位|上门|服务)?(?:地址|"
    r"住址)[是为:：\s]*)?[\s,，:：、]*(?:[(（][^()（）]{1,6}[)）])?"
)
_LOOKS_LIKE_ONE = re.compile(
    rf"(?:^|(?<=[\s,。;:\n{TAKEN}])|(?<=地址)|(?<=住在)|(?<=住))(?=[^\s,。;!?\n{TAKEN}]{{1,14}}?(?:路|街|"
    rf"大道|巷|弄|胡同|小区|花园|公寓|家园|大厦|广场|村|镇|苑|园|城|里|"
    rf"院)[^\s,。;!?\n{TAKEN}]{{0,16}}?(?:\d|[一二三四五六七八九十])+(?:{_UNITS}))"
)


def address_after(line: Line, end: int) -> Span | None:
    """Return the span of the address that follows an area, or None when nothing there reads like one."""
    text = line.free
    start = _behind_label(text, end)
    if reached := _reach(text, start):
        return start, reached
    stop = re.search(rf"[\s,。;!?\n{TAKEN}]", text[start:])
    last = start + stop.start() if stop else len(text)
    trouble = _TROUBLE.search(text, start, last)
    if trouble or last - start < 2 or last - start > 20 or text[start:last].isascii():
        return None
    return start, last


def address_anywhere(line: Line) -> Span | None:
    """Return the span of an address that stands apart from the area: a street with a number."""
    text = line.free
    for match in _LOOKS_LIKE_ONE.finditer(text):
        start = _behind_label(text, match.start())
        if reached := _reach(text, start):
            return start, reached
    return None


def _behind_label(text: str, start: int) -> int:
    label = _LABEL.match(text[start:])
    return start + label.end() if label else start


def _reach(text: str, start: int) -> int:
    """Return where the address that begins at `start` ends; 0 when none begins there."""
    reached, position = 0, start
    while match := _PART.match(text, position):
        if _TROUBLE.search(match[0]):
            break
        reached = position = match.end()
        if door := _DOOR.match(text, position):
            reached = position = door.end()
        if further := _FURTHER.match(text, position):
            position = further.end()
            if door := re.compile(r"\d{1,4}(?:-\d{1,4}){1,3}(?:室)?").match(text, position):
                reached = position = door.end()
    return reached
