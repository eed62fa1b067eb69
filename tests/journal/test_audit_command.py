"""`mendline audit`: what whoever keeps watch over the history types."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from tests.journal.histories import happened, sealed_history


def said(*words: str) -> tuple[str, int]:
    out = io.StringIO()
    try:
        call_command("audit", *words, stdout=out)
    except SystemExit as end:
        return out.getvalue(), int(end.code or 0)
    return out.getvalue(), 0


def test_a_sound_history_is_called_sound_in_both_languages(db: None, heads: Path) -> None:
    sealed_history(pieces=2, each=3)
    happened(1)

    text, code = said("verify")

    assert code == 0 and "与封存一致" in text and "as it was sealed" in text
    assert "尚未封存 not sealed yet: 1" in text


def test_a_changed_entry_ends_with_1_and_is_named(db: None, heads: Path, triggers_off: None) -> None:
    pieces = sealed_history(pieces=2, each=3)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE journal_entry SET actor_name = 'nobody' WHERE id = %s", [pieces[1][1]])

    text, code = said("verify")
    found, _ = said("verify", "--json")

    assert code == 1 and f"记录 {pieces[1][1]} 被改动" in text and f"entry {pieces[1][1]} was changed" in text
    assert [one["entry"] for one in json.loads(found)["wrong"]] == [pieces[1][1]]


def test_heads_may_be_brought_from_elsewhere(db: None, heads: Path, tmp_path: Path) -> None:
    sealed_history(pieces=2)
    [file] = heads.iterdir()
    mine = file.rename(tmp_path / "from-the-auditor.txt")

    assert said("verify")[1] == 0 and "no heads from outside" in said("verify")[0]
    text, code = said("verify", "--heads", str(mine))
    assert code == 0 and "3 of them with heads" in text


def test_heads_of_another_history_are_no_proof(db: None, heads: Path, tmp_path: Path) -> None:
    sealed_history(pieces=1)
    other = tmp_path / "other.txt"
    other.write_text("history 0123456789abcdef 1/1\nseal 1 5 5 2026-03-02T01:00:00+00:00 " + "ab" * 32 + "\n")

    text, code = said("verify", "--heads", str(other))

    assert code == 1 and "another history" in text


@pytest.mark.parametrize("sealed", [True, False], ids=["sealed", "nothing yet"])
def test_how_far_the_sealing_is(db: None, heads: Path, sealed: bool) -> None:
    if sealed:
        sealed_history(pieces=2)
        happened(4)

    text, code = said("status")

    assert code == 0 and ("not sealed yet" in text) == sealed and ("Nothing is sealed yet" in text) != sealed
