"""The golden tables and the database's table say what the process files say."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings

from mendline.process import diagram, loading, table
from mendline.process.definition import NEW, SAME
from mendline.process.models import AllowedChange, CalendarDay, ProcedureVersion


def test_the_golden_tables_are_in_step_with_the_files() -> None:
    changed = table.write_golden(Path(settings.PROCESS_FOLDER) / "tables", compare_only=True)

    assert changed == [], "review the difference, then run: mendline process table"


@pytest.mark.django_db
def test_p5_the_database_lists_exactly_the_changes_of_the_files() -> None:
    loading.load_all()

    listed = set(AllowedChange.objects.values_list("process", "version", "from_state", "to_state"))
    written = {
        (process.code, process.version, source, target)
        for process in loading.processes().values()
        for source, target in process.allowed_changes
    }
    assert listed == written
    assert not {target for *_, target in listed} & {NEW, SAME}


@pytest.mark.django_db
def test_loading_twice_changes_nothing() -> None:
    loading.load_all()
    before = (AllowedChange.objects.count(), CalendarDay.objects.count(), ProcedureVersion.objects.count())

    loading.load_all()

    assert before == (AllowedChange.objects.count(), CalendarDay.objects.count(), ProcedureVersion.objects.count())


@pytest.mark.django_db
def test_make_up_workdays_are_in_our_own_table_for_2024_to_2027() -> None:
    loading.load_all()

    years = {day.year for day in CalendarDay.objects.values_list("day", flat=True)}
    assert {2024, 2025, 2026, 2027} <= years
    assert CalendarDay.objects.filter(day="2026-02-14", works=True).exists()  # a Saturday made up for Spring Festival


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_state_of_every_process_is_drawn_and_the_path_is_marked(language: str) -> None:
    for process in loading.processes().values():
        states = list(process.states)
        drawn = diagram.svg(process, language, path=states[:2], current=states[1])
        for state in process.states.values():
            assert f"<title>{state.label.in_language(language)}</title>" in drawn
        assert drawn.count("visited") == 2
        assert drawn.count(" current") == 1
        assert "style=" not in drawn, "the pages' policy forbids inline styles"
