"""What is asked of every product, and how one of them is told from the next. Pure but for `ask`."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any, ClassVar, Protocol
from urllib.parse import urlsplit

from mendline.sim.bench.scratch import BenchFailed

Request = tuple[str, dict[str, str], str]
"""Method and path, headers, body."""

CREATE, CHANGE, LIST, SEARCH = "create", "change of state", "list of 50", "phone search"
READING, WRITING = (LIST, SEARCH), (CREATE, CHANGE)
ROWS = 50
ASK_SECONDS = 30.0
FIRST_PHONE, PHONES = 13_800_000_000, 100_000_000
STEP = 7_919_003  # has no factor in common with PHONES, so that no two tickets share a number
SUBJECTS = (
    "开机黑屏",
    "无法启动，风扇转动",
    "键盘部分按键失灵",
    "打印有竖纹",
    "硬盘异响，系统很慢",
    "屏幕闪烁",
    "无法联网",
)


class PeerDown(BenchFailed):
    """A product does not answer at its address, or not as itself; says which, where and what to do."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a product answers: plain HTTP, as behind its proxy."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"http://{self.host}:{self.port}"

    @classmethod
    def read(cls, text: str) -> Address:
        """Return the address that `text` names.

        Raises ValueError when it is not `http://host:port`.

        >>> Address.read("http://127.0.0.1:8080")
        Address(host='127.0.0.1', port=8080)
        """
        parts = urlsplit(text)
        if parts.scheme != "http" or not parts.hostname or parts.path.strip("/"):
            raise ValueError(f"{text!r} is no address of the form http://host:port")
        return cls(parts.hostname, parts.port or 80)


@dataclass(frozen=True, slots=True)
class Made:
    """A ticket just created, as far as changing it needs: its number, and what the product wants to be told of it."""

    ref: str
    more: Mapping[str, Any]


class Product(Protocol):
    """One product: its own way in for each of the questions, and what its answers are."""

    name: ClassVar[str]
    answers: ClassVar[Mapping[str, str]]  # question → what is done and what the answer holds, in a sentence

    @property
    def address(self) -> Address: ...

    @property
    def started_as(self) -> Mapping[str, Any]:
        """`pid_file` and the like, see `memory.py`; may be empty."""

    def get_ready(self) -> None:
        """Sign in, and see that the product answers. Raises PeerDown."""

    def creating(self, first: int, number: int) -> Sequence[Request]:
        """Return requests that create tickets; ticket n has `phone_of(n)`."""

    def made(self, body: str) -> Made | None:
        """Return the ticket that this answer tells of, None when it cannot be changed."""

    def changing(self, made: Sequence[Made]) -> Sequence[Request]:
        """Return requests that carry each ticket one step on."""

    def listing(self) -> Sequence[Request]:
        """Return requests for fifty open tickets, the most urgent first."""

    def searching(self, number: int, seed: int) -> Sequence[Request]:
        """Return requests for the tickets of a telephone number that exists."""

    def is_right(self, question: str, body: str) -> bool:
        """Whether an answer holds what was asked for: fifty rows, the number that was looked for."""


def phone_of(ticket: int) -> str:
    """Return the telephone number of ticket `ticket`: eleven digits, another for each.

    >>> phone_of(1), phone_of(2)
    ('13807919003', '13815838006')
    """
    return str(FIRST_PHONE + ticket * STEP % PHONES)


def subject_of(ticket: int) -> str:
    return SUBJECTS[ticket % len(SUBJECTS)]


def ask(product: str, address: Address, request: Request) -> tuple[int, Mapping[str, str], str]:
    """Send one request and return status, cookies and body.

    Raises PeerDown when nobody answers there.
    """
    line, headers, body = request
    method, path = line.split(" ", 1)
    connection = http.client.HTTPConnection(address.host, address.port, timeout=ASK_SECONDS)
    try:
        connection.request(method, path, body.encode() or None, headers)
        response = connection.getresponse()
        text = response.read().decode("utf-8", "replace")
        cookies = _cookies(response.headers.get_all("Set-Cookie") or [])
    except (OSError, http.client.HTTPException) as trouble:
        raise PeerDown(
            f"{product} 在 {address} 没有应答（{trouble}），请先启动它，或改正地址。"
            f" {product} does not answer at {address} ({trouble}): start it, or correct its address."
        ) from trouble
    finally:
        connection.close()
    return response.status, cookies, text


def _cookies(lines: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in lines:
        found |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}
    return found


def expected(product: str, address: Address, request: Request, status: int = 200) -> str:
    """Send one request and return the body. Raises PeerDown when the status is another."""
    found, _, body = ask(product, address, request)
    if found != status:
        raise PeerDown(
            f"{product} 在 {address} 对 {request[0].split('?')[0]} 答复 {found}，应为 {status}；请检查地址与密钥。"
            f" {product} at {address} answers {found} instead of {status}; check address and key: {body[:200]}"
        )
    return body


def as_json(body: str) -> Any:
    """Return what an answer says; None where it is no JSON, so that a page of an error is a wrong answer."""
    try:
        return json.loads(body)
    except ValueError:
        return None
