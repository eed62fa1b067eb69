"""Carry out what is due: timers, outgoing messages, jobs."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from mendline.contact.worker import run_once, run_until_stopped


class Command(BaseCommand):
    help = (
        "后台进程：到期的计时器、待发的邮件与推送、后台任务。可以同时运行多个。SIGTERM 正常停止。"
        " Due timers, outgoing mail and webhooks, jobs. Any number may run at once. SIGTERM stops it in order."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="做完到期的事就结束 do what is due, then end")

    def handle(self, *args: Any, once: bool, **options: Any) -> None:
        if once:
            run_once()
        else:
            run_until_stopped()
