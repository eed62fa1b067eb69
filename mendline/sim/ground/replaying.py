"""Plays a kept history again, call by call, and looks for the shortest one that still goes wrong in the same way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from mendline.sim.ground import cases
from mendline.sim.ground.at_rest import differences
from mendline.sim.ground.cases import Case, Item
from mendline.sim.ground.clock import simulated_time
from mendline.sim.ground.door import Door
from mendline.sim.ground.oracle.oracle import Oracle
from mendline.sim.ground.oracle.plain import Call, Finding, Network
from mendline.sim.ground.run import START, broken_off, forget_everything
from mendline.sim.ground.stage import Stage

Prepare = Callable[[Stage], None]


def replay(items: Sequence[Item], network: Network, prepare: Prepare | None = None) -> list[Finding]:
    """Play a history against the database at hand; return what is wrong.

    A shortened history may speak of orders that were never made; such calls are left out. What is only
    unfinished, because the rest was cut off, is nothing to report.
    """
    forget_everything()
    with simulated_time(START) as clock:
        stage = Stage(Oracle(network), Door(), clock, network.of_role_anywhere("cc_agent")[0])
        stage.cut_sweeps = any(isinstance(item, Call) and item.fault for item in items)  # it was a storm
        if prepare is not None:
            prepare(stage)
        for item in items:
            try:
                _play_one(stage, item)
            except Exception as fault:
                stage.note(broken_off(fault))
        stage.pass_time(clock.now())
        return [*stage.findings, *differences(stage)]


def _play_one(stage: Stage, item: Item) -> None:
    if not isinstance(item, Call):
        stage.pass_time(max(item.at, stage.time.now()))
        if item.until > stage.time.now() and stage.asleep_until is None:
            stage.sleep(item.until)
    elif _is_possible(stage, item):
        held = stage.oracle.maybes.get(item.about.partition(".")[0])
        (stage.again if held is not None and held.call.key == item.key else stage.do)(item)


def _is_possible(stage: Stage, call: Call) -> bool:
    """Tell whether what the call is about exists, and nothing about it is uncertain that this call does not settle."""
    label, _, record = call.about.partition(".")
    held = stage.oracle.maybes.get(label)
    if held is not None:
        return held.call.key == call.key
    order = stage.oracle.orders.get(label)
    if call.verb == "create" and label not in stage.oracle.orders:
        return call.name in ("report", "self_order")
    if order is None or (call.verb == "create" and call.name in ("report", "self_order")):
        return False
    return not record or any(one.label == call.about for one in order.records)


def shrink(
    items: Sequence[Item], kinds: frozenset[str], try_out: Callable[[Sequence[Item]], list[Finding]], tries: int
) -> tuple[Item, ...]:
    """Return a short history that still shows one of these kinds of findings; `try_out` plays on a fresh database."""
    best = tuple(items)
    left = tries
    found_shorter = True
    while found_shorter and left:
        found_shorter = False
        for shorter in cases.smaller(best):
            if not left:
                break
            if len(shorter) > len(best):
                continue
            left -= 1
            if kinds & {finding.kind for finding in try_out(shorter)}:
                best, found_shorter = shorter, True
                break
    return best


def shortened(case: Case, try_out: Callable[[Sequence[Item]], list[Finding]], tries: int) -> Case:
    """Return a shorter case that goes wrong in one of the same ways; the case itself if it does not do so again."""
    shown = frozenset(finding.kind for finding in try_out(case.items)) & frozenset(case.kinds)
    return replace(case, items=shrink(case.items, shown, try_out, tries)) if shown else case
