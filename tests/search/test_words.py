"""What an order is found by, and what is understood of what people type. No database."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mendline.search.pinyin import AS_FAMILY_NAME, initials_of, reading_of, spelled
from mendline.search.words import LONGEST, Source, Wanted, keys_of, plain, understand

ORDER = Source(
    ref="WX260302-7KQ2M4XWA",
    customer_name="王先生",
    phone="+8613812345678",
    serial_no="PF0A-12bc",
    area="110108",
    address="上地信息路2号院3号楼1202室SOHO现代城",
    region="north",
    station_no="000001",
)


def fits(order: Source, wanted: Wanted) -> bool:
    """As the database compares, without the second look at the order itself."""
    keys = set(keys_of(order))
    return (
        not wanted.is_empty
        and set(wanted.all_of) <= keys
        and all(keys & set(term.keys) for term in wanted.each_of)
    )  # fmt: skip


@pytest.mark.parametrize(
    "typed",
    [
        "上地", "信息路", "信息路2号", "上地 3号楼", "海淀", "北京市海淀区",
        "王先生", "王", "先生", "王 上地", "1202", "soho", "ＳＯＨＯ",
        "wx", "wxs", "WXS", "wang", "wangx", "wangxiansheng", "5678", "45678", "1234 5678", "138-1234-5678",
        "13812345678", "+86 138 1234 5678", "8613812345678", "PF0A", "pf0a-12", "PF0A12BC", "M4XWA", "7KQ2M4XWA",
        "7kq2m4xwa", "王先生 5678", "上地，王先生", "“上地”", "\u200f上地\u200e", "　上地　", "王先生😀",
    ],
)  # fmt: skip
def test_an_order_is_found_by(typed: str) -> None:
    assert fits(ORDER, understand(typed))


@pytest.mark.parametrize(
    "typed",
    [
        "地上", "路信", "朝阳", "李先生", "李", "上海", "wsx", "lxs", "1234", "9999", "99999999999", "王先生 朝阳",
        "上地 9999", "PF1A", "WWWWW",
    ],
)  # fmt: skip
def test_an_order_is_not_found_by(typed: str) -> None:
    assert not fits(ORDER, understand(typed))


@pytest.mark.parametrize(
    "typed", ["", "   ", "😀🎉", "%", "_", "'", '"; --', "a", "7", "鑿", "\x00", "\u200f\u202e", "，。！"]
)
def test_what_cannot_be_looked_for_asks_nothing_or_a_name(typed: str) -> None:
    wanted = understand(typed)

    assert wanted.is_empty or typed == "鑿"  # one Chinese character is the first of a name


def test_a_long_text_is_cut_and_says_so() -> None:
    wanted = understand("上地信息路" * 2000)

    assert wanted.cut and len(wanted.text) == LONGEST
    assert understand("一 二三 四五 六七 八九 十一 十二三").cut
    assert not understand("上地 王先生").cut


def test_a_term_too_short_to_look_for_is_named() -> None:
    assert understand("上地 a").too_short == ("a",)


def test_a_family_name_is_found_by_either_reading() -> None:
    order = Source("WX260302-7KQ2M4XWA", "曾小贤", "+8613812345678", "", "", "", "north", "")

    assert fits(order, understand("zxx")) and fits(order, understand("cxx"))
    assert fits(order, understand("zengxiaoxian")) and fits(order, understand("cengxiao"))
    assert all(other != reading_of(name) for name, other in AS_FAMILY_NAME.items())


def test_names_are_read_as_people_read_them() -> None:
    names = {
        "王伟": "wangwei", "李娜": "lina", "张秀英": "zhangxiuying", "欧阳修": "ouyangxiu", "吕布": "lvbu",
        "闫鑫淼": "yanxinmiao", "诸葛亮": "zhugeliang", "夏璐": "xialu", "黄梓涵": "huangzihan", "赵一诺": "zhaoyinuo",
    }  # fmt: skip

    assert {name: spelled(name) for name in names} == names
    assert initials_of("CC座席受理报修") == "cczxslbx"


def test_a_landline_is_found_by_its_end_and_with_its_area_code() -> None:
    order = Source("WX260302-7KQ2M4XWA", "王先生", "+861062345678;ext=12", "", "", "", "north", "")

    for typed in ("62345678", "010-62345678", "(010) 6234 5678", "5678"):
        assert fits(order, understand(typed)), typed


def test_nothing_that_is_kept_can_be_read() -> None:
    assert all(isinstance(key, int) and -(2**31) <= key < 2**31 for key in keys_of(ORDER))


@given(st.text(max_size=200))
def test_anything_can_be_typed(text: str) -> None:
    wanted = understand(text)

    assert all(-(2**31) <= key < 2**31 for key in (*wanted.all_of, *(k for term in wanted.each_of for k in term.keys)))
    assert not any(unicodedata.category(c) in ("Cf", "Cc") for c in wanted.text)


@given(st.text(alphabet="上地信息路0123abXY 号", min_size=2, max_size=30))
def test_every_piece_of_an_address_of_two_characters_finds_it(address: str) -> None:
    order = Source("WX260302-7KQ2M4XWA", "王先生", "+8613812345678", "", "", address, "north", "")
    for first, second in zip(plain(address), plain(address)[1:], strict=False):
        if " " not in (first, second) and not (first.isascii() and second.isascii()):
            assert fits(order, understand(first + second))
