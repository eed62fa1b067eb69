"""Calling users back: the script, the attempts, the outcome, and that no closed order is missing (STN-48)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from mendline.care.scorecards import refresh_scorecards
from mendline.orders.models import Record, RepairOrder
from mendline.orders.store import Loaded
from tests.console.conftest import SignIn
from tests.make import a_report, do

HTMX = {"HX-Request": "true"}
HOUR = timedelta(hours=1)


def told(page: bytes) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.decode()).split())


def solved_by_telephone(**changed: str) -> tuple[Loaded, str]:
    """A closed order, and the number of its callback."""
    moment = datetime.now(UTC)
    order = a_report(now=moment - 2 * HOUR, **changed)
    order = do(order, "resolve_remotely", now=moment - HOUR, promise_reason="软件问题,电话解决")
    return order, Record.objects.unscoped("a test looks").get(order_ref=order.ref, process="callback").ref


def a_form(ref: str, **given: str) -> dict[str, str]:
    return {"within": ref, "then": "callbacks", "once": uuid4().hex, **given}


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "zh-hans",
            ("您好，请问是王先生吗？", "您报修的是“开机黑屏”，现在解决了吗？", "工程师在电话里给您讲清楚了吗？"),
        ),
        ("en", ("am I speaking with 王先生?", "You reported “开机黑屏”. Is it solved now?", "on the telephone?")),
    ],
)
def test_the_script_speaks_of_this_order_in_the_callers_language(
    signed_in: SignIn, language: str, words: tuple[str, ...]
) -> None:
    _, ref = solved_by_telephone()
    page = told(signed_in("info_support_dept", language=language).get(f"/callbacks/{ref}/").content)

    for word in words:
        assert word in page


def test_stn_48_attempts_are_counted_and_only_the_third_ends_it(signed_in: SignIn) -> None:
    order, ref = solved_by_telephone()
    caller = signed_in("info_support_dept")
    for made in range(3):
        page = caller.get(f"/callbacks/{ref}/").content.decode()
        assert f"{made}/3 次" in page
        assert 'data-refused="give_up"' in page
        answer = caller.post(f"/steps/{ref}/log_attempt/", a_form(ref, attempt_note="无人接听"), headers=HTMX)
        assert answer["HX-Redirect"] == "/callbacks/"

    page = caller.get(f"/callbacks/{ref}/").content.decode()
    assert "3/3 次" in page and 'data-refused="give_up"' not in page
    caller.post(f"/steps/{ref}/give_up/", a_form(ref), headers=HTMX)
    assert RepairOrder.objects.unscoped("a test looks").get(ref=order.ref).facts["callback_outcome"] == "not_reached"


def test_one_tap_that_arrives_twice_is_one_attempt(signed_in: SignIn) -> None:
    _, ref = solved_by_telephone()
    caller = signed_in("info_support_dept")
    form = a_form(ref)
    for _ in range(2):
        caller.post(f"/steps/{ref}/log_attempt/", form, headers=HTMX)

    assert Record.objects.unscoped("a test looks").get(ref=ref).facts["attempts_made"] == 1


def test_stn_48_the_outcome_goes_to_the_order_and_the_list_is_empty_again(signed_in: SignIn) -> None:
    order, ref = solved_by_telephone()
    caller = signed_in("cc_agent")
    assert order.ref in caller.get("/callbacks/").content.decode()

    caller.post(f"/steps/{ref}/complete/", a_form(ref, callback_outcome="satisfied", solved="yes"), headers=HTMX)
    page = caller.get("/callbacks/").content.decode()
    assert order.ref not in page and "没有待回访的维修单" in page
    assert RepairOrder.objects.unscoped("a test looks").get(ref=order.ref).state == "called_back"


def test_stn_45_what_is_not_solved_is_opened_again(signed_in: SignIn) -> None:
    order, ref = solved_by_telephone()
    caller = signed_in("cc_agent")
    unsolved = caller.post(
        f"/steps/{ref}/complete/", a_form(ref, callback_outcome="dissatisfied", solved="no"), headers=HTMX
    )
    assert unsolved.status_code == 422 and "STN-45" in unsolved.content.decode()

    caller.post(f"/steps/{ref}/reopen_order/", a_form(ref, reopen_reason="仍然黑屏"), headers=HTMX)
    assert RepairOrder.objects.unscoped("a test looks").get(ref=order.ref).state == "contacting"


def test_stn_48_the_share_is_whole_while_nothing_is_missing_and_names_what_is(signed_in: SignIn) -> None:
    first, ref = solved_by_telephone()
    second, _ = solved_by_telephone()
    caller = signed_in("info_support_dept")
    refresh_scorecards(datetime.now(UTC))
    assert "100% 回访覆盖率" in told(caller.get("/callbacks/").content)

    Record.objects.unscoped("as if it had been lost").filter(ref=ref).delete()
    refresh_scorecards(datetime.now(UTC))
    page = caller.get("/callbacks/").content
    assert "50% 回访覆盖率" in told(page) and "漏 1 单" in told(page)
    missing = page.decode().split('<div class="split"')[0]
    assert f'href="/orders/{first.ref}/"' in missing and second.ref not in missing


def test_the_number_is_masked_until_it_is_asked_for(signed_in: SignIn) -> None:
    _, ref = solved_by_telephone()
    for path in ("/callbacks/", f"/callbacks/{ref}/"):
        assert "13800000001" not in signed_in("cc_agent").get(path).content.decode()


def test_only_those_who_call_see_the_list_and_only_callbacks_are_calls(signed_in: SignIn) -> None:
    order, ref = solved_by_telephone()

    for role in ("station_coordinator", "region_interface", "process_owner"):
        assert signed_in(role).get("/callbacks/").status_code == 404
        assert signed_in(role).get(f"/callbacks/{ref}/").status_code == 404
    assert signed_in("cc_agent").get(f"/callbacks/{order.ref}/").status_code == 404
    assert signed_in("cc_agent").get("/callbacks/HF000000-NOTHING/").status_code == 404
