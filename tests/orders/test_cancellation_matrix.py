"""Every origin × requester × role × reason × moment has exactly one verdict (CAN-04 to CAN-21, CAN-31, CAN-36)."""

from __future__ import annotations

from itertools import product

import pytest

from mendline.access.models import Role
from mendline.kernel.durations import parse_duration
from mendline.orders.cancellation import (
    CLOSE_NORMALLY,
    CODE_OF,
    MOMENTS,
    ORIGINS,
    REASONS,
    REQUESTERS,
    STATION_GROUNDS,
    USER_REASONS,
    Regime,
    code_of,
    judge,
)
from mendline.process.loading import process_for

ROLES = tuple(role.value for role in Role)
ALL = list(product(ORIGINS, REQUESTERS, ROLES, REASONS, MOMENTS))


def test_the_whole_matrix_is_decided_and_every_no_names_its_rule() -> None:
    assert len(ALL) == 3 * 2 * len(ROLES) * len(REASONS) * 3
    for combination in ALL:
        verdict = judge(*combination)
        assert verdict.outcome in ("do", "ask_region", "close_normally", "forbidden"), combination
        assert verdict.rule[:3] in ("CAN", "STN"), combination
        assert verdict.zh and verdict.en, combination


def test_can_18_to_21_no_door_cancels_what_must_be_closed_normally() -> None:
    doors = [(o, q, r, m) for o, q, r, m in product(ORIGINS, REQUESTERS, ROLES, MOMENTS)]
    for reason, rule in CLOSE_NORMALLY.items():
        for origin, requester, role, moment in doors:
            for line in ("", "line_800", "cc_web", "telephone"):
                for form in (True, False):
                    verdict = judge(origin, requester, role, reason, moment, line=line, regime=Regime(form))
                    assert (verdict.outcome, verdict.rule) == ("close_normally", rule)


def test_can_08_only_the_region_executes_what_a_station_asks_of_a_dispatched_order() -> None:
    for origin, role, reason in product(("cc", "region"), ROLES, sorted(STATION_GROUNDS)):
        for moment in ("before_arrival", "after_arrival"):
            executes = judge(origin, "station", role, reason, moment).allowed
            assert executes == (role == "region_interface"), (origin, role, reason, moment)


def test_can_09_a_station_cancels_its_own_order_itself_and_nobody_else_does_it_for_the_station() -> None:
    for role, reason in product(ROLES, CODE_OF):
        assert judge("station", "station", role, reason, "before_arrival").allowed == (role == "station_coordinator")


def test_stn_43_even_an_own_order_needs_the_region_once_the_user_refuses_at_the_door() -> None:
    verdict = judge("station", "station", "station_coordinator", "user_refuses", "after_arrival")
    assert verdict.outcome == "ask_region"
    assert judge("station", "station", "region_interface", "user_refuses", "after_arrival").allowed


def test_can_10_the_800_line_is_closed_to_stations_whoever_sits_at_it() -> None:
    for origin, role, reason in product(ORIGINS, ROLES, sorted(CODE_OF)):
        verdict = judge(origin, "station", role, reason, "before_arrival", line="line_800")
        assert (verdict.outcome, verdict.rule) == ("forbidden", "CAN-10")


def test_can_07_a_cc_agent_takes_users_requests_only() -> None:
    for origin, reason in product(ORIGINS, sorted(CODE_OF)):
        assert judge(origin, "station", "cc_agent", reason, "before_arrival").rule == "CAN-07"


def test_can_31_the_cc_agent_cancels_directly_for_the_user_of_any_origin() -> None:
    for origin, reason in product(ORIGINS, sorted(USER_REASONS)):
        assert judge(origin, "user", "cc_agent", reason, "before_arrival").allowed


def test_can_07_a_stations_trouble_does_not_come_through_the_user() -> None:
    for reason in sorted(set(CODE_OF) - USER_REASONS):
        assert judge("cc", "user", "cc_agent", reason, "before_arrival").rule == "CAN-07"


def test_stn_43_after_arrival_the_region_decides_and_under_v2_the_agent_still_does() -> None:
    assert judge("cc", "user", "cc_agent", "user_refuses", "after_arrival").rule == "STN-43"
    assert judge("cc", "user", "region_interface", "user_refuses", "after_arrival").allowed
    assert judge(
        "cc", "user", "cc_agent", "user_refuses", "after_arrival", regime=Regime(form_for_refusal=False)
    ).allowed


def test_stn_32_nothing_that_has_ended_is_cancelled() -> None:
    for origin, requester, role, reason in product(ORIGINS, REQUESTERS, ROLES, sorted(CODE_OF)):
        assert judge(origin, requester, role, reason, "ended").outcome == "forbidden"


def test_can_17_an_uncoded_ground_is_no_ground() -> None:
    assert judge("cc", "station", "region_interface", "bad weather", "before_arrival").rule == "CAN-17"


@pytest.mark.parametrize("version", [2, 3])
def test_can_32_the_process_file_and_the_matrix_know_the_same_reasons(version: int) -> None:
    process = process_for("unified_repair", version)
    assert set(process.facts["cancel_reason"].of) == set(REASONS)
    for name in ("cancel", "cancel_and_reassign"):
        assert "cancel_reason" in process.transitions[name].requires


def test_can_27_every_ground_is_counted_under_a_code_of_the_remark() -> None:
    codes = {"wrong_area", "capacity_error", "incomplete_info", "already_normal", "special_request"}
    assert set(CODE_OF.values()) == codes


def test_can_17_a_region_may_add_a_coded_ground_which_then_goes_the_same_way() -> None:
    flooded = Regime(further_grounds=frozenset({"road_flooded"}))

    assert judge("cc", "station", "region_interface", "road_flooded", "before_arrival").rule == "CAN-17"
    assert judge("cc", "station", "region_interface", "road_flooded", "before_arrival", regime=flooded).allowed
    assert (
        judge("cc", "station", "station_coordinator", "road_flooded", "before_arrival", regime=flooded).rule == "CAN-08"
    )
    assert code_of("road_flooded") == "special_request"


def test_can_37_a_further_situation_that_must_be_closed_normally_shuts_every_door() -> None:
    cleaned = Regime(also_closed_normally=frozenset({"cleaned_only"}))

    for origin, requester, role, moment in product(ORIGINS, REQUESTERS, ROLES, MOMENTS):
        verdict = judge(origin, requester, role, "cleaned_only", moment, regime=cleaned)
        assert (verdict.outcome, verdict.rule) == ("close_normally", "CAN-37")


def test_com_03_v3_keeps_every_guard_of_v2_and_adds_the_stricter_points() -> None:
    older, newer = process_for("unified_repair", 2), process_for("unified_repair", 3)
    for name in ("cancel", "cancel_and_reassign"):
        before, after = older.transitions[name], newer.transitions[name]
        assert set(before.guards) < set(after.guards)
        assert "refusal_has_its_form" in after.guards
        assert set(before.by) == set(after.by)
    assert newer.parameters["unreachable_cancel_after"] == parse_duration("5wd")
    assert newer.parameters["contact_quota"] == 6
    assert {notice.name for notice in newer.notices if "hq_interface" in notice.to} == {"headquarters_informed"}
