"""Whoever asks for what is not his says what fits the step: now and then he is the one whose order it is."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random
from types import SimpleNamespace
from typing import Any, cast

from mendline.sim.ground.cast import Cast
from mendline.sim.ground.customers import Customers
from mendline.sim.ground.offices import Offices

NOW = datetime(2026, 4, 1, 2, 0, tzinfo=UTC)


def test_a_download_says_nothing_that_only_a_cancellation_takes() -> None:
    tried: list[tuple[str, dict[str, Any]]] = []

    def step(by: str, name: str, label: str, now: datetime, **given: Any) -> SimpleNamespace:
        tried.append((name, given))
        return SimpleNamespace(status=404)

    chance = Random(5)
    stage = SimpleNamespace(seen=SimpleNamespace(note=lambda situation: None))
    everybody: Any = SimpleNamespace(
        is_held=lambda label: False, order=lambda label: None, rng=lambda label: chance, step=step, stage=stage,
        look=lambda *_: SimpleNamespace(status=404), mood=SimpleNamespace(is_so=lambda name, rng: name == "snoops"),
        network=SimpleNamespace(of_role_anywhere=lambda role: ["lina"]),
    )  # fmt: skip
    offices = Offices(cast(Cast, everybody), cast(Customers, None), lambda label, now: None)

    for _ in range(60):
        offices.look("o1", NOW)

    assert {name for name, _ in tried} == {"download", "cancel"}
    assert {tuple(given) for name, given in tried if name == "download"} == {()}
    assert {tuple(given) for name, given in tried if name == "cancel"} == {("cancel_reason", "requested_by")}
