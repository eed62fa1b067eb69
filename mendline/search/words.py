"""What an order can be found by, and what somebody who types means by it. Pure.

Two-character Chinese words are what people type, so texts are kept as their pairs of neighbouring
characters: 上地信息路 becomes 上地, 地信, 信息, 息路. Beside these stand the beginnings of words
in letters (pinyin, initials, English), the last four and six digits of the telephone number, the
beginning of the serial number and the last four signs of the order's number.

Each becomes a number of 32 bits. That keeps the index small and nobody's name in clear; two
words with the same number would at worst show an order too many.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from zlib import crc32

from mendline.network import areas
from mendline.search.pinyin import readings_of_name

VERSION = 1  # raised when `keys_of` changes, so that what was kept is made anew
LONGEST = 80  # characters that are looked at
MOST_TERMS = 6
LETTERS = 10  # longer beginnings of words in letters are not told apart
PHONE_TAILS = (4, 6)
SERIAL_HEADS = (4, 6, 8)
REF_TAIL = 4
_ASCII_RUN = re.compile(r"[a-z0-9]+")
_NUMBER_IN_PIECES = re.compile(r"[+(]?[0-9][0-9()+\-. ]{2,}")
_KEPT_APART = "-"  # inside a term, as in WX260302-7KQ2M4XWA


@dataclass(frozen=True, slots=True)
class Source:
    """What of an order people search by. `phone` is in international form."""

    ref: str
    customer_name: str
    phone: str
    serial_no: str
    area: str
    address: str
    region: str
    station_no: str


@dataclass(frozen=True, slots=True)
class Alternatives:
    """One term that may mean several things; an order that fits one of them fits.

    A key of `exact` is enough by itself. One of `near` only says that the order may fit: it is found through the
    last four digits, say, and then all the digits are compared with the order itself.
    """

    exact: tuple[int, ...] = ()
    near: tuple[int, ...] = ()
    phone_ends: str = ""
    ref_ends: str = ""
    serial_begins: str = ""

    @property
    def keys(self) -> tuple[int, ...]:
        return (*self.exact, *self.near)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was typed, understood. An order has all keys of `all_of` and fits each of `each_of`."""

    text: str  # as it was understood: full-width signs and invisible characters are gone
    all_of: tuple[int, ...] = ()
    each_of: tuple[Alternatives, ...] = ()
    too_short: tuple[str, ...] = field(default=())  # terms that cannot be looked for
    cut: bool = False  # more was typed than is looked at

    @property
    def is_empty(self) -> bool:
        return not self.all_of and not self.each_of


def key(kind: str, word: str) -> int:
    """Return the number of a word, from -2³¹ to 2³¹-1. `kind` keeps a serial number apart from a telephone number."""
    number = crc32(f"{kind}{word}".encode())
    return number - (1 << 32) if number >= 1 << 31 else number


def key_of_station(number: str) -> int:
    return key("station ", number)


def key_of_region(code: str) -> int:
    return key("region ", code)


def plain(text: str) -> str:
    """Return text as it is compared: one width, one case, no invisible characters, a blank for every other sign.

    >>> plain("　１３８　王先生‏😀，Ｂ座")
    '138 王先生 b座'
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    shown = (c for c in folded if unicodedata.category(c) not in ("Cf", "Mn"))
    return " ".join("".join(c if c.isalnum() or c == _KEPT_APART else " " for c in shown).split())


# --- what is kept of an order -----------------------------------------------------------------------------------


def keys_of(order: Source) -> list[int]:
    """Return the keys of everything the order can be found by, sorted, each once."""
    found = {*_keys_of_name(order.customer_name), *_keys_of_area(order.area), *_keys_of_text(plain(order.address))}
    digits = order.phone.partition(";")[0]
    found.update(key("phone ", digits[-length:]) for length in PHONE_TAILS if len(digits) > length)
    serial = _serial(order.serial_no)
    found.update(key("serial ", serial[:length]) for length in SERIAL_HEADS if len(serial) >= length)
    found.add(key("ref ", order.ref[-REF_TAIL:].lower()))
    found.add(key_of_region(order.region))
    if order.station_no:
        found.add(key_of_station(order.station_no))
    return sorted(found)


@lru_cache(maxsize=8192)
def _keys_of_name(name: str) -> frozenset[int]:
    written = plain(name)
    found = set(_keys_of_text(written))
    if written:
        found.add(key("first ", written[0]))
    for syllables in readings_of_name(written):
        for spelling in ("".join(syllables), "".join(syllable[0] for syllable in syllables)):
            found.update(_beginnings(spelling))
    return frozenset(found)


@lru_cache(maxsize=4096)
def _keys_of_area(code: str) -> frozenset[int]:
    return frozenset(_keys_of_text(plain(areas.name_of(code)))) if code else frozenset()


def _keys_of_text(text: str) -> Iterator[int]:
    yield from (key("", pair) for pair in _pairs(text))
    for run in _ASCII_RUN.findall(text):
        yield from _beginnings(run)


def _pairs(text: str) -> Iterator[str]:
    """Yield neighbours of which one at least is no ASCII; digits and letters among themselves are words."""
    for first, second in zip(text, text[1:], strict=False):
        if " " not in (first, second) and not (first.isascii() and second.isascii()):
            yield first + second


def _beginnings(word: str) -> Iterator[int]:
    for length in range(2, min(len(word), LETTERS) + 1):
        yield key("", word[:length])


def _serial(written: str) -> str:
    return "".join(c for c in plain(written) if c.isalnum())


# --- what was typed ---------------------------------------------------------------------------------------------


def understand(text: str) -> Wanted:
    """Return what somebody looks for who types `text`. Anything can be typed; nothing raises."""
    cut = len(text) > LONGEST
    shown = plain(text[:LONGEST])
    number = _NUMBER_IN_PIECES.fullmatch(unicodedata.normalize("NFKC", text[:LONGEST]).strip())
    terms = ["".join(c for c in shown if c.isdigit())] if number else shown.split()
    all_of: list[int] = []
    each_of: list[Alternatives] = []
    too_short: list[str] = []
    for term in terms[:MOST_TERMS]:
        bare = term.replace(_KEPT_APART, "")
        if not bare.isascii():
            found = _chinese(term.replace(_KEPT_APART, " "))
            all_of += found
            too_short += [] if found else [term]
        elif len(bare) >= 2:
            each_of.append(_letters_or_digits(bare))
        elif bare:
            too_short.append(term)
    return Wanted(shown, tuple(dict.fromkeys(all_of)), tuple(each_of), tuple(too_short), cut or len(terms) > MOST_TERMS)


def _chinese(term: str) -> list[int]:
    if len(term) == 1:  # 王: everybody of that name
        return [key("first ", term)]
    runs = [key("", run[:LETTERS]) for run in _ASCII_RUN.findall(term) if len(run) >= 2]
    return [*(key("", pair) for pair in _pairs(term)), *runs]


def _letters_or_digits(term: str) -> Alternatives:
    """A term in ASCII: a word, pinyin, the end of a telephone number or of an order's number, a serial number."""
    near: list[int] = []
    phone_ends = ref_ends = serial_begins = ""
    if len(term) >= PHONE_TAILS[0] and term.isdigit():
        phone_ends = term.lstrip("0") if len(term) > 9 else term  # 010-6234…: the area code's 0 is not kept
        length = max((n for n in PHONE_TAILS if n <= len(phone_ends)), default=0)
        if length:
            near.append(key("phone ", phone_ends[-length:]))
    if len(term) >= REF_TAIL:
        ref_ends = term.upper()
        near.append(key("ref ", term[-REF_TAIL:]))
    if len(term) >= SERIAL_HEADS[0]:
        serial_begins = term
        near.append(key("serial ", term[: max(n for n in SERIAL_HEADS if n <= len(term))]))
    return Alternatives((key("", term[:LETTERS]),), tuple(near), phone_ends, ref_ends, serial_begins)
