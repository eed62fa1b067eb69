"""The administration as a site: its navigation, who may come in, and what every page of it is drawn with.

It is Unfold's site with Unfold's look, drawn by templates of our own. Unfold's own pages run on a script that
evaluates text (`unsafe-eval`) and write to the database behind the actions; here the policy of the pages stays as
strict as the console's, every word is in both languages, and every change goes through the action of its package.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from unfold.sites import UnfoldAdminSite

from mendline.access.models import Person
from mendline.kernel.errors import NotVisible
from mendline.kernel.text import Text
from mendline.web.console.visit import Visit, screen

P = ParamSpec("P")
ADMIN = frozenset({"admin"})
STEWARDS = frozenset({"admin", "process_owner"})


@dataclass(frozen=True, slots=True)
class Room:
    """One entry of the administration's navigation."""

    route: str
    icon: str
    label: Text
    does: Text
    roles: frozenset[str] = ADMIN


GROUPS: tuple[tuple[Text, tuple[Room, ...]], ...] = (
    (
        Text("人员与权限", "People and rights"),
        (
            Room("people", "user", Text("人员", "People"), Text("新增、角色、停用、登录", "add, roles, signing in")),
            Room("roles", "shield-check", Text("角色权限", "Roles"), Text("各角色能做什么", "what each may do"),
                STEWARDS),
            Room("tokens", "lock", Text("接口密钥", "Keys of machines"), Text("签发与吊销", "issue and revoke")),
        ),
    ),
    (
        Text("业务数据", "Business data"),
        (
            Room("calendar", "calendar-event", Text("工作日历", "Calendar"),
                 Text("节假日与调休", "holidays, make-up days"), STEWARDS),
            Room("products", "package", Text("产品线", "Product lines"), Text("产品与渠道", "products, channels"),
                STEWARDS),
            Room("texts", "message-circle", Text("通知文案", "Notices"),
                 Text("谁收到什么", "who is told what"), STEWARDS),
        ),
    ),
    (
        Text("运行与审计", "Running and audit"),
        (
            Room("webhooks", "world", Text("回调接口", "Webhooks"), Text("推送与重发", "deliveries, resending")),
            Room("outbox", "send", Text("发送与任务", "Messages and jobs"), Text("积压与失败", "waiting and failed")),
            Room("audit", "history", Text("审计记录", "Audit"), Text("谁在何时做了什么", "who did what, when"),
                STEWARDS),
        ),
    ),
)  # fmt: skip


class Office(UnfoldAdminSite):  # type: ignore[misc]  # the package has no types
    """The administration. It has no pages of its own making: `urls.py` lists them all."""

    def has_permission(self, request: HttpRequest) -> bool:
        return isinstance(request.user, Person) and request.user.is_active and request.user.role in STEWARDS

    def get_sidebar_list(self, request: HttpRequest) -> list[dict[str, Any]]:
        """Return what this person's role sees, in the shape of Unfold's navigation."""
        role = request.user.role if isinstance(request.user, Person) else ""
        return [
            {
                "title": title,
                "items": [
                    {
                        "title": room.label,
                        "icon": room.icon,
                        "link": address,
                        "active": request.path.startswith(address),
                    }
                    for room in rooms
                    for address in [reverse(f"admin:{room.route}")]
                    if role in room.roles
                ],
            }
            for title, rooms in GROUPS
        ]


OFFICE = Office(name="admin")


def room(
    roles: frozenset[str],
) -> Callable[[Callable[Concatenate[Visit, P], HttpResponse]], Callable[Concatenate[HttpRequest, P], HttpResponse]]:
    """Make a function of a visit into a page of the administration; for other roles it is not there (404)."""

    def made(
        view: Callable[Concatenate[Visit, P], HttpResponse],
    ) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
        @screen
        @wraps(view)
        def guarded(visit: Visit, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if visit.actor.role not in roles:
                raise NotVisible
            return view(visit, *args, **kwargs)

        return guarded

    return made


def show(visit: Visit, template: str, context: Mapping[str, Any], status: int = 200) -> HttpResponse:
    """Draw a page of the administration within its navigation."""
    groups: Sequence[Mapping[str, Any]] = [group for group in OFFICE.get_sidebar_list(visit.request) if group["items"]]
    return visit.render(f"administration/{template}", {"groups": groups, **context}, status=status)
