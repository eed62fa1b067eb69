"""An area is named, or asked for; never guessed between two."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mendline.intake.line import Line
from mendline.intake.place_names import place_names
from mendline.intake.places import PlaceFound, find_place
from mendline.network import areas

PLACES = areas.table().places


def found(text: str) -> PlaceFound | None:
    return find_place(Line(text), place_names())


def ways_to_write() -> Iterator[tuple[str, str]]:
    """Every county of the table as people write it, with its code."""
    for code, place in PLACES.items():
        if len(code) == 6:
            province, city = PLACES[code[:2]], PLACES[code[:4]]
            city_name = "" if city.full_name == province.full_name else city.name
            for above in {province.name + city_name, city_name, province.name, "", province.name[:2] + city_name[:-1]}:
                yield f"{above}{place.name}人民路1号", code


def test_no_county_of_the_table_is_ever_taken_for_another() -> None:
    wrong = []
    for written, code in ways_to_write():
        place = found(written)
        if place is not None and place.code not in ("", code):
            wrong.append(f"{written}: {areas.name_of(place.code)}")

    assert not wrong, wrong[:20]


def test_the_full_name_of_every_county_is_understood() -> None:
    unread = []
    for code, place in PLACES.items():
        if len(code) == 6 and PLACES[code[:4]].full_name != PLACES[code[:2]].full_name:
            read = found(f"{place.full_name}人民路1号")
            if read is None or read.code != code:
                unread.append(place.full_name)

    assert not unread, unread[:20]


@pytest.mark.parametrize("name", ["朝阳区", "鼓楼区", "城关区", "市中区", "通州区", "普陀区", "西湖区", "白云区"])
def test_a_district_of_several_cities_is_asked_for_with_all_of_them(name: str) -> None:
    place = found(f"{name}中山路1号")
    called_so = {code for code, other in PLACES.items() if other.name == name and len(code) == 6}

    assert place is not None and place.code == ""
    assert called_so <= set(place.candidates)


@pytest.mark.parametrize(
    "text",
    [
        "北京东路668号", "中山路88号", "和平路15号", "新华书店对面", "南京西路100号", "朝阳大街3号", "西湖银泰3楼",
        "江苏大厦12层", "重庆火锅店", "联想北京大厦", "河南路5号", "天津街2号",
    ],
)  # fmt: skip
def test_a_street_named_after_a_place_is_no_area(text: str) -> None:
    place = found(text)

    assert place is None or place.code == ""


def test_a_city_alone_asks_for_its_district() -> None:
    place = found("长沙市五一大道235号")

    assert place is not None and place.code == ""
    assert place.candidates[0] == "430102" and all(code.startswith("4301") for code in place.candidates)


def test_a_municipality_asks_for_its_districts_and_not_for_its_only_city() -> None:
    place = found("上海市南京西路1266号")

    assert place is not None and "310115" in place.candidates and "3101" not in place.candidates


def test_a_city_without_districts_is_complete() -> None:
    place = found("东莞市长安镇德政中路218号")

    assert place is not None and place.code == "441900"


@pytest.mark.parametrize("text", ["大连开发区金马路100号", "北京朝阳路88号", "天津南开大学西区"])
def test_a_city_with_a_part_that_is_no_district_is_asked_for(text: str) -> None:
    place = found(text)

    assert place is not None and place.code == "" and place.candidates


@pytest.mark.parametrize("text", ["北京市浦东新区世纪大道8号", "上海市朝阳区建国路1号", "人在上海市 家在广州市天河区"])
def test_a_district_that_is_not_in_the_city_said_is_asked_for(text: str) -> None:
    place = found(text)

    assert place is not None and place.code == "" and place.candidates


def test_a_city_said_elsewhere_in_the_line_decides_between_two() -> None:
    place = found("北京，朝阳区酒仙桥路10号")

    assert place is not None and place.code == "110105"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("萧山市市心中路298号", "330109"), ("密云县鼓楼东大街3号", "110118"), ("闸北区共和新路2000号", "310106"),
        ("宣武区广安门内大街", "110102"), ("恩施州恩施市舞阳大道", "422801"), ("郑州高新区科学大道100号", "410172"),
        ("苏州工业园区星湖街328号", "320576"), ("浦东张江路88号", "310115"),
    ],
)  # fmt: skip
def test_former_short_and_common_names_are_understood(text: str, code: str) -> None:
    place = found(text)

    assert place is not None and place.code == code


def test_a_district_that_was_divided_is_asked_for() -> None:
    place = found("杭州江干区钱江路1366号")

    assert place is not None and place.code == "" and set(place.candidates) == {"330102", "330114"}
