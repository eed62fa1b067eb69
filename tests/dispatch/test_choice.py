"""Which station gets an order: pure, without a database."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mendline.dispatch.choice import Choice, Loads, Wanted, choose
from mendline.dispatch.explanations import OUTCOMES, as_stored, readable, why_none
from mendline.dispatch.index import CapacityRow, CoverageRow, Index, StandingRow, StationRow

TODAY = date(2026, 3, 2)
DAY = TODAY.toordinal()
LINE = "desktop"
HAIDIAN, CHAOYANG, BEIJING_CITY, BEIJING = "110108", "110105", "1101", "11"


def a_station(
    number: str, *, head: str = "", area: str = CHAOYANG, cc_web: bool = True, until: int = DAY + 99
) -> StationRow:
    return StationRow(number, f"{number}站", "north", head, area, cc_web, DAY - 99, until)


def serves(number: str, area: str, *, line: str = LINE, since: int = DAY - 9, until: int = DAY + 9) -> CoverageRow:
    return CoverageRow(number, line, area, since, until)


def takes(number: str, per_day: int = 10, *, line: str = LINE) -> CapacityRow:
    return CapacityRow(number, line, per_day, DAY - 9, DAY + 9)


def an_index(
    stations: list[StationRow],
    coverage: list[CoverageRow],
    capacities: list[CapacityRow] | None = None,
    standings: list[StandingRow] | None = None,
) -> Index:
    limits = capacities if capacities is not None else [takes(station.number) for station in stations]
    return Index.of(stations, coverage, limits, standings or [], TODAY)


def chosen(
    index: Index, area: str = HAIDIAN, *, loads: Loads | None = None, wish: str = "", excluded: str = ""
) -> Choice:
    return choose(index, Wanted(area, LINE, TODAY, wish, frozenset(filter(None, [excluded]))), loads or {})


def outcomes(choice: Choice) -> dict[str, str]:
    return {verdict.station: verdict.outcome for verdict in choice.verdicts}


def test_com_05_the_most_specific_coverage_wins_whatever_the_score() -> None:
    index = an_index(
        [a_station("000001", area="310101"), a_station("000002", area=HAIDIAN), a_station("000003", area=HAIDIAN)],
        [serves("000001", HAIDIAN), serves("000002", BEIJING_CITY), serves("000003", BEIJING)],
    )
    choice = chosen(index, loads={"000001": (9, 10)})
    assert choice.ranked == ("000001", "000002", "000003")
    assert outcomes(choice) == {"000001": "chosen", "000002": "less_specific", "000003": "less_specific"}


def test_com_05_a_coarser_level_serves_when_nobody_of_the_finer_one_passes() -> None:
    index = an_index([a_station("000001"), a_station("000002")], [serves("000001", HAIDIAN), serves("000002", BEIJING)])
    assert chosen(index, loads={"000001": (10, 10)}).ranked == ("000002",)


def test_com_10_the_last_seat_counts_and_none_left_does_not() -> None:
    index = an_index([a_station("000001")], [serves("000001", HAIDIAN)])
    assert chosen(index, loads={"000001": (9, 10)}).ranked == ("000001",)
    full = chosen(index, loads={"000001": (10, 10)})
    assert (full.ranked, outcomes(full)) == ((), {"000001": "full"})


@pytest.mark.parametrize("capacities", [[], [takes("000001", 0)], [takes("000001", line="notebook")]])
def test_com_10_a_station_without_filed_capacity_gets_nothing(capacities: list[CapacityRow]) -> None:
    choice = chosen(an_index([a_station("000001")], [serves("000001", HAIDIAN)], capacities))
    assert outcomes(choice) == {"000001": "no_capacity"}


def test_stn_18_a_points_coverage_brings_the_order_to_its_head() -> None:
    index = an_index(
        [a_station("000001"), a_station("000002", head="000001", area=HAIDIAN)],
        [serves("000002", HAIDIAN)],
        [takes("000001")],
    )
    choice = chosen(index)
    assert choice.ranked == ("000001",)
    assert choice.verdicts[0].via == "000002"


def test_stn_18_a_named_point_is_refused_and_its_head_is_named() -> None:
    index = an_index([a_station("000001"), a_station("000002", head="000001")], [serves("000002", HAIDIAN)])
    choice = chosen(index, wish="000002")
    rule, why = why_none(choice.verdicts)
    assert (choice.ranked, rule) == ((), "STN-18")
    assert "000001" in why.zh and "000001" in why.en


def test_stn_01_a_station_outside_cc_web_gets_nothing() -> None:
    index = an_index([a_station("000001", cc_web=False)], [serves("000001", HAIDIAN)])
    assert outcomes(chosen(index)) == {"000001": "not_cc_web"}


def test_can_02_the_station_an_order_was_taken_from_does_not_get_it_again() -> None:
    index = an_index([a_station("000001"), a_station("000002")], [serves("000001", HAIDIAN), serves("000002", HAIDIAN)])
    choice = chosen(index, excluded="000001")
    assert choice.ranked == ("000002",)
    assert outcomes(choice)["000001"] == "excluded"


@pytest.mark.parametrize(
    ("since", "until", "outcome"),
    [(DAY, DAY + 1, "chosen"), (DAY + 1, DAY + 9, "not_yet"), (DAY - 9, DAY, None)],
)
def test_com_05_coverage_holds_from_its_first_day_to_the_day_before_its_end(
    since: int, until: int, outcome: str | None
) -> None:
    index = an_index([a_station("000001")], [serves("000001", HAIDIAN, since=since, until=until)])
    assert outcomes(chosen(index)).get("000001") == outcome


@pytest.mark.parametrize(("until", "outcome"), [(DAY + 1, "chosen"), (DAY, "inactive")])
def test_com_05_a_station_is_active_until_the_day_before_its_end(until: int, outcome: str) -> None:
    index = an_index([a_station("000001", until=until)], [serves("000001", HAIDIAN)])
    assert outcomes(chosen(index)) == {"000001": outcome}


def test_a_wish_is_met_by_the_named_station_even_if_another_would_be_better() -> None:
    index = an_index([a_station("000001"), a_station("000002")], [serves("000001", HAIDIAN), serves("000002", BEIJING)])
    assert chosen(index, wish="000002").ranked == ("000002",)


@pytest.mark.parametrize(
    ("wish", "outcome"), [("000002", "other_area"), ("000003", "other_line"), ("1", "unknown"), ("000004", "full")]
)
def test_com_10_a_wish_that_cannot_be_met_says_why(wish: str, outcome: str) -> None:
    stations = [a_station(number) for number in ("000001", "000002", "000003", "000004")]
    coverage = [
        serves("000001", HAIDIAN),
        serves("000002", CHAOYANG),
        serves("000003", HAIDIAN, line="notebook"),
        serves("000004", HAIDIAN),
    ]
    choice = chosen(an_index(stations, coverage), wish=wish, loads={"000004": (10, 10)})
    assert (choice.ranked, outcomes(choice)) == ((), {wish: outcome})


def test_nobody_serves_the_line_there_so_those_of_other_lines_are_named() -> None:
    index = an_index([a_station("000001")], [serves("000001", HAIDIAN, line="notebook")])
    assert outcomes(chosen(index)) == {"000001": "other_line"}


def test_nobody_serves_the_area_at_all() -> None:
    rule, why = why_none(chosen(an_index([], [])).verdicts)
    assert rule == "COM-05"
    assert why.zh.startswith("没有维修站覆盖该区域")


def test_more_capacity_left_wins_then_the_lower_number() -> None:
    index = an_index(
        [a_station("000002"), a_station("000001"), a_station("000003")],
        [serves(number, HAIDIAN) for number in ("000003", "000002", "000001")],
    )
    assert chosen(index).ranked == ("000001", "000002", "000003")
    assert chosen(index, loads={"000001": (5, 10), "000002": (2, 10)}).ranked == ("000003", "000002", "000001")


def test_a_nearer_station_wins_and_a_late_one_loses() -> None:
    stations = [a_station("000001", area="310101"), a_station("000002", area=HAIDIAN)]
    coverage = [serves("000001", HAIDIAN), serves("000002", HAIDIAN)]
    assert chosen(an_index(stations, coverage)).ranked[0] == "000002"
    late = [a_station("000001"), a_station("000002")]
    standings = [StandingRow("000001", 40, 0), StandingRow("000002", 95, 0)]
    assert chosen(an_index(late, coverage, None, standings)).ranked[0] == "000002"


def test_every_explanation_reads_in_both_languages() -> None:
    for outcome in OUTCOMES:
        entry = readable({"stations": [["000001", outcome, 6, "000009", 1, 2, 3]]})[0]
        assert "{" not in entry["why"]["zh"] + entry["why"]["en"] + entry["remedy"]["zh"] + entry["remedy"]["en"]
        assert entry["why"]["zh"] and entry["why"]["en"] and entry["rule"]


def test_the_stored_form_is_plain_and_short() -> None:
    numbers = [f"{number:06d}" for number in range(1, 31)]
    index = an_index([a_station(number) for number in numbers], [serves(number, HAIDIAN) for number in numbers])
    wanted = Wanted(HAIDIAN, LINE, TODAY)
    stored = as_stored(choose(index, wanted, {}), wanted)
    assert len(stored["stations"]) == 12
    assert readable(stored, {"000001": "海淀站"})[0]["name"] == "海淀站"


NUMBERS = [f"{number:06d}" for number in range(1, 7)]


@given(
    covered=st.dictionaries(st.sampled_from(NUMBERS), st.sampled_from([HAIDIAN, BEIJING_CITY, BEIJING])),
    taken=st.dictionaries(st.sampled_from(NUMBERS), st.integers(0, 3)),
)
def test_whoever_is_chosen_has_a_seat_and_nobody_more_specific_had_one(
    covered: dict[str, str], taken: dict[str, int]
) -> None:
    index = an_index(
        [a_station(number) for number in NUMBERS],
        [serves(number, area) for number, area in covered.items()],
        [takes(number, 3) for number in NUMBERS],
    )
    choice = chosen(index, loads={number: (count, 3) for number, count in taken.items()})
    free = {number: area for number, area in covered.items() if taken.get(number, 0) < 3}
    assert set(choice.ranked) == set(free)
    if free:
        assert len(free[choice.ranked[0]]) == max(map(len, free.values()))


def test_a_changed_index_is_the_one_that_would_be_built_anew() -> None:
    stations = [a_station("000001"), a_station("000002", head="000001"), a_station("000003")]
    coverage = [serves("000001", HAIDIAN), serves("000002", CHAOYANG), serves("000003", HAIDIAN)]
    old = an_index(stations, coverage)
    moved = [serves("000003", BEIJING), serves("000003", HAIDIAN, line="notebook")]
    new = old.changed(frozenset({"000003"}), [a_station("000003")], moved, [takes("000003", 4)])
    anew = an_index(stations, [*coverage[:2], *moved], [takes("000001"), takes("000002"), takes("000003", 4)])
    assert (new.served, new.keys_of, new.limits) == (anew.served, anew.keys_of, anew.limits)
    assert (new.points, new.stations, new.lines) == (anew.points, anew.stations, anew.lines)
    assert old.served[LINE, HAIDIAN] == an_index(stations, coverage).served[LINE, HAIDIAN]
    gone = new.changed(frozenset({"000003"}), [], [], [])
    assert "000003" not in gone.stations and ("notebook", HAIDIAN) not in gone.served
