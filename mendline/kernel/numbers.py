"""Whole numbers as addresses and forms name them."""

from __future__ import annotations

MOST_DIGITS = 18  # what every column of numbers holds


def whole_number(text: str, *, most: int = 10**MOST_DIGITS - 1) -> int | None:
    """Return the number from 0 to `most` that a text is in the digits 0 to 9; None for anything else.

    `str.isdigit` lets pass what `int` refuses, `str.isdecimal` what looks like another number to its reader.

    >>> [whole_number(text) for text in ("12", "²", "٣", "-1", "", "9" * 30)]
    [12, None, None, None, None, None]
    """
    if not (text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS):
        return None
    return int(text) if int(text) <= most else None
