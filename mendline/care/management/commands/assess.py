"""Print the basis of the assessed fee of one station or of all (STN-15)."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from mendline.access.actors import Actor
from mendline.care.assessment import Assessment, assess, start_of_day

COMMAND_LINE = Actor(None, "命令行 command line", "admin", via="cli")


class Command(BaseCommand):
    help = (
        "考评结费依据：关单、及时联系、守约、回访、备件返还、撤单（STN-15）。"
        " The basis of the assessed fee: closings, contacts, promises, callbacks, part returns, cancellations."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--station", default="", help="维修站编号，留空为全部 station number; all if left out")
        parser.add_argument("--from", dest="since", required=True, metavar="DAY", help="第一天 first day, 2026-03-01")
        parser.add_argument("--to", dest="until", required=True, metavar="DAY", help="最后一天（含） last day included")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, station: str, since: str, until: str, json: bool, **options: Any) -> None:
        begin, end = _day(since), _day(until) + timedelta(days=1)
        if end <= begin:
            raise CommandError("结束日期早于开始日期。 --to lies before --from.")
        found = assess(COMMAND_LINE, since=begin, until=end, station_no=station)
        self.stdout.write(_as_json(found, since, until) if json else _as_text(found))


def _day(text: str) -> datetime:
    try:
        return start_of_day(text)
    except ValueError:
        raise CommandError(f"“{text}”不是日期，例如 2026-03-02。 {text!r} is no day, e.g. 2026-03-02.") from None


def _as_json(found: list[Assessment], since: str, until: str) -> str:
    stations = [
        {
            **asdict(one),
            "contact_percent": one.contact_percent,
            "promise_percent": one.promise_percent,
            "satisfied_percent": one.satisfied_percent,
            "return_percent": one.return_percent,
        }
        for one in found
    ]
    return json.dumps({"from": since, "to": until, "stations": stations}, ensure_ascii=False)


def _as_text(found: list[Assessment]) -> str:
    if not found:
        return "该期间没有记录。 Nothing was recorded in this period."
    return "\n\n".join(_station(one) for one in found)


def _station(one: Assessment) -> str:
    lines = [
        f"维修站 station {one.station_no}",
        f"  关单 orders closed: {one.orders_closed}",
        f"  及时联系 contacts in time: {_of(one.contacts_in_time, one.contacts_late, one.contact_percent)}",
        f"  守约 promises kept: {_of(one.promises_kept, one.promises_broken, one.promise_percent)}",
        f"  回访 callbacks: {one.callbacks_made},"
        f" 满意 satisfied {one.callbacks_satisfied}{_percent(one.satisfied_percent)},"
        f" 未解决 unsolved {one.callbacks_unsolved}, 未联系上 not reached {one.callbacks_not_reached}",
        f"  备件返还 parts returned: {one.parts_returned}/{one.parts_received}{_percent(one.return_percent)}",
    ]
    cancelled = ", ".join(f"{reason} {number}" for reason, number in one.cancellations.items())
    lines.append(f"  撤单 cancelled: {sum(one.cancellations.values())}{f' ({cancelled})' if cancelled else ''}")
    return "\n".join(lines)


def _of(good: int, bad: int, percent: int | None) -> str:
    return f"{good}/{good + bad}{_percent(percent)}"


def _percent(percent: int | None) -> str:
    return "" if percent is None else f" ({percent}%)"
