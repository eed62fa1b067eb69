"""The region's cancellation remark: 大区名//维修站编号//原因//具体情况//撤单人 (CAN-26 to CAN-29). Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from mendline.kernel.text import Text
from mendline.kernel.time import Unreadable

SEPARATOR = "//"
SLASH, WIDE_SLASH, ESCAPE = "/", "／", "\\"
PARTS = Text("大区名、维修站编号、原因、具体情况、撤单人", "region, station number, reason, detail, canceller")
# CAN-27; a process may know further ones.
REASONS = {
    "区域错": "wrong_area",
    "产能错": "capacity_error",
    "信息不全": "incomplete_info",
    "已正常": "already_normal",
    "特殊要求": "special_request",
}

_STATION_NO = re.compile(r"[0-9A-Za-z\-]{0,12}", re.ASCII)  # none: cancelled before it reached a station
_ESCAPED = re.compile(r"\\([\\／])|／")
_AT_AN_EDGE = re.compile(r"^/|/$|/(?=/)|(?<=/)/")


@dataclass(frozen=True, slots=True)
class Remark:
    """A remark taken apart. `reason` is a code; `station_no` is text and keeps its zeros (CAN-29)."""

    region: str
    station_no: str
    reason: str
    detail: str
    canceller: str


def write_remark(remark: Remark, reasons: Mapping[str, str] = REASONS) -> str:
    """Return the remark as text, always with five parts in their order (CAN-26, CAN-28).

    `reasons` maps each label to its code. A part can hold anything and still read back the same:
    a slash that could be taken for a separator (beside another one, or at the edge of its part) is
    written full-width ／, which people read alike; a ／ of the part itself is written \\／ and a
    backslash doubled. A single slash within a part stays as it is.

    >>> write_remark(Remark("华北区", "000001", "capacity_error", "已超出服务产能", "李"))
    '华北区//000001//产能错//已超出服务产能//李'
    >>> write_remark(Remark("华北区", "000001", "wrong_area", "见 a//b，3/4 层", "李"))
    '华北区//000001//区域错//见 a／／b，3/4 层//李'

    Raises:
        KeyError: the reason has no label.
    """
    labels = {code: label for label, code in reasons.items()}
    parts = (remark.region, remark.station_no, labels[remark.reason], remark.detail, remark.canceller)
    return SEPARATOR.join(_escaped(part) for part in parts)


def read_remark(text: str, *, acting: str, reasons: Mapping[str, str] = REASONS) -> Remark:
    """Take a remark apart. Four parts are read as well; the canceller is then `acting`, who brings the file (CAN-28).

    Blanks around a part are dropped. A backslash before anything but ／ or a backslash is itself.

    >>> read_remark("华北区//000001//产能错//维修站来电说明已超出服务产能", acting="李").station_no
    '000001'

    Raises:
        Unreadable: too few or too many parts, no such reason, or no station number.
    """
    parts = [_unescaped(part.strip()) for part in text.split(SEPARATOR)]
    if len(parts) == 4:
        parts.append(acting)
    if len(parts) != 5:
        raise Unreadable(
            Text(
                f"备注有 {len(parts)} 段，应为五段：{PARTS.zh}，以 // 分隔",
                f"the remark has {len(parts)} parts; there should be five, separated by //: {PARTS.en}",
            )
        )
    region, station_no, label, detail, canceller = parts
    if label not in reasons:
        known = "、".join(reasons)
        raise Unreadable(
            Text(f"没有撤单原因“{label}”，请用：{known}（CAN-27）", f"no reason {label!r}; use one of {known} (CAN-27)")
        )
    if not _STATION_NO.fullmatch(station_no):
        raise Unreadable(
            Text(f"维修站编号“{station_no}”不正确，例如 000001", f"{station_no!r} is no station number, e.g. 000001")
        )
    return Remark(region, station_no, reasons[label], detail, canceller or acting)


def _escaped(part: str) -> str:
    doubled = part.replace(ESCAPE, ESCAPE * 2).replace(WIDE_SLASH, ESCAPE + WIDE_SLASH)
    return _AT_AN_EDGE.sub(WIDE_SLASH, doubled)


def _unescaped(part: str) -> str:
    return _ESCAPED.sub(lambda found: found[1] or SLASH, part)
