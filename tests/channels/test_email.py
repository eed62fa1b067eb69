"""E-mail goes out in two languages, to one person, recognisable at the second time."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from mendline.channels.email.adapter import Email, subject_of
from mendline.contact.ports import DeliveryFailed
from mendline.kernel.text import Text
from tests.channels.conftest import MailServer, a_message


def test_a_mail_speaks_both_languages_and_has_a_chinese_subject(mail_server: MailServer) -> None:
    Email().send(a_message())

    [mail] = mail_server.mails
    assert mail["Subject"] == "[统修] WX1 已撤单：区域错"
    assert mail["To"] == "li@example.com"
    text = mail.get_content()
    assert "WX1 已撤单：区域错。" in text and "WX1 was cancelled: wrong area." in text


def test_both_copies_of_one_message_carry_the_same_key_and_others_another(mail_server: MailServer) -> None:
    for message in (a_message(), a_message(), a_message(key="another")):
        Email().send(message)

    first, second, other = mail_server.mails
    for header in ("Message-ID", "X-Mendline-Key"):
        assert first[header] == second[header] != other[header]
    assert first["Message-ID"].endswith("@brand.example>")


@pytest.mark.parametrize(
    "address",
    [
        "a@example.com\nBcc: b@example.com",
        "a@example.com, b@example.com",
        "A <a@example.com>",
        "a@example.com\r",
        "",
        "a",
    ],
)
def test_an_address_that_is_not_one_address_is_refused_for_good(mail_server: MailServer, address: str) -> None:
    with pytest.raises(DeliveryFailed) as refused:
        Email().send(a_message(address=address))

    assert refused.value.permanent and mail_server.mails == []


def test_a_line_break_in_a_fact_cannot_add_a_header(mail_server: MailServer) -> None:
    said = "WX1 用户说\r\nBcc: thief@example.com\r\n\r\n你好"

    Email().send(a_message(text=Text(said, "WX1")))

    [mail] = mail_server.mails
    assert mail["Bcc"] is None
    assert mail["Subject"].strip() == "[统修] WX1 用户说 Bcc: thief@example.com 你好"


def test_a_subject_names_the_order_and_stays_short() -> None:
    subject = subject_of(a_message(text=Text("备件" * 100, "part")))

    assert subject.startswith("[统修] WX1 备件") and len(subject) == 78


@pytest.mark.parametrize(
    ("recipient", "text", "permanent"),
    [
        ("550 no such person", "250 OK", True),
        ("450 try later", "250 OK", False),
        ("250 OK", "554 refused as spam", True),
        ("250 OK", "452 no space", False),
    ],
)
def test_what_the_server_refuses_for_good_is_not_tried_again(
    mail_server: MailServer, recipient: str, text: str, permanent: bool
) -> None:
    mail_server.answer_to_recipient, mail_server.answer_to_text = recipient, text

    with pytest.raises(DeliveryFailed) as refused:
        Email().send(a_message())

    assert refused.value.permanent is permanent


def test_a_mail_server_that_is_away_is_tried_again(mail_server: MailServer, settings: Settings) -> None:
    settings.EMAIL_PORT = 9  # discard: nobody listens there

    with pytest.raises(DeliveryFailed) as failed:
        Email().send(a_message())

    assert not failed.value.permanent and "mail server" in failed.value.reason
