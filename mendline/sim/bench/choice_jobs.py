"""Choosing a station, in a process that keeps the index as a web process does. Jobs for `member.py`."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime

from mendline.dispatch.choice import Wanted, field_of, rank
from mendline.dispatch.choice import choose as choose_station
from mendline.dispatch.choosing import look_for_station
from mendline.dispatch.current import current_index
from mendline.dispatch.index import Index
from mendline.kernel.time import local_day
from mendline.network.history import serve_area, stop_serving
from mendline.sim.bench.small_country import LINES, counties

GIVE_UP_SECONDS = 30.0
POLL_SECONDS = 0.01


def build_index(lines: int) -> dict[str, float]:
    """Read the network into memory; returns seconds, CPU seconds and how many candidates an order has on average."""
    begun, cpu = time.perf_counter(), time.process_time()
    index = current_index(_now())
    found = {"seconds": time.perf_counter() - begun, "cpu": time.process_time() - cpu}
    fields = [len(field_of(index, wanted).candidates) for wanted in _wishes(500, lines, seed=1)]
    return {**found, "candidates": sum(fields) / len(fields)}


def choose(number: int, lines: int) -> dict[str, float]:
    """Choose `number` times and return CPU microseconds of one choice.

    `first` is the first order of its area, line and day since the index was made; `again` a later
    one, when the candidates are known and only the day's loads have moved; `whole` what an order
    pays, with the question to the database.
    """
    now = _now()
    index = current_index(now)
    wishes = _wishes(number, lines, seed=number)
    empty = index.with_standings(index.standings.values())  # the same index, nothing prepared
    first = _microseconds(empty, wishes)
    chance = random.Random(number)
    loads = [
        {one.number: (chance.randrange(one.per_day), one.per_day) for one in field_of(empty, wanted).candidates}
        for wanted in wishes
    ]
    cpu = time.process_time()
    for wanted, load in zip(wishes, loads, strict=True):
        rank(field_of(empty, wanted), load)
    again = 1e6 * (time.process_time() - cpu) / number
    cpu = time.process_time()
    for wanted in wishes:
        look_for_station(wanted, now)
    return {"first": first, "again": again, "whole": 1e6 * (time.process_time() - cpu) / number}


def _microseconds(index: Index, wishes: list[Wanted]) -> float:
    distinct = list({(wanted.line, wanted.area): wanted for wanted in wishes}.values())
    cpu = time.process_time()
    for wanted in distinct:
        choose_station(index, wanted, {})
    return 1e6 * (time.process_time() - cpu) / len(distinct)


def change_coverage(station: str, area: str, line: str, serve: bool) -> float:
    """Let a station serve an area, or no longer; returns the wall-clock second at which it was committed."""
    today = local_day(_now())
    if serve:
        serve_area(station, area, line, since=today)
    else:
        stop_serving(station, area, line, since=today)
    return time.time()


def wait_for_coverage(station: str, area: str, line: str, serve: bool, asking: bool) -> dict[str, float]:
    """Wait until this process's index shows a change made elsewhere; returns the wall-clock second.

    `asking` looks the way an order does, which compares revisions with every question; otherwise
    only the kept index is looked at, as pages do.
    """
    wanted = Wanted(area, line, local_day(_now()))
    give_up_at = time.monotonic() + GIVE_UP_SECONDS
    slowest = 0.0
    while time.monotonic() < give_up_at:
        begun = time.perf_counter()
        index = current_index(_now())
        if asking:
            look_for_station(wanted, _now())
            index = current_index(_now())
        slowest = max(slowest, time.perf_counter() - begun)
        if (station in field_of(index, wanted).stations) == serve:
            return {"at": time.time(), "slowest": slowest}
        time.sleep(POLL_SECONDS)
    raise TimeoutError(f"{station} {line} {area} was not seen within {GIVE_UP_SECONDS} s")


def _wishes(number: int, lines: int, seed: int) -> list[Wanted]:
    chance, codes, day = random.Random(seed), counties(), local_day(_now())
    return [Wanted(chance.choice(codes), chance.choice(LINES[:lines]), day) for _ in range(number)]


def _now() -> datetime:
    return datetime.now(UTC)
