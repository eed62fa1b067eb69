"""A process file is refused for everything that is wrong with it, all at once, with line numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings

from mendline.process.loading import read_files, read_folder

SMALL = """\
process: errand
version: 1
label: {zh: 差事, en: Errand}
source: test
kind: request
parameters: {limit: 4h}
facts:
  note: {type: text, label: {zh: 说明, en: Note}}
states:
  open: {label: {zh: 进行中, en: Open}, category: open}
  done: {label: {zh: 完成, en: Done}, category: done}
clocks:
  work: {label: {zh: 处理, en: Work}, budget: limit, starts: [open], stops: [done], rules: [STN-19]}
transitions:
  begin: {label: {zh: 开始, en: Begin}, from: [new], to: open, by: [cc_agent], rules: [STN-17]}
  finish: {label: {zh: 结束, en: Finish}, from: [open], to: done, by: [cc_agent], requires: [note], rules: [STN-04]}
"""


def faults_of(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "errand.yaml"
    path.write_text(text, encoding="utf-8")
    _, faults = read_files([path])
    return [str(fault) for fault in faults]


def test_the_files_of_the_project_are_sound() -> None:
    found, faults = read_folder(settings.PROCESS_FOLDER)
    assert faults == []
    assert {code for code, _ in found} == {
        "unified_repair", "cancellation_request", "special_situation", "part_order", "coverage_change", "callback",
        "procedure_document", "parameter_change",
    }  # fmt: skip


def test_a_small_sound_file_has_no_faults(tmp_path: Path) -> None:
    assert faults_of(tmp_path, SMALL) == []


@pytest.mark.parametrize(
    ("was", "becomes", "line", "message"),
    [
        ("limit: 4h", "limit: 4:00", 6, "limit"),
        ("limit: 4h", "limit: 4", 6, "needs a unit"),
        ("kind: request", "kind: request\ncolour: red", 6, "unknown key 'colour'"),
        ("zh: 差事, en: Errand", "zh: 差事", 3, "lacks its en text"),
        ("category: open", "category: ajar", 10, "category must be one of"),
        ("by: [cc_agent], rules: [STN-17]", "by: [], rules: [STN-17]", 15, "carried out by nobody"),
        ("rules: [STN-17]", "rules: [STN-99]", 15, "cites STN-99"),
        ("rules: [STN-17]", "rules: []", 15, "cites no rule"),
        ("by: [cc_agent], rules: [STN-17]", "by: [king], rules: [STN-17]", 15, "role king"),
        ("requires: [note]", "requires: [nothing]", 16, "asks for nothing"),
        ("requires: [note]", "guards: [moon_is_full]", 16, "guard moon_is_full"),
        ("requires: [note]", "effects: [ring_bells]", 16, "effect ring_bells"),
        ("stops: [done]", "stops: []", 13, "never stops when the record ends as done"),
        ("starts: [open]", "starts: [opened]", 13, "starts at opened"),
        ("budget: limit", "budget: limits", 13, "budget"),
        ("type: text", "type: essay", 8, "type must be one of"),
        ("from: [open], to: done", "from: [open], to: gone", 16, "state gone"),
    ],
)
def test_each_fault_is_named_with_its_line(tmp_path: Path, was: str, becomes: str, line: int, message: str) -> None:
    assert was in SMALL
    faults = faults_of(tmp_path, SMALL.replace(was, becomes, 1))
    assert any(f"errand.yaml:{line}:" in fault and message in fault for fault in faults), faults


def test_an_unreachable_state_and_a_dead_end_are_found(tmp_path: Path) -> None:
    extra = "  lost: {label: {zh: 丢失, en: Lost}, category: open}\nclocks:"
    faults = faults_of(tmp_path, SMALL.replace("clocks:", extra, 1))
    assert any("lost can never be reached" in fault for fault in faults)
    assert any("lost is a dead end" in fault for fault in faults)


def test_a_key_that_stands_twice_is_a_fault(tmp_path: Path) -> None:
    faults = faults_of(tmp_path, SMALL.replace("source: test", "source: test\nsource: again"))
    assert any("source stands twice" in fault for fault in faults)


def test_all_faults_come_together(tmp_path: Path) -> None:
    broken = SMALL.replace("limit: 4h", "limit: 4").replace("STN-04", "STN-99").replace("en: Note", "english: Note")
    assert len(faults_of(tmp_path, broken)) >= 3


def test_a_file_that_is_not_yaml_is_a_fault_and_no_crash(tmp_path: Path) -> None:
    assert any("not YAML" in fault for fault in faults_of(tmp_path, "process: [unclosed"))


@pytest.mark.parametrize("name", ["nosuch.yaml", "."])
def test_a_file_that_cannot_be_read_is_one_fault_in_a_sentence(tmp_path: Path, name: str) -> None:
    _, faults = read_files([tmp_path / name])

    assert [fault.message.partition(":")[0] for fault in faults] == ["the file cannot be read"]
