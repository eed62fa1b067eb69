"""How Chinese characters are read, for people who type the letters instead of the characters. Pure.

One reading a character, the usual one; where a family name is read differently from the same
character elsewhere, both count. Tones are left out, ü is written v, as people type it.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

FILE = Path(__file__).parent / "data" / "pinyin.txt"  # a line for each syllable, then its characters
AS_FAMILY_NAME = {
    "单": "shan", "曾": "zeng", "仇": "qiu", "解": "xie", "区": "ou", "查": "zha", "翟": "zhai", "朴": "piao",
    "乐": "yue", "盖": "ge", "缪": "miao", "覃": "qin", "员": "yun", "尉": "yu", "万": "mo", "种": "chong",
    "秘": "bi", "洗": "xian", "繁": "po",
}  # fmt: skip


@cache
def _table() -> dict[str, str]:
    """Return character → syllable, read once per process."""
    found: dict[str, str] = {}
    for line in FILE.read_text(encoding="utf-8").splitlines():
        syllable, characters = line.split()
        found.update(dict.fromkeys(characters, syllable))
    return found


def reading_of(character: str) -> str:
    """Return the usual syllable; the character itself where it is a letter or digit, else nothing.

    >>> reading_of("王"), reading_of("A"), reading_of("，")
    ('wang', 'a', '')
    """
    found = _table().get(character)
    if found is not None:
        return found
    return character.lower() if character.isascii() and character.isalnum() else ""


def initials_of(text: str) -> str:
    """Return the first letters, as people abbreviate.

    >>> initials_of("维修单"), initials_of("CC座席"), initials_of("撤单 请求")
    ('wxd', 'cczx', 'cdqq')
    """
    return "".join(reading_of(character)[:1] for character in text)


def spelled(text: str) -> str:
    """Return the whole reading in one piece.

    >>> spelled("王先生")
    'wangxiansheng'
    """
    return "".join(map(reading_of, text))


def readings_of_name(name: str) -> Iterable[list[str]]:
    """Yield the syllables of a person's name: the usual reading, then the one as a family name if that differs.

    >>> list(readings_of_name("单老师"))
    [['dan', 'lao', 'shi'], ['shan', 'lao', 'shi']]
    """
    usual = [syllable for syllable in map(reading_of, name) if syllable]
    if usual:
        yield usual
        other = AS_FAMILY_NAME.get(name[0])
        if other and other != usual[0]:
            yield [other, *usual[1:]]
