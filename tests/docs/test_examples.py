"""Examples on the pages are carried out as they stand."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image
from pytest_django import Settings

from mendline.access import tokens
from mendline.access.models import Person
from mendline.process.loading import load_all, read_files
from mendline.sim import scenarios, worlds
from mendline.web.api.reference import operations
from tests.docs.pages import LANGUAGES, Block, tried

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
def values(db: None, settings: Settings, tmp_path: Path) -> dict[str, str]:
    """What the pages' shell variables stand for, in the demonstration network."""
    settings.MEDIA_ROOT = str(tmp_path)
    load_all()
    worlds.load("small").build()

    def key(username: str) -> str:
        return tokens.issue(Person.objects.get(username=username), "docs")

    people = {"TOKEN": "zhangmin", "STATION": "liufang", "ELSEWHERE": "zhengkai", "REGION": "gaofeng", "ADMIN": "admin"}
    return {"MENDLINE": "", **{name: key(username) for name, username in people.items()}}


def test_both_languages_show_the_same_calls() -> None:
    """So those of one are sent."""
    zh, en = ([(block.tried, block.text) for block in CALLS if f"/{language}/" in block.page] for language in LANGUAGES)
    assert zh == en


@pytest.mark.parametrize("page", sorted({block.page for block in CALLS if "/zh/" in block.page}))
def test_the_calls_on_a_page_answer_as_told_one_after_the_other(page: str, values: dict[str, str]) -> None:
    answers: dict[str, bytes] = {}
    for block in CALLS:
        if block.page != page:
            continue
        _, status, *rest = block.tried.split(" ")
        kept = dict(word.split("=") for word in rest if "=" in word)
        [code] = [word for word in rest if "=" not in word] or [""]
        call = call_of(block.text, values)

        answer = call.send()

        content = b"".join(answer) if answer.streaming else answer.content
        told = f"{block.id}: {content.decode(errors='replace')[:300]}"
        assert answer.status_code == int(status), told
        assert not code or answer.json()["code"] == code, told
        if status == "201" and "REF" not in values:
            kept.setdefault("REF", "ref")
        values.update({name: str(answer.json()[field]) for name, field in kept.items()})
        if status == "201":
            again = answers.setdefault(call.headers["Idempotency-Key"], content)
            assert again == content, "the same key gets the same answer, byte for byte"


def test_the_page_of_every_call_has_an_example_for_each() -> None:
    for language in LANGUAGES:
        shown = [block for block in CALLS if block.page == f"docs/{language}/reference/api-calls.md"]
        assert len(shown) == sum(1 + len(one.words.get("before", ())) for one in operations())


@dataclass
class Call:
    """A curl command, as it would be sent."""

    method: str = "GET"
    address: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    form: dict[str, object] = field(default_factory=dict)

    def send(self) -> Any:
        if self.form:
            return Client().post(self.address, self.form, headers=self.headers)
        return Client().generic(
            self.method, self.address, self.body, content_type="application/json", headers=self.headers
        )


def call_of(text: str, values: Mapping[str, str]) -> Call:
    """Read a curl command as the shell would."""
    for name in sorted(values, key=len, reverse=True):
        text = text.replace(f"${name}", values[name])
    assert "$" not in text, text
    words = iter(shlex.split(text.replace("\\\n", " ")))
    assert next(words) == "curl"
    call = Call()
    for word in words:
        if word == "-X":
            call.method = next(words)
        elif word == "-H":
            name, _, value = next(words).partition(": ")
            call.headers[name] = value
        elif word == "-d":
            call.body = next(words).encode()
        elif word == "-F":
            name, _, value = next(words).partition("=")
            call.form[name] = _a_picture(value.removeprefix("@")) if value.startswith("@") else value
        elif word != "-sS":
            call.address = word
    return call


def _a_picture(name: str) -> SimpleUploadedFile:
    drawn = BytesIO()
    Image.new("RGB", (8, 8), "white").save(drawn, "PNG")
    return SimpleUploadedFile(name, drawn.getvalue(), "image/png")
