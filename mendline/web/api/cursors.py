"""Where the next page begins, as one word that callers hand back unread."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime

import orjson

from mendline.kernel.errors import Invalid
from mendline.kernel.text import Text

MAX_ID = 2**63 - 1


def write(after: tuple[str, int] | None, kind: str) -> str | None:
    """Return the cursor of a page's last row; `kind` says for which order of rows it is good."""
    if after is None:
        return None
    return base64.urlsafe_b64encode(orjson.dumps([kind, *after])).decode().rstrip("=")


def read(cursor: str, kind: str) -> tuple[str, int] | None:
    """Return where to go on; None for the first page.

    Raises Invalid: not one of ours, or of a list in another order.
    """
    if not cursor:
        return None
    try:
        known, key, row_id = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if known != kind or not isinstance(key, str) or type(row_id) is not int or not 0 <= row_id <= MAX_ID:
            raise ValueError(cursor)
        if key and datetime.fromisoformat(key).tzinfo is None:
            raise ValueError(key)
        if not key and kind not in ("open", "id"):
            raise ValueError(key)
    except (ValueError, TypeError, binascii.Error):
        said = Text("请原样使用上一页 next 中的值", "use the value of `next` of the page before as it is")
        raise Invalid({"cursor": said}) from None
    return key, row_id
