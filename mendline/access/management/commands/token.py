"""`mendline token`: keys for machines, from the command line."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from mendline.access import tokens
from mendline.access.models import Person, Token
from mendline.kernel.errors import Invalid


class Command(BaseCommand):
    help = (
        "签发、列出、吊销接口密钥。 Issue, list and revoke the keys of machines.\n"
        "例 e.g.: token issue dispatch-bridge --person bridge --days 365"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        issue = actions.add_parser("issue", help="签发（密钥只显示一次） issue; the secret is shown once")
        issue.add_argument("name", help="用途 what it is for")
        issue.add_argument("--person", required=True, help="以谁的身份（登录名） login name it acts as")
        issue.add_argument(
            "--scope", action="append", choices=tokens.SCOPES, help="read / write（默认两者 default both）"
        )
        issue.add_argument("--days", type=int, help="有效天数 days it is good for (default: until revoked)")
        listing = actions.add_parser("list", help="列出 list")
        listing.add_argument("--person", help="只看此人 only this person's")
        revoking = actions.add_parser("revoke", help="吊销，立即生效 revoke at once")
        revoking.add_argument("id", type=int, help="列表中的编号 number from the list")

    def handle(self, *args: Any, **options: Any) -> None:
        {"issue": self._issue, "list": self._list, "revoke": self._revoke}[options["action"]](options)

    def _issue(self, options: dict[str, Any]) -> None:
        person = Person.objects.filter(username=options["person"], is_active=True).first()
        if person is None:
            raise CommandError(f"没有在用的人员“{options['person']}” / there is no active person {options['person']!r}")
        days = options["days"]
        if days is not None and not 1 <= days <= 3650:
            raise CommandError("--days 应为 1 至 3650 / --days must be 1 to 3650")
        try:
            secret = tokens.issue(
                person,
                options["name"],
                scopes=options["scope"] or tokens.SCOPES,
                expires_at=timezone.now() + timedelta(days=days) if days else None,
            )
        except Invalid as problem:
            raise CommandError(str(problem)) from problem
        self.stderr.write("请立即保存，之后无法再看到。 Keep it now; it cannot be shown again.")
        self.stdout.write(secret)

    def _list(self, options: dict[str, Any]) -> None:
        found = Token.objects.select_related("person").order_by("id")
        if options["person"]:
            found = found.filter(person__username=options["person"])
        for token in found:
            scopes = ",".join(token.scopes)
            self.stdout.write(
                f"{token.pk:>6}  {token.person.username:<20} {scopes:<11} {_standing(token):<22} {token.name}"
            )

    def _revoke(self, options: dict[str, Any]) -> None:
        token = Token.objects.filter(pk=options["id"]).first()
        if token is None:
            raise CommandError(f"没有编号 {options['id']} 的密钥 / there is no key number {options['id']}")
        changed = tokens.revoke(token, timezone.now())
        self.stdout.write("已吊销。 Revoked." if changed else "此前已吊销。 It was revoked before.")


def _standing(token: Token) -> str:
    if token.revoked_at:
        return "已吊销 revoked"
    if token.expires_at and token.expires_at <= timezone.now():
        return "已过期 expired"
    return "有效 good"
