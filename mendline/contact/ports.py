"""What every channel to the outside world implements, and how it says that it could not deliver.

Channels lie above this package; they join themselves here by name when they are loaded, so the
outbox never imports one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Protocol

from mendline.kernel.text import Text

LONGEST_REASON = 200  # characters; the column `journal_outgoing.error`


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one address, the same at every try.

    `text` is for people; `event` is what a machine is sent instead.
    """

    id: int
    key: str
    at: datetime
    subject: str  # the ref of the order or record it is about
    notice: str
    address: str
    text: Text
    event: Mapping[str, Any]

    @property
    def fingerprint(self) -> str:
        """A short form of the key: every copy of one message has the same, and it tells nothing about anybody."""
        return sha256(self.key.encode()).hexdigest()[:32]


class DeliveryFailed(Exception):
    """The message did not get through.

    `reason` is kept and shown, so it holds no secret, no answer of the other side, and nothing
    about the inside of a network. `permanent` means that no later try can help.
    """

    def __init__(self, reason: str, *, permanent: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent


class Channel(Protocol):
    """A way to the outside: e-mail, webhook."""

    def send(self, message: Message) -> str:
        """Hand the message over and return a remark for the log.

        It may have been handed over before, by a worker that died before it could note it; the
        receiver must be able to tell by `message.fingerprint`.

        Raises:
            DeliveryFailed: says whether a later try can help.
        """
        ...


CHANNELS: dict[str, Channel] = {}


def join(name: str, channel: Channel) -> None:
    """Let the outbox deliver its `name` rows through `channel`."""
    CHANNELS[name] = channel
