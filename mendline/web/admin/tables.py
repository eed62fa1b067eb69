"""Tables of the administration: cells as markup, pages found by key and never by counting."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeVar

from django.db.models import Model, QuerySet
from django.middleware.csrf import get_token
from django.utils.html import format_html
from django.utils.safestring import SafeString

from mendline.kernel.numbers import whole_number
from mendline.kernel.text import Text
from mendline.web.console.visit import Visit
from mendline.web.templatetags.console import say, when

M = TypeVar("M", bound=Model)
PAGE = 50
Tone = Literal["success", "danger", "warning", "info", "plain"]


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, and the number after which the next page begins (None: it is the last)."""

    rows: list[Any]
    next_after: int | None


def page_of(query: QuerySet[M], visit: Visit, *, newest_first: bool = True, size: int = PAGE) -> Page:
    """Return the page that the address asks for (`?after=`), in the order of the primary key."""
    after = whole_number(visit.asked("after", 18))
    if after is not None:
        query = query.filter(pk__lt=after) if newest_first else query.filter(pk__gt=after)
    rows = list(query.order_by("-pk" if newest_first else "pk")[: size + 1])
    more = len(rows) > size
    return Page(rows[:size], rows[size - 1].pk if more else None)


def table(headers: Sequence[Text], rows: Iterable[Sequence[Any]]) -> dict[str, Any]:
    """Return what Unfold's table draws."""
    return {"headers": [say(header) for header in headers], "rows": [list(row) for row in rows]}


def tag(text: Text, tone: Tone = "plain") -> SafeString:
    """A small coloured word; the word says it all, the colour only helps."""
    return format_html('<span class="tag tag-{}">{}</span>', tone, say(text))


def link(href: str, words: str) -> SafeString:
    return format_html('<a class="text-link" href="{}">{}</a>', href, words)


def moment(value: datetime | None) -> SafeString:
    if value is None:
        return SafeString("—")
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), when(value))


def isolated(words: object) -> SafeString:
    """Words that people typed: whichever way they run, what stands beside them stays in its place."""
    return format_html("<bdi>{}</bdi>", str(words) or "—")


def post_button(visit: Visit, href: str, label: Text, *, asks: Text | None = None) -> SafeString:
    """A button that changes something; asks once more if told to."""
    return format_html(
        '<form method="post" action="{}"{}><input type="hidden" name="csrfmiddlewaretoken" value="{}">'
        '<button class="plain-button{}">{}</button></form>',
        href, format_html(' data-ask="{}"', say(asks)) if asks else "", get_token(visit.request),
        " danger" if asks else "", say(label),
    )  # fmt: skip
