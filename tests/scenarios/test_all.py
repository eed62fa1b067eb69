"""Every scenario file of the project, one test each. The files say which rules they prove."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from pytest_django import DjangoDbBlocker

from mendline.sim.invariants import broken
from mendline.sim.scenario_files import Unreadables, find, read
from mendline.sim.scenarios import Result, run_here

FOLDER = Path(settings.BASE_DIR) / "scenarios"
FILES = find([FOLDER])


def what_must_hold(now: datetime) -> str:
    """Whatever the steps of a scenario look at, its rows are whole: histories, seats, timers, messages."""
    assert connection.connection is not None
    return "; ".join(map(str, broken(connection.connection, now)))


@pytest.fixture(scope="module")
def results(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> dict[Path, Result]:
    """What became of the files this process was asked for; each world is built once, nothing stays behind."""
    asked = [
        Path(str(item.callspec.params["path"]))
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.originalname == "test_the_scenario_holds"
    ]
    with django_db_blocker.unblock():
        return {result.path: result for result in run_here(asked, look=what_must_hold)}


@pytest.mark.django_db
@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(FOLDER)))
def test_the_scenario_holds(path: Path, results: dict[Path, Result]) -> None:
    result = results[path]

    assert result.passed, f"{result.title}: {result.problem}"


def test_there_are_scenarios_for_every_section() -> None:
    sections = {path.relative_to(FOLDER).parts[0] for path in FILES}

    assert {"can", "com", "stn", "uds"} <= sections


def test_no_two_scenarios_carry_the_same_title() -> None:
    titles = [read(path).title for path in FILES]

    assert sorted(set(titles)) == sorted(titles)


def test_a_faulty_file_names_all_its_faults(tmp_path: Path) -> None:
    faulty = tmp_path / "faulty.yaml"
    faulty.write_text("scenario: x\nworld: small\nnow: yesterday\ncolour: red\nsteps:\n  - {do: report}\n")

    with pytest.raises(Unreadables) as refused:
        read(faulty)

    assert len(refused.value.faults) == 4  # process, now, colour, and who does it
