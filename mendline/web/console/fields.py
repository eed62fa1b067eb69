"""Form fields, drawn from the facts of a process file. A new fact or transition needs no code here and no template."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mendline.kernel.text import Text
from mendline.kernel.unseen import unseen_in, without_unseen
from mendline.network import areas
from mendline.process.definition import Fact, Process, Transition
from mendline.web.shown_zone import shown_zone

LONG_TEXT = 200  # characters from which a text gets several lines
FEW_CHOICES = 4  # up to here choices are buttons, beyond a list
# Facts that hardly change from step to step: what the order already knows stands in the field.
STEADY = frozenset({"serial", "product", "product_line", "area", "person"})

CLEANED = Text(
    "粘贴进来的看不见的字符（{marks}）已经去掉，请核对后再提交一次",
    "signs that nobody sees ({marks}) came along and were removed; check it and send it once more",
)


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer to choose. `group` gathers answers under a heading."""

    value: str
    label: Text
    group: Text | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """What the template of one widget needs."""

    name: str  # as posted; the parts of a record are `customer.phone`
    fact: Fact
    required: bool
    value: str = ""
    choices: tuple[Choice, ...] = ()
    parts: tuple[Field, ...] = ()
    error: Text | None = None
    shown: str = ""  # what the value means, e.g. the area's name
    known: str = ""  # what the order holds now, masked where personal

    @property
    def id(self) -> str:
        return f"field-{self.name.replace('.', '-')}"

    @property
    def label(self) -> Text:
        return self.fact.label

    @property
    def template(self) -> str:
        return f"console/fields/{self.widget}.html"

    @property
    def widget(self) -> str:
        """Types that differ only in their input share a template."""
        if self.fact.type == "text":
            return "long_text" if self.fact.longest > LONG_TEXT else "line"
        if self.fact.type in ("product", "product_line", "person") or (
            self.fact.type == "choice" and len(self.choices) > FEW_CHOICES
        ):
            return "list"
        if self.fact.type in ("photo", "file"):
            return "upload"
        return {"phone": "line", "address": "line", "serial": "line", "number": "line", "money": "line"}.get(
            self.fact.type, self.fact.type
        )

    @property
    def input_mode(self) -> str:
        return {"phone": "tel", "number": "decimal", "money": "decimal"}.get(self.fact.type, "text")


Options = Callable[[Fact], tuple[Choice, ...]]
"""Where the choices of a product or a person come from."""


def fields_of(
    process: Process,
    step: Transition,
    *,
    options: Options,
    facts: Mapping[str, Any] | None = None,
    posted: Mapping[str, str] | None = None,
    errors: Mapping[str, Text] | None = None,
) -> list[Field]:
    """Return the fields of a step in the file's order, with what was posted, or with what the order knows already."""
    found: list[Field] = []
    for name in step.takes:
        fact = process.facts[name]
        required = name in step.requires
        value = (facts or {}).get(name)
        keeps = fact.type in STEADY or (_stays(step) and not required)
        found.append(
            _field(
                name,
                fact,
                required=required,
                options=options,
                posted=posted,
                value=value if posted is None and keeps and not fact.personal else None,
                error=(errors or {}).get(name),
            )
        )
    return found


def _stays(step: Transition) -> bool:
    """Whether the step only mends data: then the present wording is what people want to change."""
    return all(source == target for source, target in step.to.items())


def _field(
    name: str,
    fact: Fact,
    *,
    required: bool,
    options: Options,
    posted: Mapping[str, str] | None,
    value: Any,
    error: Text | None,
) -> Field:
    if fact.type == "record":
        known = value if isinstance(value, Mapping) else {}
        parts = tuple(
            _field(f"{name}.{part.name}", part, required=required, options=options, posted=posted,
                   value=known.get(part.name), error=None)
            for part in fact.fields.values()
        )  # fmt: skip
        return Field(name, fact, required, parts=parts, error=error)
    text = posted.get(name, "") if posted is not None else text_of(fact, value)
    choices = tuple(Choice(code, label) for code, label in fact.of.items()) if fact.of else options(fact)
    unseen = unseen_in(text.replace("\r\n", "\n"))
    if unseen:  # nobody can delete by hand what cannot be seen
        text, error = without_unseen(text), CLEANED.filled(marks=", ".join(unseen[:3]))
    shown = areas.name_of(text) if fact.type == "area" and text else ""
    return Field(name, fact, required, text, choices, error=error, shown=shown)


def text_of(fact: Fact, value: Any) -> str:
    """Return a stored value as the text that its widget shows for editing."""
    if value is None or value == "":
        return ""
    if fact.type == "moment":
        return f"{datetime.fromisoformat(str(value)).astimezone(shown_zone()):%Y-%m-%dT%H:%M}"
    if fact.type == "money":
        return f"{int(value) // 100}.{int(value) % 100:02d}"
    if fact.type == "yes_no":
        return "yes" if value else "no"
    return str(value)
