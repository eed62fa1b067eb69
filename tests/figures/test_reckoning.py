"""Every figure equals a plain count, its list has as many orders as it says, and nobody counts what is not his."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest

from mendline.access.actors import Actor
from mendline.figures.asking import NONE, Basis, Question
from mendline.figures.cancellations import cancellations
from mendline.figures.handovers import routes
from mendline.figures.listing import count_of, page_of
from mendline.figures.load import loads
from mendline.figures.measures import COUNTS
from mendline.figures.paths import mined
from mendline.figures.periods import PRESETS, Period, preset_period, read_period
from mendline.figures.reckoning import overview
from mendline.kernel.errors import Invalid
from mendline.network.models import Station
from tests.figures.conftest import NOW
from tests.figures.plain import counted

HQ = Actor(1, "本部", "hq_interface")
TODAY = date(2026, 3, 2)
LAST_WEEK = Period(date(2026, 2, 23), date(2026, 3, 1))
Fact = Mapping[str, Any]
IS: dict[str, Callable[[Fact], bool]] = {
    "reported": lambda fact: True,
    "ended": lambda fact: fact["ended_on"] is not None,
    "open": lambda fact: fact["ended_on"] is None,
    "contacts": lambda fact: fact["contacts_late"] or fact["contacts_in_time"],
    "promises": lambda fact: fact["promises_kept"] or fact["promises_broken"],
    "answered": lambda fact: fact["callbacks_satisfied"] or fact["callbacks_dissatisfied"],
    "handed_over": lambda fact: fact["handovers"] > 0,
}
COLUMNS = {
    "region": "region", "station": "station_no", "product": "product", "person": "assignee_id",
    "canceller": "cancelled_by", "reason": "cancel_reason",
}  # fmt: skip


def holds(name: str, fact: Fact) -> bool:
    return IS[name](fact) if name in IS else bool(fact[name])


def plain(period: Period) -> list[Fact]:
    return [fact for fact in counted(NOW).values() if period.first <= fact["reported_on"] <= period.last]


def tally(facts: list[Fact]) -> dict[str, int]:
    return {name: sum(holds(name, fact) for fact in facts) for name in COUNTS}


def key_of(fact: Fact, by: str) -> str:
    value = fact[COLUMNS[by]]
    return "" if value is None else str(value)


def arrows_in(steps: str) -> set[tuple[str, ...]]:
    """Return from where by which step to where an order went; an arrow taken twice is one."""
    walked = pairwise(["new:new", *steps.split()])
    return {(before.split(":")[1], *after.split(":")) for before, after in walked}


def orders_behind(question: Question, which: str, basis: Basis = "reported") -> list[int]:
    """Leaf through the whole list, seven at a time."""
    found: list[int] = []
    after = ""
    while True:
        page = page_of(question, which, basis, after=after, limit=7)
        found += [order.pk for order in page.orders]
        after = page.after
        if not after:
            return found


class FiguresOfDemo:
    """Collected with the other tests of the demo (`test_demo.py`)."""

    @pytest.mark.parametrize("by", ["region", "station", "product", "person"])
    def test_an_overview_equals_a_plain_count(self, by: str) -> None:
        found = overview(Question(HQ, LAST_WEEK), by)

        assert found.now == tally(plain(LAST_WEEK))
        assert found.before == tally(plain(LAST_WEEK.before))
        assert found.now["reported"] > 20 and found.before["reported"] > 5
        groups = {group.key: group for group in found.groups}
        for period, side in ((LAST_WEEK, "now"), (LAST_WEEK.before, "before")):
            facts = plain(period)
            for key in {key_of(fact, by) for fact in facts}:
                mine = [fact for fact in facts if key_of(fact, by) == key]
                assert getattr(groups[key], side) == tally(mine), (key, side)
        assert len(groups) == len({key_of(fact, by) for fact in plain(LAST_WEEK) + plain(LAST_WEEK.before)})

    @pytest.mark.parametrize("days", [7, 60, 400])
    def test_the_steps_of_a_period_add_up_to_it(self, days: int) -> None:
        period = Period(TODAY - timedelta(days=days - 1), TODAY)
        found = overview(Question(HQ, period), "region")

        for step, one in found.series:
            assert one == tally(plain(step)), step
        assert sum(one["reported"] for _, one in found.series) == found.now["reported"]
        assert (found.series[0][0].first, found.series[-1][0].last) == (period.first, period.last)

    @pytest.mark.parametrize("which", COUNTS)
    def test_a_list_has_as_many_orders_as_its_number_says(self, which: str) -> None:
        everything = Period(date(2026, 1, 1), TODAY)
        for only in ({}, {"station": "000001"}, {"product": "desktop"}, {"person": NONE}):
            question = Question(HQ, everything, only)
            found = orders_behind(question, which)
            number = overview(question, "station").now[which]
            assert len(set(found)) == len(found) == number == count_of(question, which), only

    def test_every_group_opens_its_orders(self) -> None:
        question = Question(HQ, LAST_WEEK)
        for by in ("region", "station", "product", "person"):
            for group in overview(question, by).groups:
                mine = question.but(only={by: group.key or NONE})
                assert count_of(mine, "contacts_late") == group.now["contacts_late"]
                assert len(orders_behind(mine, "reported")) == group.now["reported"]

    @pytest.mark.parametrize("by", ["region", "station", "product", "canceller"])
    def test_can_27_cancellations_equal_a_plain_count(self, by: str) -> None:
        period = Period(date(2026, 2, 16), TODAY)
        question = Question(HQ, period)
        found = cancellations(question, by)
        void = [fact for fact in plain(period) if fact["cancelled"]]

        assert (found.now, found.reported) == (len(void), len(plain(period)))
        assert {row.key: row.now for row in found.reasons} == Counter(fact["cancel_reason"] for fact in void)
        assert {row.key: row.now for row in found.groups} == Counter(key_of(fact, by) for fact in void)
        assert found.now > 5
        for code, rows in (("reason", found.reasons), (by, found.groups)):
            for row in rows:
                assert count_of(question.but(only={code: row.key or NONE}), "cancelled") == row.now

    def test_can_03_routes_equal_a_plain_count(self) -> None:
        period = Period(date(2026, 2, 16), TODAY)
        found = routes(Question(HQ, period))

        assert found
        assert {row.key: row.orders for row in found} == Counter(
            fact["stations"] for fact in plain(period) if fact["stations"]
        )
        for row in found:
            assert count_of(Question(HQ, period, {"route": row.key}), "handed_over") == row.orders

    def test_paths_equal_a_plain_count(self) -> None:
        period = Period(date(2026, 2, 16), TODAY)
        question = Question(HQ, period)
        found = mined(question)
        ended = [fact for fact in plain(period) if fact["ended_on"]]
        ways = Counter(" ".join(part.split(":")[0] for part in fact["steps"].split()) for fact in ended)
        arrows = Counter(arrow for fact in ended for arrow in arrows_in(fact["steps"]))

        assert found.orders == len(ended)
        assert Counter({" ".join(way.steps): way.orders for way in found.variants}) == ways
        assert found.as_usual == ways.most_common(1)[0][1] < found.orders
        assert found.undeclared == 0  # nothing gets past the door
        taken = {(one.arrow.source, one.arrow.step, one.arrow.target): one.orders for one in found.arrows}
        assert {arrow: count for arrow, count in taken.items() if count} == arrows
        assert any(not count for count in taken.values())  # what is declared and was never done
        for one in found.arrows[:5]:
            assert count_of(question.but(paths=one.paths), "ended") == one.orders
        for way in found.variants[:5]:
            assert count_of(question.but(only={"path": str(way.id)}), "ended") == way.orders

    def test_a_way_says_how_it_differs_from_the_usual_one(self) -> None:
        found = mined(Question(HQ, Period(date(2026, 2, 16), TODAY)))
        usual, other = found.variants[0], found.variants[1]

        assert usual.is_usual and not other.is_usual
        assert tuple(mark.step for mark in other.marks if mark.kind != "less") == other.steps
        assert tuple(mark.step for mark in other.marks if mark.kind != "more") == usual.steps

    @pytest.mark.parametrize("days", [7, 60])
    def test_volume_and_open_load_equal_a_plain_count(self, days: int) -> None:
        period = Period(TODAY - timedelta(days=days - 1), TODAY)
        facts = list(counted(NOW).values())
        found = loads(Question(HQ, period), "station")

        for step, load in found.series:
            assert load.reported == sum(step.first <= fact["reported_on"] <= step.last for fact in facts)
            assert load.ended == sum(
                bool(fact["ended_on"]) and step.first <= fact["ended_on"] <= step.last for fact in facts
            )
            assert load.open == sum(
                fact["reported_on"] <= step.last and (not fact["ended_on"] or fact["ended_on"] > step.last)
                for fact in facts
            )
            for basis, number in (("ended", load.ended), ("open", load.open)):
                assert count_of(Question(HQ, step), "reported", basis) == number  # type: ignore[arg-type]
        assert found.total.open == found.series[-1][1].open > 0
        assert len(orders_behind(Question(HQ, period), "reported", "ended")) == found.total.ended
        assert len(orders_behind(Question(HQ, period), "reported", "open")) == found.total.open

    def test_each_counts_what_is_his(self) -> None:
        everything = Period(date(2026, 1, 1), TODAY)
        region = Station.objects.get(pk="000001").region_id
        scopes = {
            Actor(1, "李明", "station_coordinator", station_no="000001"): {"station": "000001"},
            Actor(1, "赵敏", "region_interface", region=region): {"region": region},
            Actor(1, "李明", "station_coordinator"): None,
            Actor(1, "无名", "nobody"): None,
        }
        for actor, only in scopes.items():
            mine = overview(Question(actor, everything), "product").now
            same = overview(Question(HQ, everything, only), "product").now if only else dict.fromkeys(COUNTS, 0)
            assert mine == same and (only is None or mine["reported"] > 0)
            assert cancellations(Question(actor, everything), "product").now == same["cancelled"]
            assert loads(Question(actor, everything), "product").total.reported == same["reported"]
            assert mined(Question(actor, everything)).orders == same["ended"]
            assert sum(row.orders for row in routes(Question(actor, everything))) == same["handed_over"]
            assert len(orders_behind(Question(actor, everything), "reported")) == same["reported"]

    def test_a_neighbours_station_is_empty_and_not_refused(self) -> None:
        stranger = Actor(1, "李明", "station_coordinator", station_no="000002")
        question = Question(stranger, Period(date(2026, 1, 1), TODAY), {"station": "000001"})

        assert overview(question, "product").now["reported"] == 0
        assert orders_behind(question, "reported") == []


def test_presets_are_days_of_shanghai() -> None:
    found = {name: preset_period(name, date(2026, 5, 20)) for name in PRESETS}

    days = {name: (period.first.isoformat()[5:], period.last.isoformat()[5:]) for name, period in found.items()}
    assert days == {
        "today": ("05-20", "05-20"), "yesterday": ("05-19", "05-19"), "7d": ("05-14", "05-20"),
        "30d": ("04-21", "05-20"), "month": ("05-01", "05-20"), "last_month": ("04-01", "04-30"),
        "quarter": ("04-01", "05-20"), "year": ("01-01", "05-20"),
    }  # fmt: skip


@pytest.mark.parametrize("month", range(1, 13))
def test_presets_hold_at_the_ends_of_months(month: int) -> None:
    for day in (date(2026, month, 1), date(2026, month, 28), date(2024, month, 29)):
        for name in PRESETS:
            period = preset_period(name, day)
            assert period.first <= period.last <= day


@pytest.mark.parametrize(
    ("given", "field"),
    [(("", "2026-13-01", ""), "from"), (("", "", "31.12.2026"), "to"), (("", "2026-03-02", "2026-03-01"), "from"),
     (("", "0001-01-01", "2026-03-01"), "from"), (("week", "", ""), "period"), (("", "2026-03-0٢", ""), "from")],
)  # fmt: skip
def test_a_wrong_period_names_its_field(given: tuple[str, str, str], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_period(*given, today=TODAY)

    assert list(refused.value.fields) == [field]


def test_a_period_of_any_length_has_few_steps() -> None:
    for days in (1, 45, 46, 190, 191, 1100, 36_500):
        steps = Period(date(2000, 1, 1), date(2000, 1, 1) + timedelta(days=days - 1)).buckets()
        assert sum(step.days for step in steps) == days
        assert all(before.last + timedelta(days=1) == after.first for before, after in pairwise(steps))


def test_a_cursor_that_is_none_of_ours_is_refused(db: None) -> None:
    for after in ("x", "2026-03-02", "2026-03-02.", "2026-03-02.x", "2026-99-02.1", "2026-03-02." + "9" * 30):
        with pytest.raises(Invalid):
            page_of(Question(HQ, LAST_WEEK), "reported", after=after)
