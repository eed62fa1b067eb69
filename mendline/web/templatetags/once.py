"""The slip that makes a form count once."""

from __future__ import annotations

from uuid import uuid4

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def once() -> SafeString:
    """A hidden field with a fresh key: sent twice, the form has one effect (`web.console.once`)."""
    return format_html('<input type="hidden" name="once" value="{}">', uuid4().hex)


@register.simple_tag
def once_key() -> str:
    """The key alone, for a button that posts without a form."""
    return uuid4().hex
