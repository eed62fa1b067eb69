"""What a child that opens other people's files costs, as the kernel counts it when the child has ended.

The scale is a small process that starts each child and waits for it with `wait4`. Small, because the kernel counts as
a child's memory what its parent held at the moment of starting it, and a process that runs tests holds a good deal.

A child is either started as the product starts it, or forked from a scale that has loaded the picture library: 8 ms
instead of 100 for each file, with the same code, the same limits and the same memory. Only the start differs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace, TracebackType

import pytest

from mendline.orders import attachments

WHOLE = os.environ.get("MENDLINE_HOSTILE") == "whole"
MOST_BYTES = 300 * 1024 * 1024
MOST_CPU_SECONDS = 10.0

# Runs in a process of its own, which may not import from the tests: a line of JSON in, a line of JSON out.
SCALE = r"""
import io, json, os, resource, runpy, sys

def child(asked, output):
    os.dup2(os.open(asked["input"], os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.chdir("/")
    if asked["command"]:
        os.execve(asked["command"][0], asked["command"], {})
    sys.stdin, sys.stdout = open(0, closefd=False), open(1, "w", closefd=False)
    code = drawing["main"]()
    sys.stdout.flush()
    os._exit(code)

if len(sys.argv) > 1:
    drawing = runpy.run_path(sys.argv[1], {"__file__": sys.argv[1]})
    drawing = drawing["main"].__globals__
    from PIL import Image, ImageOps, JpegImagePlugin, PngImagePlugin, WebPImagePlugin
print("{}", flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    output, ours = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            if len(sys.argv) > 1:
                drawing.update(asked["lifted"])
            child(asked, ours)
        except BaseException as fault:
            sys.stderr.write(repr(fault))
        finally:
            os._exit(1)
    os.close(ours)
    said = open(output, "rb").read()
    _, status, usage = os.wait4(pid, 0)
    with open(asked["output"], "wb") as file:
        file.write(said)
    code = os.waitstatus_to_exitcode(status)
    cpu = usage.ru_utime + usage.ru_stime
    print(json.dumps({"code": code, "cpu": cpu, "bytes": usage.ru_maxrss * 1024}), flush=True)
"""


@dataclass(frozen=True, slots=True)
class Weight:
    """What one child cost: seconds of the processor, and the most memory that it held at once, in bytes."""

    cpu_seconds: float
    most_bytes: int

    @property
    def is_too_much(self) -> bool:
        return self.most_bytes >= MOST_BYTES or self.cpu_seconds >= MOST_CPU_SECONDS


class Scale:
    """Starts children one after the other, and keeps what each cost. `drawing`: the child's file, to fork it from."""

    def __init__(self, folder: Path, drawing: Path | None = None) -> None:
        self.weights: list[Weight] = []
        self._folder = folder
        self._is_forking = drawing is not None
        command = [sys.executable, "-I", *(["-c", SCALE, str(drawing)] if drawing else ["-S", "-c", SCALE])]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._answer()

    def __enter__(self) -> Scale:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def run(
        self,
        command: Sequence[str],
        *,
        input: bytes,
        lifted: dict[str, int] | None = None,
        **_: object,  # noqa: A002
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a child on `input`, as `subprocess.run` does. `lifted`: its limits that are others this time."""
        assert self._process.stdin is not None
        given, said = self._folder / "given", self._folder / "said"
        given.write_bytes(input)
        program = [] if self._is_forking else [*command]
        asked = {"command": program, "input": str(given), "output": str(said), "lifted": lifted or {}}
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        answer = self._answer()
        self.weights.append(Weight(answer["cpu"], int(answer["bytes"])))
        return subprocess.CompletedProcess(list(command), int(answer["code"]), said.read_bytes(), b"")

    def _answer(self) -> dict[str, float]:
        assert self._process.stdout is not None
        answer: dict[str, float] = json.loads(self._process.stdout.readline())
        return answer

    def in_place_of_subprocess(self) -> SimpleNamespace:
        """Return what a module may have instead of `subprocess`."""

        def run(command: Sequence[str], *, check: bool = False, **given: object) -> object:
            done = self.run(command, input=given["input"])  # type: ignore[arg-type]
            if check and done.returncode != 0:
                raise subprocess.CalledProcessError(done.returncode, list(command))
            return done

        faults = {name: getattr(subprocess, name) for name in ("CalledProcessError", "TimeoutExpired")}
        return SimpleNamespace(run=run, **faults)


@pytest.fixture(scope="module")
def scale(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scale]:
    """Forks the child that draws pictures; at night it starts it as the product does."""
    with Scale(tmp_path_factory.mktemp("scale"), None if WHOLE else attachments.CHILD) as found:
        yield found


@pytest.fixture
def weighed(scale: Scale, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scale]:
    """Pictures are drawn on the scale. None of them may have cost too much at the end."""
    monkeypatch.setattr(attachments, "subprocess", scale.in_place_of_subprocess())
    scale.weights.clear()
    yield scale
    assert not [weight for weight in scale.weights if weight.is_too_much]
