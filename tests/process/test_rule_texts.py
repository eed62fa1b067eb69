"""The rule texts are complete, in both languages, and each says something of its own."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from mendline.kernel import plain_yaml

ROOT = Path(__file__).parents[2]
RULES = ROOT / "processes" / "rules"
# The procedures of unified repair reporting; the other sections of the catalogue follow with their processes.
COUNTS = {"CAN": 39, "UDS": 8, "STN": 51, "COM": 10}
CATALOGUE = Path(os.environ.get("MENDLINE_CATALOGUE") or ROOT / ".." / "shared" / "domain" / "catalogue.md")

RuleText = dict[str, plain_yaml.Plain]


def texts_of(prefix: str) -> dict[str, RuleText]:
    document = plain_yaml.read(RULES / f"{prefix}.yaml")
    assert document.faults == []
    assert isinstance(document.value, dict)
    texts: dict[str, RuleText] = {}
    for rule, text in document.value.items():
        assert isinstance(text, dict), rule
        texts[rule] = text
    return texts


def all_texts() -> dict[str, RuleText]:
    return {rule: text for prefix in COUNTS for rule, text in texts_of(prefix).items()}


@pytest.mark.parametrize("prefix", COUNTS)
def test_every_rule_of_a_section_has_a_text(prefix: str) -> None:
    expected = {f"{prefix}-{number:02}" for number in range(1, COUNTS[prefix] + 1)}

    assert set(texts_of(prefix)) == expected


@pytest.mark.skipif(not CATALOGUE.is_file(), reason="the requirements catalogue is not at hand")
@pytest.mark.parametrize("prefix", COUNTS)
def test_ids_and_inferred_marks_are_those_of_the_catalogue(prefix: str) -> None:
    lines = re.findall(rf"^- \*\*({prefix}-\d+)\*\*( †)?", CATALOGUE.read_text(encoding="utf-8"), re.MULTILINE)

    assert {rule: text["inferred"] for rule, text in texts_of(prefix).items()} == {
        rule: bool(mark) for rule, mark in lines
    }


def test_a_rule_text_has_both_languages_and_a_mark_and_nothing_else() -> None:
    for rule, text in all_texts().items():
        assert set(text) == {"zh", "en", "inferred"}, rule
        assert isinstance(text["inferred"], bool), rule


def test_every_chinese_text_is_one_chinese_sentence() -> None:
    for rule, text in all_texts().items():
        sentence = str(text["zh"])
        assert len(re.findall(r"[\u4e00-\u9fff]", sentence)) >= 8, rule
        assert sentence.endswith("。") and sentence.count("。") == 1, rule
        assert not re.search(r"[\u4e00-\u9fff] | [\u4e00-\u9fff]", sentence), f"{rule}: a stray space"


def test_every_english_text_is_one_english_sentence() -> None:
    for rule, text in all_texts().items():
        sentence = str(text["en"])
        assert re.match(r"[A-Z]", sentence), rule
        assert sentence.endswith(".") and ". " not in sentence, rule


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_sentence_stands_twice(language: str) -> None:
    seen: dict[str, str] = {}
    for rule, text in all_texts().items():
        sentence = str(text[language])
        assert sentence not in seen, f"{rule} repeats {seen.get(sentence)}"
        seen[sentence] = rule
