"""Names of things that a page looks up once for all its rows."""

from __future__ import annotations

from collections.abc import Mapping

from django import template

from mendline.kernel.text import Text
from mendline.web.templatetags.console import said

register = template.Library()


@register.filter
def named(code: str, names: Mapping[str, Text]) -> str:
    """What this code is called: `{{ row.line|named:line_names }}`. A code nobody knows is its own name."""
    return said(names.get(code, code))
