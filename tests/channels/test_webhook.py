"""Webhooks: told of every event they listen to, signed, and never let into our own network."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, transaction
from pytest_django import Settings

from mendline.channels.webhook import guard
from mendline.channels.webhook.actions import add_webhook, stop_webhook
from mendline.channels.webhook.adapter import WebhookChannel
from mendline.channels.webhook.guard import AddressRefused, NoAnswer, Policy, is_public, post, resolve, target_of
from mendline.channels.webhook.models import Webhook
from mendline.contact.outbox import deliver_next
from mendline.contact.ports import DeliveryFailed
from mendline.journal.models import Entry, Outgoing
from mendline.kernel.errors import Invalid
from tests.channels.conftest import WebServer, a_message
from tests.make import MONDAY_NINE, a_network, a_report, do

OPEN = Policy(http=True, private=True)
CLOSED = Policy()


def a_webhook(url: str = "https://hooks.example.com/x", *events: str) -> Webhook:
    return add_webhook(url, events, now=MONDAY_NINE)


def queued() -> list[Outgoing]:
    return list(Outgoing.objects.filter(channel="webhook").order_by("id"))


# --- what is queued ------------------------------------------------------------------------------


@pytest.mark.django_db
def test_an_event_is_queued_for_every_webhook_that_listens_to_it() -> None:
    a_network()
    everything, cancellations = a_webhook(), a_webhook("https://hooks.example.com/c", "order.cancel")
    stopped = a_webhook("https://hooks.example.com/s")
    stop_webhook(stopped.pk, now=MONDAY_NINE)

    order = a_report()
    [row] = queued()
    do(order, "cancel", "cc_agent", cancel_reason="user_solved", requested_by="user")

    entry = Entry.objects.get(subject=order.ref, kind="order.report")
    assert (row.key, row.address, row.state) == (f"{entry.pk}:{everything.pk}", f"webhook:{everything.pk}", "pending")
    cancelled = [(kept.notice, kept.address) for kept in queued() if kept.notice == "order.cancel"]
    assert sorted(address for _, address in cancelled) == [f"webhook:{everything.pk}", f"webhook:{cancellations.pk}"]


@pytest.mark.django_db
def test_an_event_tells_what_happened_and_nothing_about_the_user() -> None:
    a_network()
    a_webhook()

    order = a_report()

    [row] = queued()
    entry = Entry.objects.get(subject=order.ref, kind="order.report")
    assert row.data == {
        "event_id": entry.pk, "kind": "order.report", "subject": order.ref, "at": "2026-03-02T01:00:00.000000Z",
        "from_state": "new", "to_state": "dispatched", "revision": 0,
    }  # fmt: skip
    assert datetime.fromisoformat(row.data["at"]) == MONDAY_NINE


@pytest.mark.django_db
def test_what_is_rolled_back_is_told_to_nobody() -> None:
    a_network()
    a_webhook()

    with pytest.raises(RuntimeError), transaction.atomic():
        a_report()
        raise RuntimeError

    assert queued() == []


@pytest.mark.django_db
def test_the_applications_account_queues_events_without_being_the_owner() -> None:
    a_network()
    a_webhook()
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE mendline_app")
        try:
            a_report()
        finally:
            cursor.execute("RESET ROLE")

    assert len(queued()) == 1


# --- what is sent --------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_delivery_is_signed_so_that_the_receiver_can_check_it(web_server: WebServer) -> None:
    a_network()
    webhook = a_webhook(web_server.url)
    a_report()

    assert deliver_next("webhook", WebhookChannel(), now=MONDAY_NINE)

    [row] = queued()
    [sent] = web_server.posted
    stamp, _, given = sent.headers["X-Mendline-Signature"].removeprefix("t=").partition(",v1=")
    assert given == hmac.new(webhook.secret.encode(), stamp.encode() + b"." + sent.body, hashlib.sha256).hexdigest()
    assert json.loads(sent.body) == row.data
    assert sent.headers["X-Mendline-Event"] == str(row.data["event_id"])
    assert (sent.path, row.state) == ("/hook?from=mendline", "sent")


@pytest.mark.django_db
@pytest.mark.parametrize(("status", "permanent"), [(500, False), (404, False), (429, False), (410, True)])
def test_an_answer_other_than_yes_is_tried_again_unless_the_address_is_gone(
    web_server: WebServer, status: int, permanent: bool
) -> None:
    webhook = a_webhook(web_server.url)
    web_server.status = status

    with pytest.raises(DeliveryFailed, match=str(status)) as failed:
        WebhookChannel().send(a_message(address=f"webhook:{webhook.pk}"))

    assert failed.value.permanent is permanent


@pytest.mark.django_db
def test_what_waits_for_a_webhook_that_was_switched_off_is_given_up(web_server: WebServer) -> None:
    webhook = a_webhook(web_server.url)
    stop_webhook(webhook.pk, now=MONDAY_NINE)

    with pytest.raises(DeliveryFailed) as failed:
        WebhookChannel().send(a_message(address=f"webhook:{webhook.pk}"))

    assert failed.value.permanent and web_server.posted == []


@pytest.mark.django_db
def test_a_redirect_is_not_followed(web_server: WebServer) -> None:
    webhook = a_webhook(web_server.url)
    web_server.status, web_server.headers = 302, {"Location": web_server.url + "&again"}

    with pytest.raises(DeliveryFailed, match="302"):
        WebhookChannel().send(a_message(address=f"webhook:{webhook.pk}"))

    assert len(web_server.posted) == 1


@pytest.mark.django_db
def test_an_inside_address_is_refused_at_delivery_and_the_reason_does_not_name_it(settings: Settings) -> None:
    settings.WEBHOOK_ALLOW_PRIVATE, settings.WEBHOOK_ALLOW_HTTP = False, True
    webhook = Webhook.objects.create(url="http://127.0.0.1/hook", events=["*"], created_at=MONDAY_NINE)

    with pytest.raises(DeliveryFailed) as failed:
        WebhookChannel().send(a_message(address=f"webhook:{webhook.pk}"))

    assert "127" not in failed.value.reason


# --- where it may go -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "100.100.100.200", "192.0.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "255.255.255.255", "240.0.0.1",
        "192.88.99.1", "::", "::1", "fe80::1", "fc00::1", "fec0::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
        "::127.0.0.1", "::10.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b:1::1", "2002:0a00:0001::", "2002:7f00:0001::1",
        "2001:0:0a00:1::1", "2001:db8::1", "100::1", "3fff::1", "5f00::1",
    ],
)  # fmt: skip
def test_an_address_inside_is_not_public_in_whatever_form(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["9.9.9.9", "203.119.25.1", "2620:fe::fe", "::ffff:9.9.9.9", "64:ff9b::9.9.9.9"])
def test_an_address_outside_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "ftp://example.com/", "file:///etc/passwd", "https://user:secret@example.com/",
        "https://example.com:22/", "https://example.com:8443/", "https://example.com/#x", "https://", "example.com",
        "https://example.com/a b", "https://exa\tmple.com/", "https://例子.com/", "https://example。com/",
        "https://example.com\\@evil.com/", "https://example.com:0x50/", "https://[::1", "https://example.com/\r\nX: y",
    ],
)  # fmt: skip
def test_an_odd_address_is_refused_when_it_is_entered(url: str, settings: Settings) -> None:
    settings.WEBHOOK_ALLOW_PRIVATE = settings.WEBHOOK_ALLOW_HTTP = False

    with pytest.raises(Invalid) as refused:
        a_webhook(url)

    assert list(refused.value.fields) == ["url"]


def answers(*addresses: str) -> Callable[..., list[Any]]:
    return lambda *a, **k: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in addresses]


def test_one_inside_address_among_public_ones_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", answers("9.9.9.9", "10.0.0.1"))

    with pytest.raises(AddressRefused):
        resolve(target_of("https://example.com/", CLOSED), CLOSED)


@pytest.mark.parametrize(
    "form", ["2130706433", "0x7f.1", "127.1", "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "localhost"]
)
def test_a_disguised_loopback_address_is_refused(form: str) -> None:
    with pytest.raises((AddressRefused, NoAnswer)):
        resolve(target_of(f"https://{form}/", CLOSED), CLOSED)


def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server that answers differently the second time is not asked a second time."""
    asked: list[str] = []
    connected: list[object] = []

    def resolver(host: str, *args: object, **kwargs: object) -> list[Any]:
        asked.append(host)
        return answers("9.9.9.9" if len(asked) == 1 else "127.0.0.1")()

    def connect(address: object, **kwargs: object) -> socket.socket:
        connected.append(address)
        raise OSError

    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    monkeypatch.setattr(socket, "create_connection", connect)

    with pytest.raises(NoAnswer):
        post("https://example.com/", b"{}", {}, CLOSED)

    assert (asked, connected) == (["example.com"], [("9.9.9.9", 443)])


@contextmanager
def a_line(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that does as it likes with the one line it is given."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            line, _ = listening.accept()
            with line:
                try:
                    answer(line)
                except OSError:
                    pass

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        thread.join(5)
        assert not thread.is_alive()


def test_an_answer_that_drips_in_is_cut_off_when_the_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "SECONDS", 0.3)
    never = threading.Event()

    def drip(line: socket.socket) -> None:
        line.recv(1000)
        for _ in range(1000):
            line.sendall(b"H")  # a byte at a time: each comes well within any timeout of the socket
            never.wait(0.02)

    with a_line(drip) as url, pytest.raises(NoAnswer):
        post(url, b"{}", {}, OPEN)


def test_an_answer_without_end_is_read_to_64_kb() -> None:
    def flood(line: socket.socket) -> None:
        line.recv(1000)
        line.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(1000):
            line.sendall(b"x" * 65536)

    with a_line(flood) as url:
        assert post(url, b"{}", {}, OPEN) == 200


@pytest.mark.parametrize("answer", [b"", b"\r\n\r\n", b"SSH-2.0\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\xff" * 70_000])
def test_what_is_no_http_answer_is_no_answer(answer: bytes) -> None:
    def say(line: socket.socket) -> None:
        line.recv(1000)
        line.sendall(answer)

    with a_line(say) as url, pytest.raises(NoAnswer):
        post(url, b"{}", {}, OPEN)


@pytest.mark.django_db
def test_the_command_enters_lists_and_stops(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("webhook", "add", "https://hooks.example.com/x", "--event", "order.cancel")
    webhook = Webhook.objects.get()
    assert webhook.secret in capsys.readouterr().out

    call_command("webhook", "stop", str(webhook.pk))
    call_command("webhook", "list")
    shown = capsys.readouterr().out
    assert "停用 off" in shown and webhook.secret not in shown
    with pytest.raises(CommandError, match="No active webhook"):
        call_command("webhook", "stop", str(webhook.pk))


@pytest.mark.django_db
def test_a_dead_receiver_is_not_asked_for_each_of_its_messages(web_server: WebServer) -> None:
    a_network()
    a_webhook(web_server.url)
    web_server.status = 503
    order = a_report()
    do(order, "download", now=MONDAY_NINE + timedelta(seconds=1))

    later = MONDAY_NINE + timedelta(seconds=5)
    assert deliver_next("webhook", WebhookChannel(), now=later)
    assert not deliver_next("webhook", WebhookChannel(), now=later)
    assert len(web_server.posted) == 1
