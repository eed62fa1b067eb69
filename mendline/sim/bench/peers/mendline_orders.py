"""Mendline through its own interface; searching through its page of hits, because the interface has no search."""

from __future__ import annotations

import json
import random
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, ClassVar
from urllib.parse import quote

from mendline.sim.bench.peers.product import (
    CHANGE,
    CREATE,
    LIST,
    ROWS,
    SEARCH,
    Address,
    Made,
    Request,
    as_json,
    expected,
)
from mendline.sim.bench.small_country import reports

TAKEN = "dispatched"  # the state from which a station downloads an order


@dataclass(frozen=True, slots=True)
class Mendline:
    """A running Mendline, an agent's key and session, the keys of its stations, and numbers that exist in it."""

    address: Address
    tokens: Mapping[str, str] = field(repr=False)  # station number, or `cc` for the agent → key
    session: str = field(repr=False)
    phones: Sequence[str] = field(repr=False)
    started_as: Mapping[str, Any] = field(default_factory=dict)
    name: ClassVar[str] = "Mendline"
    answers: ClassVar[Mapping[str, str]] = {
        CREATE: "API: customer, duplicate check, choice of a station and its seat, three timers, a notice, history, the"
        " kept answer of the caller's number; answers a receipt",
        CHANGE: "API: the station downloads the order; guards, clocks, history, the kept answer; answers a receipt",
        LIST: "API: 50 open orders by next deadline, with customer (number masked), product and fault, JSON",
        SEARCH: "the page of hits that people see, of all years, signed in: whole HTML with navigation",
    }

    def get_ready(self) -> None:
        expected(self.name, self.address, self.listing()[0])
        if self.phones:
            expected(self.name, self.address, self.searching(1, seed=0)[0])

    def creating(self, first: int, number: int) -> Sequence[Request]:
        return [
            ("POST /api/v1/orders", self._headers("cc"), json.dumps({"given": given}, ensure_ascii=False))
            for given in islice(reports(first), number)
        ]

    def made(self, body: str) -> Made | None:
        found = as_json(body)
        if not isinstance(found, dict) or found.get("state") != TAKEN:
            return None
        return Made(str(found["ref"]), {"station": found["station_no"], "revision": found["revision"]})

    def changing(self, made: Sequence[Made]) -> Sequence[Request]:
        return [
            (
                f"POST /api/v1/orders/{one.ref}/transitions/download",
                self._headers(str(one.more["station"])),
                json.dumps({"given": {}, "revision": one.more["revision"]}),
            )
            for one in made
        ]

    def listing(self) -> Sequence[Request]:
        return [(f"GET /api/v1/orders?limit={ROWS}", {"Authorization": f"Bearer {self.tokens['cc']}"}, "")]

    def searching(self, number: int, seed: int) -> Sequence[Request]:
        headers = {"Cookie": f"sessionid={self.session}", "Accept-Language": "zh-hans"}
        drawn = random.Random(seed).choices(self.phones, k=number)
        return [(f"GET /search/?all=1&q={quote(one)}", headers, "") for one in drawn]

    def is_right(self, question: str, body: str) -> bool:
        if question == SEARCH:
            return 'href="/orders/WX' in body
        found = as_json(body)
        if not isinstance(found, dict):
            return False
        if question == LIST:
            return len(found.get("items", [])) == ROWS
        return "ref" in found and "revision" in found

    def _headers(self, whose: str) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self.tokens[whose]}", "Idempotency-Key": secrets.token_hex(12),
            "Content-Type": "application/json",
        }  # fmt: skip
