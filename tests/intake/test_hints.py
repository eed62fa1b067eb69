"""The hints beside the form: in both languages, and for the words people use."""

from __future__ import annotations

import pytest

from mendline.intake.hints import hints, hints_for


def test_every_hint_speaks_both_languages_and_asks_something() -> None:
    for hint in hints():
        texts = (hint.title, *hint.ask, *hint.to_try)
        assert hint.ask and hint.words, hint.code
        assert all(text.zh and text.en and text.en.isascii() for text in texts), hint.code


def test_no_hint_stands_twice() -> None:
    codes = [hint.code for hint in hints()]

    assert len(codes) == len(set(codes))


@pytest.mark.parametrize(
    ("fault", "first"),
    [
        ("开机黑屏，风扇不转", "no_picture"), ("打印机卡纸", "paper"), ("进水后键盘失灵", "water"), ("有焦味", "burnt"),
        ("电池鼓包", "burnt"), ("开不了机", "no_power"), ("连不上wifi", "network"),
    ],
)  # fmt: skip
def test_the_words_of_the_fault_bring_the_hint(fault: str, first: str) -> None:
    assert first in [hint.code for hint in hints_for(fault)]


def test_a_fault_nobody_wrote_a_hint_for_brings_none() -> None:
    assert hints_for("门禁主机需要移位") == []
