"""From what the product sent to what the oracle understands: labels for numbers, moments, names found anywhere."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from mendline.sim.ground.door import Reply
from mendline.sim.ground.oracle.leaks import NAME
from mendline.sim.ground.oracle.plain import Answer, ClockSeen

_REF = re.compile(r"\b(?:WX|CD|TS|BJ|HF)\d{6}-[2-9A-Z]{9}\b")
_PHONE = re.compile(r"(?<![0-9A-Za-z])(?:\+?86[- ]?)?1[3-9]\d{9}(?!\d)")
# Every simulated user's name ends in the label of the report, so that it is recognised wherever it turns up.
_NAME = re.compile(r"用户(o\d+)")


def name_of_user(label: str) -> str:
    return f"用户{label.rstrip('x')}"


@dataclass(slots=True)
class Numbers:
    """Which label stands for which number of the product."""

    by_label: dict[str, str] = field(default_factory=dict)
    by_ref: dict[str, str] = field(default_factory=dict)

    def learn(self, label: str, ref: str) -> None:
        self.by_label[label], self.by_ref[ref] = ref, label

    def label(self, ref: str) -> str:
        return self.by_ref.get(ref, ref)


def understood(reply: Reply, numbers: Numbers) -> Answer:
    """Return what a reply says. A 503 says nothing: whoever gets one does not know what happened."""
    if reply.status == 503:
        return Answer("unknown", 503)
    text = reply.body.decode()
    document: Any = reply.json() if reply.body[:1] in b"{[" else {}
    named = {numbers.by_ref[ref] for ref in _REF.findall(text) if ref in numbers.by_ref}
    named |= {NAME + label for label in _NAME.findall(text)}
    digest = hashlib.sha256(reply.body).hexdigest()
    if reply.status >= 400:
        rules = frozenset((*document.get("rules", ()), *([document["rule"]] if document.get("rule") else ())))
        return Answer(
            "refused", reply.status, str(document.get("code", "")), rules, named=frozenset(named), body=digest,
            phones=tuple(_PHONE.findall(text)), statements=reply.statements,
        )  # fmt: skip
    listed = document.get("items")
    return Answer(
        "ok", reply.status, state=str(document.get("state", "")), station=str(document.get("station_no", "")),
        region=str(document.get("region", "")), revision=document.get("revision"),
        clocks={name: _clock(clock) for name, clock in (document.get("clocks") or {}).items()},
        may=frozenset(step["name"] for step in document["may"]) if "may" in document else None,
        listed=tuple(numbers.label(row["ref"]) for row in listed if "ref" in row) if listed is not None else None,
        more=bool(document.get("next")), named=frozenset(named), phones=tuple(_PHONE.findall(text)),
        replayed=reply.replayed, body=digest, statements=reply.statements,
    )  # fmt: skip


def _clock(shown: Mapping[str, Any]) -> ClockSeen:
    due = datetime.fromisoformat(str(shown["due_at"]).replace("Z", "+00:00")).astimezone(UTC)
    return ClockSeen(str(shown["run"]), due, bool(shown["breached"]))
