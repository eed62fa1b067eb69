"""P17: thirty and more secrets, each where such a secret lives, and fifty numbers as people write them.

What a secret is worth looking for is listed with where it may stand in clear; everywhere else is a fault.
"""

from __future__ import annotations

import base64
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.utils import decrypt
from django.db import connection
from django.test import Client
from django.utils.crypto import salted_hmac
from pytest_django import Settings

from mendline.access import tokens
from mendline.access.models import Person, Token
from mendline.channels.webhook.actions import add_webhook, stop_webhook
from mendline.web.console.factor_secrets import _key_of
from mendline.web.live.tickets import ticket_for

FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
# Where a whole telephone number may stand: the order, whoever reported it, and what is searched by it.
HOLDS_NUMBERS = {"orders_repairorder", "search_current", "search_past", "customers_customer", "access_person"}
EVERY_TABLE = """
    SELECT c.relname FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace ORDER BY 1
"""
SPELLINGS: tuple[Callable[[str], str], ...] = (
    lambda d: d,
    lambda d: f"+86{d}",
    lambda d: f"+86 {d[:3]} {d[3:7]} {d[7:]}",
    lambda d: f"86-{d}",
    lambda d: f"{d[:3]}-{d[3:7]}-{d[7:]}",
    lambda d: f"{d[:3]} {d[3:7]} {d[7:]}",
    lambda d: d.translate(FULL_WIDTH),
    lambda d: f"{d[:3]}　{d[3:7]}　{d[7:]}".translate(FULL_WIDTH),
    lambda d: f"0086{d}",
    lambda d: f"{d[:3]}.{d[3:7]}.{d[7:]}",
)
NUMBERS = [f"138{77_000_000 + number}" for number in range(50)]
SPELLED = [spell(digits) for spell, digits in zip(itertools.cycle(SPELLINGS), NUMBERS, strict=False)]
PASSWORD, WRONG, REFUSED, TYPED_TWICE = (f"canary-password-{word}" for word in ("right", "wrong", "new", "other"))
SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@dataclass(frozen=True, slots=True)
class Planted:
    """A secret, and in which tables it may stand in clear."""

    what: str
    word: str
    lives_in: frozenset[str] = frozenset()


def plant(people: dict[str, Person], settings: Settings) -> dict[str, Planted]:
    """Put secrets where they live; returns them by what they are. `canary` people have a second factor."""
    person = people["station1"]
    person.set_password(PASSWORD)
    person.email = "station1@example.com"
    person.save()
    totp.TOTP.activate(person, SEED)
    recovery = RecoveryCodes.activate(person)
    codes = recovery.get_unused_codes()
    settings.SECRET_KEY_FALLBACKS = ["canary-of-an-earlier-key-0123456789"]
    settings.EMAIL_HOST_PASSWORD = "canary-of-the-mail-server"
    now = datetime.now(UTC)
    hooks = [add_webhook(f"https://hooks.example.com/{number}", ["order.report"], now=now) for number in range(2)]
    stop_webhook(hooks[1].pk, now=now)
    keys = {name: tokens.issue(people["cc"], name) for name in ("in use", "revoked", "expired")}
    tokens.revoke(Token.objects.get(name="revoked"), now)
    Token.objects.filter(name="expired").update(expires_at=now - timedelta(days=1))
    digest = salted_hmac("mendline.draft", str(people["cc"].pk), algorithm="sha256").digest()
    found = {
        "password": PASSWORD, "wrong password": WRONG, "refused password": REFUSED, "repeated password": TYPED_TWICE,
        "hash of a password": Person.objects.get(pk=person.pk).password,
        "seed of codes": SEED, "wrong code": "canary-code", "code to be used": codes[0], "code kept": codes[1],
        "seed of recovery codes": decrypt(Authenticator.objects.get(type="recovery_codes").data["seed"]),
        "sealed seed": Authenticator.objects.get(type="totp").data["secret"],
        "key of a machine": keys["in use"], "revoked key": keys["revoked"], "expired key": keys["expired"],
        "key of nobody": "ml_" + "canary" * 7 + "x", "key in an address": "ml_" + "querys" * 7 + "x",
        "key as a password": "ml_" + "basics" * 7 + "x",
        "digest of a key": tokens.digest_of(keys["in use"]),
        "key of a webhook": hooks[0].secret, "key of a stopped webhook": hooks[1].secret,
        "SECRET_KEY": str(settings.SECRET_KEY), "earlier SECRET_KEY": settings.SECRET_KEY_FALLBACKS[0],
        "key of the seal": _key_of(settings.SECRET_KEY).decode(),
        "password of the mail server": settings.EMAIL_HOST_PASSWORD,
        "password of the database": "canary-of-the-database", "its owner's": "canary-of-the-owner",
        "that of the backup": "canary-of-the-backup",
        "session": _signed_in(people["cc"]), "session of the office": _signed_in(people["admin"]),
        "cookie of forms": Client().get("/accounts/login/").cookies["csrftoken"].value,
        "key of drafts": base64.b64encode(digest).decode(), "ticket": ticket_for(people["cc"].as_actor()),
    }  # fmt: skip
    lives = {
        "hash of a password": {"access_person"}, "sealed seed": {"mfa_authenticator"},
        "digest of a key": {"access_token"}, "key of a webhook": {"channels_webhook"},
        "key of a stopped webhook": {"channels_webhook"}, "session": {"django_session", "access_signin"},
        "session of the office": {"django_session", "access_signin"},
    }  # fmt: skip
    return {what: Planted(what, word, frozenset(lives.get(what, ()))) for what, word in found.items()}


def _signed_in(person: Person) -> str:
    client = Client()
    client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    return str(client.session.session_key)


def tables_with(words: list[str]) -> dict[str, set[str]]:
    """Return in which tables which of the words stand, in any column."""
    found: dict[str, set[str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(EVERY_TABLE)
        for (table,) in cursor.fetchall():
            cursor.execute(
                f"SELECT DISTINCT word FROM {table} row, unnest(%s::text[]) word"
                " WHERE position(word in to_jsonb(row)::text) > 0",
                [words],
            )
            if rows := cursor.fetchall():
                found[table] = {word for (word,) in rows}
    return found
