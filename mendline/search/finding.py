"""Finding orders by what people type, within the scope of the person who asks.

A whole number, telephone number or serial number is looked up with the orders themselves, so it is
found the moment it exists. Everything else goes through the tables of `models.py`, newest first:
the newest few thousand that the person may see are looked through one by one, which is all a
common word needs (北京 stands in every other order); only what is not found there asks the index
of all. So neither the commonest nor the rarest word has to look at everything.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from django.db import OperationalError, connection, transaction
from django.db.models import DateTimeField, ExpressionWrapper, F, Q, QuerySet
from psycopg.errors import QueryCanceled

from mendline.access.actors import OF_A_REGION, OF_A_STATION, Actor
from mendline.kernel.phones import NotAPhone, parse_phone
from mendline.orders.models import Record, RepairOrder
from mendline.orders.queries import LIST_COLUMNS, OPEN
from mendline.search.models import Current, Findable, Past
from mendline.search.words import Alternatives, Wanted, key_of_region, key_of_station, understand

LOOKED_THROUGH = 5_000  # of the newest, one by one
SHOWN = 20
WAIT_MS, WAIT_FOR_ALL_MS = 1_000, 8_000  # for one statement; the second when everything is asked for
REF_PREFIX = "WX"
DAY_OF_REF = len("WX260302")  # a shorter beginning of a number is no use


@dataclass(frozen=True, slots=True)
class Found:
    """What was found: open orders first, then by age, newest first."""

    wanted: Wanted
    orders: list[RepairOrder]
    exact: bool = False  # by a whole number; nothing else was looked for
    more: bool = False  # there are more than were asked for
    stopped: bool = False  # the time was up, so something may be missing
    everything: bool = False  # the years before were looked through as well


class TookTooLong(Exception):
    """A statement was stopped by its time limit."""


def find(actor: Actor, text: str, *, limit: int = SHOWN, everything: bool = False) -> Found:
    """Find orders: open ones and those of the last twelve months, with `everything` also the years before.

    Understood are an order's number (whole or its end), telephone (whole or its end, from four digits), serial
    number (whole or its beginning), names, words of two or more characters of the address or area, pinyin and
    initials of names; several words narrow each other down.
    """
    wanted = understand(text)
    exact: list[RepairOrder] = []
    ids: list[int] = []
    stopped = False
    try:
        with time_limit(WAIT_FOR_ALL_MS if everything else WAIT_MS):
            exact = _exactly(actor, text, limit)
            if not exact and not wanted.is_empty:
                for model in (Current, Past) if everything else (Current,):
                    if len(ids) <= limit:
                        ids += _newest(model, actor, wanted, limit + 1 - len(ids))
    except TookTooLong:
        stopped = True
    if exact:
        return Found(wanted, exact, exact=True, everything=everything)
    orders = _orders(actor, ids[:limit])
    return Found(wanted, orders, more=len(ids) > limit, stopped=stopped, everything=everything)


def record_of(actor: Actor, text: str) -> Record | None:
    """Return the record (cancellation request, part order …) whose whole number was typed."""
    ref = text.strip().upper()[:32]
    return Record.objects.visible_to(actor).filter(ref=ref).first() if ref.isascii() else None


@contextmanager
def time_limit(milliseconds: int) -> Iterator[None]:
    """Stop each statement inside that takes longer. Raises TookTooLong; nothing inside was then written.

    Each is planned for what is asked: a plan kept for any word walks through two million orders for a rare one.
    """
    try:
        with transaction.atomic():
            before = _settings()
            _set(f"{milliseconds}ms", "force_custom_plan")
            yield
            _set(*before)
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise TookTooLong from error
        raise


def _settings() -> tuple[str, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('statement_timeout'), current_setting('plan_cache_mode')")
        row = cursor.fetchone()
    assert row is not None
    return row[0], row[1]


def _set(timeout: str, plans: str) -> None:
    statement = "SELECT set_config('statement_timeout', %s, true), set_config('plan_cache_mode', %s, true)"
    with connection.cursor() as cursor:
        cursor.execute(statement, [timeout, plans])


# --- by a whole number ------------------------------------------------------------------------------------------


def _exactly(actor: Actor, text: str, limit: int) -> list[RepairOrder]:
    written = text.strip()[:40].replace("\x00", "")
    if len(written) < 4 or not any(c.isdigit() for c in written):
        return []
    query = RepairOrder.objects.visible_to(actor).only(*LIST_COLUMNS)
    upper = written.upper().rstrip("-")
    if upper.startswith(REF_PREFIX) and len(upper) >= DAY_OF_REF and upper.isascii():
        after = upper[:-1] + chr(ord(upper[-1]) + 1)
        by_ref = list(query.filter(ref__gte=upper, ref__lt=after).order_by("-ref")[:limit])
        if by_ref:
            return by_ref
    try:
        phone = parse_phone(written)
    except NotAPhone:
        phone = ""
    by_phone = list(query.filter(phone=phone).order_by("-created_at")[:limit]) if phone else []
    if by_phone or not written.isascii():
        return _open_first(by_phone)
    serial = query.exclude(serial_no="").filter(serial_no__in=list({written, upper}))
    return _open_first(list(serial.order_by("-created_at")[:limit]))


# --- by words ---------------------------------------------------------------------------------------------------


def _newest(model: type[Findable], actor: Actor, wanted: Wanted, limit: int) -> list[int]:
    """Return the ids of the newest orders that fit, at most `limit`."""
    everything = _of(model, actor)
    ages = everything.order_by("-created_at").values_list("created_at", flat=True)
    oldest = next(iter(ages[LOOKED_THROUGH : LOOKED_THROUGH + 1]), None)
    newest = everything if oldest is None else everything.filter(created_at__gt=oldest)
    found = list(_fitting(newest, wanted).order_by("-created_at").values_list("order_id", flat=True)[:limit])
    if oldest is None or len(found) >= limit:
        return found
    # The scope is a key as well, so that the index alone brings both together. Sorting by a sum keeps the database
    # from walking through all orders by age: that way was just tried as far as it leads anywhere.
    by_age = ExpressionWrapper(F("created_at") + timedelta(0), DateTimeField())
    narrowed = replace(wanted, all_of=(*wanted.all_of, *_scope_keys(actor)))
    return list(_fitting(everything, narrowed).order_by(by_age.desc()).values_list("order_id", flat=True)[:limit])


def _of(model: type[Findable], actor: Actor) -> QuerySet[Findable]:
    query: QuerySet[Findable] = model.objects.visible_to(actor)  # type: ignore[attr-defined]
    return query


def _fitting(query: QuerySet[Findable], wanted: Wanted) -> QuerySet[Findable]:
    if wanted.all_of:
        query = query.filter(keys__contains=list(wanted.all_of))
    for term in wanted.each_of:
        query = query.filter(keys__overlap=list(term.keys))
        if term.near:
            query = query.filter(_really(term))
    return query


def _really(term: Alternatives) -> Q:
    """Compare with the order itself where a key says only that it may fit."""
    fits = Q(keys__overlap=list(term.exact))
    if term.phone_ends:
        fits |= Q(order__phone__endswith=term.phone_ends) | Q(order__phone__contains=f"{term.phone_ends};")
    if term.ref_ends:
        fits |= Q(order__ref__endswith=term.ref_ends)
    if term.serial_begins:
        fits |= Q(order__serial_no__istartswith=term.serial_begins)
    return fits


def _scope_keys(actor: Actor) -> tuple[int, ...]:
    if actor.role in OF_A_STATION:
        return (key_of_station(actor.station_no),)
    if actor.role in OF_A_REGION:
        return (key_of_region(actor.region),)
    return ()


def _orders(actor: Actor, ids: list[int]) -> list[RepairOrder]:
    """Read the orders themselves, within the scope as it is now: what is kept may be a second behind."""
    query = RepairOrder.objects.visible_to(actor).filter(pk__in=ids).only(*LIST_COLUMNS)
    return _open_first(sorted(query, key=lambda order: order.created_at, reverse=True))


def _open_first(orders: list[RepairOrder]) -> list[RepairOrder]:
    return sorted(orders, key=lambda order: order.category not in OPEN)
