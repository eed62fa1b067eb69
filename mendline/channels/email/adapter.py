"""E-mail: bilingual plain text through Django's mail settings (SMTP, or a folder on one's own machine)."""

from __future__ import annotations

import re
import smtplib
from email.utils import parseaddr

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import BadHeaderError, EmailMessage
from django.core.validators import validate_email

from mendline.contact.ports import DeliveryFailed, Message

LONGEST_SUBJECT = 78
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_SENTENCE_ENDS = re.compile(r"[，。；;]|\. ")
FOOT = "统修 Mendline 自动发送，请勿回复。\nSent by Mendline; nobody reads replies to this address."


class Email:
    """One mail to one person."""

    def send(self, message: Message) -> str:
        """Hand the mail to the mail server.

        Message-ID and X-Mendline-Key come from the message's key, so a mail program that gets a
        second copy after a crash can tell, and most show it once.

        Raises:
            DeliveryFailed: for good if the address is not one address or the server refuses it for good.
        """
        mail = compose(message)
        try:
            mail.send(fail_silently=False)
        except BadHeaderError:
            raise DeliveryFailed("邮件头含有换行 a header contains a line break", permanent=True) from None
        except smtplib.SMTPRecipientsRefused as refused:
            code, why = next(iter(refused.recipients.values()), (0, b""))
            raise DeliveryFailed(_answer(code, why), permanent=500 <= code < 600) from None
        except smtplib.SMTPDataError as refused:
            raise DeliveryFailed(
                _answer(refused.smtp_code, refused.smtp_error), permanent=refused.smtp_code >= 500
            ) from None
        except smtplib.SMTPAuthenticationError as refused:
            # The server's words may repeat the name; our configuration can be mended, so it is tried again.
            raise DeliveryFailed(
                f"邮件服务器拒绝登录 the mail server refused our login ({refused.smtp_code})"
            ) from None
        except smtplib.SMTPResponseException as refused:
            raise DeliveryFailed(_answer(refused.smtp_code, refused.smtp_error)) from None
        except (smtplib.SMTPException, OSError) as fault:
            raise DeliveryFailed(
                f"连不上邮件服务器 no connection to the mail server ({type(fault).__name__})"
            ) from None
        return str(mail.extra_headers["Message-ID"])


def compose(message: Message) -> EmailMessage:
    """Return the mail; nothing of it can add a header or a second recipient.

    Raises:
        DeliveryFailed: the address is not exactly one e-mail address.
    """
    try:
        if _CONTROL.search(message.address):
            raise ValidationError("control characters")
        validate_email(message.address)
    except ValidationError:
        raise DeliveryFailed("不是有效的邮箱地址 not an e-mail address", permanent=True) from None
    return EmailMessage(
        subject=subject_of(message),
        body=f"{message.text.zh}\n\n{message.text.en}\n\n-- \n{FOOT}\n",
        to=[message.address],
        headers={
            "Message-ID": f"<{message.fingerprint}@{_own_domain()}>",
            "X-Mendline-Key": message.fingerprint,
            "Auto-Submitted": "auto-generated",  # RFC 3834: no holiday replies
        },
    )


def subject_of(message: Message) -> str:
    """Return the first sentence of the notice, on one line, with the number of what it is about.

    Facts that people typed stand in a notice, line breaks included; here they become spaces.
    """
    words = " ".join(_CONTROL.sub(" ", message.text.zh or message.notice).split())
    first = _SENTENCE_ENDS.split(words, maxsplit=1)[0]
    about = first if message.subject in first else f"{message.subject} {first}"
    line = f"[统修] {about}"
    return line if len(line) <= LONGEST_SUBJECT else line[: LONGEST_SUBJECT - 1] + "…"


def _own_domain() -> str:
    _, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    return address.rpartition("@")[2] or "localhost"


def _answer(code: int, why: bytes | str) -> str:
    words = why.decode("utf-8", "replace") if isinstance(why, bytes) else why
    return f"邮件服务器答复 the mail server answered {code}: {words}"
