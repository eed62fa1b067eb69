"""State × transition × role as text that reviewers compare: the golden tables."""

from __future__ import annotations

from pathlib import Path

from mendline.process.definition import NEW, Process, Transition
from mendline.process.loading import processes


def rows(process: Process) -> list[str]:
    """Return the table of one process, a line for each state and transition out of it."""
    lines = [f"# {process.code} {process.version} — {process.label.zh} / {process.label.en}", ""]
    for state in (NEW, *process.states):
        label = process.states[state].label.zh if state in process.states else "新建"
        lines.append(f"{state} ({label})")
        lines += [_line(state, step) for step in process.steps_from(state)]
        lines.append("")
    return lines


def _line(state: str, step: Transition) -> str:
    target = " | ".join(dict.fromkeys([step.to[state], *step.diverts.values()]))
    asks = ", ".join(step.requires) or "-"
    guards = ", ".join(step.guards) or "-"
    return f"  {step.name} -> {target}  by {', '.join(step.by)}  asks {asks}  if {guards}  [{', '.join(step.rules)}]"


def write_golden(folder: Path, *, compare_only: bool = False) -> list[Path]:
    """Write the table of every process into `folder`; return the files that differ from before."""
    changed: list[Path] = []
    folder.mkdir(parents=True, exist_ok=True)
    for process in processes().values():
        path = folder / f"{process.code}.{process.version}.txt"
        text = "\n".join(rows(process)).rstrip() + "\n"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            changed.append(path)
            if not compare_only:
                path.write_text(text, encoding="utf-8")
    return changed
