"""Entries of the history as rows of a table: who did what, and what it was before and after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from mendline.access.traces import PROCESS
from mendline.journal.models import Entry
from mendline.kernel.errors import Refused
from mendline.kernel.numbers import whole_number
from mendline.kernel.text import Text
from mendline.process.loading import latest
from mendline.web.admin.tables import isolated, link, moment, table
from mendline.web.console.words import ROLES, role_name
from mendline.web.templatetags.console import said_of, say

COMMA = Text("、", ", ")
HEADERS = (
    Text("时间", "When"), Text("谁", "Who"), Text("做了什么", "What"), Text("对象", "About"), Text("内容", "Details"),
)  # fmt: skip
KINDS = {
    "person.add": Text("新增人员", "Person added"),
    "person.change": Text("修改人员", "Person changed"),
    "person.switch_off": Text("停用人员", "Person switched off"),
    "person.switch_on": Text("启用人员", "Person switched on"),
    "person.reset_second_factor": Text("重置双重验证", "Second factor reset"),
    "person.end_signins": Text("结束登录", "Signed out everywhere"),
    "person.password_link": Text("首次设密链接", "First-password link"),
    "person.unlock": Text("解除登录锁定", "Signing in unlocked"),
    "token.issue": Text("签发密钥", "Key issued"),
    "token.revoke": Text("吊销密钥", "Key revoked"),
    "calendar.set": Text("修改日历", "Calendar day set"),
    "calendar.remove": Text("删除日历日期", "Calendar day removed"),
    "product.change": Text("修改产品", "Product changed"),
    "product.add": Text("新增产品", "Product added"),
    "line.change": Text("修改产品线", "Product line changed"),
    "line.add": Text("新增产品线", "Product line added"),
    "webhook.add": Text("新增回调接口", "Webhook added"),
    "webhook.stop": Text("停用回调接口", "Webhook switched off"),
    "outgoing.resend": Text("重新发送", "Sent again"),
    "network.import": Text("导入网络数据", "Network imported"),
    "order.reveal_phone": Text("查看完整电话", "Saw the whole telephone number"),
    "document.opened": Text("打开文件", "Document opened"),
    "document.acknowledged": Text("确认已阅读", "Document read"),
    "document.reminded": Text("提醒阅读", "Reminded to read"),
    "clock.warn": Text("时限提醒", "Clock warned"),
    "clock.breach": Text("超时", "Clock breached"),
}
NAMES = {
    "username": Text("用户名", "user name"), "name": Text("名称", "name"), "role": Text("角色", "role"),
    "region": Text("大区", "region"), "station_no": Text("维修站", "station"), "phone": Text("电话", "telephone"),
    "email": Text("邮箱", "e-mail"), "is_active": Text("在用", "active"), "factors": Text("双重验证", "second factors"),
    "handed_over": Text("转交方式", "handed over"), "person": Text("人员", "person"), "scopes": Text("范围", "scope"),
    "expires_at": Text("到期", "expires"), "works": Text("上班", "works"), "provisional": Text("暂定", "provisional"),
    "day": Text("日期", "day"), "url": Text("地址", "address"), "events": Text("事件", "events"),
    "active": Text("启用", "active"), "name_zh": Text("中文名", "Chinese name"),
    "name_en": Text("英文名", "English name"),
    "channel": Text("渠道", "channel"), "line": Text("产品线", "product line"), "state": Text("状态", "state"),
    "error": Text("原因", "reason"), "attempts": Text("次数", "attempts"), "notice": Text("通知", "notice"),
    "code": Text("编号", "code"), "calendar": Text("日历", "calendar"),
}  # fmt: skip


def entry_rows(entries: Iterable[Entry]) -> dict[str, Any]:
    """Return a table of entries."""
    return table(HEADERS, (_row(entry) for entry in entries))


def _row(entry: Entry) -> list[Any]:
    who = format_html("<span><bdi>{}</bdi> · {}</span>", entry.actor_name, say(role_name(entry.actor_role)))
    return [moment(entry.at), who, say(kind_name(entry)), _subject(entry), details(entry)]


def kind_name(entry: Entry) -> Text:
    """Return what happened, in words: those above, or the label that the process file gives the step."""
    if entry.kind in KINDS:
        return KINDS[entry.kind]
    _, _, step = entry.kind.partition(".")
    try:
        transition = latest(entry.process).transitions.get(step)
    except Refused:
        transition = None
    return transition.label if transition else Text(entry.kind, entry.kind)


def _subject(entry: Entry) -> SafeString | str:
    if entry.process != PROCESS:
        return link(reverse("console:subject", args=[entry.subject]), entry.subject)
    name, _, number = entry.subject.partition(":")
    label = SUBJECTS.get(name)
    words = f"{say(label)} {number}" if label else entry.subject
    person = whole_number(number) if name == "person" else None
    return link(reverse("admin:person", args=[person]), words) if person is not None else words


SUBJECTS = {
    "person": Text("人员", "person"), "token": Text("密钥", "key"), "calendar": Text("日历", "calendar"),
    "product": Text("产品", "product"), "line": Text("产品线", "line"), "webhook": Text("回调接口", "webhook"),
    "outgoing": Text("消息", "message"),
}  # fmt: skip


def details(entry: Entry) -> SafeString:
    """Return why a number was seen, or what a change changed."""
    data = entry.data
    if isinstance(data.get("reason"), Mapping):
        return format_html("{}", said_of(data["reason"]))
    before, after = data.get("before") or {}, data.get("after") or {}
    names = dict.fromkeys([*before, *after])
    if names:
        colon = say(Text("：", ": "))
        lines = ((say(_name(name)), colon, _change(name, before, after)) for name in names)
        return format_html("<div>{}</div>", format_html_join("", "<div>{}{}{}</div>", lines))
    return SafeString("—")


def _name(name: str) -> Text:
    return NAMES.get(name, Text(name, name))


def _change(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> SafeString:
    if name in before and name in after:
        return format_html("{} → {}", value_of(name, before[name]), value_of(name, after[name]))
    return value_of(name, after[name] if name in after else before[name])


VALUES = {"email": Text("邮件", "by e-mail"), "shown": Text("当面", "in person"), "read": Text("读", "read"),
          "write": Text("写", "write"), "sent": Text("已发送", "sent"), "failed": Text("失败", "failed"),
          "pending": Text("待发送", "waiting"), "*": Text("全部", "all")}  # fmt: skip


def value_of(name: str, value: Any) -> SafeString:
    """Return one kept value in words."""
    if value is None or value == "":
        return SafeString("—")
    if isinstance(value, bool):
        return format_html("{}", say(Text("是", "yes") if value else Text("否", "no")))
    if name in ("events", "notice") and value != ["*"]:
        words = " ".join(map(str, value)) if isinstance(value, list) else value
        return format_html('<span lang="en">{}</span>', words)  # names that machines use
    if isinstance(value, list):
        return format_html_join(say(COMMA), "{}", ((value_of(name, one),) for one in value))
    if name == "role" and value in ROLES:
        return format_html("{}", say(ROLES[value]))
    if value in VALUES:
        return format_html("{}", say(VALUES[value]))
    return isolated(value)
