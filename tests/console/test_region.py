"""The region's work: a verdict in one click, what is late, what found no station, how stations stand."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from mendline.care.scorecards import refresh_scorecards
from mendline.orders.breaches import breaches
from mendline.orders.models import Record, RepairOrder
from mendline.orders.store import Loaded
from mendline.orders.transitions import begin
from tests.console.conftest import SignIn
from tests.make import MONDAY_NINE, a_report, an_actor, do

HTMX = {"HX-Request": "true"}
HOUR = timedelta(hours=1)


def now() -> datetime:
    return datetime.now(UTC)


def told(page: bytes) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.decode()).split())


def a_request(order: Loaded | None = None, *, reason: str = "user_solved") -> Loaded:
    order = order or a_report(now=now() - HOUR)
    return begin(
        "cancellation_request", "submit", actor=an_actor("station_coordinator", station_no=order.station_no),
        now=now(), order_ref=order.ref, given={"cancel_reason": reason, "cancel_detail": "用户已自行重装系统"},
    )  # fmt: skip


def state_of(record: Loaded) -> str:
    return str(Record.objects.unscoped("a test looks").get(ref=record.ref).state)


# --- a verdict -------------------------------------------------------------------------------------


def test_the_page_of_a_request_has_everything_that_a_verdict_needs(signed_in: SignIn) -> None:
    order = a_report(now=now() - HOUR, fault="进水后不开机")
    do(order, "log_contact", now=now(), contact_outcome="no_answer")
    request = a_request(order)
    refresh_scorecards(now())
    answer = signed_in("region_interface").get(f"/inbox/{request.ref}/")

    page = told(answer.content)
    for word in ("用户已自行重装系统", "进水后不开机", "维修站近 30 天", "按时联系", "此前的撤单请求", "记录联系"):
        assert word in page, word
    assert "1 /6" in page  # one contact of the day's six (STN-25)
    assert "data-due=" in answer.content.decode()  # the countdown


def test_can_25_one_click_with_a_reason_is_the_verdict_and_leads_back_to_the_inbox(signed_in: SignIn) -> None:
    request = a_request()
    form = {"within": request.ref, "then": "inbox", "revision": "0", "verdict_note": "请继续维修", "once": uuid4().hex}
    answer = signed_in("region_interface").post(f"/steps/{request.ref}/refuse/", form, headers=HTMX)

    assert (answer.status_code, answer["HX-Redirect"]) == (204, "/inbox/")
    assert state_of(request) == "refused"


def test_can_25_a_refusal_without_its_reason_comes_back_to_its_place(signed_in: SignIn) -> None:
    request = a_request()
    form = {"within": request.ref, "then": "inbox", "revision": "0"}
    answer = signed_in("region_interface").post(f"/steps/{request.ref}/refuse/", form, headers=HTMX)

    assert (answer.status_code, answer["HX-Retarget"]) == (422, f"#step-{request.ref}")
    assert 'name="then" value="inbox"' in answer.content.decode()
    assert state_of(request) == "submitted"


def test_can_24_the_same_click_twice_cancels_once(signed_in: SignIn) -> None:
    request = a_request()
    region = signed_in("region_interface")
    form = {"within": request.ref, "then": "inbox", "revision": "0", "once": uuid4().hex}

    answers = [region.post(f"/steps/{request.ref}/cancel_order/", form, headers=HTMX) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [204, 204]
    assert state_of(request) == "executed"


def test_back_after_a_verdict_shows_that_it_was_given(signed_in: SignIn) -> None:
    request = a_request()
    region = signed_in("region_interface")
    region.post(f"/steps/{request.ref}/cancel_order/", {"within": request.ref, "revision": "0"}, headers=HTMX)

    page = region.get(f"/inbox/{request.ref}/")
    assert "已撤单" in page.content.decode() and 'class="verdict-form"' not in page.content.decode()
    again = region.post(f"/steps/{request.ref}/refuse/", {"revision": "0", "verdict_note": "不"}, headers=HTMX)
    assert again.status_code == 409 and "同意并撤单" in told(again.content)
    assert state_of(request) == "executed"


def test_the_neighbour_region_does_not_know_of_the_request(signed_in: SignIn) -> None:
    request = a_request()

    assert signed_in("region_interface", region="east").get(f"/inbox/{request.ref}/").status_code == 404
    assert signed_in("station_coordinator").get(f"/inbox/{request.ref}/").status_code == 404
    assert request.ref not in signed_in("region_interface", region="east").get("/inbox/").content.decode()


# --- what is late ----------------------------------------------------------------------------------


def test_stn_19_what_is_late_is_listed_the_longest_first(signed_in: SignIn) -> None:
    middle, longest, in_time = (a_report(now=now() - hours * HOUR) for hours in (5, 9, 3))
    page = signed_in("region_interface").get("/inbox/?tab=late").content.decode()

    assert page.index(longest.ref) < page.index(middle.ref)
    assert in_time.ref not in page
    assert "联系用户" in page and "维修站 000001" in page and "STN-19" in page


@pytest.mark.parametrize(("seconds", "late"), [(0, 0), (1, 1)])
def test_stn_19_an_order_is_late_after_its_limit_and_not_at_it(network: None, seconds: int, late: int) -> None:
    a_report()

    found = breaches(an_actor("region_interface"), MONDAY_NINE + 4 * HOUR + timedelta(seconds=seconds))
    assert len(found.found) == late


def test_the_late_list_is_narrowed_by_station_and_by_deadline(signed_in: SignIn) -> None:
    here = a_report(now=now() - 5 * HOUR)
    elsewhere = a_report(now=now() - 5 * HOUR, area="110105")
    visit = a_report(now=now() - 26 * HOUR)
    do(visit, "promise", now=now() - 25 * HOUR, promised_at=(now() - HOUR).isoformat())
    region = signed_in("region_interface")

    of_a_station = region.get("/inbox/?tab=late&station=000002").content.decode()
    assert elsewhere.ref in of_a_station and here.ref not in of_a_station
    of_a_clock = region.get("/inbox/?tab=late&clock=visit").content.decode()
    assert visit.ref in of_a_clock and here.ref not in of_a_clock
    assert region.get("/inbox/?tab=late&clock=<script>&station=none").status_code == 200


def test_more_breaches_than_anybody_reads_are_cut_and_said_to_be(network: None) -> None:
    for _ in range(3):
        a_report()
    found = breaches(an_actor("admin"), MONDAY_NINE + 5 * HOUR, limit=2)

    assert (len(found.found), found.is_cut) == (2, True)
    assert found.count_by_station() == {"000001": 2} and found.count_by_clock() == {"contact": 2}


# --- what found no station -------------------------------------------------------------------------


def test_an_order_without_a_station_says_why(signed_in: SignIn) -> None:
    order = a_report(now=now(), area="120101")
    assert order.state == "undispatched"
    page = told(signed_in("region_interface").get("/inbox/?tab=undispatched").content)

    assert order.ref in page and "为什么没有派出" in page and "没有记录" not in page


@pytest.mark.parametrize("tab", ["requests", "late", "undispatched", "situations", "coverage", "documents"])
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_an_empty_tab_teaches_what_will_appear_there(signed_in: SignIn, tab: str, language: str) -> None:
    page = signed_in("region_interface", language=language).get(f"/inbox/?tab={tab}").content.decode()

    assert "empty-title" in page and "empty-subtitle" in page


def test_the_inbox_opens_where_there_is_work(signed_in: SignIn) -> None:
    a_report(now=now(), area="120101")
    page = signed_in("region_interface").get("/inbox/").content.decode()

    assert re.search(r'href="\?tab=undispatched" aria-current="page"', page)


# --- how stations stand ----------------------------------------------------------------------------


def test_stn_19_a_stations_figure_leads_to_the_orders_behind_it(signed_in: SignIn) -> None:
    late, in_time = a_report(now=now() - 6 * HOUR), a_report(now=now() - HOUR)
    refresh_scorecards(now())
    region = signed_in("region_interface")

    listed = region.get("/stations/").content.decode()
    assert 'href="/stations/000001/?show=contacts_late"' in listed and "0/1" in told(listed.encode())
    behind = region.get("/stations/000001/?show=contacts_late").content.decode()
    assert late.ref in behind and in_time.ref not in behind


def test_can_27_cancelled_orders_are_listed_by_reason(signed_in: SignIn) -> None:
    given = {"requested_by": "user", "request_line": "line_800"}
    given = {"requested_by": "user", "request_line": "line_800"}
    solved = a_report(now=now() - HOUR)
    do(solved, "cancel", "cc_agent", now=now(), cancel_reason="user_solved", **given)
    later = a_report(now=now() - HOUR)
    do(later, "cancel", "cc_agent", now=now(), cancel_reason="user_postponed", **given)
    refresh_scorecards(now())
    page = signed_in("region_interface").get("/stations/000001/?show=cancelled&reason=user_solved").content.decode()

    assert solved.ref in page and later.ref not in page
    assert "用户自行解决" in page and "用户改约且同意再次报修" in page


def test_a_region_sees_its_stations_and_a_station_itself(signed_in: SignIn) -> None:
    refresh_scorecards(now())

    north = signed_in("region_interface").get("/stations/").content.decode()
    assert "000001" in north and "000002" in north and "000003" not in north
    assert signed_in("region_interface").get("/stations/000003/").status_code == 404
    assert "维修站000001" in signed_in("station_coordinator").get("/stations/").content.decode()
    assert signed_in("station_coordinator").get("/stations/000002/").status_code == 404
    for role in ("cc_agent", "info_support_dept", "process_owner"):  # no page leads them there
        for path in ("/stations/", "/stations/000001/", "/stations/000009/"):
            assert signed_in(role).get(path).status_code == 404, (role, path)


@pytest.mark.parametrize("query", ["?sort=nothing", "?show=__class__", "?show=cancelled&reason=%27%3B--", "?region=x"])
def test_an_address_edited_by_hand_is_no_error(signed_in: SignIn, query: str) -> None:
    refresh_scorecards(now())

    for path in ("/stations/", "/stations/000001/"):
        assert signed_in("region_interface").get(path + query).status_code == 200


def test_before_the_first_reckoning_the_pages_say_so(signed_in: SignIn) -> None:
    for path in ("/stations/", "/stations/000001/"):
        assert "还没有统计" in signed_in("region_interface").get(path).content.decode()


def test_the_queue_still_holds_what_the_late_list_shows(signed_in: SignIn) -> None:
    a_report(now=now() - 5 * HOUR)

    assert RepairOrder.objects.unscoped("a test looks").filter(due_at__lt=now()).count() == 1
    assert "超时清单 1" in told(signed_in("region_interface").get("/inbox/").content)
