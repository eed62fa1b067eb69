"""Signs that nobody sees: they hide in pasted text, turn a line around, or make two equal names unequal. Pure."""

from __future__ import annotations

import re

# Control characters but tab and line feed; marks that turn the reading direction; signs of no width and letters
# that look like a blank; tags and halves of a pair. The two joiners stay: some scripts and signs are written with
# them, and between others they do nothing.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\U000e0000-\U000e0fff\ud800-\udfff]"
)
_FROM_THE_RIGHT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\U00010800-\U00010fff\U0001e800-\U0001efff]")
_JOINERS = "\u200c\u200d"


def unseen_in(text: str) -> tuple[str, ...]:
    """Return the code points of the signs that nobody sees, each once: `U+202E`. A text of joiners alone is none.

    >>> unseen_in("王\u202e先\u200b生\u202e")
    ('U+202E', 'U+200B')
    >>> unseen_in("王先生 👩\u200d🔧"), unseen_in("\u200d")
    ((), ('U+200D',))
    """
    found = _UNSEEN.findall(text)
    if not found and text and not text.strip(_JOINERS):
        found = list(text)
    return tuple(dict.fromkeys(f"U+{ord(sign):04X}" for sign in found))


def without_unseen(text: str) -> str:
    """Return the text without them. A carriage return before a line feed is how forms write a line's end.

    >>> without_unseen("王\u202e先\u200b生\\r\\n二")
    '王先生\\n二'
    """
    kept = _UNSEEN.sub("", text.replace("\r\n", "\n"))
    return kept if kept.strip(_JOINERS) else ""


def held_apart(text: str) -> str:
    """Return words of people for the middle of a sentence: what is written from the right turns nothing around it.

    >>> held_apart("王先生"), held_apart("اسم") == "\u2068اسم\u2069"
    ('王先生', True)
    """
    return f"\u2068{text}\u2069" if _FROM_THE_RIGHT.search(text) else text
