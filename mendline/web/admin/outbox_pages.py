"""Messages to the outside and jobs: what waits, what failed, and sending one again."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Max, QuerySet
from django.http import HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST
from procrastinate.contrib.django.models import ProcrastinateJob

from mendline.channels.webhook.adapter import PREFIX
from mendline.contact.condition import CHANNELS
from mendline.contact.resending import send_again
from mendline.journal.models import Outgoing
from mendline.kernel.numbers import whole_number
from mendline.kernel.text import Text
from mendline.web.admin.forms import OfficeForm, choice, options
from mendline.web.admin.office import ADMIN, room, show
from mendline.web.admin.outgoing import STATES, again_button, body_of, state_tag
from mendline.web.admin.tables import Tone, isolated, link, moment, page_of, table, tag
from mendline.web.admin.words import both
from mendline.web.console.visit import Visit, go
from mendline.web.templatetags.console import say

HEADING = Text("发送与任务", "Messages and jobs")
SHOWN = ("failed", "pending", "sent")
LOOKED_THROUGH = 200_000  # messages of all kinds, for the list of those that were sent
JOBS: dict[str, tuple[Text, Tone]] = {
    "todo": (Text("等待", "waiting"), "plain"),
    "doing": (Text("进行中", "under way"), "info"),
    "succeeded": (Text("完成", "done"), "success"),
    "failed": (Text("失败", "failed"), "danger"),
    "cancelled": (Text("取消", "cancelled"), "warning"),
    "aborting": (Text("正在中止", "being stopped"), "warning"),
    "aborted": (Text("已中止", "stopped"), "warning"),
}
TASKS = {
    "retry_stalled_jobs": Text("接回中断的任务", "Take up jobs of a dead worker"),
    "remove_finished_jobs": Text("清理结束的任务", "Remove finished jobs"),
    "put_stray_files_aside": Text("清理无主文件", "Put stray files aside"),
    "send_password_link": Text("发送设置密码的链接", "Send a link for a password"),
}


class OutboxFilter(OfficeForm):
    state = choice(both("状态", "State"), required=False)
    channel = choice(both("渠道", "By"), required=False)


@room(ADMIN)
def outbox(visit: Visit) -> HttpResponse:
    """The messages of one state, the newest first; by default those that failed. Then the jobs."""
    state = visit.asked("state")
    state = state if state in SHOWN else "failed"
    channel = visit.asked("channel")
    query = Outgoing.objects.filter(state=state, channel__in=[channel] if channel in CHANNELS else list(CHANNELS))
    page = page_of(_lately(query, visit) if state == "sent" else query, visit)
    empty = {
        "failed": Text("没有失败的消息", "Nothing failed"), "pending": Text("没有等待的消息", "Nothing is waiting"),
        "sent": Text("最近没有发送过消息", "Nothing was sent lately"),
    }  # fmt: skip
    headers = [
        Text("时间", "When"), Text("渠道", "By"), Text("单号", "About"), Text("发往", "To"), Text("状态", "State"),
        Text("次数", "Attempts"), Text("下次尝试", "Next try"), Text("原因", "Reason"), Text("内容", "Body"),
        Text("操作", "Actions"),
    ]  # fmt: skip
    messages = {
        "title": Text("消息", "Messages"), "table": table(headers, (_row(visit, row) for row in page.rows)),
        "empty": empty[state],
    }  # fmt: skip
    context = {
        "heading": HEADING, "filters": _filters(visit, state), "parts": [messages, _jobs(), _failed_jobs()],
        "next_after": page.next_after,
    }  # fmt: skip
    return show(visit, "list.html", context)


def _lately(query: QuerySet[Outgoing], visit: Visit) -> QuerySet[Outgoing]:
    """Keep to the newest messages: what was sent has no index of its own, and millions may have been shown since."""
    after = whole_number(visit.asked("after", 18))
    top = after if after is not None else Outgoing.objects.aggregate(newest=Max("pk"))["newest"] or 0
    return query.filter(pk__gt=top - LOOKED_THROUGH)


@require_POST
@room(ADMIN)
def again(visit: Visit, outgoing_id: int) -> HttpResponse:
    """Send one message once more, and go back to where the button was."""
    send_again(outgoing_id, actor=visit.actor, now=visit.now)
    row = Outgoing.objects.get(pk=outgoing_id)
    back = reverse("admin:outbox")
    if row.channel == "webhook":
        back = reverse("admin:webhook", args=[int(row.address.removeprefix(PREFIX))])
    return go(visit, back, Text("已放回发送队列", "It is in the queue again"))


def _filters(visit: Visit, state: str) -> OutboxFilter:
    given = {"state": state, "channel": visit.asked("channel")}
    form = OutboxFilter(given, auto_id="filter-%s", label_suffix="")
    form.fields["state"].choices = options({name: STATES[name][0] for name in SHOWN})  # type: ignore[attr-defined]
    form.fields["channel"].choices = options(CHANNELS, Text("全部", "all"))  # type: ignore[attr-defined]
    return form


def _row(visit: Visit, row: Outgoing) -> list[Any]:
    to: Any = isolated(row.address)
    if row.channel == "webhook":
        number = row.address.removeprefix(PREFIX)
        to = link(reverse("admin:webhook", args=[int(number)]), say(Text(f"回调接口 {number}", f"webhook {number}")))
    return [
        moment(row.at), say(CHANNELS[row.channel]), isolated(row.subject), to, state_tag(row), str(row.attempts),
        moment(row.next_try_at), isolated(row.error), body_of(row), again_button(visit, row),
    ]  # fmt: skip


def _jobs() -> dict[str, Any]:
    """Count jobs by state; finished ones are deleted after thirty days, so there are never many."""
    counts = dict(ProcrastinateJob.objects.values_list("status").annotate(Count("pk")).order_by())
    rows = [[tag(text, tone), str(counts[status])] for status, (text, tone) in JOBS.items() if counts.get(status)]
    return {
        "title": Text("后台任务", "Jobs"), "table": table([Text("状态", "State"), Text("数量", "Number")], rows),
        "empty": Text("没有任务", "No jobs"),
        "todo": Text("到时间会自动产生", "They come by themselves when it is time"),
    }  # fmt: skip


def _failed_jobs() -> dict[str, Any]:
    failed = ProcrastinateJob.objects.filter(status="failed").order_by("-pk")[:20]
    rows = [[str(job.pk), _task(job), str(job.attempts), moment(job.scheduled_at)] for job in failed]
    headers = [Text("编号", "Number"), Text("任务", "Task"), Text("次数", "Attempts"), Text("计划时间", "Planned")]
    return {
        "title": Text("失败的任务", "Failed jobs"), "table": table(headers, rows),
        "empty": Text("没有失败的任务", "No job failed"),
    }  # fmt: skip


def _task(job: ProcrastinateJob) -> Any:
    name = job.task_name.rpartition(".")[2]
    return say(TASKS[name]) if name in TASKS else format_html('<code lang="en">{}</code>', name)
