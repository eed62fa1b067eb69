"""Passwords made of the words of this house: whoever guesses for this system tries them first."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.utils.translation import get_language

from mendline.kernel.text import Text

# The product, what it is for, and the roles that its users have. Longer ones first, as they are taken out in turn.
WORDS = (
    "administrator", "coordinator", "specialist", "callcenter", "mendline", "password", "dispatch", "engineer",
    "tongxiu", "welcome", "weixiu", "repair", "region", "service", "station", "daqu", "huifang", "agent", "admin",
    "owner", "mima", "统修", "维修站", "维修", "大区", "座席", "回访", "密码", "管理员", "工程师", "协调员",
)  # fmt: skip
FEWEST_OTHER_SIGNS = 6  # what must be left when the words, repeated signs and years are taken out
_NOT_WORTH_COUNTING = re.compile(r"(?:19|20)\d\d|(.)\1{2,}|123(?:4(?:5(?:6(?:7(?:8(?:9)?)?)?)?)?)?|[\s\W_]+")
TOO_EASY = Text(
    "密码里除了本系统的常用词之外内容太少，请换一个别人猜不到的",
    "Apart from words of this system there is too little in the password: choose one that nobody guesses.",
)
HELP = Text("不能主要由本系统的常用词组成。", "It cannot be made mostly of words of this system.")


class NotOfHouseWords:
    """Django's kind of validator: `mendline2026!` has eight signs and more, and says nothing of its own."""

    def validate(self, password: str, user: object = None) -> None:
        if worth(password) < FEWEST_OTHER_SIGNS and _has_word(password):
            raise ValidationError(TOO_EASY.in_language(get_language() or ""), code="password_of_house_words")

    def get_help_text(self) -> str:
        return HELP.in_language(get_language() or "")


def worth(password: str) -> int:
    """Return how many signs are left without the words of the house, years, rows of numbers and punctuation.

    >>> worth("Mendline2026!"), worth("mendline-harbour-7")
    (0, 8)
    """
    left = password.lower()
    for word in WORDS:
        left = left.replace(word, "\n")
    return len(_NOT_WORTH_COUNTING.sub("", left))


def _has_word(password: str) -> bool:
    return any(word in password.lower() for word in WORDS)
