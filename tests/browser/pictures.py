"""Pictures of the documentation: taken by the tests that open the pages, and held against what those pages show now.

A picture is never compared dot by dot. Beside each stands what its page had as headings when it was taken; a page that
has other headings now fails with the command that takes the pictures anew.
"""

from __future__ import annotations

import json
import os
import time
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

FOLDER = Path(__file__).parents[2] / "docs" / "images"
RECORD = FOLDER / "pictures.json"
TAKING = "MENDLINE_PICTURES" in os.environ
RENEW = "make screenshots"
LARGEST_BYTES = 150_000
LONGEST_PX = 1400  # of a page that is longer only the beginning is shown

# What of the walk in test_screens is in the documentation, in both languages.
PICTURED = frozenset(
    {
        "intake-known-wide",
        "queue-wide",
        "order-promised-wide",
        "order-late-wide",
        "step-wide",
        "search-wide",
        "beside-wide",
        "inbox-wide",
        "verdict-wide",
        "callbacks-wide",
        "callback-wide",
        "procedure-wide",
        "replay-wide",
        "queue-phone",
        "order-promised-phone",
        "stations-wide",
        "procedures-wide",
        "network-map-wide",
        "figures-wide",
        "admin-wide",
    }
)

# Headings and column heads that are seen, without what differs from one order or day to the next.
_HEADINGS = """() => [...document.querySelectorAll("main h1, main h2, main h3, main .card-title, main th, main legend")]
    .filter(node => node.checkVisibility())
    .map(node => node.textContent.replace(/[A-Z]{2}\\d{6}-[0-9A-Z]+/g, "#").replace(/\\d+/g, "#").replace(/\\s+/g, " "))
    .map(text => text.trim()).filter(text => text)"""


def keep_or_compare(page: Page, name: str, patience: float) -> None:
    """Take the picture `name` of what stands on the screen, or hold the page against the one that was taken.

    `patience`: milliseconds within which the page must look as recorded; parts of it may still be under way.
    """
    if TAKING:
        _take(page, name)
        return
    recorded = json.loads(RECORD.read_text(encoding="utf-8"))
    assert name in recorded, f"there is no docs/images/{name}.webp yet: run `{RENEW}`"
    give_up_at = time.monotonic() + patience / 1000
    while (now := page.evaluate(_HEADINGS)) != recorded[name]:
        assert time.monotonic() < give_up_at, (
            f"docs/images/{name}.webp shows a page with other headings: run `{RENEW}`\n"
            f"in the picture: {recorded[name]}\n           now: {now}"
        )
        page.wait_for_timeout(200)  # parts may be under way; looking again costs the page nothing


def _take(page: Page, name: str) -> None:
    size = page.viewport_size
    assert size is not None
    shot = page.screenshot(full_page=True, animations="disabled", caret="initial")
    with Image.open(BytesIO(shot)) as drawn:
        height = min(drawn.height, LONGEST_PX)
        drawn.crop((0, 0, drawn.width, height)).convert("RGB").save(FOLDER / f"{name}.webp", quality=80, method=6)
    recorded = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    recorded[name] = page.evaluate(_HEADINGS)
    RECORD.write_text(json.dumps(dict(sorted(recorded.items())), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
