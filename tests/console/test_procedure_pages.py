"""Whoever writes procedures tries a change on what was done; nobody else sees the page."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from mendline.journal.models import Entry
from tests.console.conftest import PLACES, SignIn
from tests.make import a_report, do

PAGE = "/procedures/unified_repair/3/replay/"
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


@pytest.mark.parametrize(("language", "words"), [("zh-hans", "不是时长"), ("en", "is not a duration")])
def test_an_unreadable_parameter_is_named_and_stays_in_its_field(signed_in: SignIn, language: str, words: str) -> None:
    answer = signed_in("process_owner", language=language).get(PAGE, {"p_contact_limit": "soon"})

    said = answer.content.decode()
    assert answer.status_code == 422
    assert "contact_limit" in said and words in said and 'value="soon"' in said


@pytest.mark.parametrize("path", ["/procedures/nosuch/1/replay/", "/procedures/unified_repair/99/replay/"])
def test_a_version_that_does_not_exist_is_absent(signed_in: SignIn, path: str) -> None:
    assert signed_in("process_owner").get(path).status_code == 404
