"""The texts of the rules, as refusals, screens and reports show them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings

from mendline.kernel import plain_yaml
from mendline.kernel.text import Text


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the catalogue; `inferred` where its source only implies it."""

    id: str
    text: Text
    inferred: bool


@lru_cache(maxsize=1)
def rules() -> dict[str, Rule]:
    """Return all rules by id, read once from `processes/rules/*.yaml`."""
    found: dict[str, Rule] = {}
    for path in sorted((settings.PROCESS_FOLDER / "rules").glob("*.yaml")):
        value = plain_yaml.read(path).value
        for rule_id, kept in (value if isinstance(value, dict) else {}).items():
            if isinstance(kept, dict):
                text = Text(str(kept.get("zh", "")), str(kept.get("en", "")))
                found[rule_id] = Rule(rule_id, text, kept.get("inferred") in (True, "yes"))
    return found


def text_of(rule_id: str) -> Text | None:
    """Return the sentence of a rule, or None for an id nobody knows."""
    rule = rules().get(rule_id)
    return rule.text if rule else None
