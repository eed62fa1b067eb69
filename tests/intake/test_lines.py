"""How well pasted lines are read, over lines written by hand; `pytest -s` prints the figures."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.intake.corpus import Quality, expected_lines, quality_of

ROOT = Path(__file__).parents[2]
FILES = ("lines.tsv", "held_out.tsv")


@pytest.fixture(scope="module")
def quality() -> Quality:
    measured = quality_of(*FILES)
    print(f"\n{measured}")  # noqa: T201  # the published figures come from here
    return measured


def test_there_are_enough_lines_and_none_twice() -> None:
    lines = [expected.line for expected in expected_lines(*FILES)]

    assert len(lines) >= 220
    assert len(set(lines)) == len(lines)


def test_a_telephone_number_is_read_right_in_99_of_100_lines(quality: Quality) -> None:
    assert quality.share("phone") >= 99, "\n".join(quality.wrong["phone"])


def test_an_area_is_read_right_or_asked_for_in_95_of_100_lines(quality: Quality) -> None:
    assert quality.share("area") >= 95, "\n".join(quality.wrong["area"])


def test_no_area_is_ever_silently_wrong(quality: Quality) -> None:
    assert not quality.silently_wrong, "\n".join(quality.silently_wrong)


def test_a_wished_time_is_read_right_in_90_of_100_lines(quality: Quality) -> None:
    assert quality.share("window") >= 90, "\n".join(quality.wrong["window"])


@pytest.mark.parametrize("part", ["name", "address", "product", "fault"])
def test_the_other_parts_are_read_right_in_90_of_100_lines(quality: Quality, part: str) -> None:
    assert quality.share(part) >= 90, "\n".join(quality.wrong[part])


def test_the_page_publishes_what_was_measured(quality: Quality) -> None:
    page = (ROOT / "docs" / "en" / "reference" / "intake.md").read_text(encoding="utf-8")

    missing = [part for part in quality.wrong if f"| {part} | {quality.share(part):.1f} % |" not in page]
    assert not missing, f"docs/en/reference/intake.md gives other figures than: {quality}"
