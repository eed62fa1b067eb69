"""Words in both languages where Django wants one text: labels, help and choices of forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.functional import lazy
from django.utils.translation import get_language

from mendline.kernel.text import Text


def _said(zh: str, en: str) -> str:
    return Text(zh, en).in_language(get_language() or "zh-hans")


if TYPE_CHECKING:

    def both(zh: str, en: str) -> str: ...

else:
    # Read when it is shown, in the language of that page.
    both = lazy(_said, str)
