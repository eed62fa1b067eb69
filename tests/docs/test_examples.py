"""Examples on the pages are carried out as they stand."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from django.test import Client

from mendline.access import tokens
from mendline.access.models import Person
from mendline.process.loading import load_all, read_files
from mendline.sim import scenarios, worlds
from tests.docs.pages import Block, tried

SCENARIOS = tried("scenario")
CALLS = tried("curl")


@pytest.mark.django_db
@pytest.mark.parametrize("block", SCENARIOS, ids=lambda block: block.id)
def test_a_scenario_on_a_page_passes(block: Block, tmp_path: Path) -> None:
    load_all()
    path = tmp_path / "mine.yaml"
    path.write_text(block.text, encoding="utf-8")

    [result] = scenarios.run_here([path])

    assert result.passed, f"{block.id}: {result.problem}"


@pytest.mark.parametrize("block", tried("process"), ids=lambda block: block.id)
def test_a_process_file_on_a_page_is_sound(block: Block, tmp_path: Path) -> None:
    path = tmp_path / "example.yaml"
    path.write_text(block.text, encoding="utf-8")

    found, faults = read_files([path])

    assert faults == [] and len(found) == 1


@pytest.fixture
def values(db: None) -> Iterator[dict[str, str]]:
    """What the page's shell variables stand for, in the demonstration network."""
    load_all()
    worlds.load("small").build()

    def key(username: str) -> str:
        return tokens.issue(Person.objects.get(username=username), "docs")

    yield {"MENDLINE": "", "TOKEN": key("zhangmin"), "STATION": key("liufang"), "ELSEWHERE": key("zhengkai")}


def test_the_calls_on_the_page_answer_as_told_one_after_the_other(values: dict[str, str]) -> None:
    answers: dict[str, object] = {}
    for block in CALLS:
        _, status, *code = block.tried.split(" ")
        method, path, headers, body = call_of(block.text, values)

        answer = Client().generic(method, path, body, content_type="application/json", headers=headers)

        told = f"{block.id}: {answer.content.decode()[:300]}"
        assert answer.status_code == int(status), told
        assert not code or answer.json()["code"] == code[0], told
        values.setdefault("REF", str(answer.json().get("ref", "")) if status == "201" else "")
        if not values["REF"]:
            del values["REF"]
        if status == "201":
            again = answers.setdefault(headers["Idempotency-Key"], answer.content)
            assert again == answer.content, "the same key gets the same answer, byte for byte"


def call_of(text: str, values: Mapping[str, str]) -> tuple[str, str, dict[str, str], bytes]:
    """Read a curl command as the shell would."""
    for name, value in values.items():
        text = text.replace(f"${name}", value)
    assert "$" not in text, text
    words = iter(shlex.split(text.replace("\\\n", " ")))
    assert next(words) == "curl"
    method, address, headers, body = "GET", "", {}, b""
    for word in words:
        if word == "-X":
            method = next(words)
        elif word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        elif word == "-d":
            body = next(words).encode()
        elif word != "-sS":
            address = word
    return method, address, headers, body
