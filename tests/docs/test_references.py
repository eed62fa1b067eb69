"""The reference pages name everything there is: types, states, roles, settings; and no link leads nowhere."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

from mendline.access.models import Role
from mendline.kernel.ids import PREFIXES
from mendline.process import reading
from mendline.process.definition import CATEGORIES
from mendline.process.loading import latest
from mendline.process.soundness import RESPONSIBLE
from mendline.sim import scenario_files
from mendline.sim.scenarios import _LOOKS
from tests.docs.pages import LANGUAGES, PAGES, ROOT, SITE, page

SETTING = re.compile(r"(?:env_(?:text|flag|number|list|some_of|secret)|has_env)\(\s*['\"]([A-Z_]+)['\"]")
DOCS = ROOT / "docs"
CHINESE = re.compile(r"[\u4e00-\u9fff]")
# What may be Chinese on an English page: names, addresses and words of the business, as examples.
NAMES_ARE_CHINESE = {"tutorial.md", "reference/intake.md", "reference/api.md", "reference/api-calls.md",
                     "process/files.md", "process/scenarios.md", "process/keys.md", "process/vocabulary.md",
                     "explanation/concepts.md", "reference/commands.md"}  # fmt: skip
HEADINGS = {
    "zh": {"top": "顶层", "step": "一步", "then": "`then` 可以要求什么"},
    "en": {"top": "At the top", "step": "A step", "then": "What `then` may expect"},
}


def names(language: str) -> set[str]:
    return {path.relative_to(DOCS / language).as_posix() for path in SITE[language]}


def section(text: str, heading: str) -> str:
    """Return what stands between a heading of the second rank and the next."""
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    assert found, f"there is no section {heading}"
    return found[1]


def keys_in_tables(text: str) -> set[str]:
    """Return the words set as code in the first column of the tables."""
    cells = re.findall(r"^\| ([^|]*`[^|]*) \|", text, re.M)
    return {word for cell in cells for word in re.findall(r"`([^`]+)`", cell)}


def test_every_page_has_its_other_language() -> None:
    assert names("zh") == names("en")
    assert len(names("zh")) > 20


@pytest.mark.parametrize("name", sorted(names("zh") & names("en")))
def test_a_page_is_one_language_and_its_pair_says_as_much(name: str) -> None:
    zh, en = (page(f"docs/{language}/{name}") for language in LANGUAGES)
    headings = [[len(mark) for mark in re.findall(r"^(#+) ", _prose(text), re.M)] for text in (zh, en)]
    pictures = [re.findall(r"images/([a-z-]+?)-(?:zh|en)-(\w+)\.webp", text) for text in (zh, en)]

    assert CHINESE.search(zh.splitlines()[0]) and not CHINESE.search(en.splitlines()[0])
    assert headings[0] == headings[1], "both pages have the same parts"
    assert pictures[0] == pictures[1]
    if name not in NAMES_ARE_CHINESE:
        assert not CHINESE.search(_prose(en))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_navigation_has_every_page_once(language: str) -> None:
    config = tomllib.loads((DOCS / "site" / f"{language}.toml").read_text(encoding="utf-8"))
    listed = list(_entries(config["project"]["nav"]))

    assert sorted(listed) == sorted(names(language))


def _entries(entries: Iterable[object]) -> Iterable[str]:
    for entry in entries:
        if isinstance(entry, dict):
            for value in entry.values():
                yield from _entries(value if isinstance(value, list) else [value])
        else:
            yield str(entry)


def _prose(text: str) -> str:
    """A page without code, which is the same in both languages."""
    return re.sub(r"`[^`\n]+`|^```.*?^```$|<!--.*?-->", "", text, flags=re.M | re.S)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "words",
    [CATEGORIES, reading.CALENDARS, reading.CHANNELS, RESPONSIBLE],
    ids=["categories", "calendars", "channels", "responsible"],
)
def test_every_word_that_a_process_file_may_use_is_told(language: str, words: Iterable[str]) -> None:
    text = page(f"docs/{language}/process/keys.md")
    assert [word for word in sorted(words) if f"`{word}`" not in text] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_ending_that_makes_a_parameter_a_duration_is_told(language: str) -> None:
    text = page(f"docs/{language}/process/files.md")
    assert [word for word in reading.ASKS_FOR_DURATION if f"`{word}`" not in text] == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("part", "keys"),
    [
        ("top", scenario_files.TOP_KEYS),
        ("step", scenario_files.STEP_KEYS),
        ("then", scenario_files.EXPECTATIONS),
    ],
)
def test_every_key_of_a_scenario_is_on_its_page_and_no_other(language: str, part: str, keys: set[str]) -> None:
    text = page(f"docs/{language}/process/scenarios.md")
    assert keys_in_tables(section(text, HEADINGS[language][part])) == keys


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_look_of_a_scenario_is_told(language: str) -> None:
    text = page(f"docs/{language}/process/scenarios.md")
    assert [look for look in _LOOKS if f"`{look}`" not in text] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_states_on_the_page_are_those_of_the_process(language: str) -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\S+) \| ([a-z]+) \|$", page(f"docs/{language}/explanation/concepts.md"), re.M)
    states = latest("unified_repair").states.values()
    assert rows == [(state.name, state.label.zh, state.category) for state in states]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_role_and_every_kind_of_number_is_told(language: str) -> None:
    text = page(f"docs/{language}/explanation/concepts.md")
    assert [role.value for role in Role if f"`{role.value}`" not in text] == []
    assert [prefix for prefix in PREFIXES.values() if not re.search(rf"`{prefix}[`…]", text)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_environment_variable_is_documented_and_no_other(language: str) -> None:
    read: set[str] = set()
    for folder in ("config", "mendline"):
        for path in (ROOT / folder).rglob("*.py"):
            read.update(SETTING.findall(path.read_text(encoding="utf-8")))

    assert keys_in_tables(page(f"docs/{language}/operations/settings.md")) == read


def test_both_languages_publish_the_same_figures_of_the_reader() -> None:
    zh, en = (re.findall(r"\d+\.\d %", page(f"docs/{language}/reference/intake.md")) for language in LANGUAGES)
    assert zh == en and zh


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_and_picture_leads_somewhere(path: Path) -> None:
    faults = []
    for target, anchor in re.findall(r"\]\(([^)#\s]*)(?:#([^)]*))?\)", _prose(path.read_text(encoding="utf-8"))):
        if "://" in target or target.startswith("mailto:"):
            continue
        there = (path.parent / target).resolve() if target else path
        if not there.exists():
            faults.append(target)
        elif anchor and path.is_relative_to(DOCS) and anchor not in _anchors(there):
            faults.append(f"{target}#{anchor}")
    assert faults == []


def _anchors(path: Path) -> set[str]:
    """Return the anchors of a page that a link of ours may name: given ones, and headings in Latin letters."""
    text = path.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+?)(?: \{#([\w-]+)\})?$", text, re.M)
    return {given or re.sub(r"[^\w]+", "-", title.lower()).strip("-") for title, given in headings}


def test_every_picture_is_shown_and_small() -> None:
    kept = {path.name for path in (DOCS / "images").glob("*.webp")}
    shown = {name for path in PAGES for name in re.findall(r"images/([\w-]+\.webp)", path.read_text(encoding="utf-8"))}

    assert kept == shown
    sizes = {path.name: path.stat().st_size for path in (DOCS / "images").iterdir()}
    assert [name for name, size in sizes.items() if size > 150_000] == []
    assert sum(sizes.values()) < 6_000_000


@pytest.mark.parametrize("path", sorted(DOCS.glob("*.md")), ids=lambda path: path.name)
def test_a_page_outside_of_the_site_begins_with_a_chinese_summary(path: Path) -> None:
    assert re.match(r"# .+ / .+\n\n> \*\*摘要\*\* .*[\u4e00-\u9fff]", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", sorted(name for name in names("zh") if name.startswith("how-to/")))
def test_what_a_page_tells_people_to_press_is_on_a_screen(language: str, name: str) -> None:
    """What stands in bold is a word of the screen, part by part: **More → Ask for cancellation**."""
    told = re.findall(r"\*\*([^*\n]+)\*\*", page(f"docs/{language}/{name}"))
    labels = [part.strip() for words in told for part in re.split(r"→|：|: ", words)]

    assert [label for label in labels if label and label not in _screens()] == []


@cache
def _screens() -> str:
    patterns = ("mendline/web/**/*.html", "mendline/web/**/*.py", "mendline/web/**/*.yaml", "processes/*.yaml")
    return "\n".join(path.read_text(encoding="utf-8") for pattern in patterns for path in ROOT.glob(pattern))
