"""`mendline outbox`: what waits to be sent after a restore, and letting it go."""

from __future__ import annotations

import getpass
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from mendline.access.actors import Actor
from mendline.contact.held import KINDS, release, waiting
from mendline.journal import holds
from mendline.kernel.errors import Refused


class Command(BaseCommand):
    help = (
        "恢复备份后，外发消息（邮件、推送）一律扣住，由人放行：status 看扣住了什么，release 放行。"
        " After a restore nothing goes out until a person lets it: status says what waits, release lets it go."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("status", help="扣住了什么 what waits")
        releasing = actions.add_parser("release", help="放行 let it go")
        which = releasing.add_mutually_exclusive_group(required=True)
        which.add_argument(
            "--only-new", action="store_true",
            help="只发恢复之后的新消息；可能发过的不发，可在管理页逐条重发"
            " only what is new; what may have been sent is given up, to be sent again one by one",
        )  # fmt: skip
        which.add_argument("--all", action="store_true", help="全部发出，可能重复 everything, twice perhaps")

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        if action == "status":
            self._status()
            return
        actor = Actor(None, f"命令行 {getpass.getuser()}"[:80], "administrator", via="command line")
        try:
            ended = release(everything=options["all"], actor=actor, now=timezone.now())
        except Refused as refusal:
            raise CommandError(f"{refusal.detail.zh}。 {refusal.detail.en}.") from refusal
        self.stdout.write("已放行，后台进程随即发送。 Released: the worker sends within seconds.")
        if ended:
            self.stdout.write(f"未发送 given up, not sent: {ended:,}")

    def _status(self) -> None:
        hold = holds.standing()
        if hold is None:
            self.stdout.write("没有扣住，消息照常发送。 Nothing is held: messages go out as usual.")
            return
        self.stdout.write(
            f"扣住中：数据恢复到 {hold.as_of:%F %T %Z}，自 {hold.since:%F %T %Z} 起不外发。\n"
            f"Held: restored to {hold.as_of:%F %T %Z}; nothing goes out since {hold.since:%F %T %Z}."
        )
        for one in waiting(hold):
            self.stdout.write(f"{one.count:>8,}  {one.channel:<8} {KINDS[one.kind].zh} {KINDS[one.kind].en}")
        self.stdout.write("mendline outbox release --only-new | --all")
