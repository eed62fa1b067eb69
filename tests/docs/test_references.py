"""The reference pages name everything there is: keys, types, states, roles, settings, commands."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest

from mendline.access.models import Role
from mendline.kernel.ids import PREFIXES
from mendline.process import reading
from mendline.process.definition import CATEGORIES, FACT_TYPES
from mendline.process.loading import latest
from mendline.process.soundness import RESPONSIBLE
from mendline.sim import scenario_files
from mendline.sim.scenarios import _LOOKS
from tests.docs.pages import PAGES, ROOT, page

SETTING = re.compile(r"(?:env_(?:text|flag|number|list|secret)|has_env)\(\s*['\"]([A-Z_]+)['\"]")


def section(text: str, heading: str) -> str:
    """Return what stands between a heading of the second rank and the next."""
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    assert found, f"there is no section {heading}"
    return found[1]


def keys_in_tables(text: str) -> set[str]:
    """Return the words set as code in the first column of the tables."""
    cells = re.findall(r"^\| ([^|]*`[^|]*) \|", text, re.M)
    return {word for cell in cells for word in re.findall(r"`([^`]+)`", cell)}


@pytest.mark.parametrize(
    ("heading", "keys"),
    [
        ("At the top", reading.TOP_KEYS),
        ("Facts", {*reading.FACT_KEYS, *FACT_TYPES}),
        ("States", reading.STATE_KEYS),
        ("Clocks", reading.CLOCK_KEYS),
        ("Transitions", reading.TRANSITION_KEYS),
        ("Notices", reading.NOTICE_KEYS),
    ],
)
def test_every_key_of_a_process_file_is_on_its_page_and_no_other(heading: str, keys: set[str]) -> None:
    assert keys_in_tables(section(page("docs/process-files.md"), heading)) == keys


@pytest.mark.parametrize(
    "words", [CATEGORIES, sorted(reading.CALENDARS), sorted(reading.CHANNELS), sorted(RESPONSIBLE)], ids=str
)
def test_every_word_that_a_process_file_may_use_is_explained(words: Iterable[str]) -> None:
    text = page("docs/process-files.md")
    assert [word for word in words if f"`{word}`" not in text] == []


def test_every_ending_that_makes_a_parameter_a_duration_is_told() -> None:
    text = section(page("docs/process-files.md"), "At the top")
    assert [word for word in reading.ASKS_FOR_DURATION if f"`{word}`" not in text] == []


@pytest.mark.parametrize(
    ("heading", "keys"),
    [
        ("At the top", scenario_files.TOP_KEYS),
        ("A step", scenario_files.STEP_KEYS),
        ("What `then` may expect", scenario_files.EXPECTATIONS),
    ],
)
def test_every_key_of_a_scenario_is_on_its_page_and_no_other(heading: str, keys: set[str]) -> None:
    assert keys_in_tables(section(page("docs/scenarios.md"), heading)) == keys


def test_every_look_of_a_scenario_is_told() -> None:
    text = section(page("docs/scenarios.md"), "A step")
    assert [look for look in _LOOKS if f"`{look}`" not in text] == []


def test_the_states_on_the_page_are_those_of_the_process() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\S+) \| (\w+) \|$", page("docs/concepts.md"), re.M)
    states = latest("unified_repair").states.values()
    assert rows == [(state.name, state.label.zh, state.category) for state in states]


def test_every_role_and_every_kind_of_number_is_told() -> None:
    text = page("docs/concepts.md")
    assert [role.value for role in Role if f"`{role.value}`" not in text] == []
    assert [prefix for prefix in PREFIXES.values() if not re.search(rf"`{prefix}[`…]", text)] == []


def test_every_environment_variable_is_documented_and_no_other() -> None:
    read: set[str] = set()
    for folder in ("config", "mendline"):
        for path in (ROOT / folder).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            read.update(SETTING.findall(text))
    told = keys_in_tables(section(page("docs/operations.md"), "Environment variables"))

    assert told == read


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_link_leads_somewhere(path: object) -> None:
    name = str(path).removeprefix(f"{ROOT}/")
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page(name))
    here = (ROOT / name).parent
    assert [one for one in targets if "://" not in one and not (here / one).exists()] == []


@pytest.mark.parametrize("path", sorted((ROOT / "docs").glob("*.md")), ids=lambda path: path.name)
def test_every_page_begins_with_a_chinese_summary(path: object) -> None:
    name = str(path).removeprefix(f"{ROOT}/")
    assert re.match(r"# .+ / .+\n\n> \*\*摘要\*\* .*[\u4e00-\u9fff]", page(name))
