"""The README's five things happen as it says, and ARCHITECTURE tells the life of a report as it is."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from mendline.journal.models import Entry, Outgoing
from mendline.orders.models import Record
from mendline.orders.sweep import sweep
from mendline.process.loading import load_all, processes, read_files
from mendline.sim import scenarios, worlds
from tests.docs.pages import ROOT, page
from tests.make import MONDAY_NINE, a_network, a_report, do

REPORT = """
  - by: zhangmin
    do: report
    given: {customer: {name: 王先生, phone: "13800000001"}, product: desktop-office, area: "110108",
            address: 上地信息路2号, fault: 开机黑屏, service_mode: on_site}
    then: {state: dispatched, station: "000001"}
"""
FIRST_THREE = f"""
scenario: The first three things to try
process: unified_repair
world: small
now: 2026-03-02T09:00
steps:{REPORT}
  - {{by: liufang, do: mark_unreachable, refused: STN-24}}
  - {{by: liufang, do: cancel, given: {{cancel_reason: capacity_error, requested_by: station}}, refused: CAN-08}}
  - {{by: liufang, do: cancellation_request.submit, given: {{cancel_reason: capacity_error}}, as: wish}}
  - {{by: gaofeng, do: reassign_order, on: wish}}
  - {{on: order, then: {{state: cancelled_and_reassigned, linked: {{replaced_by: replacement}}}}}}
  - {{on: replacement, then: {{state: dispatched, station: "000002", linked: {{replaces: order}}}}}}
"""


@pytest.fixture
def files(tmp_path: Path, settings: Settings) -> Iterator[Path]:
    """A copy of the process files that a test may change, in force while it lasts."""
    folder = tmp_path / "processes"
    shutil.copytree(ROOT / "processes", folder)
    settings.PROCESS_FOLDER = folder
    processes.cache_clear()
    yield folder
    processes.cache_clear()


def with_limit(folder: Path, limit: str) -> Path:
    path = folder / "unified_repair.yaml"
    text = path.read_text(encoding="utf-8")
    assert "contact_limit: 4h" in text
    path.write_text(text.replace("contact_limit: 4h", f"contact_limit: {limit}", 1), encoding="utf-8")
    return path


@pytest.mark.django_db
def test_report_refusal_and_verdict_go_as_the_readme_says(tmp_path: Path) -> None:
    load_all()
    path = tmp_path / "first.yaml"
    path.write_text(FIRST_THREE, encoding="utf-8")

    [result] = scenarios.run_here([path])

    assert result.passed, result.problem


def test_a_limit_without_its_unit_is_named_with_file_and_line(files: Path) -> None:
    path = with_limit(files, "4")
    line = next(n for n, text in enumerate(path.read_text().splitlines(), 1) if "contact_limit: 4" in text)

    _, faults = read_files([path])

    assert any(str(fault).startswith(f"unified_repair.yaml:{line}: ") for fault in faults), faults


@pytest.mark.django_db
def test_a_changed_limit_is_told_by_a_scenario(files: Path) -> None:
    with_limit(files, "2h")
    load_all()

    [result] = scenarios.run_here([ROOT / "scenarios" / "stn" / "unreachable.yaml"])

    assert "13:00" in result.problem and "11:00" in result.problem


def test_the_demo_people_of_the_readme_have_the_roles_it_says() -> None:
    world = worlds.load("small")
    expected = {"zhangmin": "cc_agent", "liufang": "station_coordinator", "gaofeng": "region_interface"}

    assert {name: world.actor(name).role for name in expected if name in page("README.md")} == expected
    assert worlds.DEMO_PASSWORD in page("README.md")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_label_that_the_readme_tells_people_to_look_for_is_on_the_screen(language: str) -> None:
    text = page("README.md")
    start, mark = (
        ("## 先试这五件事", r"“([^”]+)”")
        if language == "zh"
        else ("## Five things to try", r"(?<!\*)\*([^*\n]+)\*(?!\*)")
    )
    told = re.sub(r"\n(?=\S)", " ", text.partition(start)[2].partition("\n## ")[0])
    screens = "\n".join(
        path.read_text(encoding="utf-8")
        for pattern in (
            "mendline/web/**/*.html",
            "mendline/web/**/*.py",
            "processes/*.yaml",
            "scenarios/worlds/small.yaml",
        )
        for path in ROOT.glob(pattern)
    )
    labels = [part.strip() for found in re.findall(mark, told) for part in re.split(r"→|：|:|\d{6}", found)]

    assert len(labels) >= 8
    assert [label for label in labels if label and label not in screens] == []


@pytest.mark.django_db
def test_the_life_of_a_report_leaves_what_architecture_says() -> None:
    a_network()
    now = MONDAY_NINE
    order = a_report()
    now += timedelta(hours=3)
    sweep(now)
    now += timedelta(minutes=31)
    do(order, "mark_unreachable", now=now)
    do(order, "promise", now=now, promised_at=(now + timedelta(hours=2)).isoformat())
    do(order, "print_order", now=now)
    now += timedelta(hours=2)
    do(order, "start_service", "station_engineer", now=now, user_agrees=True)
    do(order, "resolve", "station_engineer", now=now, user_signature="signed", work_done="更换主板")

    kinds = list(Entry.objects.filter(subject=order.ref).order_by("id").values_list("kind", flat=True))
    kinds += [f"{record.process}.open" for record in Record.objects.unscoped("test").filter(order_ref=order.ref)]
    notices = list(Outgoing.objects.filter(subject=order.ref).values_list("notice", flat=True))
    text = page("ARCHITECTURE.md").partition("The life of a report")[2].partition("\n## ")[0]
    told = re.findall(r"`((?:order|clock|callback)\.\w+)`", text)

    assert [kind for kind in told if kind not in kinds] == []
    assert {"new_order", "contact_due"} <= set(notices)
