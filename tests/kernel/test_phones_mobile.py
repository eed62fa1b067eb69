"""An ordinary mobile number is read without the library, and must come out as the library has it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mendline.kernel import phones
from mendline.kernel.phones import NotAPhone, parse_phone

MOBILES = st.from_regex(r"\A1[3-9][0-9]{9}\Z").filter(str.isascii)


def read(written: str) -> str:
    try:
        return str(parse_phone.__wrapped__(written))
    except NotAPhone as problem:
        return problem.text.en


@settings(max_examples=300, deadline=None)
@given(MOBILES | MOBILES.map(lambda number: "179" + number[3:]))
def test_the_short_way_and_the_library_agree(written: str) -> None:
    short = read(written)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(phones, "_MOBILE", re.compile("(?!)"))
        assert short == read(written)
