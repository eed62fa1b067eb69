"""A sentence in both languages of the product."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """What a person reads, in Chinese and in English. Chinese comes first everywhere."""

    zh: str
    en: str

    def in_language(self, language: str) -> str:
        """Return the text for a language tag such as `zh-hans` or `en`; anything not English is Chinese."""
        return self.en if language.startswith("en") else self.zh

    def filled(self, **values: object) -> Text:
        """Return the text with `{name}` places filled in; a value that is a `Text` itself speaks each language."""
        zh = {name: value.zh if isinstance(value, Text) else value for name, value in values.items()}
        en = {name: value.en if isinstance(value, Text) else value for name, value in values.items()}
        return Text(self.zh.format_map(_Blanks(zh)), self.en.format_map(_Blanks(en)))

    def as_dict(self) -> dict[str, str]:
        return {"zh": self.zh, "en": self.en}

    def __str__(self) -> str:
        return self.zh


class _Blanks(dict[str, object]):
    """A place nobody filled stays visible as a dash instead of breaking the sentence."""

    def __missing__(self, key: str) -> str:
        return "—"
