"""What to ask and to try while the caller is on the line, by the words of the fault."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mendline.kernel import plain_yaml
from mendline.kernel.text import Text

FILE = Path(__file__).with_name("hints.yaml")
MOST = 2  # more than two at once are not read


@dataclass(frozen=True, slots=True)
class Hint:
    """One topic: questions for the caller, and what may help before anybody drives there."""

    code: str
    words: tuple[str, ...]
    title: Text
    ask: tuple[Text, ...]
    to_try: tuple[Text, ...]


def hints_for(fault: str, most: int = MOST) -> list[Hint]:
    """Return the hints whose words stand in the fault, the one with the earliest word first.

    >>> [hint.code for hint in hints_for("打印机卡纸，还有黑线")]
    ['paper', 'print_quality']
    """
    found: list[tuple[int, int, Hint]] = []
    for order, hint in enumerate(hints()):
        places = [place for word in hint.words if (place := fault.find(word)) >= 0]
        if places:
            found.append((min(places), order, hint))
    return [hint for _, _, hint in sorted(found, key=lambda entry: entry[:2])[:most]]


@cache
def hints() -> tuple[Hint, ...]:
    """Return all hints of the file, read once.

    Raises:
        ValueError: the file is not of its form; names the line.
    """
    document = plain_yaml.read(FILE)
    if document.faults:
        line, fault = document.faults[0]
        raise ValueError(f"{FILE.name}:{line}: {fault}")
    return tuple(_hint(entry) for entry in _items(document.value))


def _hint(entry: plain_yaml.Plain) -> Hint:
    if not isinstance(entry, dict):
        raise ValueError(f"{FILE.name}: a hint has names and values, not {entry!r}")
    return Hint(
        code=str(entry["code"]),
        words=tuple(str(word) for word in _items(entry["words"])),
        title=_text(entry["title"]),
        ask=tuple(_text(text) for text in _items(entry.get("ask"))),
        to_try=tuple(_text(text) for text in _items(entry.get("try"))),
    )


def _items(value: plain_yaml.Plain) -> list[plain_yaml.Plain]:
    return value if isinstance(value, list) else []


def _text(value: plain_yaml.Plain) -> Text:
    if not isinstance(value, dict):
        raise ValueError(f"{FILE.name}: {value!r} is not in two languages")
    return Text(str(value["zh"]), str(value["en"]))
