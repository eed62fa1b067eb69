"""Messages of the outbox as cells of a table."""

from __future__ import annotations

import json
from typing import Any

from django.urls import reverse
from django.utils.html import format_html

from mendline.journal.models import Outgoing
from mendline.kernel.text import Text
from mendline.web.admin.tables import Tone, post_button, tag
from mendline.web.console.visit import Visit
from mendline.web.templatetags.console import said_of, say

STATES: dict[str, tuple[Text, Tone]] = {
    "pending": (Text("待发送", "waiting"), "warning"),
    "sent": (Text("已发送", "sent"), "success"),
    "failed": (Text("失败", "failed"), "danger"),
    "declined": (Text("收件人不要邮件", "no e-mail wanted"), "plain"),
    "shown": (Text("站内显示", "shown"), "info"),
}
AGAIN = Text("重发", "Send again")


def state_tag(row: Outgoing) -> Any:
    text, tone = STATES.get(row.state, (Text(row.state, row.state), "plain"))
    if row.state == "pending" and row.attempts:
        return tag(Text("正在重试", "being retried"), "warning")
    return tag(text, tone)


def body_of(row: Outgoing) -> Any:
    """Return what is sent: the event as JSON, or the sentence that people get."""
    if row.channel == "webhook":
        body = json.dumps(row.data, ensure_ascii=False, indent=1)
        words = say(Text("查看", "show"))
        return format_html('<details><summary>{}</summary><pre lang="en">{}</pre></details>', words, body)
    return format_html("<bdi>{}</bdi>", said_of(row.data))


def again_button(visit: Visit, row: Outgoing) -> Any:
    """A button for what was sent or given up; what waits needs none."""
    if row.state == "pending":
        return "—"
    return post_button(visit, reverse("admin:send_again", args=[row.pk]), AGAIN)
