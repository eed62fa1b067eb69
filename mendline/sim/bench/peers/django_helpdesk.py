"""django-helpdesk: its interface where it has one that can be used, otherwise what its own pages ask for.

Its interface reads every ticket, and the fields of each, before it answers a list or changes one, so lists and
searches go over the address from which its page of tickets takes its rows, signed in; a change of state is a
follow-up, which is how its pages do it as well.
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
    expected,
    phone_of,
    subject_of,
)

OPEN, REOPENED, RESOLVED = 1, 2, 3
DUE_COLUMN = 6
DUE = "2030-01-{day:02}T08:00:00Z"


@dataclass(slots=True)
class DjangoHelpdesk:
    """A running django-helpdesk with one queue and the fields phone, serial and address."""

    address: Address
    token: str = field(repr=False)
    user: str
    password: str = field(repr=False)
    level: int  # tickets that were there from the start: `phone_of(1)` to `phone_of(level)`
    queue: int = 1
    started_as: Mapping[str, Any] = field(default_factory=dict)
    session: str = field(default="", repr=False)
    name: ClassVar[str] = "django-helpdesk"
    answers: ClassVar[Mapping[str, str]] = {
        CREATE: "its API: ticket with three custom fields and its first follow-up; answers the ticket",
        CHANGE: "its API: a follow-up that resolves the ticket; answers the follow-up",
        LIST: "what its page of tickets asks for: 50 open ones by due date, and how many there are, JSON",
        SEARCH: "the same with a search text, looked for anywhere in ten columns, JSON",
    }

    def get_ready(self) -> None:
        """Sign in with the form that people use: the page of tickets takes no token."""
        status, cookies, _ = ask(self.name, self.address, ("GET /login/", {}, ""))
        token = cookies.get("csrftoken", "")
        form = urlencode({"username": self.user, "password": self.password, "csrfmiddlewaretoken": token})
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": f"csrftoken={token}"}
        status, cookies, _ = ask(self.name, self.address, ("POST /login/", headers, form))
        if "sessionid" not in cookies:
            raise PeerDown(
                f"{self.name} 在 {self.address} 拒绝登录（{status}），请检查用户与密码。 {self.name} at {self.address}"
                f" does not let {self.user!r} in ({status}): check user and password."
            )
        self.session = cookies["sessionid"]
        expected(self.name, self.address, self.listing()[0])

    def creating(self, first: int, number: int) -> Sequence[Request]:
        return [self._post("/api/tickets/", self._ticket(one)) for one in range(first, first + number)]

    def made(self, body: str) -> Made | None:
        found = as_json(body)
        return Made(str(found["id"]), {}) if isinstance(found, dict) and "id" in found else None

    def changing(self, made: Sequence[Made]) -> Sequence[Request]:
        step = {"title": "", "comment": "", "new_status": RESOLVED, "public": False}
        return [self._post("/api/followups/", {"ticket": int(one.ref), **step}) for one in made]

    def listing(self) -> Sequence[Request]:
        return [self._rows({"filtering": {"status__in": [OPEN, REOPENED]}, "search_string": ""})]

    def searching(self, number: int, seed: int) -> Sequence[Request]:
        drawn = random.Random(seed).choices(range(1, self.level + 1), k=number)
        return [self._rows({"filtering": {}, "search_string": phone_of(one)}) for one in drawn]

    def is_right(self, question: str, body: str) -> bool:
        found = as_json(body)
        if not isinstance(found, dict):
            return False
        if question == CREATE:
            return "id" in found
        if question == CHANGE:
            return found.get("new_status") == RESOLVED
        rows = len(found.get("data", []))
        return rows == ROWS if question == LIST else rows >= 1

    def _rows(self, query: Mapping[str, object]) -> Request:
        packed = base64.b64encode(json.dumps({**query, "sorting": "due_date"}).encode()).decode()
        asked = {"draw": 1, "start": 0, "length": ROWS, "order[0][column]": DUE_COLUMN, "order[0][dir]": "asc"}
        headers = {"Cookie": f"sessionid={self.session}", "Accept": "application/json"}
        return f"GET /datatables_ticket_list/{packed}?{urlencode(asked)}", headers, ""

    def _post(self, path: str, document: Mapping[str, object]) -> Request:
        headers = {
            "Authorization": f"Token {self.token}", "Accept": "application/json", "Content-Type": "application/json",
        }  # fmt: skip
        return f"POST {path}", headers, json.dumps(document, ensure_ascii=False)

    def _ticket(self, number: int) -> dict[str, object]:
        fault = subject_of(number)
        return {
            "queue": self.queue,
            "title": fault,
            "description": f"{fault}，{number}",
            "submitter_email": f"c{number}@bench.invalid",
            "priority": 3,
            "due_date": DUE.format(day=1 + number % 28),
            "custom_phone": phone_of(number),
            "custom_serial": f"SN{number:010d}",
            "custom_address": f"建设路{number % 900}号",
        }
