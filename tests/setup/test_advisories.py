"""15.2.1: what is locked is compared with advisories, and a comparison that could not be made is no clean result.

The tools are stand-ins that answer as the real ones do; nothing here asks anybody.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from config.home import ROOT
from mendline.cli import advisories

CLEAN = {"dependencies": [{"name": "django", "version": "5.2.19", "vulns": []}], "fixes": []}
KNOWN = {"dependencies": [{"name": "pillow", "version": "1.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.1"]}]}]}
BUNDLE_CLEAN: dict[str, Any] = {"vulnerabilities": {}, "metadata": {}}
BUNDLE_KNOWN = {"vulnerabilities": {"htmx.org": {"severity": "high", "fixAvailable": True}}}
NO_NETWORK = {"error": {"code": "ENOTFOUND", "summary": "getaddrinfo failed"}}
Tools = Callable[..., None]


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> Tools:
    def answer(python: object = CLEAN, bundle: object = BUNDLE_CLEAN, code: int = 0) -> None:
        def ran(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
            told = bundle if command[0] == "npm" else python
            if isinstance(told, Exception):
                raise told
            text = told if isinstance(told, str) else json.dumps(told)
            return subprocess.CompletedProcess(list(command), code, text, "ConnectionError: no route to host\n")

        monkeypatch.setattr(advisories, "_ran", ran)
        monkeypatch.setattr(advisories, "_pip_audit", lambda: ROOT / "pip-audit")

    return answer


def test_nothing_known_is_zero(tools: Tools, capsys: pytest.CaptureFixture[str]) -> None:
    tools()

    assert advisories.main([]) == 0
    assert "✓ requirements/base.txt: 0" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answers", "named"),
    [({"python": KNOWN, "code": 1}, "pillow 1.0: PYSEC-1, 已修复于 mended in 1.1"),
     ({"bundle": BUNDLE_KNOWN, "code": 1}, "htmx.org: high")],
    ids=["python", "bundle"],
)  # fmt: skip
def test_what_is_known_is_named_with_what_mends_it(
    tools: Tools, capsys: pytest.CaptureFixture[str], answers: Mapping[str, Any], named: str
) -> None:
    tools(**answers)

    assert advisories.main([]) == 1
    said = capsys.readouterr().out
    assert named in said and "2 天" in said


@pytest.mark.parametrize(
    "answers",
    [{"python": "", "code": 1}, {"bundle": NO_NETWORK, "code": 1}, {"bundle": "[]"}, {"python": {"error": 1}},
     {"python": advisories.NotAsked("there is no uv")}],
    ids=["pip-audit reaches nobody", "npm reaches nobody", "npm says nothing", "pip-audit fails", "no tool"],
)  # fmt: skip
def test_without_a_network_it_is_said_plainly_and_is_no_clean_result(
    tools: Tools, capsys: pytest.CaptureFixture[str], answers: Mapping[str, Any]
) -> None:
    tools(**answers)

    assert advisories.main([]) == 2
    said = capsys.readouterr().err
    assert "不等于没有漏洞" in said and "no clean result" in said


def test_what_is_known_counts_although_somebody_could_not_be_asked(tools: Tools) -> None:
    tools(python=KNOWN, bundle=NO_NETWORK, code=1)

    assert advisories.main([]) == 1


def test_every_list_that_is_locked_is_compared(monkeypatch: pytest.MonkeyPatch, tools: Tools) -> None:
    tools()
    asked: list[str] = []

    def note(name: str) -> list[advisories.Advisory]:
        asked.append(name)
        return []

    monkeypatch.setattr(advisories, "python_advisories", note)

    advisories.main(["--all"])

    assert sorted(asked) == sorted(path.stem for path in (ROOT / "requirements").glob("*.txt"))
