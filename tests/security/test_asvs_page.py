"""docs/asvs.md has every requirement of levels 1 and 2 once, and names only tests that there are."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache

from config.home import ROOT

PAGE = ROOT / "docs" / "asvs.md"
ROW = re.compile(
    r"^\| (?P<number>\d+\.\d+\.\d+) \| (?P<level>[12]) \| .* \| (?P<mark>[✓◐☞—✗]) \| (?P<ground>.+) \|$", re.M
)
# How many requirements each section of 5.0.0 has in levels 1 and 2, by their last number.
LEVEL_1 = """
    1.2:1-5 1.3:1-2 1.5:1 2.1:1 2.2:1-2 2.3:1 3.2:1-2 3.3:1 3.4:1-2 3.5:1-3 4.1:1 4.4:1 5.2:1-2 5.3:1-2 6.1:1
    6.2:1-8 6.3:1-2 6.4:1-2 7.2:1-4 7.4:1-2 8.1:1 8.2:1-2 8.3:1 9.1:1-3 9.2:1 10.4:1-5 11.3:1-2 11.4:1 12.1:1
    12.2:1-2 13.4:1 14.2:1 14.3:1 15.1:1 15.2:1 15.3:1
"""
LEVEL_2 = """
    1.1:1-2 1.2:6-9 1.3:3-11 1.4:1-3 1.5:2 2.1:2-3 2.2:3 2.3:2-4 2.4:1 3.3:2-4 3.4:3-6 3.5:4-5 3.7:1-2 4.1:2-3
    4.2:1 4.3:1-2 4.4:2-4 5.1:1 5.2:3 5.4:1-3 6.1:2-3 6.2:9-12 6.3:3-4 6.4:3-4 6.5:1-5 6.6:1-3 6.8:1-4 7.1:1-3
    7.3:1-2 7.4:3-5 7.5:1-2 7.6:1-2 8.1:2 8.2:3 8.4:1 9.2:2-4 10.1:1-2 10.2:1-2 10.3:1-4 10.4:6-11 10.5:1-5
    10.6:1-2 10.7:1-3 11.1:1-2 11.2:1-3 11.3:3 11.4:2-4 11.5:1 11.6:1 12.1:2-3 12.3:1-4 13.1:1 13.2:1-5 13.3:1-2
    13.4:2-5 14.1:1-2 14.2:2-4 14.3:2-3 15.1:2-3 15.2:2-3 15.3:2-7 16.1:1 16.2:1-5 16.3:1-4 16.4:1-3 16.5:1-3
    17.1:1 17.2:1-4 17.3:1-2
"""


@cache
def rows() -> list[re.Match[str]]:
    return list(ROW.finditer(PAGE.read_text(encoding="utf-8")))


def numbers(sections: str) -> set[str]:
    """Return the numbers in a text such as `2.1:1 2.3:2-4`."""
    found = set()
    for one in sections.split():
        section, _, span = one.partition(":")
        first, _, last = span.partition("-")
        found |= {f"{section}.{number}" for number in range(int(first), int(last or first) + 1)}
    return found


def test_every_requirement_of_levels_1_and_2_stands_on_the_page_once_with_its_level() -> None:
    expected = {**dict.fromkeys(numbers(LEVEL_2), "2"), **dict.fromkeys(numbers(LEVEL_1), "1")}

    assert (len(numbers(LEVEL_1)), len(numbers(LEVEL_2))) == (70, 183)
    assert Counter(row["number"] for row in rows()) == Counter(list(expected))
    assert {row["number"]: row["level"] for row in rows()} == expected


def test_every_test_that_the_page_names_exists_and_what_is_met_has_one() -> None:
    known = {
        name
        for folder in ("tests", "mendline")
        for path in (ROOT / folder).rglob("test_*.py")
        for name in re.findall(r"^ *def (test_\w+)\(", path.read_text(encoding="utf-8"), re.M)
    }
    named = {row["number"]: re.findall(r"`(test_\w+)`", row["ground"]) for row in rows()}

    assert {name for names in named.values() for name in names} - known == set()
    assert [row["number"] for row in rows() if row["mark"] == "✓" and not named[row["number"]]] == []
    assert [
        row["number"] for row in rows() if row["mark"] != "✓" and not re.search(r"[\u4e00-\u9fff]", row["ground"])
    ] == []


def test_the_numbers_at_the_top_are_those_of_the_rows() -> None:
    said = dict(re.findall(r"^\| ([✓◐☞—✗]) \| .* \| (\d+) \|$", PAGE.read_text(encoding="utf-8"), re.M))

    assert {mark: str(count) for mark, count in Counter(row["mark"] for row in rows()).items()} == said
