"""The five parts of the cancellation remark."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mendline.channels.legacy.remark import REASONS, Remark, read_remark, write_remark
from mendline.kernel.time import Unreadable

# Anything people type, and more slashes, wide slashes and backslashes than anybody would.
A_PART = st.lists(
    st.one_of(st.text(max_size=4), st.sampled_from(["/", "//", "／", "\\", "\\／", "原因"])), max_size=6
).map(lambda pieces: "".join(pieces).strip())


@given(A_PART, st.from_regex(r"[0-9]{6}", fullmatch=True), st.sampled_from(sorted(REASONS.values())), A_PART, A_PART)
def test_can_26_a_remark_reads_back_as_it_was_written(
    region: str, station_no: str, reason: str, detail: str, canceller: str
) -> None:
    remark = Remark(region, station_no, reason, detail, canceller or "李")

    written = write_remark(remark)

    assert written.count("//") == 4
    assert read_remark(written, acting="someone else") == remark


def test_can_28_the_sample_with_four_parts_takes_the_canceller_from_whoever_acts() -> None:
    remark = read_remark("华北区//000001//产能错//维修站来电说明已超出服务产能", acting="李接口")

    assert remark == Remark("华北区", "000001", "capacity_error", "维修站来电说明已超出服务产能", "李接口")
    assert write_remark(remark) == "华北区//000001//产能错//维修站来电说明已超出服务产能//李接口"


def test_can_28_an_empty_detail_still_makes_five_parts() -> None:
    written = write_remark(Remark("华北区", "000001", "already_normal", "", "李"))

    assert written == "华北区//000001//已正常////李"
    assert read_remark(written, acting="x").detail == ""


@pytest.mark.parametrize("count", [1, 2, 3, 6, 7])
def test_can_28_other_numbers_of_parts_are_refused(count: int) -> None:
    with pytest.raises(Unreadable, match=f"{count} parts"):
        read_remark("//".join(["产能错"] * count), acting="李")


@pytest.mark.parametrize(
    ("label", "code"),
    [
        ("区域错", "wrong_area"), ("产能错", "capacity_error"), ("信息不全", "incomplete_info"),
        ("已正常", "already_normal"), ("特殊要求", "special_request"),
    ],
)  # fmt: skip
def test_can_27_reasons_have_codes(label: str, code: str) -> None:
    assert read_remark(f"华北区//000001//{label}//x//李", acting="李").reason == code


def test_can_27_a_reason_must_be_known_and_more_can_be_configured() -> None:
    text = "华北区//000001//停电//x//李"
    with pytest.raises(Unreadable, match="CAN-27"):
        read_remark(text, acting="李")

    assert read_remark(text, acting="李", reasons={**REASONS, "停电": "power_cut"}).reason == "power_cut"


def test_can_29_a_station_number_keeps_its_zeros() -> None:
    assert read_remark("华北区//000100//产能错//x//李", acting="李").station_no == "000100"


@pytest.mark.parametrize("station_no", ["海淀站", "１２３", "1" * 13])
def test_can_29_what_is_no_station_number_is_refused(station_no: str) -> None:
    with pytest.raises(Unreadable, match="station number"):
        read_remark(f"华北区//{station_no}//产能错//x//李", acting="李")


def test_what_people_typed_with_blanks_and_backslashes_is_understood() -> None:
    remark = read_remark(" 华北区 // 000001 // 特殊要求 // 电源\\开关\\连线 // 李 ", acting="x")

    assert remark == Remark("华北区", "000001", "special_request", "电源\\开关\\连线", "李")
