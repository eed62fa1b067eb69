"""What callers in a storm are sent through, and what they note of it."""

from __future__ import annotations

import http.client
from itertools import islice
from pathlib import Path

import pytest

from mendline.sim.faults import callers
from mendline.sim.faults.callers import report_of
from mendline.sim.faults.journals import Journal, told
from mendline.sim.faults.weather import kinds, script


def test_a_script_is_the_same_for_a_seed_and_leaves_no_kind_out() -> None:
    many = len(kinds())

    assert list(islice(script(7), 3 * many)) == list(islice(script(7), 3 * many))
    assert {(blow.kind, blow.target) for blow in islice(script(7), many)} == set(kinds())
    assert {blow.kind for blow in islice(script(7, ("kill database",)), 5)} == {"kill"}


def test_what_callers_noted_is_read_back(tmp_path: Path) -> None:
    journal = Journal(tmp_path, 3)
    journal.note("sent", "3-0")
    journal.note("unanswered", "3-0", "0")
    journal.note("acknowledged", "3-0", "WX1/abc")

    heard = told(tmp_path)

    assert (heard.sent, heard.acknowledged, heard.unanswered["3-0"]) == ({"3-0"}, {"3-0": "WX1/abc"}, 1)
    assert report_of("3-0")["fault"] == "3-0"


def test_what_is_odd_is_kept_whole_and_on_one_line(tmp_path: Path) -> None:
    body = '{"detail":"one\n two"}' + "长" * 500
    Journal(tmp_path, 1).note("odd", "1-5", f"422 {body}")

    assert told(tmp_path).odd == [f"odd 1-5 422 {body}".replace("\n ", " ")]


def test_a_try_says_how_far_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    class Line:
        breaks_at = ""

        def __init__(self, *_: object, **__: object) -> None: ...

        def request(self, *_: object) -> None:
            self._break("request")

        def getresponse(self) -> Line:
            self._break("answer")
            return self

        @property
        def status(self) -> int:
            return 201

        def read(self) -> bytes:
            self._break("body")
            return b"whole"

        def close(self) -> None: ...

        def _break(self, place: str) -> None:
            if place == self.breaks_at:
                raise ConnectionResetError

    monkeypatch.setattr(http.client, "HTTPConnection", Line)
    heard = callers.Heard()
    for place in ("request", "answer", "answer", "body", ""):
        Line.breaks_at = place
        heard.note(callers.ask(1, "secret", "0-0", {}))

    assert heard.broke == {"unsent": 1, "unanswered": 2, "half answered": 1}
    assert heard.statuses == {"201": 1}
