"""Costly and telling calls have a limit for each caller; taking reports has none."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from mendline.journal.models import Entry
from mendline.kernel.errors import TooOften
from mendline.orders import reveal
from mendline.web.api.limits import Limit
from tests.api.conftest import Machines
from tests.make import MONDAY_NINE, a_network, a_report, an_actor


def test_a_bucket_empties_and_fills_again() -> None:
    limit = Limit(burst=2, per_minute=6)

    assert [limit.wait(1, 0.0), limit.wait(1, 0.0)] == [0, 0]
    assert limit.wait(1, 0.0) == pytest.approx(10)
    assert limit.wait(1, 9.9) == pytest.approx(0.1)
    assert limit.wait(1, 10.0) == 0
    assert limit.wait(2, 0.0) == 0  # another caller has a bucket of his own


def test_a_bucket_never_holds_more_than_its_burst() -> None:
    limit = Limit(burst=1, per_minute=60)
    assert limit.wait(1, 0.0) == 0

    assert limit.wait(1, 1_000_000.0) == 0
    assert limit.wait(1, 1_000_000.0) > 0


@pytest.mark.django_db
def test_who_reveals_number_after_number_has_to_wait_at_every_door(
    machine: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The history counts, so a second web process, or the page beside the interface, knows of the first one's."""
    monkeypatch.setattr(reveal, "MOST_AN_HOUR", 2)
    cc = machine("cc")
    ref = cc.report().json()["ref"]

    answers = [cc.post(f"/orders/{ref}/reveal", {"reason": "call_user"}) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 0 < int(answers[2]["Retry-After"]) <= 3600 and answers[2].json()["code"] == "too_many"
    assert Entry.objects.filter(kind="order.reveal_phone").count() == 2
    assert machine("north").post(f"/orders/{ref}/reveal", {"reason": "call_user"}).status_code == 200


@pytest.mark.django_db
def test_a_look_is_free_again_an_hour_after_the_oldest_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reveal, "MOST_AN_HOUR", 2)
    a_network()
    order, agent, now = a_report(), replace(an_actor("cc_agent"), person_id=7), MONDAY_NINE
    for minutes in (0, 20):
        reveal.reveal_phone(order.ref, "call_user", actor=agent, now=now + timedelta(minutes=minutes))

    with pytest.raises(TooOften) as refused:
        reveal.reveal_phone(order.ref, "call_user", actor=agent, now=now + timedelta(minutes=59))
    reveal.reveal_phone(order.ref, "call_user", actor=agent, now=now + timedelta(minutes=60))

    assert refused.value.seconds == 60
    assert "1 分钟" in refused.value.detail.zh and "1 min" in refused.value.detail.en
