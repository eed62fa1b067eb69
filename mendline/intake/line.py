"""The line under reading: what has been understood is taken out of it, what is left is the fault."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

LONGEST = 1000  # characters; more is no line somebody dictated
TAKEN = "\x00"
Span = tuple[int, int]

_NARROW = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
# In what people read again only letters and digits are narrowed; Chinese punctuation stays as typed.
_NARROW_SIGNS = {code: narrow for code, narrow in _NARROW.items() if chr(narrow).isalnum() or narrow == 0x20}
_UNSEEN = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\u00a0\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_LIKE_A_DASH = str.maketrans(dict.fromkeys("‐‑‒–—―−﹣", "-") | dict.fromkeys("～〜∼", "~"))


@dataclass(slots=True)
class Line:
    """A pasted line. `text` is for matching (half-width), `shown` for people; both have the same length."""

    written: str
    shown: str = field(init=False)
    text: str = field(init=False)
    _taken: list[Span] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        plain = _UNSEEN.sub(" ", self.written[:LONGEST].replace("\r\n", "\n").replace("\r", "\n"))
        # Two blanks say no more than one, and patterns that may skip blanks would try every share of a thousand.
        plain = re.sub(r"([ \u3000]){2,}", " ", re.sub(r"\s*\n\s*", "\n", plain))
        self.shown = plain.translate(_NARROW_SIGNS)
        self.text = plain.translate(_LIKE_A_DASH).translate(_NARROW)

    @property
    def free(self) -> str:
        """The text with what was taken blotted out, so that positions stay what they are."""
        signs = list(self.text)
        for start, end in self._taken:
            signs[start:end] = TAKEN * (end - start)
        return "".join(signs)

    def take(self, span: Span) -> str:
        """Take the span out and return its wording."""
        self._taken.append(span)
        return self.shown[span[0] : span[1]].strip()

    @property
    def rest(self) -> list[str]:
        """What nobody took, piece by piece, as it was written."""
        signs = list(self.shown)
        for start, end in self._taken:
            signs[start:end] = TAKEN * (end - start)
        return [piece for piece in "".join(signs).split(TAKEN) if piece.strip()]
