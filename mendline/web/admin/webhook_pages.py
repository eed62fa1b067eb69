"""Webhooks and what was delivered to them: attempts, state, body, and sending one again."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST

from mendline.channels.webhook.actions import add_webhook, stop_webhook
from mendline.channels.webhook.adapter import PREFIX
from mendline.channels.webhook.models import Webhook
from mendline.journal.models import Outgoing
from mendline.kernel.errors import NotVisible, Refused
from mendline.kernel.text import Text
from mendline.web.admin.forms import OfficeForm, line
from mendline.web.admin.office import ADMIN, room, show
from mendline.web.admin.outgoing import again_button, body_of, state_tag
from mendline.web.admin.tables import isolated, link, moment, page_of, table, tag
from mendline.web.admin.words import both
from mendline.web.console.visit import Visit, go
from mendline.web.templatetags.console import say

HEADING = Text("回调接口", "Webhooks")
INTRO = Text(
    "每当历史里出现所选事件，就以签名的 POST 告知对方；失败会重试三天。",
    "When a chosen event enters the history, the other side is told by a signed POST, tried for three days.",
)


class WebhookForm(OfficeForm):
    url = line(both("地址", "Address"), longest=500, help_text=both("以 https:// 开头", "begins with https://"))
    events = line(
        both("事件", "Events"), required=False, longest=500,
        help_text=both("用空格分隔；留空表示全部", "separated by spaces; leave empty for all"),
    )  # fmt: skip


@room(ADMIN)
def webhooks(visit: Visit) -> HttpResponse:
    """All webhooks, switched off ones included."""
    rows = [
        [
            link(reverse("admin:webhook", args=[hook.pk]), hook.url), _events(hook),
            tag(Text("启用", "active"), "success") if hook.active else tag(Text("已停用", "off"), "danger"),
            moment(hook.created_at),
        ]
        for hook in Webhook.objects.order_by("-active", "-pk")[:200]
    ]  # fmt: skip
    headers = [Text("地址", "Address"), Text("事件", "Events"), Text("状态", "State"), Text("录入", "Entered")]
    part = {
        "table": table(headers, rows), "empty": Text("还没有回调接口", "No webhooks yet"),
        "todo": Text("其他系统要及时知道维修单变化时，录入它的地址",
            "Enter an address for a system that is to hear of changes"),
    }  # fmt: skip
    button = {"href": reverse("admin:add_webhook"), "icon": "plus", "label": Text("录入地址", "Enter an address")}
    return show(visit, "list.html", {"heading": HEADING, "intro": INTRO, "parts": [part], "buttons": [button]})


@room(ADMIN)
def add(visit: Visit) -> HttpResponse:
    """Enter one and show its secret, this once."""
    form = WebhookForm(visit.request.POST or None, label_suffix="")
    back = (reverse("admin:webhooks"), HEADING)
    if visit.request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made = add_webhook(given["url"], given["events"].split(), now=visit.now, actor=visit.actor)
        except Refused as refused:
            form.refuse(refused)
        else:
            shown = {
                "label": Text("签名密钥，请立即保存", "The key of the signature: keep it now"), "value": made.secret,
                "help": Text("对方用它核对每次推送的签名。", "The other side checks every delivery with it."),
            }  # fmt: skip
            return show(visit, "form.html", {"heading": HEADING, "secret": shown, "back": back})
    context = {
        "heading": Text("录入地址", "Enter an address"), "form": form, "submit": Text("录入", "Enter"), "back": back,
        "intro": INTRO,
    }  # fmt: skip
    return show(visit, "form.html", context, status=422 if form.errors else 200)


@room(ADMIN)
def webhook(visit: Visit, webhook_id: int) -> HttpResponse:
    """One webhook with its deliveries, the newest first."""
    hook = _webhook(webhook_id)
    page = page_of(Outgoing.objects.filter(channel="webhook", address=f"{PREFIX}{hook.pk}"), visit, size=25)
    rows = [
        [
            moment(row.at), format_html('<div><code lang="en">{}</code><br>{}</div>', row.notice, row.subject),
            state_tag(row),
            str(row.attempts), isolated(row.error), body_of(row), again_button(visit, row),
        ]
        for row in page.rows
    ]  # fmt: skip
    headers = [
        Text("时间", "When"), Text("事件", "Event"), Text("状态", "State"), Text("次数", "Attempts"),
        Text("原因", "Reason"),
        Text("内容", "Body"), Text("操作", "Actions"),
    ]  # fmt: skip
    part: dict[str, Any] = {
        "title": Text("推送", "Deliveries"), "table": table(headers, rows),
        "empty": Text("还没有推送", "Nothing was delivered yet"),
    }  # fmt: skip
    steps = []
    if hook.active:
        steps.append(
            {
                "href": reverse("admin:stop_webhook", args=[hook.pk]), "icon": "ban", "danger": True,
                "label": Text("停用", "Switch off"), "does": Text("等待中的推送将放弃", "what waits is given up"),
                "asks": Text("确定停用这个回调接口？", "Switch this webhook off?"),
            }
        )  # fmt: skip
    context = {
        "heading": Text(f"回调接口 {hook.pk}", f"Webhook {hook.pk}"), "back": (reverse("admin:webhooks"), HEADING),
        "intro": Text(hook.url, hook.url), "steps": steps, "parts": [part], "next_after": page.next_after,
    }  # fmt: skip
    return show(visit, "form.html", context)


@require_POST
@room(ADMIN)
def stop(visit: Visit, webhook_id: int) -> HttpResponse:
    """Switch one off."""
    _webhook(webhook_id)
    stop_webhook(webhook_id, now=visit.now, actor=visit.actor)
    return go(visit, reverse("admin:webhook", args=[webhook_id]), Text("已停用", "Switched off"))


def _webhook(webhook_id: int) -> Webhook:
    found = Webhook.objects.filter(pk=webhook_id).first()
    if found is None:
        raise NotVisible
    return found


def _events(hook: Webhook) -> Any:
    if "*" in hook.events:
        return say(Text("全部", "all"))
    return format_html('<span lang="en">{}</span>', " ".join(map(str, hook.events)))
