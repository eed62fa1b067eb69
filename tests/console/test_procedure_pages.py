"""Procedures on the screen: compared, tried on what was done, their limits changed; each page for whom it concerns."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core import signing
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from mendline.access.actors import THE_CLOCK
from mendline.journal.models import Entry
from mendline.orders.models import Record
from mendline.orders.store import load
from mendline.orders.sweep import sweep
from mendline.web.console import replay_page
from tests.console.conftest import PLACES, SignIn
from tests.make import a_report, do

PAGE = "/procedures/unified_repair/3/replay/"
COMPARE = "/procedures/unified_repair/differences/"
LIMITS = "/procedures/unified_repair/3/limits/"
FILE = (Path(settings.PROCESS_FOLDER) / "unified_repair.yaml").read_text("utf-8")
PROPOSERS = {"process_owner", "channel_management"}
WRITERS = {"process_owner", "channel_management", "hq_interface", "admin"}


@pytest.mark.parametrize("role", PLACES)
def test_only_those_who_write_procedures_find_it(signed_in: SignIn, role: str) -> None:
    client = signed_in(role)

    assert client.get(PAGE).status_code == (200 if role in WRITERS else 404)
    assert (PAGE in client.get("/procedures/unified_repair/3/").content.decode()) == (role in WRITERS)


def test_a_shorter_limit_is_tried_and_nothing_is_written(signed_in: SignIn) -> None:
    now = timezone.now()
    order = do(do(a_report(now=now), "download", now=now), "log_contact", now=now, contact_outcome="reached")
    do(order, "promise", now=now, promised_at=(now + timedelta(days=1)).isoformat())
    before = Entry.objects.count()

    said = signed_in("process_owner").get(PAGE, {"days": "7", "p_contact_limit": "1s"}).content.decode()

    assert "1 单 4 步中，0 步现在会被拒绝" in said
    assert "原为 4h" in said
    assert Entry.objects.count() == before


def test_more_than_one_answer_holds_is_tried_step_by_step_and_can_be_stopped(
    signed_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay_page, "AT_ONCE", 2)
    now = timezone.now()
    for _ in range(5):
        order = do(a_report(now=now), "download", now=now)
        do(order, "log_contact", now=now, contact_outcome="reached")
    client = signed_in("process_owner")
    tried = f"{PAGE}?days=7&p_contact_limit=1s"

    first = client.get(tried).content.decode()
    second = client.post(tried, {"carried": carried_in(first)}, headers={"HX-Request": "true"}).content.decode()
    stopped = client.post(tried, {"carried": carried_in(second), "stop": "1"}, headers={"HX-Request": "true"})
    last = client.post(tried, {"carried": carried_in(stopped.content.decode())}, headers={"HX-Request": "true"})

    assert "2 单 6 步中" in first and "已检验 2 单，共 5 单" in first
    assert "4 单 12 步中" in second and "<html" not in second
    assert "已停止：检验了 4 单，共 5 单" in stopped.content.decode()
    assert "5 单 15 步中" in last.content.decode() and "carried" not in last.content.decode()


@pytest.mark.parametrize(
    "carried", ["x", "a:b:c", signing.dumps({"total": 1}, salt="another")], ids=["nothing", "signs", "another's"]
)
def test_what_did_not_come_from_us_begins_the_trial_anew(signed_in: SignIn, carried: str) -> None:
    now = timezone.now()
    do(a_report(now=now), "download", now=now)

    answer = signed_in("process_owner").post(f"{PAGE}?days=7", {"carried": carried}, headers={"HX-Request": "true"})

    assert answer.status_code == 200 and "1 单 2 步中" in answer.content.decode()


def carried_in(page: str) -> str:
    found = re.search(r'name="carried" value="([^"]+)"', page)
    assert found is not None
    return found[1]


@pytest.mark.parametrize(("language", "words"), [("zh-hans", "不是时长"), ("en", "is not a duration")])
def test_an_unreadable_parameter_is_named_and_stays_in_its_field(signed_in: SignIn, language: str, words: str) -> None:
    answer = signed_in("process_owner", language=language).get(PAGE, {"p_contact_limit": "soon"})

    said = answer.content.decode()
    assert answer.status_code == 422
    assert "contact_limit" in said and words in said and 'value="soon"' in said


@pytest.mark.parametrize("path", ["/procedures/nosuch/1/replay/", "/procedures/unified_repair/99/replay/"])
def test_a_version_that_does_not_exist_is_absent(signed_in: SignIn, path: str) -> None:
    assert signed_in("process_owner").get(path).status_code == 404


def test_uds_06_two_editions_are_compared_in_words(signed_in: SignIn) -> None:
    said = signed_in("station_coordinator").get(COMPARE, {"a": "2", "b": "3"}).content.decode()

    assert "联系不上多久可撤单由5天改为5个工作日" in said
    assert "mark-added" in said and "〔单号〕" in said and "{ref}" not in said
    assert "新状态“已打印”" in said
    assert "与尚未发布的文件比较" not in said, "only who writes procedures sends files"


def test_the_same_edition_twice_does_not_differ(signed_in: SignIn) -> None:
    assert "两者没有不同" in signed_in("cc_agent").get(COMPARE, {"a": "3", "b": "3"}).content.decode()


@pytest.mark.parametrize("query", [{"a": "99"}, {"b": "3999"}])
def test_an_edition_that_does_not_exist_is_absent(signed_in: SignIn, query: dict[str, str]) -> None:
    assert signed_in("process_owner").get(COMPARE, query).status_code == 404


def test_a_process_that_does_not_exist_is_absent(signed_in: SignIn) -> None:
    assert signed_in("process_owner").get("/procedures/nosuch/differences/").status_code == 404


@pytest.mark.parametrize("how", ["pasted", "sent"])
def test_a_file_not_published_is_compared_and_tried_and_not_kept(signed_in: SignIn, how: str) -> None:
    text = FILE.replace("contact_limit: 4h ", "contact_limit: 3h ")
    form = (
        {"a": "3", "text": text}
        if how == "pasted"
        else {"a": "3", "file": SimpleUploadedFile("new.yaml", text.encode())}
    )
    client = signed_in("process_owner")

    compared = client.post(COMPARE, form).content.decode()
    tried = client.post(PAGE, {"text": text}).content.decode()

    assert "联系时限由4小时改为3小时" in compared and "1 处不同" in compared
    assert "步现在会被拒绝" in tried
    assert "4小时" in client.get("/procedures/unified_repair/3/").content.decode()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "keys and values"),
        ("process: callback\nversion: 1\n", "is missing"),
        (FILE.replace("process: unified_repair", "process: another"), "not unified_repair"),
        ("a: &x [1]\nb: *x\n", "aliases"),
        ("<script>alert(1)</script>", "keys and values"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_its_lines(signed_in: SignIn, text: str, says: str) -> None:
    client = signed_in("process_owner")

    for page in (COMPARE, PAGE):
        answer = client.post(page, {"a": "3", "text": text})
        assert answer.status_code == 422 and says in answer.content.decode()
        assert "<script>alert(1)" not in answer.content.decode()


def test_a_file_of_somebody_who_does_not_write_procedures_is_not_taken(signed_in: SignIn) -> None:
    client = signed_in("cc_agent")

    assert client.post(COMPARE, {"a": "3", "text": FILE}).status_code == 404
    assert client.post(PAGE, {"text": FILE}).status_code == 404


@pytest.mark.parametrize("role", PLACES)
def test_uds_08_only_those_who_revise_the_procedure_propose_limits(signed_in: SignIn, role: str) -> None:
    assert signed_in(role).get(LIMITS).status_code == (200 if role in PROPOSERS else 404)


def test_the_effect_is_shown_before_anything_is_proposed(signed_in: SignIn) -> None:
    now = timezone.now()
    do(a_report(now=now), "download", now=now)

    said = signed_in("process_owner").post(LIMITS, {"p_contact_limit": "3h", "do": "look"}).content.decode()

    assert "联系时限由4小时改为3小时" in said and "1 单 2 步中，0 步现在会被拒绝" in said
    assert "请在 4 小时内联系用户" in said, "the notice that states the present limit is pointed out"
    assert not Record.objects.unscoped("a test looks").exists()


def test_all_faults_of_the_limits_are_named_and_stay_in_their_fields(signed_in: SignIn) -> None:
    answer = signed_in("process_owner").post(
        LIMITS, {"p_contact_limit": "soon", "p_contact_quota": "x", "do": "propose"}
    )

    said = answer.content.decode()
    assert answer.status_code == 422 and 'value="soon"' in said and 'value="x"' in said
    assert "contact_limit（联系时限）" in said and "contact_quota（每天联系次数）" in said


def test_uds_03_limits_go_from_the_form_through_two_others_into_new_orders(signed_in: SignIn) -> None:
    form = {"p_contact_limit": "3h", "title": "联系时限3小时", "change_reason": "用户要求更快", "do": "propose"}
    answer = signed_in("channel_management").post(LIMITS, form)
    ref = answer["Location"].split("/")[2]
    assert "联系时限由4小时改为3小时" in signed_in("hq_interface").get(f"/records/{ref}/").content.decode()
    assert ref in signed_in("service_support_dept").get("/procedures/").content.decode()

    for role, step in (("service_support_dept", "review"), ("hq_interface", "approve")):
        assert signed_in(role).post(
            f"/steps/{ref}/{step}/", {"revision": load(ref, actor=THE_CLOCK).revision}
        ).status_code in (204, 302)
    sweep(timezone.now())

    client = signed_in("station_coordinator")
    listed = client.get("/procedures/").content.decode()
    page = client.get("/procedures/unified_repair/3001/").content.decode()
    assert "V3.1" in listed and "现行" in listed
    assert "文件为 4小时" in page and "V3.1" in page
    order = a_report(now=timezone.now())
    assert order.process_version == 3001
    assert "V3.1" in client.get(f"/orders/{order.ref}/").content.decode()
    assert "联系时限3小时" in client.get("/reading/").content.decode()
    assert "联系时限由4小时改为3小时" in client.get(f"/reading/{ref}/").content.decode()
