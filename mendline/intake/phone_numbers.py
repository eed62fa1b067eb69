"""Telephone numbers within a line: mobiles first, then landlines with their area code."""

from __future__ import annotations

import re

from mendline.intake.line import Line, Span
from mendline.kernel.phones import NotAPhone, parse_phone

_LABEL = (
    r"(?:(?:联系|用户|客户|来电|手机|移动|固定|座机|办公|家庭)?(?:电话|手机|手机号|号码|座机|固话|"
    r"来电)(?:号码?)?(?:是|为)?|tel|phone|mobile|[tm])?[\s:.]*"
)
_COUNTRY = r"(?:\(?(?:\+|00)\s?86\)?|86)?[\s\-]*"
_MOBILES = (
    re.compile(rf"{_LABEL}(?<![0-9])({_COUNTRY}1[3-9]\d{{9}})(?![0-9])", re.IGNORECASE),
    # Written in groups: 138 1234 5678, 138-1234-5678, 1381234 5678.
    re.compile(rf"{_LABEL}(?<![0-9])({_COUNTRY}1[3-9](?:[\s\-.]?\d){{9}})(?![0-9])", re.IGNORECASE),
)
_LANDLINE = re.compile(
    rf"{_LABEL}(?<![0-9])((?:\(?(?:\+|00)\s?86\)?[\s\-]*)?\(?0?(?:10|2\d|"
    rf"[3-9]\d{{2}})\)?[\s\-]*[2-8]\d{{2,3}}[\s\-]?\d{{4}}"
    r"(?:\s*(?:转|-|ext\.?|#)\s*\d{1,6})?)(?![0-9])",
    re.IGNORECASE,
)
_CALLS = ("tel", "phone", "mobile", "t", "m", "wx", "vx")
_SPOKEN = str.maketrans("零〇一幺二两三四五六七八九", "0011223456789")
_SPOKEN_MOBILE = re.compile(
    r"(?<![零〇一幺二两三四五六七八九十]"
    r")[一幺][三四五六七八九][零〇一幺二两三四五六七八九]{9}(?![零〇一幺二两三四五六七八九十])"
)


def find_phone(line: Line) -> tuple[str, Span] | None:
    """Return the first telephone number in international form and where it stands; a mobile beats a landline."""
    text = line.free
    for pattern in _MOBILES:
        for match in pattern.finditer(text):
            digits = re.sub(r"\D", "", match[1])[-11:]
            if (phone := _parsed(digits)) and not _part_of_a_code(text, match.start(1)):
                return phone, match.span()
    for match in _LANDLINE.finditer(text):
        written = match[1]
        if _is_landline(written) and (
            phone := _parsed(re.sub(r"\s*(?:#|ext\.?|(?<=\d{7})-)\s*(?=\d{1,6}$)", "转", written))
        ):
            return phone, match.span()
    if spoken := _SPOKEN_MOBILE.search(text):
        if phone := _parsed(spoken[0].translate(_SPOKEN)):
            return phone, spoken.span()
    return None


def _is_landline(written: str) -> bool:
    """A landline shows its area code with a zero or the country's code; 10 bare digits may be anything."""
    return bool(re.match(r"\(?(?:0|\+|00)", written))


def _part_of_a_code(text: str, start: int) -> bool:
    """A serial number may hold eleven digits: SN13812345678 is none to call."""
    before = re.search(r"[A-Za-z]+$", text[:start])
    return before is not None and before[0].lower() not in _CALLS


def _parsed(written: str) -> str:
    try:
        return parse_phone(written)
    except NotAPhone:
        return ""
