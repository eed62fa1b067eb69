"""Keys of machines: issued, shown once, revoked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from mendline.access import tokens
from mendline.access.models import Person, Token
from mendline.kernel.errors import NotVisible, Refused
from mendline.kernel.text import Text
from mendline.web.admin.entries import COMMA
from mendline.web.admin.forms import OfficeForm, choice, line, options, several
from mendline.web.admin.office import ADMIN, room, show
from mendline.web.admin.tables import isolated, link, moment, page_of, post_button, table, tag
from mendline.web.admin.words import both
from mendline.web.console.visit import Visit, go
from mendline.web.templatetags.console import say

HEADING = Text("接口密钥", "Keys of machines")
SCOPES = {"read": Text("读", "read"), "write": Text("写", "write")}
DAYS = {"30": Text("30 天", "30 days"), "90": Text("90 天", "90 days"), "365": Text("一年", "a year"),
        "": Text("直到吊销", "until it is revoked")}  # fmt: skip


class TokenForm(OfficeForm):
    name = line(both("用途", "What it is for"), longest=60)
    username = line(
        both("以谁的身份（用户名）", "Acts as (user name)"), longest=40,
        help_text=both("密钥的权限就是此人的权限；此人停用，密钥失效",
                       "the key may do what this person may, and ends when this person is switched off"),
    )  # fmt: skip
    scopes = several(both("范围", "Scope"), ())
    days = choice(both("有效期", "Good for"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["scopes"].choices = options(SCOPES)  # type: ignore[attr-defined]
        self.fields["days"].choices = options(DAYS)  # type: ignore[attr-defined]


@room(ADMIN)
def token_list(visit: Visit) -> HttpResponse:
    """All keys, the newest first, never with their secret."""
    page = page_of(Token.objects.select_related("person"), visit)
    rows = [
        [
            isolated(token.name), link(reverse("admin:person", args=[token.person_id]), token.person.username),
            say(COMMA).join(say(SCOPES[scope]) for scope in token.scopes if scope in SCOPES), _standing(token, visit),
            moment(token.created_at), moment(token.last_used_at), _revoking(token, visit),
        ]
        for token in page.rows
    ]  # fmt: skip
    headers = [
        Text("用途", "For"), Text("身份", "Acts as"), Text("范围", "Scope"), Text("状态", "State"),
        Text("签发", "Issued"),
        Text("最近使用", "Last used"), Text("操作", "Actions"),
    ]  # fmt: skip
    part = {
        "table": table(headers, rows), "empty": Text("还没有密钥", "No keys yet"),
        "todo": Text("其他系统要调用接口时，为它签发一个", "Issue one for each system that calls the API"),
    }  # fmt: skip
    button = {"href": reverse("admin:issue_token"), "icon": "plus", "label": Text("签发密钥", "Issue a key")}
    intro = Text(
        "密钥只在签发时显示一次，库里只存摘要。", "A key is shown once, when it is issued; only its digest is stored."
    )
    context = {"heading": HEADING, "intro": intro, "parts": [part], "buttons": [button], "next_after": page.next_after}
    return show(visit, "list.html", context)


@room(ADMIN)
def issue(visit: Visit) -> HttpResponse:
    """Issue a key and show it, this once."""
    form = TokenForm(visit.request.POST or None, label_suffix="", initial={"scopes": ["read", "write"], "days": "365"})
    if visit.request.method == "POST" and form.is_valid():
        secret = _issued(visit, form)
        if secret:
            shown = {
                "label": Text("新密钥，请立即保存", "The new key: keep it now"), "value": secret,
                "help": Text("离开本页后无法再看到。", "It cannot be seen again once you leave this page."),
            }  # fmt: skip
            context = {"heading": HEADING, "secret": shown, "back": (reverse("admin:tokens"), HEADING)}
            return show(visit, "form.html", context)
    context = {
        "heading": Text("签发密钥", "Issue a key"), "form": form, "submit": Text("签发", "Issue"),
        "back": (reverse("admin:tokens"), HEADING),
    }  # fmt: skip
    return show(visit, "form.html", context, status=422 if form.errors else 200)


def _issued(visit: Visit, form: TokenForm) -> str:
    given = form.cleaned_data
    person = Person.objects.filter(username=given["username"].strip(), is_active=True).first()
    if person is None:
        form.add_error(
            "username", say(Text("没有这个在用的用户名，请核对", "no active person has this user name: check it"))
        )
        return ""
    expires_at = visit.now + timedelta(days=int(given["days"])) if given["days"] else None
    try:
        return tokens.issue(
            person, given["name"], scopes=given["scopes"], expires_at=expires_at, actor=visit.actor, now=visit.now
        )
    except Refused as refused:
        form.refuse(refused)
        return ""


@require_POST
@room(ADMIN)
def revoke(visit: Visit, token_id: int) -> HttpResponse:
    """Make a key useless from its next call on."""
    token = Token.objects.select_related("person").filter(pk=token_id).first()
    if token is None:
        raise NotVisible
    tokens.revoke(token, visit.now, actor=visit.actor)
    return go(visit, reverse("admin:tokens"), Text("已吊销，立即生效", "Revoked, at once"))


def _standing(token: Token, visit: Visit) -> Any:
    if token.revoked_at:
        return tag(Text("已吊销", "revoked"), "danger")
    if token.expires_at and token.expires_at <= visit.now:
        return tag(Text("已过期", "expired"), "warning")
    if not token.person.is_active:
        return tag(Text("人员已停用", "person switched off"), "warning")
    return tag(Text("有效", "good"), "success")


def _revoking(token: Token, visit: Visit) -> Any:
    if token.revoked_at:
        return "—"
    return post_button(
        visit, reverse("admin:revoke_token", args=[token.pk]), Text("吊销", "Revoke"),
        asks=Text(f"确定吊销“{token.name}”？使用它的系统会立即失去访问。",
            f"Revoke “{token.name}”? Its system loses access at once."),
    )  # fmt: skip
