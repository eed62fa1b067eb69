"""Lock files name what is installed, never where it came from."""

from pathlib import Path

import pytest

from config.home import ROOT
from mendline.cli.quality import recorded_hosts


def test_our_lock_files_record_no_host() -> None:
    assert (ROOT / "requirements" / "base.txt").exists()
    assert recorded_hosts() == []


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://packages.example/simple",
        "--extra-index-url https://packages.example/simple",
        "--find-links /somewhere",
        "django @ https://packages.example/django.whl",
        '      "resolved": "https://packages.example/htmx.tgz",',
    ],
)
def test_a_recorded_host_is_found(line: str, tmp_path: Path) -> None:
    (tmp_path / "requirements").mkdir()
    name = "package-lock.json" if "resolved" in line else "requirements/base.txt"
    (tmp_path / name).write_text(f"django==5.2\n{line}\n", encoding="utf-8")

    assert recorded_hosts(tmp_path) == [f"{name}:2: {line.strip()}"]


def test_every_python_requirement_has_a_hash() -> None:
    for lock in (ROOT / "requirements").glob("*.txt"):
        lines = lock.read_text(encoding="utf-8").splitlines()
        names = [number for number, line in enumerate(lines) if "==" in line and not line.startswith(("#", " "))]
        assert names, lock
        assert all("--hash=sha256:" in lines[number + 1] for number in names), lock
