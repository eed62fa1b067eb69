"""Words, times, icons and chips for templates. Every text stands in the template in both languages."""

from __future__ import annotations

import base64
import json
from datetime import date, datetime
from functools import cache
from typing import Any

from django import template
from django.http import HttpRequest
from django.template.base import FilterExpression, Parser, Token, token_kwargs
from django.templatetags.static import static
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from mendline.access.actors import Actor
from mendline.access.choices import choices_of
from mendline.kernel.phones import masked as masked_phone
from mendline.kernel.phones import readable as readable_phone
from mendline.kernel.text import Text
from mendline.kernel.time import day_text
from mendline.network import areas
from mendline.process import rules as rule_texts
from mendline.web.console.shell import NavItem, navigation_of, unseen_notices
from mendline.web.console.words import role_name
from mendline.web.shown_zone import is_usual, offset_text, shown_moment, shown_zone, zone_name

register = template.Library()


@register.tag
def t(parser: Parser, token: Token) -> template.Node:
    """Say it in the language of the page: `{% t "提交" "Submit" %}`; `{name}` places are filled from the arguments.

    Most are two sentences and nothing more. They are read once, when the template is, because a page has dozens.
    """
    parts = token.split_contents()[1:]
    if len(parts) == 2 and all(_is_plain(part) for part in parts):
        return _Sentence(Text(parts[0][1:-1], parts[1][1:-1]))
    arguments, named, target = _parsed(parser, parts)
    return _Filled(arguments, named, target)


def _is_plain(part: str) -> bool:
    """Tell whether an argument is a sentence between quotes that no escaping would change."""
    return part[0] == part[-1] and part[0] in "\"'" and not set("<>&\"'\\") & set(part[1:-1])


def _parsed(parser: Parser, parts: list[str]) -> tuple[list[FilterExpression], dict[str, FilterExpression], str | None]:
    target = parts[-1] if len(parts) > 3 and parts[-2] == "as" else None
    said = parts[:-2] if target else parts
    arguments = [parser.compile_filter(part) for part in said[:2]]
    if len(arguments) != 2:
        raise template.TemplateSyntaxError("t takes a Chinese and an English sentence")
    return arguments, token_kwargs(said[2:], parser), target


class _Sentence(template.Node):
    def __init__(self, text: Text) -> None:
        self._zh, self._en = SafeString(text.zh), SafeString(text.en)

    def render(self, context: template.Context) -> SafeString:
        return self._en if (get_language() or "").startswith("en") else self._zh


class _Filled(template.Node):
    def __init__(
        self, arguments: list[FilterExpression], named: dict[str, FilterExpression], target: str | None
    ) -> None:
        self._arguments, self._named, self._target = arguments, named, target

    def render(self, context: template.Context) -> str:
        zh, en = (str(argument.resolve(context)) for argument in self._arguments)
        values = {name: value.resolve(context) for name, value in self._named.items()}
        said = say(Text(zh, en).filled(**values)) if values else say(Text(zh, en))
        if self._target is not None:
            context[self._target] = said
            return ""
        return conditional_escape(said) if context.autoescape else said


def say(text: Text) -> str:
    return text.in_language(get_language() or "zh-hans")


@register.filter
def said(text: Text | str | None) -> str:
    """A `Text` in the language of the page; anything else as it is."""
    return say(text) if isinstance(text, Text) else str(text or "")


@register.filter
def said_of(pair: dict[str, str] | None) -> str:
    """The same for a text that was kept as `{"zh": …, "en": …}`."""
    return say(Text(str(pair.get("zh", "")), str(pair.get("en", "")))) if isinstance(pair, dict) else str(pair or "")


@register.simple_tag(takes_context=True)
def draft_key(context: template.Context) -> SafeString:
    """The key with which this person's browser seals drafts; nothing on a page that nobody is signed in for.

    The same for every session of a person, so that a session that ended costs nobody what was typed.
    """
    person = context.get("user")
    if not getattr(person, "is_authenticated", False):
        return SafeString("")
    digest = salted_hmac("mendline.draft", str(person.pk), algorithm="sha256").digest()  # type: ignore[union-attr]
    return format_html(' data-draft-key="{}"', base64.b64encode(digest).decode())


@register.simple_tag
@cache
def icon(name: str, extra: str = "") -> SafeString:
    """One icon of the sprite; it never carries meaning alone, so screen readers skip it."""
    return format_html(
        '<svg class="icon {}" width="24" height="24" fill="none" stroke="currentColor" stroke-width="2"'
        ' stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><use href="{}#{}"></use></svg>',
        extra, static("dist/icons.svg"), name,
    )  # fmt: skip


@register.filter
def when(moment: datetime | str | None) -> str:
    """A moment as people say it, on the clock that the person chose."""
    value = datetime.fromisoformat(moment) if isinstance(moment, str) and moment else moment
    return say(shown_moment(value)) if isinstance(value, datetime) else "—"


@register.filter
def on_day(day: date | str | None) -> str:
    value = date.fromisoformat(day) if isinstance(day, str) and day else day
    return say(day_text(value)) if isinstance(value, date) else "—"


@register.filter
def masked(phone: str) -> str:
    return masked_phone(phone) if phone else "—"


@register.filter
def readable(phone: str) -> str:
    return readable_phone(phone)


@register.simple_tag
def rule(rule_id: str) -> SafeString:
    """A rule's number; its sentence shows on hovering, and the link opens it among its neighbours."""
    if not rule_id:
        return SafeString("")
    sentence = rule_texts.text_of(rule_id)
    return format_html(
        '<a class="rule-id" href="/rules/#{0}" title="{1}">{0}</a>', rule_id, say(sentence) if sentence else rule_id
    )


@register.filter
def area_name(code: str) -> str:
    return areas.name_of(str(code), get_language() or "zh-hans") if code else ""


@register.filter
def as_json(value: object) -> str:
    """For a `data-` attribute; the template escapes it."""
    return json.dumps(value, ensure_ascii=False)


@register.filter
def role(code: str) -> str:
    return say(role_name(code))


@register.simple_tag(takes_context=True)
def navigation(context: template.Context) -> list[NavItem]:
    """The pages that this person's role works with."""
    request: HttpRequest = context["request"]
    actor = actor_in(request)
    return navigation_of(actor, request.path) if actor else []


@register.simple_tag(takes_context=True)
def unseen(context: template.Context) -> int:
    request: HttpRequest = context["request"]
    actor = actor_in(request)
    if actor is None:
        return 0
    hidden = choices_of(getattr(request.user, "notice_choices", {})).hidden
    return unseen_notices(actor, getattr(request.user, "notices_seen_id", None), hidden)


@register.simple_tag
def shown_zone_note() -> str:
    """Says on whose clock the page's times are, when it is not Beijing's."""
    if is_usual():
        return ""
    name, offset = zone_name(shown_zone().key), offset_text(shown_zone().key, timezone.now())
    return say(
        Text(
            f"本页时间为{name.zh}（{offset}），填写的时间也按它理解；通知原文和打印件里的时间为北京时间。",
            f"Times on this page are {name.en} ({offset}), and so are those you type; times within notices and "
            "on paper are Beijing time.",
        )
    )


def actor_in(request: HttpRequest) -> Actor | None:
    user = getattr(request, "user", None)
    return user.as_actor() if user is not None and user.is_authenticated else None


@register.simple_tag(takes_context=True)
def with_query(context: template.Context, **changes: Any) -> str:
    """This page's address with some of its filters changed; an empty value drops one."""
    query = context["request"].GET.copy()
    query.pop("after", None)
    for name, value in changes.items():
        query.pop(name, None)
        if value not in ("", None):
            query[name] = str(value)
    text = query.urlencode()
    return f"?{text}" if text else "?"
