"""Where other systems are told of events: entered, listed and switched off by those who run the system."""

from __future__ import annotations

import re
from typing import Any

from django.http import HttpResponse
from ninja import Router

from mendline.channels.models import Webhook
from mendline.channels.webhook.actions import add_webhook, stop_webhook
from mendline.kernel.errors import Forbidden, Invalid, NotVisible
from mendline.kernel.text import Text
from mendline.web.api.bodies import only, text_of
from mendline.web.api.calls import Call, answer, reading, writing
from mendline.web.api.schemas import WebhookIn, WebhookMade, WebhookOut, Webhooks, takes

MAY = frozenset({"admin", "process_owner"})
MOST_EVENTS = 100
_KIND = re.compile(r"\*|[a-z][a-z_]{0,40}\.[a-z][a-z_]{0,40}", re.ASCII)

router = Router(tags=["webhooks"])


@router.get("/webhooks", response=Webhooks, operation_id="list_webhooks")
@reading
def list_webhooks(call: Call) -> HttpResponse:
    """List all webhooks, switched off ones included, without their secrets."""
    _permitted(call)
    return answer({"items": [_row(row) for row in Webhook.objects.order_by("id")]})


@router.post("/webhooks", response={201: WebhookMade}, operation_id="add_webhook", openapi_extra=takes(WebhookIn))
@writing
def create_webhook(call: Call) -> HttpResponse:
    """Enter an address that is told of `events` (`order.report`, …; without any, of all).

    `secret` is the key of the signature that every delivery carries; it is in no other answer.
    """
    _permitted(call)
    only(call.body, "url", "events")
    made = add_webhook(
        text_of(call.body, "url", longest=500),
        _events(call.body.get("events")),
        now=call.now,
        actor=call.actor,
    )
    return answer({**_row(made), "secret": made.secret}, 201, Location=f"/api/v1/webhooks/{made.pk}")


@router.get("/webhooks/{int:number}", response=WebhookOut, operation_id="get_webhook")
@reading
def get_webhook(call: Call, number: int) -> HttpResponse:
    """Return one webhook without its secret."""
    _permitted(call)
    return answer(_row(_webhook(number)))


@router.delete("/webhooks/{int:number}", response=WebhookOut, operation_id="stop_webhook")
@writing
def delete_webhook(call: Call, number: int) -> HttpResponse:
    """Switch a webhook off. It stays in the list, because the history names it."""
    _permitted(call)
    only(call.body)
    _webhook(number)
    stop_webhook(number, now=call.now, actor=call.actor)
    return answer(_row(_webhook(number)))


def _permitted(call: Call) -> None:
    if call.actor.role not in MAY:
        detail = Text("由系统管理员或流程负责人设置", "set up by the administrator or the process owner")
        raise Forbidden("wrong_role", detail)


def _webhook(number: int) -> Webhook:
    found = Webhook.objects.filter(pk=number).first() if number < 2**63 else None
    if found is None:
        raise NotVisible
    return found


def _events(value: object) -> list[str]:
    if value is None:
        return []
    kinds = value if isinstance(value, list) else [None]
    good = [kind for kind in kinds if isinstance(kind, str) and _KIND.fullmatch(kind)]
    if len(good) != len(kinds) or len(good) > MOST_EVENTS:
        said = Text("应为事件名的列表，例如 order.cancel", "must be a list of kinds such as order.cancel")
        raise Invalid({"events": said})
    return good


def _row(kept: Webhook) -> dict[str, Any]:
    return {
        "id": kept.pk,
        "url": kept.url,
        "events": kept.events,
        "active": kept.active,
        "created_at": kept.created_at,
    }
