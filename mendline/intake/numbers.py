"""Numbers as people say them: 3, 三, 十二, 二十五, 两."""

from __future__ import annotations

_DIGITS = {sign: value for value, sign in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
NUMBER = r"(?:\d{1,2}|[一二两三四五六七八九]?十[一二三四五六七八九]?|[零〇一二两三四五六七八九])"


def number_of(said: str) -> int:
    """Return a number below 100.

    >>> [number_of(said) for said in ("7", "十", "十二", "三十", "二十五", "两")]
    [7, 10, 12, 30, 25, 2]
    """
    if said.isdigit():
        return int(said)
    if "十" not in said:
        return _DIGITS[said]
    tens, ones = said.split("十")
    return (_DIGITS[tens] if tens else 1) * 10 + (_DIGITS[ones] if ones else 0)
