"""Request Tracker 5 through REST 2.0, signed in as its own pages are.

A token or a password would be hashed anew for every request (bcrypt of cost 12: more processor time than anything
that is asked here), so the adapter signs in once with the form and shows the cookie. It has several sessions, as
several people would: each request writes its session's row.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any, ClassVar
from urllib.parse import urlencode

from mendline.sim.bench.peers.product import (
    CHANGE,
    CREATE,
    LIST,
    ROWS,
    SEARCH,
    Address,
    Made,
    PeerDown,
    Request,
    as_json,
    ask,
    phone_of,
    subject_of,
)

BASE = "/REST/2.0"
SESSIONS = 16
CUSTOMERS = 200  # that prepare_rt made; a report of one that is new would cost RT a user and its groups as well
FIELDS = "Subject,Status,Created,Due,LastUpdated,Requestor,CustomFields"
DUE = "2030-01-{day:02} 08:00:00"


@dataclass(slots=True)
class RequestTracker:
    """A running RT with the queue `service` and the fields Phone, Serial and Address."""

    address: Address
    user: str
    password: str = field(repr=False)
    level: int  # tickets that were there from the start: `phone_of(1)` to `phone_of(level)`
    started_as: Mapping[str, Any] = field(default_factory=dict)
    cookies: Iterator[str] = field(default_factory=lambda: iter(()), repr=False)
    name: ClassVar[str] = "Request Tracker"
    answers: ClassVar[Mapping[str, str]] = {
        CREATE: "REST 2.0: ticket of a known requestor with three custom fields and its first text; answers its number",
        CHANGE: "REST 2.0: status new → open, one transaction written; answers one sentence",
        LIST: "REST 2.0: 50 active tickets of the queue by due date, with requestor and custom fields, JSON",
        SEARCH: "REST 2.0: the number in its own field, equal; the same fields as the list, JSON",
    }

    def get_ready(self) -> None:
        self.cookies = cycle([self._sign_in() for _ in range(SESSIONS)])

    def creating(self, first: int, number: int) -> Sequence[Request]:
        return [self._send("POST", "/ticket", _ticket(one)) for one in range(first, first + number)]

    def made(self, body: str) -> Made | None:
        found = as_json(body)
        return Made(str(found["id"]), {}) if isinstance(found, dict) and "id" in found else None

    def changing(self, made: Sequence[Made]) -> Sequence[Request]:
        return [self._send("PUT", f"/ticket/{one.ref}", {"Status": "open"}) for one in made]

    def listing(self) -> Sequence[Request]:
        return [self._tickets("Queue = 'service' AND Status = '__Active__'") for _ in range(SESSIONS)]

    def searching(self, number: int, seed: int) -> Sequence[Request]:
        drawn = random.Random(seed).choices(range(1, self.level + 1), k=number)
        return [self._tickets(f"Queue = 'service' AND CF.{{Phone}} = '{phone_of(one)}'") for one in drawn]

    def is_right(self, question: str, body: str) -> bool:
        found = as_json(body)
        if question == CHANGE:
            return isinstance(found, list) and "open" in str(found[:1])
        if not isinstance(found, dict):
            return False
        if question == CREATE:
            return "id" in found
        rows = len(found.get("items", []))
        return rows == ROWS if question == LIST else rows >= 1

    def _tickets(self, query: str) -> Request:
        words = {"query": query, "fields": FIELDS, "per_page": ROWS, "orderby": "Due", "order": "ASC"}
        return self._get(f"/tickets?{urlencode(words)}")

    def _get(self, path: str) -> Request:
        return f"GET {BASE}{path}", self._headers(), ""

    def _send(self, method: str, path: str, document: Mapping[str, object]) -> Request:
        headers = {**self._headers(), "Content-Type": "application/json"}
        return f"{method} {BASE}{path}", headers, json.dumps(document, ensure_ascii=False)

    def _headers(self) -> dict[str, str]:
        return {"Cookie": next(self.cookies), "Accept": "application/json"}

    def _sign_in(self) -> str:
        form = urlencode({"user": self.user, "pass": self.password})
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        status, cookies, _ = ask(self.name, self.address, ("POST /NoAuth/Login.html", headers, form))
        cookie = "; ".join(f"{name}={value}" for name, value in cookies.items() if name.startswith("RT_SID"))
        answer, _, _ = ask(self.name, self.address, (f"GET {BASE}/queue/service", {"Cookie": cookie}, ""))
        if not cookie or answer != 200:
            raise PeerDown(
                f"{self.name} 在 {self.address} 拒绝登录（{status}、{answer}），请检查用户、密码与队列 service。"
                f" {self.name} at {self.address} does not let {self.user!r} in ({status}, {answer}): check user,"
                " password and the queue `service`."
            )
        return cookie


def _ticket(number: int) -> dict[str, object]:
    fault = subject_of(number)
    return {
        "Queue": "service",
        "Subject": fault,
        "Requestor": f"c{number % CUSTOMERS}@bench.invalid",
        "Content": f"{fault}，{number}",
        "Due": DUE.format(day=1 + number % 28),
        "CustomFields": {
            "Phone": phone_of(number), "Serial": f"SN{number:010d}", "Address": f"建设路{number % 900}号",
        },
    }  # fmt: skip
