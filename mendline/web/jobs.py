"""What pages leave to the worker."""

from __future__ import annotations

import logging
import smtplib
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from mendline.access.models import Person
from mendline.web import password_mail

logger = logging.getLogger(__name__)

# Whoever asked has given up by then or asked again; what a restored database brings back is older still.
ANSWERED_WITHIN = timedelta(hours=1)


class MailNotSent(Exception):
    """The mail server did not take it. Says the kind of fault only: the server's words may repeat what it was told."""


@app.task(queue="mail", retry=RetryStrategy(max_attempts=6, exponential_wait=4))
def send_password_link(email: str, server: str, asked_at: str) -> None:
    """Send a link to everybody active who has this address; to nobody if nobody has it.

    `server` is how the one who asked reached us (`https://repair.example.com`).

    Raises:
        MailNotSent: it is tried again, six times in all within half an hour.
    """
    try:
        if timezone.now() - datetime.fromisoformat(asked_at) > ANSWERED_WITHIN:
            return
        for person in Person.objects.filter(email__iexact=email, is_active=True):
            password_mail.send(person, server + password_mail.path_for(person))
    except (smtplib.SMTPException, OSError) as fault:
        logger.error("a link for a password was not sent: %s", type(fault).__name__)
        raise MailNotSent(type(fault).__name__) from None
    finally:
        connection.close()  # of this thread, which ends with the job
