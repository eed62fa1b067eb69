"""From a file to a `Process`, reporting everything that is wrong with it, with line numbers.

This module checks the form of a file (keys, types, labels, durations); `soundness` checks what it
means (reachability, dead ends, clocks that never stop, names nobody registered).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mendline.kernel import plain_yaml
from mendline.kernel.durations import parse_duration
from mendline.kernel.text import Text
from mendline.process.definition import (
    CATEGORIES,
    FACT_TYPES,
    NEW,
    SAME,
    Clock,
    Fact,
    Notice,
    Parameter,
    Process,
    State,
    Transition,
)

TOP_KEYS = {
    "process", "version", "label", "source", "kind", "parameters", "facts", "states", "clocks", "transitions",
    "notices", "close_gate",
}  # fmt: skip
FACT_KEYS = {"type", "label", "of", "fields", "shown_to", "personal", "help", "suggest", "longest"}
STATE_KEYS = {"label", "category"}
CLOCK_KEYS = {
    "label", "budget", "calendar", "starts", "stops", "pauses", "counts_from", "warns", "on_breach",
    "responsible", "rules",
}  # fmt: skip
TRANSITION_KEYS = {
    "label", "from", "to", "diverts", "by", "requires", "accepts", "guards", "effects", "rules", "role_rule",
    "state_rule", "help", "danger", "rank",
}  # fmt: skip
NOTICE_KEYS = {"on", "to", "channels", "text", "rules", "when"}
CHANNELS = {"inbox", "email"}
CALENDARS = {"always", "working_hours", "working_days"}
_ISO_DAY = re.compile(r"^\d{4}-\d{2}-\d{2}$")
MOST_VERSION = 31  # what follows is counted in thousandths: 3001 is the first overlay of version 3
ASKS_FOR_DURATION = ("limit", "after", "period", "within", "budget", "lead", "window")


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing wrong with a process file."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


@dataclass(slots=True)
class Reader:
    """Reads one file, collecting faults instead of stopping at the first."""

    file: str
    document: plain_yaml.Document
    faults: list[Fault] = field(default_factory=list)

    def fault(self, message: str, *where: str | int) -> None:
        self.faults.append(Fault(self.file, self.document.line(*where), message))

    def mapping(self, value: object, *where: str | int) -> dict[str, Any]:
        if value is None:
            return {}
        if isinstance(value, dict):
            return value
        self.fault(f"{_path(where)} must have keys and values", *where)
        return {}

    def known_keys(self, value: Mapping[str, Any], allowed: set[str], *where: str | int) -> None:
        for key in value:
            if key not in allowed:
                self.fault(
                    f"unknown key {key!r} in {_path(where)}; known are {', '.join(sorted(allowed))}", *where, key
                )

    def words(self, value: object, *where: str | int) -> tuple[str, ...]:
        """A list of names; a single name may stand without brackets."""
        if value is None:
            return ()
        items = value if isinstance(value, list) else [value]
        good = [item for item in items if isinstance(item, str)]
        if len(good) != len(items):
            self.fault(f"{_path(where)} must be a list of names", *where)
        if len(set(good)) != len(good):
            self.fault(f"{_path(where)} names something twice", *where)
        return tuple(good)

    def text(self, value: object, *where: str | int) -> Text:
        """A text in both languages; either missing is a fault."""
        words = value if isinstance(value, dict) else {}
        for language in ("zh", "en"):
            if not isinstance(words.get(language), str) or not words[language].strip():
                self.fault(f"{_path(where)} lacks its {language} text", *where)
        self.known_keys(words, {"zh", "en"}, *where)
        return Text(str(words.get("zh") or ""), str(words.get("en") or ""))

    def yes(self, value: object, *where: str | int) -> bool:
        if value in (None, "no", False):
            return False
        if value in ("yes", True):
            return True
        self.fault(f"{_path(where)} must be yes or no", *where)
        return False

    def whole(self, value: object, default: int, *where: str | int) -> int:
        if value is None:
            return default
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        self.fault(f"{_path(where)} must be a whole number", *where)
        return default


def read_process(path: Path) -> tuple[Process | None, list[Fault], Reader]:
    """Read one file. The process is None when the file is too broken to say anything further about it."""
    return read_document(path.name, plain_yaml.read(path))


def read_document(file: str, document: plain_yaml.Document) -> tuple[Process | None, list[Fault], Reader]:
    """Read a process that was parsed already; `file` is what faults call it."""
    reader = Reader(file, document)
    for line, message in reader.document.faults:
        reader.faults.append(Fault(reader.file, line, message))
    top = reader.document.value
    if not isinstance(top, dict):
        if not reader.document.faults:
            reader.fault("the file must have keys and values at the top")
        return None, reader.faults, reader
    reader.known_keys(top, TOP_KEYS)
    code = top.get("process")
    if not isinstance(code, str) or not code.isidentifier():
        reader.fault("process must be a name such as unified_repair", "process")
        return None, reader.faults, reader
    for key in ("label", "source", "kind", "states", "transitions"):
        if key not in top:
            reader.fault(f"{key} is missing")
    states = _states(reader, top.get("states"))
    version = reader.whole(top.get("version"), 1, "version")
    if not 1 <= version <= MOST_VERSION:
        reader.fault(f"version must be from 1 to {MOST_VERSION}", "version")
    process = Process(
        code=code,
        version=version,
        label=reader.text(top.get("label"), "label"),
        source=str(top.get("source") or ""),
        kind=str(top.get("kind") or ""),
        parameters=_parameters(reader, top.get("parameters")),
        facts=_facts(reader, top.get("facts"), "facts"),
        states=states,
        clocks=_clocks(reader, top.get("clocks")),
        transitions=_transitions(reader, top.get("transitions"), states),
        notices=_notices(reader, top.get("notices")),
        close_gate=reader.words(top.get("close_gate"), "close_gate"),
    )
    return process, reader.faults, reader


def _parameters(reader: Reader, value: object) -> dict[str, Parameter]:
    found: dict[str, Parameter] = {}
    for name, given in reader.mapping(value, "parameters").items():
        if isinstance(given, list):
            found[name] = reader.words(given, "parameters", name)
        elif isinstance(given, str):
            found[name] = _duration_or_text(reader, given, name)
        elif isinstance(given, (int, float)) and not isinstance(given, bool):
            if name.endswith(ASKS_FOR_DURATION):
                reader.fault(f"parameter {name} is a duration and needs a unit, e.g. 4h, 30m, 5wd", "parameters", name)
            found[name] = given
        else:
            reader.fault(f"parameter {name} must be a duration, a number, a word or a list", "parameters", name)
    return found


def _duration_or_text(reader: Reader, given: str, name: str) -> Parameter:
    try:
        return parse_duration(given)
    except ValueError as problem:
        if (given[:1].isdigit() and not _ISO_DAY.match(given)) or name.endswith(ASKS_FOR_DURATION):
            reader.fault(f"parameter {name}: {problem}", "parameters", name)
        return given


def _facts(reader: Reader, value: object, *where: str | int) -> dict[str, Fact]:
    found: dict[str, Fact] = {}
    for name, given in reader.mapping(value, *where).items():
        here = (*where, name)
        keys = reader.mapping(given, *here)
        reader.known_keys(keys, FACT_KEYS, *here)
        kind = keys.get("type")
        if kind not in FACT_TYPES:
            reader.fault(f"fact {name}: type must be one of {', '.join(FACT_TYPES)}", *here, "type")
            kind = "text"
        choices = _choices(reader, keys.get("of"), *here, "of")
        if kind == "choice" and not choices:
            reader.fault(f"fact {name}: a choice needs `of`", *here)
        if kind == "record" and not keys.get("fields"):
            reader.fault(f"fact {name}: a record needs `fields`", *here)
        found[name] = Fact(
            name=name,
            type=str(kind),
            label=reader.text(keys.get("label"), *here, "label"),
            of=choices,
            fields=_facts(reader, keys.get("fields"), *here, "fields") if "fields" in keys else {},
            shown_to=reader.words(keys.get("shown_to"), *here, "shown_to"),
            personal=reader.yes(keys.get("personal"), *here, "personal"),
            help=reader.text(keys["help"], *here, "help") if "help" in keys else None,
            suggest=reader.words(keys.get("suggest"), *here, "suggest"),
            longest=reader.whole(keys.get("longest"), 500, *here, "longest"),
        )
    return found


def _choices(reader: Reader, value: object, *where: str | int) -> dict[str, Text]:
    """Choices are written `{code: {zh: …, en: …}}`, so that every one has a label in both languages."""
    if isinstance(value, list):
        reader.fault(f"{_path(where)}: write each choice with its label, e.g. within_promise: {{zh: …, en: …}}", *where)
        return {str(code): Text(str(code), str(code)) for code in value}
    return {code: reader.text(label, *where, code) for code, label in reader.mapping(value, *where).items()}


def _states(reader: Reader, value: object) -> dict[str, State]:
    found: dict[str, State] = {}
    for name, given in reader.mapping(value, "states").items():
        keys = reader.mapping(given, "states", name)
        reader.known_keys(keys, STATE_KEYS, "states", name)
        category = next((known for known in CATEGORIES if known == keys.get("category")), None)
        if category is None:
            reader.fault(f"state {name}: category must be one of {', '.join(CATEGORIES)}", "states", name)
        if name in (NEW, SAME):
            reader.fault(f"{name} cannot be the name of a state", "states", name)
        found[name] = State(name, reader.text(keys.get("label"), "states", name, "label"), category or "open")
    return found


def _clocks(reader: Reader, value: object) -> dict[str, Clock]:
    found: dict[str, Clock] = {}
    for name, given in reader.mapping(value, "clocks").items():
        where = ("clocks", name)
        keys = reader.mapping(given, *where)
        reader.known_keys(keys, CLOCK_KEYS, *where)
        calendar = str(keys.get("calendar") or "always")
        if calendar not in CALENDARS:
            reader.fault(f"clock {name}: calendar must be one of {', '.join(sorted(CALENDARS))}", *where, "calendar")
        warns = keys.get("warns") or []
        if not isinstance(warns, list) or not all(isinstance(share, int) and 0 < share < 100 for share in warns):
            reader.fault(f"clock {name}: warns are whole percents between 1 and 99", *where, "warns")
            warns = []
        found[name] = Clock(
            name=name,
            label=reader.text(keys.get("label"), *where, "label"),
            budget=str(keys.get("budget") or ""),
            calendar=calendar,
            starts=frozenset(reader.words(keys.get("starts"), *where, "starts")),
            stops=frozenset(reader.words(keys.get("stops"), *where, "stops")),
            pauses=frozenset(reader.words(keys.get("pauses"), *where, "pauses")),
            counts_from=keys.get("counts_from"),
            warns=tuple(warns),
            on_breach=reader.words(keys.get("on_breach"), *where, "on_breach"),
            responsible=str(keys.get("responsible") or "station"),
            rules=reader.words(keys.get("rules"), *where, "rules"),
        )
    return found


def _transitions(reader: Reader, value: object, states: Mapping[str, State]) -> dict[str, Transition]:
    found: dict[str, Transition] = {}
    for place, (name, given) in enumerate(reader.mapping(value, "transitions").items()):
        where = ("transitions", name)
        keys = reader.mapping(given, *where)
        reader.known_keys(keys, TRANSITION_KEYS, *where)
        sources = reader.words(keys.get("from"), *where, "from")
        rules = reader.words(keys.get("rules"), *where, "rules")
        if not rules:
            reader.fault(f"transition {name} cites no rule", *where)
        first = rules[0] if rules else ""
        found[name] = Transition(
            name=name,
            label=reader.text(keys.get("label"), *where, "label"),
            sources=frozenset(sources),
            to=_targets(reader, keys.get("to"), sources, *where, "to"),
            diverts={str(check): str(state) for check, state in reader.mapping(keys.get("diverts"), *where).items()},
            by=reader.words(keys.get("by"), *where, "by"),
            requires=reader.words(keys.get("requires"), *where, "requires"),
            accepts=reader.words(keys.get("accepts"), *where, "accepts"),
            guards=reader.words(keys.get("guards"), *where, "guards"),
            effects=reader.words(keys.get("effects"), *where, "effects"),
            rules=rules,
            role_rule=str(keys.get("role_rule") or first),
            state_rule=str(keys.get("state_rule") or first),
            help=reader.text(keys["help"], *where, "help") if "help" in keys else None,
            danger=reader.yes(keys.get("danger"), *where, "danger"),
            rank=reader.whole(keys.get("rank"), 100 + place, *where, "rank"),
        )
    return found


def _targets(reader: Reader, value: object, sources: Iterable[str], *where: str | int) -> dict[str, str]:
    """A target is one state, `same`, or a mapping from each source to its target."""
    if isinstance(value, dict):
        for source in sources:
            if source not in value:
                reader.fault(f"{_path(where)} does not say where {source} leads", *where)
        return {source: (source if target == SAME else str(target)) for source, target in value.items()}
    if not isinstance(value, str):
        reader.fault(f"{_path(where)} must be a state, `same`, or a state for each source", *where)
        return {}
    return {source: (source if value == SAME else value) for source in sources}


def _notices(reader: Reader, value: object) -> tuple[Notice, ...]:
    found: list[Notice] = []
    for name, given in reader.mapping(value, "notices").items():
        where = ("notices", name)
        keys = reader.mapping(given, *where)
        reader.known_keys(keys, NOTICE_KEYS, *where)
        channels = reader.words(keys.get("channels") or ["inbox"], *where, "channels")
        for channel in channels:
            if channel not in CHANNELS:
                reader.fault(f"notice {name}: unknown channel {channel}", *where, "channels")
        found.append(
            Notice(
                name=name,
                on=frozenset(reader.words(keys.get("on"), *where, "on")),
                to=reader.words(keys.get("to"), *where, "to"),
                channels=channels,
                text=reader.text(keys.get("text"), *where, "text"),
                rules=reader.words(keys.get("rules"), *where, "rules"),
                when=keys.get("when"),
            )
        )
    return tuple(found)


def _path(where: tuple[str | int, ...]) -> str:
    return " › ".join(str(part) for part in where) or "the file"
