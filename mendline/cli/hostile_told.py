"""Writes down what every test of `mendline hostile --json FILE` asked and how it was answered; a plugin of pytest.

What a test asks goes through the application in this process, so one place sees all of it. What does not (files that
are read, words that a browser shows) a test counts by pytest's `record_property`: of what, how many.
"""

import json
import os
from collections import Counter
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from django.core.handlers.base import BaseHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from mendline.cli.hostile import TOLD

_told: dict[str, dict[str, Any]] = {}  # by test: seconds, answers by status, what was counted, what failed
_now: list[Counter[str]] = []


def pytest_configure() -> None:
    answer = BaseHandler.get_response

    def heard(handler: BaseHandler, request: HttpRequest) -> HttpResponseBase:
        response = answer(handler, request)
        if _now:
            _now[-1][str(response.status_code)] += 1
        return response

    BaseHandler.get_response = heard  # type: ignore[assignment]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    _now.append(Counter())
    try:
        return (yield)
    finally:
        _test(item.nodeid)["answers"] = dict(_now.pop())


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    test = _test(report.nodeid)
    test["seconds"] = round(test["seconds"] + report.duration, 2)
    if report.when == "teardown":  # each phase repeats them
        test["tried"] = dict(report.user_properties)
    if report.failed:
        test["failed"].append(report.longreprtext)
    elif report.skipped:
        test["skipped"] = True


def pytest_sessionfinish() -> None:
    Path(os.environ[TOLD]).write_text(json.dumps(_told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _test(name: str) -> dict[str, Any]:
    return _told.setdefault(name, {"seconds": 0.0, "answers": {}, "tried": {}, "failed": [], "skipped": False})
