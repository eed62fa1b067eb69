"""Whatever is pasted, it is read without harm, and nothing that was written is dropped in silence."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mendline.intake.line import LONGEST
from mendline.intake.reading import Reading, read
from tests.intake.corpus import DIRECTORY, NOW

WORDS = (
    "13812345678", "王先生", "北京市", "海淀区", "朝阳区",
    "上地信息路2号", "扬天M4000q", "开机黑屏", "明天下午三点以后",
    "在家", "2月30日", "31号", "周八", "25点", "，", " ", "。", "\n", "：", "１２", "+86", "不在",
    "0分钟内", "晚上12点以后", "昨天",
    "每", "三四十点", "下下下周一",
)  # fmt: skip


def reading_of(text: str) -> Reading:
    return read(text, now=NOW, products=DIRECTORY)


@given(st.lists(st.sampled_from(WORDS), max_size=14).map("".join) | st.text(max_size=60))
@settings(max_examples=300, deadline=None)
def test_any_text_is_read(text: str) -> None:
    found = reading_of(text)

    assert found.window is None or found.window.since >= NOW
    assert found.window is None or found.window.until is None or found.window.until > found.window.since
    assert found.area is None or not (found.area.code and found.area.candidates)


@pytest.mark.parametrize(
    "sign", ["一", "1", "路", "的", "北", "号", "周", " ", "138", "明天", "北京", "王", "\u202e", "<b>", "0-"]
)
def test_a_long_line_of_one_sign_ends(sign: str) -> None:
    found = reading_of(sign * 10_000)

    assert len(found.fault) <= LONGEST


def test_marks_that_turn_the_writing_round_are_dropped() -> None:
    found = reading_of("1381234\u200b5678 \u202e王先生\u202c 打印机卡纸")

    assert "\u202e" not in found.name + found.fault


@pytest.mark.parametrize("text", ["", " ", "，，，", "\n\n"])
def test_nothing_is_read_as_nothing(text: str) -> None:
    assert reading_of(text) == Reading()


def test_words_that_fit_nowhere_stay_with_the_fault() -> None:
    found = reading_of("13812345678 王先生 海淀区上地信息路2号 门禁密码是9527 楼下有狗 打印机卡纸")

    assert "门禁密码是9527" in found.fault and "楼下有狗" in found.fault
