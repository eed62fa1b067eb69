"""`mendline run` looks after what it started, and finds what an earlier one left behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mendline.cli.children import MARK, Child, clear_orphans, end_all, environment, mark_of
from mendline.cli.run_lock import AlreadyRunning, hold, holder

WAIT_FOR_EVER = [sys.executable, "-c", "import signal; print('up', flush=True); signal.pause()"]


@pytest.fixture
def marked(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that an earlier run of `tmp_path` started and did not end."""
    process = subprocess.Popen(WAIT_FOR_EVER, env=environment(tmp_path), stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_the_second_run_says_where_the_first_one_is(tmp_path: Path) -> None:
    with hold(tmp_path) as lock:
        lock.announce("http://127.0.0.1:8003")

        with pytest.raises(AlreadyRunning, match=rf"8003.*{os.getpid()}") as held, hold(tmp_path):
            pass

    assert "已在运行" in str(held.value) and "Already running" in str(held.value)
    assert holder(tmp_path) is None


def test_a_second_run_during_the_start_does_not_invent_an_address(tmp_path: Path) -> None:
    with hold(tmp_path), pytest.raises(AlreadyRunning, match="starting"), hold(tmp_path):
        pass


def test_a_killed_run_does_not_keep_the_lock(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from mendline.cli.run_lock import hold\n"
        "with hold(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == b"held\n"
        assert holder(tmp_path) is not None

        first.kill()
        first.wait()

    assert (tmp_path / "run.json").exists()  # it had no time to tidy up
    assert holder(tmp_path) is None


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="recognised by /proc")
def test_processes_left_by_a_killed_run_are_ended(tmp_path: Path, marked: subprocess.Popen[bytes]) -> None:
    assert clear_orphans(tmp_path) == 1
    assert marked.wait(timeout=120) == -signal.SIGTERM


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="recognised by /proc")
def test_processes_of_another_installation_are_left_alone(tmp_path: Path, marked: subprocess.Popen[bytes]) -> None:
    assert clear_orphans(tmp_path / "other") == 0
    assert marked.poll() is None


def test_a_process_that_ended_is_started_again_after_a_pause(tmp_path: Path) -> None:
    child = Child("web", [sys.executable, "-c", "print('my last words')"], dict(os.environ), tmp_path / "web.log")
    child.start()
    assert child.process is not None
    child.process.wait()

    assert not child.revive()  # the pause has begun
    child.not_before = 1e-9  # … and is over
    assert child.revive()

    assert child.failures == 1
    end_all([child])
    assert "my last words" in child.last_words()


def test_a_process_that_ignores_the_request_is_ended_by_force(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mendline.cli.children.END_SECONDS", 0.2)
    stubborn = "import signal; signal.signal(15, signal.SIG_IGN); print('up', flush=True)\nwhile True: signal.pause()"
    child = Child("web", [sys.executable, "-c", stubborn], dict(os.environ), tmp_path / "web.log")
    child.start()
    while "up" not in child.last_words() and child.is_alive():
        pass

    end_all([child])

    assert child.process is not None
    assert child.process.returncode == -signal.SIGKILL


def test_children_carry_the_mark_and_our_own_programs(tmp_path: Path) -> None:
    found = environment(tmp_path, MENDLINE_DATABASE_ROLE="app")

    assert found[MARK] == mark_of(tmp_path)
    assert found["PATH"].split(os.pathsep)[0] == str(Path(sys.executable).parent)
    assert found["MENDLINE_DATABASE_ROLE"] == "app"
