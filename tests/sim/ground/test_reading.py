"""What the simulated world reads out of an answer, however it is written there."""

from __future__ import annotations

import pytest

from mendline.sim.ground.door import Reply
from mendline.sim.ground.reading import Numbers, understood


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("13800000001", 1),
        ("+8613800000001", 1),
        ("8613800000001", 1),
        ("+86 13800000001", 1),
        ("138****0001", 0),
        ("+86138****0001", 0),
        ("WX260302-13800000001", 1),
        ("1380000000100", 0),
    ],
)
def test_i14_a_whole_telephone_number_is_seen_in_whatever_spelling_it_is_kept(written: str, found: int) -> None:
    body = f'{{"customer": {{"phone": "{written}"}}}}'.encode()

    assert len(understood(Reply(200, body), Numbers()).phones) == found
