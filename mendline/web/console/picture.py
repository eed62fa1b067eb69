"""The picture of a procedure with the path of one order on it: when it reached each state, and how long it stayed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from mendline.journal.models import Entry
from mendline.kernel.text import Text
from mendline.orders.queries import SubjectPage
from mendline.process.diagram import svg
from mendline.web.console.chips import span
from mendline.web.shown_zone import shown_moment, shown_zone

Stay = tuple[str, datetime, datetime | None]  # state, from, until (None: it is still there)


def picture_of(page: SubjectPage, language: str, now: datetime) -> str:
    """Return the SVG of the record's procedure with its path and times."""
    times = _times(page, language, now)
    return svg(page.process, language, path=list(page.path), current=page.subject.state, times=times)


def stays(timeline: Iterable[Entry]) -> list[Stay]:
    """Return where the record stood from when to when, the oldest first."""
    found: list[Stay] = []
    for entry in timeline:
        if entry.to_state and (not found or found[-1][0] != entry.to_state):
            if found:
                found[-1] = (*found[-1][:2], entry.at)
            found.append((entry.to_state, entry.at, None))
    return found


def _times(page: SubjectPage, language: str, now: datetime) -> dict[str, tuple[str, str]]:
    """Return, by state, the words in its box and the sentences that explain them."""
    by_state: dict[str, list[Stay]] = {}
    for stay in stays(page.timeline):
        by_state.setdefault(stay[0], []).append(stay)
    found: dict[str, tuple[str, str]] = {}
    for name, there in by_state.items():
        if name in page.process.states:
            label = page.process.states[name].label.in_language(language)
            lines = [_stayed(stay, now).in_language(language) for stay in there]
            found[name] = (_reached(there), "\n".join([label, *lines]))
    return found


def _reached(there: list[Stay]) -> str:
    """The last time it came here, as short as a box is wide; and how often, if more than once."""
    often = f" ×{len(there)}" if len(there) > 1 else ""
    return f"{there[-1][1].astimezone(shown_zone()):%m-%d %H:%M}{often}"


def _stayed(stay: Stay, now: datetime) -> Text:
    _, since, until = stay
    begun, long = shown_moment(since), span((until or now) - since)
    if until is None:
        return Text(f"{begun.zh} 起，已 {long.zh}", f"since {begun.en}, {long.en} so far")
    ended = shown_moment(until)
    return Text(f"{begun.zh} 至 {ended.zh}，{long.zh}", f"{begun.en} to {ended.en}, {long.en}")
