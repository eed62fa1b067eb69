"""A mail server and a web server of our own, on loopback."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from pytest_django import Settings

from mendline.contact.ports import Message
from mendline.kernel.text import Text
from tests.make import MONDAY_NINE


def a_message(**changed: Any) -> Message:
    fields: dict[str, Any] = {
        "id": 1, "key": "WX1:3:order_cancelled", "at": MONDAY_NINE, "subject": "WX1", "notice": "order_cancelled",
        "address": "li@example.com", "event": {},
        "text": Text("WX1 已撤单：区域错。", "WX1 was cancelled: wrong area."),
    }  # fmt: skip
    return Message(**{**fields, **changed})


@dataclass
class MailServer:
    """Takes every mail, unless told to answer otherwise at a recipient or after the text."""

    mails: list[EmailMessage] = field(default_factory=list)
    answer_to_recipient: str = "250 OK"
    answer_to_text: str = "250 OK"

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, to: str, options: list[str]) -> str:
        if self.answer_to_recipient.startswith("250"):
            envelope.rcpt_tos.append(to)
        return self.answer_to_recipient

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.answer_to_text.startswith("250") and isinstance(envelope.content, bytes):
            mail = message_from_bytes(envelope.content, policy=policy.default)
            assert isinstance(mail, EmailMessage)
            self.mails.append(mail)
        return self.answer_to_text


class OnAnyPort(Controller):
    """Takes whatever port is free, and looks there whether it answers."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@pytest.fixture
def mail_server(settings: Settings) -> Iterator[MailServer]:
    server = MailServer()
    controller = OnAnyPort(server, hostname="127.0.0.1", port=0)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", controller.port
    settings.EMAIL_TIMEOUT = 5
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_USE_TLS = False
    settings.DEFAULT_FROM_EMAIL = "Mendline <repair@brand.example>"
    yield server
    controller.stop()


@dataclass
class Posted:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class WebServer:
    """Keeps what is posted and answers `status` with `headers`."""

    port: int = 0
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    posted: list[Posted] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?from=mendline"


@pytest.fixture
def web_server(settings: Settings) -> Iterator[WebServer]:
    settings.WEBHOOK_ALLOW_PRIVATE = True
    kept = WebServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.posted.append(Posted(self.path, dict(self.headers), body))
            self.send_response(kept.status)
            for name, value in kept.headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield kept
    server.shutdown()
    thread.join()
    server.server_close()
