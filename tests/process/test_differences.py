"""Two versions of a procedure compared in words: nothing that a file says is passed over, and nothing is made up."""

from __future__ import annotations

import re
from dataclasses import replace
from io import StringIO
from pathlib import Path

import orjson
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from mendline.kernel.durations import Duration
from mendline.process.definition import Process
from mendline.process.diagram import svg
from mendline.process.differences import differences, marks
from mendline.process.loading import processes, read_text
from mendline.process.parameter_words import WORDS
from mendline.process.rule_coverage import RULE_ID
from mendline.sim.proof import all_switches

REPAIR = processes()["unified_repair", 3]


def said(old: Process, new: Process) -> list[str]:
    return [one.text.zh for one in differences(old, new)]


def with_step(name: str, **fields: object) -> Process:
    step = replace(REPAIR.transitions[name], **fields)  # type: ignore[arg-type]
    return replace(REPAIR, transitions={**REPAIR.transitions, name: step})


def test_a_version_does_not_differ_from_itself() -> None:
    for process in processes().values():
        assert differences(process, process) == []


def test_everything_that_can_be_left_out_of_a_file_is_named_both_ways() -> None:
    """The same list of things that the proof of the rules leaves out one at a time."""
    passed_over = [
        str(switch)
        for switch in all_switches()
        for own in [processes()[switch.code, switch.version]]
        if not differences(own, switch.without) or not differences(switch.without, own)
    ]

    assert passed_over == []


def test_stn_19_a_limit_is_told_with_its_unit_and_its_rule() -> None:
    longer = replace(REPAIR, parameters={**REPAIR.parameters, "contact_limit": Duration(seconds=5 * 86_400)})

    [one] = differences(longer, REPAIR)

    assert (one.text.zh, one.text.en) == (
        "联系时限由5天改为4小时", "Limit for the first contact: 4 h instead of 5 d",
    )  # fmt: skip
    assert one.rules[0] == "STN-19"


def test_a_step_that_may_start_elsewhere_or_no_longer_does_is_told_with_the_state() -> None:
    fewer = with_step("promise", sources=REPAIR.transitions["promise"].sources - {"awaiting_part"})

    assert any("不再允许从状态“备件申领中”" in text for text in said(REPAIR, fewer))
    assert any("现在也允许从状态“备件申领中”" in text for text in said(fewer, REPAIR))


def test_a_guard_is_named_by_its_code_beside_the_rules_of_the_step() -> None:
    without = with_step("promise", guards=())

    found = differences(without, REPAIR)

    assert {one.code for one in found} == set(REPAIR.transitions["promise"].guards)
    assert all("加入一个守卫" in one.text.zh and "STN-08" in one.rules for one in found)


def test_a_rule_that_came_with_the_change_is_the_one_cited() -> None:
    step = REPAIR.transitions["promise"]
    cited = with_step("promise", rules=(*step.rules, "STN-51"), by=(*step.by, "cc_agent"))

    assert {one.rules for one in differences(REPAIR, cited)} == {("STN-51",)}


def test_no_chinese_sentence_between_the_two_editions_holds_an_english_word() -> None:
    """Codes stand apart in `code`; T1 to T4 and CC are what people say."""
    allowed = re.compile(r"[A-Z]{3}-\d\d|T[1-4]\d?|CC|V\d\.\d")
    for one in differences(processes()["unified_repair", 2], REPAIR):
        assert not re.search(r"[A-Za-z]{2}", allowed.sub("", one.text.zh)), one.text.zh


def test_every_parameter_has_a_name_and_the_rules_of_the_comment_beside_it() -> None:
    for path in sorted(Path(settings.PROCESS_FOLDER).glob("*.yaml")):
        block = path.read_text(encoding="utf-8").partition("\nparameters:\n")[2].partition("\n\n")[0]
        for line in block.splitlines():
            name, _, rest = line.strip().partition(":")
            cited = [rule for rule in RULE_ID.findall(rest) if path.name == "unified_repair.yaml"]
            assert name in WORDS, f"{path.name}: {name} has no name for people"
            assert set(cited[:1]) <= set(WORDS[name].rules), f"{path.name}: {name}"


def test_the_picture_marks_what_is_new_and_what_changed() -> None:
    """A state of V3.0 that V2.0 has not is drawn as new; colour is not all: the words say it, too."""
    old = processes()["unified_repair", 2]
    found = marks(differences(old, REPAIR))

    drawn = svg(REPAIR, "zh", marked=found)

    new = re.findall(r'class="state \w+ mark-added"><title>(\w+)', drawn)
    assert new == ["已下载", "备件申领中", "已打印", "多次维修中"]
    assert "style=" not in drawn
    assert " mark-" not in svg(REPAIR, "zh")


def test_the_command_compares_a_version_with_a_file(tmp_path: Path) -> None:
    path = tmp_path / "unified_repair.yaml"
    text = (Path(settings.PROCESS_FOLDER) / "unified_repair.yaml").read_text(encoding="utf-8")
    path.write_text(text.replace("contact_limit: 4h", "contact_limit: 3h"), encoding="utf-8")
    out, data = StringIO(), StringIO()

    call_command("process", "diff", "unified_repair:3", str(path), stdout=out)
    call_command("process", "diff", "unified_repair:3", str(path), "--json", stdout=data)

    assert "联系时限由4小时改为3小时 / Limit for the first contact: 3 h instead of 4 h" in out.getvalue()
    [one] = orjson.loads(data.getvalue())
    assert (one["part"], one["name"], one["kind"], one["rules"][0]) == (
        "parameters", "contact_limit", "changed", "STN-19",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("first", "second", "named"),
    [
        ("unified_repair:3", "unified_repair:99", "99"),
        ("unified_repair:x", "unified_repair:3", "unified_repair:x"),
        ("nosuch", "unified_repair:3", "nosuch"),
        ("nosuch.yaml", "unified_repair:3", "nosuch.yaml"),
        ("callback", "unified_repair", "callback"),
    ],
)
def test_what_cannot_be_compared_is_named(first: str, second: str, named: str) -> None:
    with pytest.raises(CommandError, match=named):
        call_command("process", "diff", first, second, stdout=StringIO())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: &a [x, x]\nb: [*a, *a]\n", "aliases"),
        ("x" * 200_001, "200,000"),
        ("[" * 99_000 + "]" * 99_000, "levels deep"),
        ("a: [", "not YAML"),
        ("", "keys and values"),
        ("process: unified_repair\nversion: 32\n", "from 1 to 31"),
    ],
)
def test_what_somebody_sends_is_refused_in_words_and_never_unfolds(text: str, says: str) -> None:
    _, faults = read_text("sent.yaml", text)

    assert any(says in fault.message for fault in faults), faults
