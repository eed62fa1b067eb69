"""Rows of the outbox, and a channel that notes what it is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from mendline.contact.ports import DeliveryFailed, Message
from mendline.journal.models import Outgoing
from tests.make import MONDAY_NINE

ARow = Callable[..., Outgoing]


@dataclass
class Noting:
    """A channel: keeps what it was given, or fails as told."""

    failure: DeliveryFailed | Exception | None = None
    got: list[Message] = field(default_factory=list)

    def send(self, message: Message) -> str:
        self.got.append(message)
        if self.failure is not None:
            raise self.failure
        return "noted"


@pytest.fixture
def a_row(db: None) -> ARow:
    """Make a row of the outbox: `a_row("key", address="…")`; an e-mail that is due on Monday at nine."""

    def make(key: str = "k", **changed: Any) -> Outgoing:
        row = {
            "at": MONDAY_NINE, "subject": "WX1", "notice": "order_cancelled", "channel": "email",
            "address": "a@example.com", "next_try_at": MONDAY_NINE,
            "data": {"zh": "WX1 已撤单：区域错。", "en": "WX1 was cancelled: wrong area."},
        }  # fmt: skip
        return Outgoing.objects.create(key=key, **{**row, **changed})

    return make
