"""P20: whatever a role sends to whatever step, the answer is one that the description knows, and never our fault.

The description leaves open what is in `given`; the process files do not. So the steps and their facts are taken from
there, on orders and records that are really there, with values that are right, nearly right, and none at all. A part
is tried here, the same in every run; `mendline hostile` tries more, with another seed each time.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zlib import crc32

import pytest
from django.core.cache import cache
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from mendline.process.definition import Fact, Process, Transition
from mendline.process.loading import latest
from tests.access_matrix.cast import Cast, absent
from tests.access_matrix.conftest import Asker
from tests.access_matrix.conftest import cast as cast
from tests.access_matrix.test_matrix import PROCESS_OF
from tests.console.conftest import PLACES

pytestmark = pytest.mark.django_db
EXAMPLES = int(os.environ.get("MENDLINE_FUZZ_EXAMPLES") or 4)
SEED = os.environ.get("MENDLINE_FUZZ_SEED")
BEGUN = (
    "unified_repair", "cancellation_request", "special_situation", "part_order", "coverage_change",
    "procedure_document", "callback", "parameter_change",
)  # fmt: skip
DOCUMENTED = {200, 201, 400, 403, 404, 409, 413, 422, 429}

_odd = st.sampled_from(
    ["", " ", "\u202e翻", "\ud7ff", "0", "-1", "NaN", "1e999", "null", "True", "13800000001", "110108", "desktop",
     "000001", "1", "on_site", "2026-03-02T15:00+08:00", "2026-03-02T15:00", "9999-12-31T23:59:59+14:00", "2026-02-30",
     "user_solved", "reached", "no_answer", "user", "within_promise", "../../etc/passwd", "' OR 1=1 --", "{{7*7}}",
     "<script>x()</script>", "00/" + "A" * 32, "M1 1L2 2", "x" * 5000, "中" * 3000, "=1+1", "\x7f", "\u0000"]
)  # fmt: skip
_leaf = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), _odd, st.text(max_size=20),
    st.datetimes().map(lambda one: one.isoformat() + "+08:00"),
)  # fmt: skip
_json = st.recursive(_leaf, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_odd, inner, max_size=3))


def _given(process: Process) -> st.SearchStrategy[dict[str, Any]]:
    """Facts of a process, mostly by name, with any value; now and then a choice that the file has."""
    choices = [code for fact in process.facts.values() for code in (fact.of or {})] or [""]
    value = st.one_of(_json, st.sampled_from(sorted(set(choices))))
    return st.dictionaries(st.one_of(st.sampled_from(sorted(process.facts)), _odd), value, max_size=6)


def _right(fact: Fact) -> st.SearchStrategy[Any]:
    """What a fact may hold, as far as its type tells. Times lie around today: long ago most steps refuse them."""
    now = datetime.now(UTC)
    match fact.type:
        case "choice":
            return st.sampled_from(sorted(fact.of))
        case "yes_no":
            return st.booleans()
        case "number" | "money":
            return st.integers(0, 500)
        case "moment":
            return st.integers(-72, 240).map(lambda hours: (now + timedelta(hours=hours)).isoformat())
        case "day":
            return st.integers(-3, 60).map(lambda days: (now + timedelta(days=days)).date().isoformat())
        case "record":
            return st.fixed_dictionaries({name: _right(part) for name, part in fact.fields.items()})
        case _:
            usual = {"phone": "13800000001", "area": "110108", "person": "station_engineer", "product": "desktop",
                     "product_line": "desktop", "serial": "SN1234567"}  # fmt: skip
            return st.sampled_from([usual.get(fact.type, "上门检查"), *fact.suggest])


def _given_to(process: Process, step: Transition) -> st.SearchStrategy[dict[str, Any]]:
    """What a step takes; the same with one thing spoiled; anything at all."""
    required, accepted = ({name: _right(process.facts[name]) for name in names if name in process.facts}
                          for names in (step.requires, step.accepts))  # fmt: skip
    right = st.fixed_dictionaries(required, optional=accepted)
    spoiled = st.sampled_from(sorted({*required, *accepted} or process.facts))
    return st.one_of(
        right, st.builds(lambda facts, name, odd: {**facts, name: odd}, right, spoiled, _json), _given(process)
    )


def subjects(cast: Cast) -> Iterator[tuple[str, str, Process]]:
    """Yield folder, number and process of what steps are tried on."""
    for kind, ref in sorted(cast.mine.items()):
        yield ("orders" if kind == "order" else "records"), ref, latest(PROCESS_OF[ref[:2]])


@dataclass(slots=True)
class Trial:
    """One role at the interface: how much was tried, and what came back that the description does not know."""

    asker: Asker
    tried: int = 0
    wrong: list[str] = field(default_factory=list)

    def send(self, path: str, bodies: st.SearchStrategy[dict[str, Any]]) -> None:
        def answered(body: dict[str, Any]) -> None:
            self.tried += 1
            heard = self.asker.ask("POST", path, body=_sendable(body))
            if heard.status not in DOCUMENTED:
                self.wrong.append(f"{path}: {heard.status} to {body!r}")

        _many(given(body=bodies)(answered), f"{self.asker.role} {path.rpartition('/')[2]}")()


@pytest.mark.parametrize("role", PLACES)
def test_no_step_answers_with_a_fault_of_ours(cast: Cast, role: str) -> None:
    trial = Trial(Asker(cast, role))
    for folder, ref, process in subjects(cast):
        for name, step in process.transitions.items():
            if SEED or crc32(f"{role} {name}".encode()) % 10 == 0:
                bodies = st.fixed_dictionaries({"given": _given_to(process, step)}, optional={"revision": _json})
                trial.send(f"/api/v1/{folder}/{ref}/transitions/{name}", bodies)

    assert not trial.wrong, "\n".join(trial.wrong[:20])
    assert trial.tried


@pytest.mark.parametrize("role", PLACES)
def test_nothing_that_begins_something_answers_with_a_fault_of_ours(cast: Cast, role: str) -> None:
    trial, order = Trial(Asker(cast, role)), cast.mine["order"]
    references = st.sampled_from([order, absent(order), "", "WX", cast.mine["callback"], None])
    for code in BEGUN:
        process, path = latest(code), "/api/v1/orders" if code == BEGUN[0] else f"/api/v1/records/{code}"
        if SEED or code == BEGUN[0] or crc32(f"{role} {path}".encode()) % 4 == 0:
            extra = {"transition": st.sampled_from([*process.transitions, "x"]), "order_ref": references}
            facts = _given_to(process, process.creating[0])
            trial.send(path, st.fixed_dictionaries({"given": facts}, optional=extra))

    assert not trial.wrong, "\n".join(trial.wrong[:20])


def test_a_record_without_the_order_it_is_about_is_refused_and_no_fault(cast: Cast) -> None:
    for role in ("station_coordinator", "region_interface", "cc_agent", "admin"):
        asker = Asker(cast, role)
        for code in ("cancellation_request", "special_situation", "part_order", "callback"):
            bodies: tuple[dict[str, Any], ...] = (
                {},
                {"given": {}},
                {"order_ref": ""},
                {"order_ref": "WX990101-222222222"},
            )
            for body in bodies:
                assert asker.ask("POST", f"/api/v1/records/{code}", body=body).status in (403, 404, 422), (role, code)


def test_control_a_fault_is_found(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("order_ref")

    monkeypatch.setattr("mendline.web.api.records.begin", broken)
    asker = Asker(cast, "station_coordinator")
    with transaction.atomic():
        heard = asker.ask("POST", "/api/v1/records/coverage_change", body={"given": {}})
    cache.clear()

    assert heard.status == 500


def _many(test: Any, about: str) -> Any:
    """Let a test be tried many times; with a seed, something else for each role and step."""
    checked = settings(
        max_examples=EXAMPLES, deadline=None, derandomize=SEED is None, database=None,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )(test)  # fmt: skip
    return seed(crc32(f"{SEED} {about}".encode()))(checked) if SEED is not None else checked


def _sendable(value: Any) -> Any:
    """Return a value as far as JSON can say it: whole numbers of 64 bits, no half characters."""
    if isinstance(value, dict):
        return {str(_sendable(name)): _sendable(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_sendable(inner) for inner in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return max(-(2**63), min(2**63 - 1, value))
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
