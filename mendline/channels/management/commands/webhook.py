"""Enter, list and switch off webhooks."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from mendline.channels.webhook.actions import add_webhook, stop_webhook
from mendline.channels.webhook.models import Webhook
from mendline.kernel.errors import Invalid


class Command(BaseCommand):
    help = "推送地址：增加、列出、停用。 Webhooks: add, list, stop. 例 e.g. webhook add https://… --event order.cancel"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parts = parser.add_subparsers(dest="part", required=True)
        add = parts.add_parser("add", help="增加 enter one; prints its secret")
        add.add_argument("url")
        add.add_argument(
            "--event", action="append", default=[], metavar="KIND", help="e.g. order.cancel; left out: everything"
        )
        parts.add_parser("list", help="列出 list them")
        stop = parts.add_parser("stop", help="停用 switch one off")
        stop.add_argument("id", type=int)

    def handle(self, *args: Any, part: str, **options: Any) -> None:
        if part == "add":
            try:
                webhook = add_webhook(options["url"], options["event"], now=timezone.now())
            except Invalid as refused:
                raise CommandError(str(refused)) from None
            self.stdout.write(f"{webhook.pk}\n密钥 secret: {webhook.secret}")
        elif part == "stop":
            if not stop_webhook(options["id"], now=timezone.now()):
                raise CommandError(f"没有启用中的推送地址 {options['id']}。 No active webhook {options['id']}.")
        else:
            for webhook in Webhook.objects.order_by("pk"):
                state = "启用 active" if webhook.active else "停用 off"
                self.stdout.write(f"{webhook.pk} {state} {webhook.url} {' '.join(webhook.events)}")
