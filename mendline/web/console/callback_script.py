"""What to say when calling a user back, in both languages, with the order's own words filled in (STN-48)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mendline.kernel.text import Text
from mendline.kernel.time import moment_text
from mendline.kernel.unseen import held_apart
from mendline.web.console.fact_words import product_name


@dataclass(frozen=True, slots=True)
class Line:
    """One thing to say, and what to do with the answer."""

    say: Text
    then: Text | None = None


_GREETING = Text(
    "您好，请问是{name}吗？这里是维修服务中心，想用一分钟回访您的{product}。",
    "Hello, am I speaking with {name}? This is the repair service. May I take a minute to ask about your {product}?",
)
_SOLVED = Text("您报修的是“{fault}”，现在解决了吗？", "You reported “{fault}”. Is it solved now?")
_VISIT = Text(
    "约定的时间是{promise}，工程师是按时到的吗？", "The time agreed was {promise}. Did the engineer come in time?"
)
_BY_PHONE = Text("工程师在电话里给您讲清楚了吗？", "Did the engineer make it clear on the telephone?")
_CONTENT = Text("这次维修您满意吗？哪里可以做得更好？", "Were you satisfied? What could we do better?")
_GOODBYE = Text("谢谢您。再有问题，请随时拨打报修电话。", "Thank you. Call us at any time if there is trouble again.")


def script_for(facts: Mapping[str, Any]) -> list[Line]:
    """Return the lines of the call about an order with these facts."""
    names = {
        "name": held_apart(str((facts.get("customer") or {}).get("name") or "—")),
        "product": product_name(str(facts.get("product", ""))),
        "fault": held_apart(str(facts.get("fault") or "—")),
    }
    promises = [promise["at"] for promise in facts.get("t3_promises") or () if promise.get("at")]
    if facts.get("resolution") == "resolved_remotely" or not promises:
        middle = Line(_BY_PHONE)
    else:
        middle = Line(_VISIT.filled(promise=moment_text(datetime.fromisoformat(promises[-1]))))
    return [
        Line(_GREETING.filled(**names), Text("没接通就记一次，换个时段再打。", "No answer: log it, try another hour.")),
        Line(
            _SOLVED.filled(**names),
            Text("没有解决：选“未解决，重开维修单”。", "Not solved: choose “Not solved: re-open”."),
        ),
        middle,
        Line(_CONTENT, Text("按用户原话记在“用户意见”里。", "Note the user's own words.")),
        Line(_GOODBYE),
    ]
