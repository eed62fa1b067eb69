"""The rows of a list of orders as markup.

They are drawn here and by no template: what a template does to fifty rows took 30 ms of processor time, this takes
two. Every value that people typed is escaped on its way; everything else is ours.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from html import escape

from django.templatetags.static import static
from django.utils.safestring import SafeString

from mendline.kernel.phones import masked
from mendline.kernel.text import Text
from mendline.web.console.chips import Chip
from mendline.web.console.rows import Calls, OrderRow
from mendline.web.shown_zone import shown_moment

GONE = Text("已离开此列表", "left this list")
URGED = Text("催 {n}", "urged {n}×")
PICK = Text("选择", "Select")
CALLS_TODAY = Text("今天已联系 {n} 次", "{n} calls today")
CALLS_OF_QUOTA = Text("今天已联系 {n} 次，每天至少 {quota} 次", "{n} calls today, at least {quota} a day")
# One tap each: the outcome and the word on its button (STN-25).
OUTCOMES = {
    "no_answer": Text("未接", "No reply"),
    "busy": Text("占线", "Busy"),
    "powered_off": Text("关机", "Off"),
    "reached": Text("接通", "Reached"),
}
NOTE_A_CALL = Text("记录一次联系", "Log a call")


@dataclass(frozen=True, slots=True)
class Columns:
    """What a list shows beside what every list shows."""

    station: bool = False
    picks: bool = False  # a box to choose the order with others
    calls: bool = False
    may_call: bool = False  # this person logs calls: one button per outcome


def rows_markup(
    rows: Iterable[OrderRow], columns: Columns, language: str, *, gone: frozenset[str] = frozenset()
) -> SafeString:
    """Return one `<tr>` for each order. Those in `gone` have left the list that they are still shown in."""
    return SafeString("".join([row_markup(row, columns, language, row.ref in gone) for row in rows]))


def row_markup(row: OrderRow, columns: Columns, language: str, is_gone: bool = False) -> str:
    say = _in_english if language.startswith("en") else _in_chinese
    ref = escape(row.ref)
    urged = f' <span class="badge bg-orange-lt">{say(URGED.filled(n=row.urges))}</span>' if row.urges else ""
    if is_gone:
        urged += f' <span class="badge bg-secondary-lt">{say(GONE)}</span>'
    state = " gone" if is_gone else ""
    user = f'<bdi>{escape(row.customer)}</bdi> <span class="text-secondary">{_masked(row.phone)}</span>'
    area, engineer = escape(say(row.area_name)), f"<bdi>{escape(row.assignee)}</bdi>" if row.assignee else ""
    promise = escape(say(row.promise)) if row.promise else ""
    cells = [
        f'<tr id="row-{ref}" class="order{state}" data-beside data-ref="{ref}" data-revision="{row.revision}">',
        _pick(ref, say(PICK)) if columns.picks else "",
        f'<td class="first"><a class="order-no" href="/orders/{ref}/">{ref}</a> {chip_markup(row.chip, language)}</td>',
        f'<td><span class="state state-{row.category}">{escape(say(row.state_label))}</span>{urged}</td>',
        f'<td class="text-nowrap">{user}{_small(area)}</td>',
        f'<td class="full"><div>{escape(say(row.product_name))}</div>'
        f'<div class="text-secondary small fault"><bdi>{escape(row.fault)}</bdi></div></td>',
        f'<td class="calls">{_calls(row.calls, columns, language)}</td>' if columns.calls else "",
        f'<td class="roomy">{escape(row.station_no)}</td>' if columns.station else "",
        f'<td class="roomy text-nowrap">{promise}{_small(engineer)}</td>',
        "</tr>\n",
    ]
    return "".join(cells)


def chip_markup(chip: Chip | None, language: str) -> str:
    if chip is None:
        return ""
    say = _in_english if language.startswith("en") else _in_chinese
    due, title = "", say(chip.label) if chip.label else ""
    if chip.due_at:
        due = f' data-due="{chip.due_at.isoformat()}"'
        title = f"{title} {say(shown_moment(chip.due_at))}"
    words = escape(say(chip.words))
    return (
        f'<span class="chip chip-{chip.tone}"{due} title="{escape(title)}">'
        f'{icon_markup(chip.icon)}<span class="chip-words">{words}</span></span>'
    )


@cache
def icon_markup(name: str) -> str:
    """Return an icon of the sprite; its strokes are in the style sheet, because a page has hundreds."""
    return f'<svg class="icon drawn" aria-hidden="true"><use href="{static("dist/icons.svg")}#{name}"/></svg>'


def _pick(ref: str, words: str) -> str:
    box = f'<input class="form-check-input" type="checkbox" name="ref" value="{ref}" aria-label="{words} {ref}">'
    return f'<td class="pick">{box}</td>'


@lru_cache(maxsize=256)
def _calls(calls: Calls | None, columns: Columns, language: str) -> str:
    if calls is None:
        return ""
    say = _in_english if language.startswith("en") else _in_chinese
    full = CALLS_OF_QUOTA if calls.quota else CALLS_TODAY
    title = say(full.filled(n=calls.today, quota=calls.quota))
    count = f"{calls.today}/{calls.quota}" if calls.quota else str(calls.today)
    met = " met" if calls.quota and calls.today >= calls.quota else ""
    shown = f'<span class="count{met}" title="{title}">{count}</span>'
    return shown + (_outcomes(language) if columns.may_call else "")


@cache
def _outcomes(language: str) -> str:
    words = NOTE_A_CALL.in_language(language)
    buttons = [
        f'<button type="button" data-call="{code}">{word.in_language(language)}</button>'
        for code, word in OUTCOMES.items()
    ]
    return f'<span class="outcomes" role="group" aria-label="{words}" title="{words}">{"".join(buttons)}</span>'


def _small(words: str) -> str:
    return f'<div class="text-secondary small">{words}</div>' if words else ""


def _masked(phone: str) -> str:
    return escape(masked(phone)) if phone else "—"


def _in_chinese(text: Text) -> str:
    return text.zh


def _in_english(text: Text) -> str:
    return text.en
