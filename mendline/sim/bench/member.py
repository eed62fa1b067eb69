"""A process that works for a measurement: reads one job a line, does it, answers with one line.

Started by `crew.py` as `python -m mendline.sim.bench.member`, with the database in its environment. Jobs
are functions of the modules named in `JOBS`; what they return is the answer.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Mapping
from importlib import import_module
from typing import Any, TextIO

import django

from mendline.sim.bench.family import bear

JOBS: Mapping[str, str] = {
    "fill_network": "small_country",
    "take_orders": "small_country",
    "issue_tokens": "small_country",
    "record_walk": "walk",
    "walk": "walk",
    "build_index": "choice_jobs",
    "choose": "choice_jobs",
    "change_coverage": "choice_jobs",
    "wait_for_coverage": "choice_jobs",
    "read_queue": "queue_jobs",
    "count_queue": "queue_jobs",
    "render_queue": "queue_jobs",
    "fill_search": "search_jobs",
    "search_orders": "search_jobs",
    "render_palette": "search_jobs",
    "fill_country": "pages_jobs",
    "visitors": "pages_jobs",
    "visit_pages": "pages_jobs",
    "a_known_phone": "pages_jobs",
    "can_look": "pages_browser",
    "look_at_pages": "pages_browser",
    "take_reports": "pages_browser",
    "cast_hostile": "hostile_jobs",
    "warm_sweeper": "sweep_jobs",
    "sweep_all": "sweep_jobs",
}


def main() -> None:
    """Serve until standard input ends; with a socket's number, be the one of which others are copied."""
    # Whatever a library prints must not be taken for an answer.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    django.setup()
    if sys.argv[1:]:
        for module in sorted(set(JOBS.values())):
            import_module(f"mendline.sim.bench.{module}")
        bear(int(sys.argv[1]), serve)
    else:
        serve(sys.stdin, answers)


def serve(jobs: TextIO, answers: TextIO) -> None:
    """Do one job after another until there are no more."""
    for line in jobs:
        job = json.loads(line)
        name = str(job.pop("job"))
        try:
            found = getattr(import_module(f"mendline.sim.bench.{JOBS[name]}"), name)(**job)
            _answer(answers, {"found": found})
        except Exception:
            _answer(answers, {"failed": f"{name}: {traceback.format_exc()[-4000:]}"})


def _answer(answers: TextIO, document: Mapping[str, Any]) -> None:
    answers.write(json.dumps(document, ensure_ascii=False) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
