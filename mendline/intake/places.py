"""Where: the area that a line names, never guessed between two.

朝阳区 is in Beijing and in Changchun: without its city it stays open and both are offered. A name
without its kind (和平, 新华) is an area only where nothing else is likely: most streets are called so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mendline.intake.line import TAKEN, Line, Span
from mendline.intake.place_names import Naming, PlaceNames

# What follows a name that is a street, a school or a river and no district: 和平路, 南开大学, 朝阳门.
_A_STREET = re.compile(
    r"[东西南北中新老]?(?:路|街|道|大道|大街|巷|弄|里|胡同|桥|门|寺|站|口)|村|镇|乡|屯|店|庄|坊|湾|港|江|"
    r"河|湖|海|山|岛|岭|书店"
    r"|[一二三四五六七八九十东西南北中]{1,2}(?:路|街|道|巷|里)|大学|学院|中学|小学|医院|火车|机场|广场|"
    r"大厦|酒店|宾馆|银行|公园|花园|小区|公寓|家园|新村|商|牌|人|"
    r"集团|公司|电脑|联想|打印|型|款|系列"
)
_BETWEEN = re.compile(r"[\s,，/·>\-]*(?:的)?")
_BEFORE_A_PLACE = " ,，。;；、:：!?()（）/\n" + TAKEN + "在住是于到从自址家位"
_WRONG_KIND = "区县市旗"


@dataclass(frozen=True, slots=True)
class PlaceFound:
    """`code` is the area, or empty; then `candidates` are to be chosen from. `end`: where the address goes on."""

    code: str
    candidates: tuple[str, ...]
    span: Span

    @property
    def is_open(self) -> bool:
        return not self.code


@dataclass(frozen=True, slots=True)
class _Chain:
    """Names read one below the other: 北京市 海淀区."""

    codes: tuple[str, ...]
    start: int
    end: int
    official: bool


def find_place(line: Line, names: PlaceNames) -> PlaceFound | None:
    """Return the area that the line names and where; None when it names none."""
    text = line.free
    chains = _chains(text, names)
    if not chains:
        return None
    counties = [chain for chain in chains if any(len(code) == 6 for code in chain.codes)]
    best = max(counties or chains, key=lambda chain: (chain.end - chain.start, chain.start))
    above = [chain for chain in chains if chain not in counties and _stands_alone(text, chain)]
    codes = best.codes
    if len(codes) > 1 and above:  # the city stands elsewhere in the line, by itself
        narrowed = tuple(code for code in codes if any(code.startswith(up) for other in above for up in other.codes))
        codes = narrowed or codes
    if len(codes) == 1 and any(_denies(text, other, best, codes[0]) for other in chains if other not in counties):
        return PlaceFound("", codes, (best.start, best.end))
    others = {code for chain in counties if chain is not best and chain.official for code in chain.codes}
    if others - set(codes):
        codes = tuple(dict.fromkeys([*codes, *sorted(others)]))
    return _settled(best, codes, names)


def _denies(text: str, upper: _Chain, best: _Chain, code: str) -> bool:
    """北京市浦东新区: the district exists, but not there; somebody has to say which of both is meant."""
    if any(code.startswith(up) for up in upper.codes):
        return False
    beside = upper.end <= best.start and not _BETWEEN.sub("", text[upper.end : best.start])
    return beside or upper.official or _stands_alone(text, upper)


def _settled(chain: _Chain, codes: tuple[str, ...], names: PlaceNames) -> PlaceFound:
    span = (chain.start, chain.end)
    if len(codes) > 1:
        return PlaceFound("", tuple(sorted(codes, key=lambda code: (-len(code), code))), span)
    code = names.whole(codes[0])
    if len(code) == 6:
        return PlaceFound(code, (), span)
    return PlaceFound("", tuple(names.parts(code)), span)


def _chains(text: str, names: PlaceNames) -> list[_Chain]:
    found: list[_Chain] = []
    position = 0
    while position < len(text):
        chain = _chain_at(text, position, names) if "\u4e00" <= text[position] <= "\u9fff" else None
        if chain is None:
            position += 1
        else:
            found.append(chain)
            position = chain.end
    return found


def _chain_at(text: str, start: int, names: PlaceNames) -> _Chain | None:
    readings = _readings(text, start, "", names, top=True)
    if not readings:
        return None
    end = max(reading[0] for reading in readings)
    codes = sorted({code for reached, code, _ in readings if reached == end}, key=lambda code: (len(code), code))
    official = any(sure for reached, _, sure in readings if reached == end)
    if official:  # 朝阳市 by its full name is not one of the districts called so for short
        sure_codes = {code for reached, code, sure in readings if reached == end and sure}
        codes = [code for code in codes if code in sure_codes]
    # A province and its only city may carry one name (北京市): the longer one says no more.
    codes = (
        [code for code in codes if not any(code != up and code.startswith(up) for up in codes)] if official else codes
    )
    return _Chain(tuple(codes), start, end, official)


def _readings(text: str, start: int, above: str, names: PlaceNames, *, top: bool) -> list[tuple[int, str, bool]]:
    """Return (end, code, official) for every way to read names from `start` on, below `above`."""
    found: list[tuple[int, str, bool]] = []
    for length in range(min(names.longest, len(text) - start), 1, -1):
        word = text[start : start + length]
        for naming, end in _namings(text, start, word, names, above):
            if not naming.code.startswith(above) or naming.code == above or (top and naming.only_below):
                continue
            deeper = _readings(text, _end_of(_BETWEEN, text, end), naming.code, names, top=False)
            if deeper and (naming.official or not top or _bordered(text, start)):
                found += deeper
            elif _is_meant(text, start, end, naming, top=top):
                found.append((end, naming.code, naming.official))
    return found


def _namings(text: str, start: int, word: str, names: PlaceNames, above: str) -> list[tuple[Naming, int]]:
    """The areas called so, and those called so with a kind they no longer have (萧山市, 大兴县)."""
    end = start + len(word)
    found = [(naming, end) for naming in names.by_name.get(word, ())]
    if found and text[end : end + 1] and text[end] in _WRONG_KIND and text[start : end + 1] not in names.by_name:
        former = [n for n, _ in found if len(n.code) == 6 and not n.official and n.code.startswith(above)]
        return [(Naming(naming.code, official=True), end + 1) for naming in former] or found
    return found


def _is_meant(text: str, start: int, end: int, naming: Naming, *, top: bool) -> bool:
    """Whether a name stands for the area itself, and not for a street or a shop called after it."""
    if naming.official:
        return end - start > 2 or not top or _bordered(text, start)
    return not _street_follows(text, end) and (not top or _bordered(text, start))


def _bordered(text: str, start: int) -> bool:
    return start == 0 or text[start - 1] in _BEFORE_A_PLACE


def _street_follows(text: str, end: int) -> bool:
    return bool(_A_STREET.match(text, end))


def _stands_alone(text: str, chain: _Chain) -> bool:
    before, after = text[chain.start - 1 : chain.start], text[chain.end : chain.end + 1]
    separators = f" ,，。;；、:：()（）\n{TAKEN}"
    return (not before or before in separators) and (not after or after in separators)


def _end_of(pattern: re.Pattern[str], text: str, start: int) -> int:
    match = pattern.match(text, start)
    return match.end() if match else start
