"""Costly and telling calls have a limit for each caller; taking reports has none."""

from __future__ import annotations

import pytest

from mendline.journal.models import Entry
from mendline.web.api import limits
from mendline.web.api.limits import Limit
from tests.api.conftest import Machines


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
def test_who_reveals_number_after_number_has_to_wait(machine: Machines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REVEALS", Limit(burst=2, per_minute=6))
    cc = machine("cc")
    ref = cc.report().json()["ref"]

    answers = [cc.post(f"/orders/{ref}/reveal", {"reason": "call_user"}) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2]["Retry-After"] == "10" and answers[2].json()["code"] == "too_many"
    assert Entry.objects.filter(kind="order.reveal_phone").count() == 2
    assert machine("north").post(f"/orders/{ref}/reveal", {"reason": "call_user"}).status_code == 200
