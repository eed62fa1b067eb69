"""The rows of a list of orders, for templates."""

from __future__ import annotations

from collections.abc import Iterable

from django import template
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from mendline.web.console.queue_rows import Columns, rows_markup
from mendline.web.console.rows import OrderRow

register = template.Library()


@register.simple_tag
def order_rows(rows: Iterable[OrderRow], columns: Columns | None = None, with_station: object = "") -> SafeString:
    """One table row for each order: `{% order_rows rows columns %}`, or `with_station=1` where nothing else differs."""
    return rows_markup(rows, columns or Columns(station=bool(with_station)), get_language() or "zh-hans")
