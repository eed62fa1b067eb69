"""Every icon that a page names is in the sprite; a missing one would be an empty square that nobody reports."""

from __future__ import annotations

import json
import re
from pathlib import Path

from mendline.web.console.shell import PLACES
from mendline.web.console.timeline import ICONS

ROOT = Path(__file__).parents[2]
WEB = ROOT / "mendline" / "web"
IN_TEMPLATES = re.compile(r'{% icon "([a-z0-9-]+)"')


def test_every_icon_that_a_template_names_is_bundled() -> None:
    bundled = set(json.loads((ROOT / "frontend" / "icons.json").read_text("utf-8")))
    named = {name for path in WEB.rglob("*.html") for name in IN_TEMPLATES.findall(path.read_text("utf-8"))}

    assert named and named <= bundled, named - bundled


def test_every_icon_that_the_console_chooses_is_bundled() -> None:

    bundled = set(json.loads((ROOT / "frontend" / "icons.json").read_text("utf-8")))
    chosen = {place.icon for place in PLACES} | set(ICONS.values())
    chosen |= set(re.findall(r'Chip\([^,]+, "([a-z-]+)"', (WEB / "console" / "chips.py").read_text("utf-8")))
    assert chosen <= bundled, chosen - bundled
