"""The mail with the link for choosing a password, whoever asked for it."""

from __future__ import annotations

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.core.mail import EmailMessage
from django.urls import reverse

from mendline.access.models import Person

SUBJECT = "[统修] 设置您的登录密码 Choose your password"
BODY = """{name}：

请打开以下链接设置统修的登录密码，用户名是 {username}。链接只能使用一次。
Open this link to choose your password for Mendline; your user name is {username}. It works once.

{link}

如果您没有申请，请告诉系统管理员。 If you expected no such mail, tell your administrator.
"""


def path_for(person: Person) -> str:
    """Return where this person chooses a password; it works once, and not after another sign-in."""
    key = default_token_generator.make_token(person)
    return reverse("account_reset_password_from_key", kwargs={"uidb36": user_pk_to_url_str(person), "key": key})


def send(person: Person, link: str) -> None:
    """Send it to the address that was entered for the person, and to no other.

    Raises what Django's mail raises: SMTPException, OSError.
    """
    EmailMessage(SUBJECT, BODY.format(name=person.name, username=person.username, link=link), to=[person.email]).send()
