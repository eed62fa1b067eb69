"""A history that went wrong is kept, played again, and made short without losing what was wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from mendline.sim.ground import cases
from mendline.sim.ground.cases import Case, Item
from mendline.sim.ground.oracle.plain import Call, Finding, Network
from mendline.sim.ground.replaying import replay, shrink
from mendline.sim.ground.run import START
from mendline.sim.ground.stage import Pause

FOLDER = Path(__file__).parent / "kept"


def a_call(number: int, about: str, name: str = "download", fault: str = "") -> Call:
    return Call(
        number, START + timedelta(minutes=number), "liufang", "step", name, about, {}, None, fault, f"k{number}"
    )


HISTORY: tuple[Item, ...] = (
    a_call(1, "o11"), a_call(2, "o21"), Pause(START, START + timedelta(hours=6)), a_call(3, "o11", "promise"),
    a_call(4, "o31", "cancel", "reply_lost"), a_call(5, "o21", "promise"), a_call(6, "o41"),
)  # fmt: skip


def test_a_history_reads_as_it_was_written(tmp_path: Path) -> None:
    case = Case("small", 7, "abc1234", ("state_wrong",), HISTORY)
    cases.write(tmp_path / "case.json", case)

    assert cases.read(tmp_path / "case.json") == case


def test_a_history_is_shrunk_to_what_is_needed() -> None:
    """Here the fault needs the promise on o21, whatever else happened."""

    def try_out(items: Sequence[Item]) -> list[Finding]:
        wrong = any(isinstance(item, Call) and (item.about, item.name) == ("o21", "promise") for item in items)
        return [Finding("state_wrong", "I4", "错", "wrong")] if wrong else []

    assert shrink(HISTORY, frozenset(("state_wrong",)), try_out, 200) == (HISTORY[5],)


def test_a_fault_on_the_way_is_left_out_where_it_does_not_matter() -> None:
    def try_out(items: Sequence[Item]) -> list[Finding]:
        wrong = any(isinstance(item, Call) and item.about == "o31" for item in items)
        return [Finding("state_wrong", "I4", "错", "wrong")] if wrong else []

    [left] = shrink(HISTORY, frozenset(("state_wrong",)), try_out, 200)
    assert isinstance(left, Call)
    assert (left.about, left.fault) == ("o31", "")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_what_was_wrong_once_is_right_now(path: Path, network: Network) -> None:
    assert [str(finding) for finding in replay(cases.read(path).items, network)] == []
