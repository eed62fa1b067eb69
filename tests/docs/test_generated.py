"""The pages made from the code are those that the code makes now, and what they say of the loader is so."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from mendline.cli.site import DOCS, LANGUAGES, references
from mendline.process import reference
from mendline.process.definition import Process
from mendline.process.loading import read_files

SMALLEST = """
process: errand
version: 1
label: {zh: 代办, en: Errand}
source: a test
kind: request
parameters: {answer_limit: 4h}
facts: {wish: {type: text, label: {zh: 事项, en: Errand}}}
states:
  asked: {label: {zh: 已提出, en: Asked}, category: open}
  answered: {label: {zh: 已答复, en: Answered}, category: done}
clocks:
  answering: {label: {zh: 答复, en: Answer}, budget: answer_limit, starts: [asked], stops: [answered]}
transitions:
  ask:
    {label: {zh: 提出, en: Ask}, from: [new], to: asked, by: [station_coordinator], requires: [wish], rules: [STN-13]}
  reply: {label: {zh: 答复, en: Reply}, from: [asked], to: answered, by: [region_interface], rules: [STN-13]}
notices:
  waits: {on: [ask], to: [region_interface], text: {zh: 等待, en: Waits}, rules: [STN-13]}
"""
# Where one of each section stands in the file above.
PLACES: dict[str, tuple[str, ...]] = {
    "top": (),
    "fact": ("facts", "wish"),
    "state": ("states", "asked"),
    "clock": ("clocks", "answering"),
    "transition": ("transitions", "ask"),
    "notice": ("notices", "waits"),
}
EVERY = [(section, key) for section, keys in reference.KEYS.items() for key in sorted(keys)]
# A file without states or steps says more than one thing wrong; without clocks the parameter is only idle.
GIVEN_ONLY_HERE = {("top", "parameters"), ("top", "facts"), ("clock", "stops"), ("transition", "requires")}


def without(section: str, key: str, folder: Path) -> tuple[Process | None, list[str]]:
    document = yaml.load(SMALLEST, yaml.BaseLoader)
    part = document
    for name in PLACES[section]:
        part = part[name]
    part.pop(key, None)
    path = folder / "errand.yaml"
    path.write_text(yaml.safe_dump(document, allow_unicode=True, default_style=None), encoding="utf-8")
    text = path.read_text(encoding="utf-8").replace("version: '1'", "version: 1")
    path.write_text(text, encoding="utf-8")
    found, faults = read_files([path])
    return next(iter(found.values()), None), [str(fault) for fault in faults]


@pytest.mark.parametrize("name", sorted(references()))
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_made_from_the_code_is_up_to_date(name: str, language: str) -> None:
    kept = (DOCS / language / name).read_text(encoding="utf-8")

    assert kept == references()[name](language), f"docs/{language}/{name} is old: run `mendline site --pages-only`"


def test_the_smallest_file_is_sound(tmp_path: Path) -> None:
    _, faults = without("fact", "nothing", tmp_path)
    assert faults == []


@pytest.mark.parametrize(("section", "key"), EVERY, ids=[f"{section}.{key}" for section, key in EVERY])
def test_a_key_is_required_where_its_page_says_so(section: str, key: str, tmp_path: Path) -> None:
    _, faults = without(section, key, tmp_path)

    if reference.default_of(section, key) is None:
        assert faults, f"{section}.{key} may be left out, so its page should name a default"
    elif (section, key) not in GIVEN_ONLY_HERE:
        assert faults == []


def test_what_is_left_out_is_read_as_the_page_says(tmp_path: Path) -> None:
    process, _ = without("fact", "nothing", tmp_path)
    assert process is not None
    read = {
        ("fact", "longest"): process.facts["wish"].longest,
        ("clock", "calendar"): process.clocks["answering"].calendar,
        ("clock", "responsible"): process.clocks["answering"].responsible,
        ("notice", "channels"): ", ".join(process.notices[0].channels),
        ("top", "version"): 1,
    }

    assert {place: str(value) for place, value in read.items()} == {
        place: reference.default_of(*place) for place in read
    }
    assert process.transitions["ask"].role_rule == process.transitions["ask"].state_rule == "STN-13"
    assert [step.rank for step in process.transitions.values()] == [100, 101]


def test_a_key_without_words_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(reference.KEYS, "state", {"label", "category", "colour"})

    with pytest.raises(reference.Unexplained, match="colour"):
        reference.keys_page("zh")
