"""Notices: what is told to whom on what, in both languages, as the process files say it."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils.html import format_html

from mendline.kernel.text import Text
from mendline.process.definition import Notice, Process
from mendline.process.loading import latest, processes
from mendline.web.admin.entries import COMMA
from mendline.web.admin.office import STEWARDS, room, show
from mendline.web.admin.role_pages import rules_markup
from mendline.web.admin.tables import table
from mendline.web.console.visit import Visit
from mendline.web.console.words import role_name
from mendline.web.templatetags.console import say

CHANNELS = {"inbox": Text("站内", "in the console"), "email": Text("邮件", "e-mail")}
INTRO = Text(
    "文案属于规程，随规程文件发布（{} 为单据内容的位置）；个人可以在“个人设置”里选择渠道。",
    "Texts belong to the procedure and are published with it ({} marks where facts will stand); people choose channels "
    "in their own settings.",
)


@room(STEWARDS)
def texts(visit: Visit) -> HttpResponse:
    """All notices of the newest version of every procedure."""
    headers = [
        Text("何时", "When"),
        Text("发给", "To"),
        Text("渠道", "By"),
        Text("文案", "Text"),
        Text("规则", "Rules"),
    ]
    parts = [
        {"title": process.label, "table": table(headers, (_row(process, notice) for notice in process.notices))}
        for process in map(latest, dict.fromkeys(code for code, _ in processes()))
        if process.notices
    ]
    return show(visit, "list.html", {"heading": Text("通知文案", "Notices"), "intro": INTRO, "parts": parts})


def _row(process: Process, notice: Notice) -> list[object]:
    words = _named(process, notice)
    language, other = ("en", words.en) if say(Text("zh", "en")) == "zh" else ("zh-Hans", words.zh)
    comma = say(COMMA)
    return [
        comma.join(say(cause_name(process, cause)) for cause in sorted(notice.on)),
        comma.join(say(role_name(role)) for role in notice.to),
        comma.join(say(CHANNELS[channel]) for channel in notice.channels if channel in CHANNELS),
        format_html('<div>{}<div class="help" lang="{}">{}</div></div>', say(words), language, other),
        rules_markup(notice.rules),
    ]


def cause_name(process: Process, cause: str) -> Text:
    """Return what brings a notice about: a step, or a clock that warns or has run out."""
    name, _, what = cause.partition(".")
    clock = process.clocks.get(name)
    if what and clock is not None:
        end = Text("将到期", "is nearly up") if what == "warn" else Text("超时", "has run out")
        return Text(f"{clock.label.zh}{end.zh}", f"{clock.label.en} {end.en}")
    step = process.transitions.get(cause)
    return step.label if step else Text(cause, cause)


def _named(process: Process, notice: Notice) -> Text:
    """Return the text with the names of the facts where an order's facts will stand."""
    places = {name: Text(f"{{{fact.label.zh}}}", f"{{{fact.label.en}}}") for name, fact in process.facts.items()}
    places |= {"ref": Text("{单号}", "{number}"), "order_ref": Text("{单号}", "{number}"),
               "station_no": Text("{维修站}", "{station}")}  # fmt: skip
    return notice.text.filled(**places)
