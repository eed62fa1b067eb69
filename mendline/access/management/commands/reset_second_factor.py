"""`mendline reset-second-factor`: for the one case in which no administrator can do it at the screen."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from mendline.access import people
from mendline.access.actors import COMMAND_LINE
from mendline.access.models import Person


class Command(BaseCommand):
    help = (
        "重置某人的双重验证和恢复码，并退出所有浏览器；记入历史。"
        " Forget somebody's second factor and recovery codes, and sign out everywhere; kept in the history."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", help="用户名 user name")
        parser.add_argument("--reason", required=True, help="原因，记入历史 why; kept in the history")

    def handle(self, *args: Any, **options: Any) -> None:
        person = Person.objects.filter(username=options["username"]).first()
        if person is None:
            raise CommandError("没有这个用户名，请核对 there is no such user name: check it")
        reason = str(options["reason"]).strip()[:200]
        if not reason:
            raise CommandError("请写明原因 say why")
        count = people.reset_second_factor(person.pk, actor=COMMAND_LINE, now=timezone.now(), reason=reason)
        self.stdout.write(
            "已重置，下次登录要重新设置 reset: it is set up anew at the next sign-in"
            if count
            else "没有双重验证，什么也没有改 there was none: nothing was changed"
        )
