"""The reference of process files as pages: the loader's own keys and the registered names, with what they mean.

Keys come from `reading`, fact types from `definition`, names from `registry`; only the sentences are in the two
files of words beside this one. What the loader knows and the words do not is an error, and the other way round.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from mendline.process import reading
from mendline.process.definition import FACT_TYPES
from mendline.process.management.commands.vocabulary import Word, all_words

KEYS: Mapping[str, set[str]] = {
    "top": reading.TOP_KEYS,
    "fact": reading.FACT_KEYS,
    "state": reading.STATE_KEYS,
    "clock": reading.CLOCK_KEYS,
    "transition": reading.TRANSITION_KEYS,
    "notice": reading.NOTICE_KEYS,
}
_HERE = Path(__file__).parent
_WORDS, _VOCABULARY = "reference_words.yaml", "vocabulary_words.yaml"


class Unexplained(Exception):
    """The loader and the words disagree; names every key or name that only one of them has."""


def keys_page(language: str) -> str:
    """Return the page of keys in `zh` or `en`.

    Raises Unexplained when a key has no words, or words no key.
    """
    words = _words(_WORDS)
    page = words["pages"]["keys"][language]
    lines = [f"# {page['title']}", "", page["lead"], ""]
    for section, keys in KEYS.items():
        told = words["keys"][section]
        _same(keys, told, f"{_WORDS}: keys.{section}")
        lines += [f"## {words['sections'][section][language]}", "", *_table_head(page["head"])]
        for key, entry in told.items():
            kind = words["kinds"][entry["kind"]][language]
            default = _default(entry["default"], words, language) if "default" in entry else page["required"]
            lines.append(f"| `{key}` | {kind} | {default} | {entry[language]} |")
        lines.append("")
    _same(set(FACT_TYPES), words["fact_types"], f"{_WORDS}: fact_types")
    lines += [f"## {page['types']}", "", *_table_head(page["types_head"])]
    lines += [
        f"| `{name}` | {entry[language]} | {entry[f'kept_{language}']} |" for name, entry in words["fact_types"].items()
    ]
    return "\n".join([*lines, "", page["tail"], ""])


def vocabulary_page(language: str) -> str:
    """Return the page of registered names in `zh` or `en`.

    Raises Unexplained when a name lacks its sentence, or a sentence its name.
    """
    words = _words(_WORDS)
    page = words["pages"]["vocabulary"][language]
    found = all_words()
    lines = [f"# {page['title']}", "", page["lead"], ""]
    for kind, label in words["vocabulary"].items():
        names = [word for word in found if word.kind == kind]
        _same({word.name for word in names}, _words(_VOCABULARY)[kind], f"{_VOCABULARY}: {kind}")
        lines += [f"## {label[language]}", "", *_table_head(page["head"])]
        for word in names:
            users = ", ".join(f"`{user}`" for user in word.used_by) or page["unused"]
            lines.append(f"| `{word.name}` | {_meaning(word, language)} | {users} |")
        lines.append("")
    return "\n".join(lines)


def default_of(section: str, key: str) -> str | None:
    """Return what the page says is read when `key` is left out; None where it says that the key is required."""
    default = _words(_WORDS)["keys"][section][key].get("default")
    return None if default is None else str(default)


def _meaning(word: Word, language: str) -> str:
    told = _words(_VOCABULARY)[word.kind][word.name]
    own = told if isinstance(told, dict) else {"zh": told}
    if language == "zh":
        return str(own["zh"])
    meaning = own.get("en") or word.meaning
    if not meaning:
        raise Unexplained(f"{_VOCABULARY}: {word.kind} {word.name} has neither a docstring nor English words")
    return str(meaning).replace("|", "\\|")


def _default(value: object, words: Mapping[str, Any], language: str) -> str:
    told = words["defaults"].get(value)
    return str(told[language]) if told else f"`{value}`"


def _table_head(names: Sequence[str]) -> list[str]:
    return [f"| {' | '.join(names)} |", f"| {' | '.join('---' for _ in names)} |"]


def _same(known: set[str], told: Mapping[str, object], where: str) -> None:
    if known != set(told):
        unknown, idle = sorted(known - set(told)), sorted(set(told) - known)
        raise Unexplained(f"{where}: without words: {unknown or '-'}; words for nothing: {idle or '-'}")


@cache
def _words(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.load((_HERE / name).read_text(encoding="utf-8"), yaml.BaseLoader)
    return found
