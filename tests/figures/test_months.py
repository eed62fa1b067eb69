"""Figures over years are the same with sums of whole months as without, and nobody reads sums that are out of date."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

import pytest
from django.db import connection

from mendline.access.actors import Actor
from mendline.access.models import Person
from mendline.figures.asking import DIMENSIONS, Question
from mendline.figures.cancellations import cancellations
from mendline.figures.models import OrderFact, ProductMonth, StationMonth, SummedMonth
from mendline.figures.months import sum_up, table_for, withdraw
from mendline.figures.periods import Period
from mendline.figures.reckoning import overview

WHY = "what was summed"
HQ = Actor(1, "本部", "hq_interface")
TWO_YEARS = Period(date(2024, 4, 11), date(2026, 4, 20))
LATER = datetime(2026, 6, 20, 1, 0, tzinfo=UTC)
BY = ("region", "station", "product", "person")


def actors() -> Sequence[Actor]:
    people = Person.objects.filter(username__in=("gaofeng", "liufang"))
    return (HQ, *(Actor(one.pk, one.name, one.role, one.region, one.station_no) for one in people))


def moved_back() -> None:
    """Spread the orders of the demo over two years: each day of the month in which they came becomes a month."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE figures_orderfact SET reported_on = reported_on - (order_id % 26)::int * interval '1 month'"
        )


def summed() -> list[date]:
    while sum_up(LATER):
        pass
    return sorted(SummedMonth.objects.values_list("month", flat=True))


@pytest.mark.usefixtures("demo", "db")
class TestSums:
    def test_figures_of_two_years_are_the_same_from_sums_and_from_orders(self) -> None:
        moved_back()
        questions = [Question(actor, TWO_YEARS, only) for actor in actors() for only in ({}, {"region": "north"})]
        asked = [(question, by) for question in questions for by in BY]
        plain = [(overview(question, by), cancellations(question, by)) for question, by in asked]
        months = summed()

        assert len(months) > 20 and plain[0][0].before["reported"] > 0
        assert [(overview(question, by), cancellations(question, by)) for question, by in asked] == plain

    def test_sums_are_what_is_read_and_only_by_who_asks_for_months(self) -> None:
        moved_back()
        summed()
        StationMonth.objects.unscoped(WHY).update(reported=1000)

        assert overview(Question(HQ, TWO_YEARS), "station").now["reported"] > 20_000
        assert overview(Question(HQ, Period(date(2026, 1, 1), date(2026, 3, 31))), "station").now["reported"] < 1000

    def test_an_order_that_changes_late_withdraws_the_sums_of_its_month_until_they_are_made_anew(self) -> None:
        moved_back()
        summed()
        fact = OrderFact.objects.unscoped(WHY).filter(reported_on__gte="2025-06-01", reopened=False).first()
        assert fact is not None
        before = overview(Question(HQ, TWO_YEARS), "product")
        OrderFact.objects.unscoped(WHY).filter(pk=fact.pk).update(reopened=True)
        assert overview(Question(HQ, TWO_YEARS), "product") == before  # whoever writes past the worker is not seen

        withdraw([fact.reported_on])
        assert overview(Question(HQ, TWO_YEARS), "product").now["reopened"] == before.now["reopened"] + 1

        summed()
        assert overview(Question(HQ, TWO_YEARS), "product").now["reopened"] == before.now["reopened"] + 1

    def test_the_month_that_is_under_way_and_the_one_before_are_not_summed(self) -> None:
        moved_back()

        assert max(summed()) == date(2026, 4, 1)
        assert sum_up(datetime(2026, 5, 1, 4, 0, tzinfo=UTC)) is False

    def test_months_are_not_summed_while_orders_are_still_being_counted(self) -> None:
        moved_back()
        with connection.cursor() as cursor:
            cursor.execute("UPDATE figures_reading SET filled_to = 5")

        assert summed() == []

    def test_what_no_sum_tells_apart_is_counted_from_orders(self) -> None:
        narrowed = {
            code: table_for(Question(HQ, TWO_YEARS, {code: "1"}), DIMENSIONS["station"].column) for code in DIMENSIONS
        }

        assert {code for code, table in narrowed.items() if table} == {"region", "station", "person"}
        assert table_for(Question(HQ, TWO_YEARS, paths=(1,)), DIMENSIONS["station"].column) is None
        assert (
            table_for(Question(HQ, TWO_YEARS, {"product": "m1"}), DIMENSIONS["region"].column) == "figures_productmonth"
        )

    def test_p11_a_region_reads_its_own_sums_and_a_station_none_of_products(self) -> None:
        moved_back()
        summed()
        region, station = sorted(actors()[1:], key=lambda actor: actor.station_no)

        assert set(ProductMonth.objects.visible_to(region).values_list("region", flat=True)) == {region.region}
        assert not ProductMonth.objects.visible_to(station).exists()
        assert table_for(Question(station, TWO_YEARS), DIMENSIONS["product"].column) is None
