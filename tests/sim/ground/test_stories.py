"""A story goes on whatever becomes of an answer: an order that nobody sees to would be found open at the end."""

from __future__ import annotations

from random import Random
from types import SimpleNamespace
from typing import Any, cast

import pytest

from mendline.sim.ground.offices import Offices
from mendline.sim.ground.oracle.plain import Answer
from mendline.sim.ground.run import START
from mendline.sim.ground.situations import Seen


@pytest.mark.parametrize(
    ("answer", "goes_on", "seen"),
    [(Answer("ok", 200), True, 1), (Answer("unknown", 503), True, 0), (Answer("refused", 422), False, 0)],
    ids=["done", "lost", "refused"],
)
def test_an_order_that_may_be_open_again_is_looked_at_again(answer: Answer, goes_on: bool, seen: int) -> None:
    people: Any = SimpleNamespace(
        rng=lambda stream: Random(1), mood=SimpleNamespace(is_so=lambda oddity, rng: True),
        order=lambda label: SimpleNamespace(reopened=0), one_of=lambda role, label: "liufang",
        step=lambda *asked, **given: answer, stage=SimpleNamespace(seen=Seen()),
    )  # fmt: skip
    offices = Offices(people, cast(Any, None), lambda label, moment: None)

    assert offices.called_back("o11", START) is goes_on
    assert people.stage.seen.counts["reopened_by_agent"] == seen
