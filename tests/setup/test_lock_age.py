"""P21, new packages need seven days of age: `make lock` takes no younger release, and says where nobody tells the age.

The real uv and npm ask a registry of our own on this machine, which has an old release and one of yesterday.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from config.home import ROOT

OLD, YOUNG = "1.0.0", "1.1.0"


class Registry(BaseHTTPRequestHandler):
    """The package `fresh` for Python under /simple and /undated, for the bundle under /npm."""

    def do_GET(self) -> None:
        _, kind, *rest = self.path.split("/")
        if self.path.endswith(".metadata"):
            self._answer("text/plain", f"Metadata-Version: 2.1\nName: fresh\nVersion: {rest[-1].split('-')[1]}\n")
        elif kind == "npm":
            self._answer("application/json", json.dumps(_of_bundle()))
        else:
            content = json.dumps(_of_python(dated=kind == "simple"))
            self._answer("application/vnd.pypi.simple.v1+json", content)

    def _answer(self, kind: str, text: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def _dates() -> dict[str, str]:
    now = datetime.now(UTC)
    return {OLD: (now - timedelta(days=8)).isoformat(), YOUNG: (now - timedelta(days=1)).isoformat()}


def _of_python(*, dated: bool) -> dict[str, object]:
    files = [
        {"filename": (name := f"fresh-{version}-py3-none-any.whl"), "url": f"/files/{name}", "core-metadata": True,
         "hashes": {"sha256": "a" * 64}, **({"upload-time": date} if dated else {})}
        for version, date in _dates().items()
    ]  # fmt: skip
    return {"meta": {"api-version": "1.1"}, "name": "fresh", "versions": [OLD, YOUNG], "files": files}


def _of_bundle() -> dict[str, object]:
    integrity = "sha512-" + "A" * 86 + "=="
    versions = {
        version: {"name": "fresh", "version": version,
                  "dist": {"tarball": f"http://127.0.0.1/fresh-{version}.tgz", "integrity": integrity}}
        for version in (OLD, YOUNG)
    }  # fmt: skip
    return {"name": "fresh", "dist-tags": {"latest": YOUNG}, "versions": versions, "time": _dates()}


@pytest.fixture(scope="module")
def registry() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Registry) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "base.in").write_text("fresh\n", encoding="ascii")
    return tmp_path


def lock(project: Path, index: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Carry out what `make lock` does, against our registry and with an empty cache."""
    environment = {
        "HOME": str(project / "home"),
        "PATH": os.environ["PATH"],
        "UV_DEFAULT_INDEX": index,
        "UV_CACHE_DIR": str(project / "cache"),
        "npm_config_registry": index,
        "npm_config_cache": str(project / "cache"),
    }
    command = [sys.executable, str(ROOT / "mendline" / "cli" / "lock.py"), "--root", str(project), *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def locked(project: Path) -> str:
    return (project / "requirements" / "base.txt").read_text(encoding="utf-8").split()[0]


@pytest.mark.parametrize(("words", "taken"), [((), OLD), (("--days", "0"), YOUNG)], ids=["rule", "control: no rule"])
def test_p21_a_python_release_of_yesterday_is_not_taken(
    project: Path, registry: str, words: tuple[str, ...], taken: str
) -> None:
    done = lock(project, f"{registry}/simple", *words)

    assert done.returncode == 0, done.stderr
    assert locked(project) == f"fresh=={taken}"
    assert f"fresh – → {taken}" in done.stdout
    assert registry not in (project / "requirements" / "base.txt").read_text(encoding="utf-8")


def test_p21_a_release_of_yesterday_does_not_come_into_the_bundle(project: Path, registry: str) -> None:
    (project / "package.json").write_text('{"dependencies": {"fresh": "^1.0.0"}}', encoding="ascii")
    (project / ".npmrc").write_text((ROOT / ".npmrc").read_text(encoding="utf-8"), encoding="utf-8")
    (project / "requirements" / "base.in").unlink()

    done = lock(project, f"{registry}/npm")

    assert done.returncode == 0, done.stderr
    document = json.loads((project / "package-lock.json").read_text(encoding="utf-8"))
    assert document["packages"]["node_modules/fresh"]["version"] == OLD


def test_a_registry_that_tells_no_dates_is_named_and_nothing_changes(project: Path, registry: str) -> None:
    (project / "requirements" / "base.txt").write_text("fresh==0.9\n", encoding="ascii")

    done = lock(project, f"{registry}/undated")

    assert done.returncode == 1
    assert "没有写明" in done.stderr and "tells no date" in done.stderr and "AGE=0" in done.stderr
    assert locked(project) == "fresh==0.9"


def test_one_list_without_a_solution_leaves_all_as_they_were(project: Path, registry: str) -> None:
    (project / "requirements" / "dev.in").write_text(f"fresh=={YOUNG}\n", encoding="ascii")

    done = lock(project, f"{registry}/simple")

    assert done.returncode == 1
    assert "make lock AGE=0" in done.stderr and YOUNG in done.stderr
    assert [path.name for path in (project / "requirements").glob("*.txt")] == []


def test_make_lock_asks_for_seven_days() -> None:
    def said(*words: str) -> str:
        command = ["make", "--dry-run", "lock", "PYTHON=python3", *words]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert 'mendline/cli/lock.py --days "7"' in said()
    assert '--days "0"' in said("AGE=0")
