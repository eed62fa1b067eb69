"""A rule is done when it is enforced and proved; the share of done rules never falls."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from mendline.process.rule_coverage import Coverage, fallen, kept_share, sections

ROOT = Path(__file__).parents[2]
RULES = """# A section for tests.
ABC-01: {zh: "第一条。", en: "The first.", inferred: false}
ABC-02: {zh: "第二条。", en: "The second.", inferred: true}
"""


def written(root: Path, **files: str) -> dict[str, Coverage]:
    """Write a project with the given files (`__` for `/`) and return its rules by id."""
    for name, text in {"processes__rules__ABC.yaml": RULES, **files}.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return {rule.rule: rule for section in sections(root) for rule in section.rules}


def test_a_rule_is_done_when_a_process_file_cites_it_and_a_test_carries_its_id(tmp_path: Path) -> None:
    process = "# ABC-02 is only spoken of\ntransitions:\n  go:\n    rules: [ABC-01]\n"
    test = "def test_abc_01_it_goes() -> None: ...\n"
    found = written(tmp_path, **{"processes__errand.yaml": process, "tests__test_errand.py": test})

    assert found["ABC-01"].done
    assert [str(place) for place in found["ABC-01"].enforced] == ["processes/errand.yaml:4 transitions.go"]
    assert [str(place) for place in found["ABC-01"].proved] == ["tests/test_errand.py:1 test_abc_01_it_goes"]
    assert not found["ABC-02"].done and found["ABC-02"].inferred


def test_code_without_a_test_and_a_test_without_code_are_both_open(tmp_path: Path) -> None:
    found = written(
        tmp_path,
        **{
            "mendline__orders__guards.py": '"""About ABC-02."""\n\ndef a_guard():\n    return "ABC-01"\n',
            "tests__test_one.py": 'def test_abc_02_something():\n    """Only a test."""\n',
        },
    )

    assert [str(place) for place in found["ABC-01"].enforced] == ["mendline/orders/guards.py:4 a_guard"]
    assert not found["ABC-01"].proved
    assert found["ABC-02"].proved and not found["ABC-02"].enforced, "a module's introduction enforces nothing"


def test_templates_enforce_and_the_demonstration_does_not(tmp_path: Path) -> None:
    found = written(
        tmp_path,
        **{
            "mendline__web__templates__order.html": "<p>{# ABC-01 #}</p>\n",
            "mendline__sim__demo.py": 'TALE = "ABC-02"\n',
        },
    )

    assert found["ABC-01"].enforced and not found["ABC-02"].enforced


@pytest.mark.parametrize(
    "test",
    [
        'def test_it():\n    """ABC-01: it goes."""\n',
        'def test_it():\n    assert refusal.rule == "ABC-01"\n',
        'def test_it():\n    with pytest.raises(Refused, match="ABC-01"):\n        go()\n',
        '@pytest.mark.parametrize("rule", ["ABC-01"])\ndef test_it(rule): ...\n',
        'CASES = [("go", "ABC-01")]\n\n@pytest.mark.parametrize("name, rule", CASES)\ndef test_it(name, rule): ...\n',
        "class TestIt:\n    def test_abc_01_it(self): ...\n",
        "if True:\n    try:\n        pass\n    finally:\n        def test_abc_01_it(): ...\n",
        'def test_it():\n    with raises(Refused, match="ABC-01"):\n        go()\n',
    ],
)
def test_a_test_carries_a_rule_in_its_name_docstring_parameters_or_assertions(tmp_path: Path, test: str) -> None:
    assert written(tmp_path, **{"tests__test_it.py": test})["ABC-01"].proved


@pytest.mark.parametrize(
    "test",
    [
        "@pytest.mark.skip\ndef test_abc_01_it(): ...\n",
        '@pytest.mark.xfail(reason="later")\ndef test_abc_01_it(): ...\n',
        "# ABC-01\ndef test_it(): ...\n",
        'def test_it():\n    text = "rules: [ABC-01]"\n',
        "def helper_abc_01_it(): ...\n",
    ],
)
def test_what_never_runs_or_only_mentions_a_rule_proves_nothing(tmp_path: Path, test: str) -> None:
    assert not written(tmp_path, **{"tests__test_it.py": test})["ABC-01"].proved


def test_a_file_that_changed_is_read_anew(tmp_path: Path) -> None:
    assert written(tmp_path, **{"tests__test_it.py": "def test_abc_01_it(): ...\n"})["ABC-01"].proved
    assert not written(tmp_path, **{"tests__test_it.py": "def test_abc_02_it(): ...\n"})["ABC-01"].proved


@pytest.mark.parametrize(
    "introduction",
    ['"""About ABC-01."""\n', '# first\n\n"""About\n\nABC-01."""\n\nX = 1\n', 'r"""ABC-01"""  # ABC-01\n'],
    ids=["one line", "after a comment", "with a comment"],
)
def test_an_introduction_enforces_nothing_wherever_it_stands(tmp_path: Path, introduction: str) -> None:
    assert not written(tmp_path, **{"mendline__orders__guards.py": introduction})["ABC-01"].enforced
    assert written(tmp_path, **{"mendline__orders__guards.py": f'{introduction}Y = "ABC-01"\n'})["ABC-01"].enforced


def test_a_scenario_proves_the_rules_it_names_and_the_refusals_it_expects(tmp_path: Path) -> None:
    scenario = "scenario: Going\nrules: [ABC-01]\nsteps:\n  - {by: cc_agent, do: go, refused: ABC-02}\n"
    found = written(tmp_path, **{"scenarios__abc__going.yaml": scenario})

    assert [str(place) for place in found["ABC-01"].proved] == ["scenarios/abc/going.yaml:2 Going"]
    assert [str(place) for place in found["ABC-02"].proved] == ["scenarios/abc/going.yaml:4 refused ABC-02"]


def test_a_scenario_elsewhere_and_a_world_prove_nothing(tmp_path: Path) -> None:
    text = "scenario: Going\nrules: [ABC-01]\nsteps: []\n"
    found = written(tmp_path, **{"docs__going.yaml": text, "scenarios__worlds__small.yaml": text})

    assert not found["ABC-01"].proved


def test_one_done_rule_fewer_is_a_fall_and_one_more_is_not(tmp_path: Path) -> None:
    done = {
        "processes__errand.yaml": "steps:\n  go: {rules: [ABC-01]}\n",
        "tests__test_it.py": "def test_abc_01(): ...\n",
    }
    written(tmp_path, **done)
    found = sections(tmp_path)

    assert fallen(found, {"ABC": (1, 2)}) == []
    assert fallen(found, {"ABC": (0, 2)}) == []
    assert fallen(found, {"ABC": (2, 2)}) == ["ABC: 1/2 done, it was 2/2"]
    assert fallen(found, {"XYZ": (1, 1)}) == ["XYZ: 0/0 done, it was 1/1"], "a section does not vanish either"


def test_a_kept_share_that_cannot_be_read_is_named_with_its_line(tmp_path: Path) -> None:
    written(tmp_path, **{"processes__rules__share.txt": "# shares\nABC 1/2\nABC half\n"})

    with pytest.raises(ValueError, match=r"share\.txt:3"):
        kept_share(tmp_path)


def test_the_share_of_done_rules_has_not_fallen() -> None:
    kept, found = kept_share(ROOT), sections(ROOT)

    assert set(kept) == {section.prefix for section in found}, "write it with `mendline rules --keep`"
    assert fallen(found, kept) == []


def test_the_command_tells_scripts_the_same_as_people() -> None:
    told, shown = io.StringIO(), io.StringIO()
    call_command("rules", "--json", "--section", "stn", stdout=told)
    call_command("rules", "--section", "STN", stdout=shown)

    [section] = json.loads(told.getvalue())
    assert f"STN: {section['done']}/{section['total']} " in shown.getvalue()
    contact = next(rule for rule in section["rules"] if rule["id"] == "STN-19")
    assert contact["done"] and any(place["what"] == "clocks.contact" for place in contact["enforced"])


def test_the_command_fails_below_the_minimum_and_for_an_unknown_section() -> None:
    with pytest.raises(CommandError, match="101"):
        call_command("rules", "--minimum-share", "101", stdout=io.StringIO())
    with pytest.raises(CommandError, match="no section XYZ"):
        call_command("rules", "--section", "XYZ", stdout=io.StringIO())
