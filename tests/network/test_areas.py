"""Area codes and names (GB/T 2260)."""

from __future__ import annotations

import pytest

from mendline.network import areas


def test_every_area_has_its_parent_and_three_levels() -> None:
    places = areas.table().places
    assert len(places) == 3354
    assert {len(code) for code in places} == {2, 4, 6}
    assert all(code[:-2] in places for code in places if len(code) > 2)


def test_every_province_has_an_english_name() -> None:
    assert set(areas.PROVINCES_EN) == {place.code for place in areas.children()}


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("朝阳区", ["110105", "220104"]),  # two places of one name: both are offered, none is guessed
        ("北京朝阳", ["110105"]),
        ("吉林省长春市朝阳区", ["220104"]),
        ("海淀区上地信息路2号", ["110108"]),
        ("辽宁省 朝阳市", ["2113"]),
        ("北京市", ["11"]),
        ("内蒙古呼和浩特", ["1501"]),
        ("110108", ["110108"]),
        ("上地信息路2号", []),
        ("999999", []),
        ("", []),
    ],
)
def test_what_people_write_finds_the_area_or_several(text: str, codes: list[str]) -> None:
    assert [place.code for place in areas.find(text)] == codes


@pytest.mark.django_db
def test_the_areas_are_loaded_once_however_often_it_is_asked() -> None:
    assert areas.load_areas() == areas.load_areas() == 3354
