"""Tickets by the hundred thousand, copied in SQL from a sample that a product took through its own interface.

What a product writes for a ticket is not ours to know; that its rows refer to each other by number is all that
copying needs. Copy k of a row has its numbers moved by k times the width of the sample.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql

from mendline.sim.bench.peers.product import FIRST_PHONE, PHONES, STEP

OPEN_SHARE = 0.05
LEAST_OPEN = 1_000

# Width of the sample by table: {tickets} and so on. `k` is the copy, `sample` the tickets of the sample, `still_open`
# the first copy that is over.
PHONE = f"(({FIRST_PHONE} + (({{column}})::bigint - {FIRST_PHONE} + k * {{sample}} * {STEP}::bigint) % {PHONES}))::text"


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one table that belong to tickets, and what is another in a copy; `id` always is."""

    table: str
    changed: Mapping[str, str]
    where: str = "true"


TICKET_ROLES = "(SELECT id FROM groups WHERE domain = 'RT::Ticket-Role')"
REQUEST_TRACKER: Sequence[Rows] = (
    Rows(
        "tickets",
        {
            "effectiveid": "effectiveid + k * {tickets}",
            "status": "CASE WHEN k < {still_open} THEN status ELSE 'resolved' END",
        },
    ),
    Rows("transactions", {"objectid": "objectid + k * {tickets}"}, "objecttype = 'RT::Ticket'"),
    Rows(
        "attachments",
        {
            "transactionid": "transactionid + k * {transactions}",
            "parent": "CASE WHEN parent = 0 THEN 0 ELSE parent + k * {attachments} END",
        },
        "transactionid IN (SELECT id FROM transactions WHERE objecttype = 'RT::Ticket')",
    ),
    Rows("groups", {"instance": "instance + k * {tickets}"}, "domain = 'RT::Ticket-Role'"),
    Rows("principals", {"id": "id + k * {groups}"}, f"id IN {TICKET_ROLES}"),
    Rows("groupmembers", {"groupid": "groupid + k * {groups}"}, f"groupid IN {TICKET_ROLES}"),
    Rows(
        "cachedgroupmembers",
        {
            "groupid": "groupid + k * {groups}",
            "memberid": "CASE WHEN memberid = groupid THEN memberid + k * {groups} ELSE memberid END",
            "via": "via + k * {cachedgroupmembers}",
            "immediateparentid": "immediateparentid + k * {groups}",
        },
        f"groupid IN {TICKET_ROLES}",
    ),
    Rows(
        "objectcustomfieldvalues",
        {
            "objectid": "objectid + k * {tickets}",
            "content": "CASE WHEN customfield = (SELECT id FROM customfields WHERE name = 'Phone') THEN "
            f"{PHONE.replace('{column}', 'content')} ELSE content END",
        },
        "objecttype = 'RT::Ticket'",
    ),
)
DJANGO_HELPDESK: Sequence[Rows] = (
    Rows("helpdesk_ticket", {"status": "CASE WHEN k < {still_open} THEN status ELSE 3 END"}),
    Rows("helpdesk_followup", {"ticket_id": "ticket_id + k * {helpdesk_ticket}"}),
    Rows(
        "helpdesk_ticketcustomfieldvalue",
        {
            "ticket_id": "ticket_id + k * {helpdesk_ticket}",
            "value": "CASE WHEN field_id = (SELECT id FROM helpdesk_customfield WHERE name = 'phone') THEN "
            f"{PHONE.replace('{column}', 'value')} ELSE value END",
        },
    ),
)


def multiply(url: str, rows: Sequence[Rows], *, level: int) -> int:
    """Copy the sample until there are `level` tickets, most of them ended; returns how many there are.

    `level` is a multiple of the sample. Needs the superuser: what refers to what is not checked while copying.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET synchronous_commit = off")
        connection.execute("SET work_mem = '64MB'")
        sample = _count(connection, rows[0])
        factor, rest = divmod(level, sample)
        if rest:
            raise ValueError(f"{level} is no multiple of the sample's {sample} tickets")
        values = {one.table: _width(connection, one) for one in rows}
        still_open = -(-max(int(level * OPEN_SHARE), LEAST_OPEN) // sample)
        for one in rows:
            _copy(connection, one, factor, {**values, "sample": sample, "still_open": still_open})
        for one in rows:
            _move_sequence(connection, one.table)
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")
        return _count(connection, rows[0])


def _copy(
    connection: psycopg.Connection[tuple[object, ...]], rows: Rows, factor: int, values: Mapping[str, int]
) -> None:
    changed = {"id": f"id + k * {{{rows.table}}}", **rows.changed}
    columns = connection.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND table_schema = 'public'"
        " ORDER BY ordinal_position",
        [rows.table],
    ).fetchall()
    names = [str(name) for (name,) in columns]
    taken = ", ".join(changed[name].format(**values) if name in changed else f'"{name}"' for name in names)
    into = ", ".join(f'"{name}"' for name in names)
    connection.execute(
        f'INSERT INTO "{rows.table}" ({into}) SELECT {taken} FROM "{rows.table}"'  # noqa: S608 - our own words
        f" CROSS JOIN generate_series(1, {factor - 1}) AS k WHERE {rows.where}".encode()
    )


def _width(connection: psycopg.Connection[tuple[object, ...]], rows: Rows) -> int:
    return _number(connection, f'SELECT max(id) - min(id) + 1 FROM "{rows.table}" WHERE {rows.where}')  # noqa: S608


def _count(connection: psycopg.Connection[tuple[object, ...]], rows: Rows) -> int:
    return _number(connection, f'SELECT count(*) FROM "{rows.table}" WHERE {rows.where}')  # noqa: S608


def _number(connection: psycopg.Connection[tuple[object, ...]], statement: str) -> int:
    row = connection.execute(statement.encode()).fetchone()
    assert row is not None
    return int(str(row[0]))


def _move_sequence(connection: psycopg.Connection[tuple[object, ...]], table: str) -> None:
    """Let the next row get a number that no copy has."""
    row = connection.execute(
        "SELECT coalesce(pg_get_serial_sequence(%(table)s, 'id'), substring(column_default FROM '''(.+)'''))"
        " FROM information_schema.columns WHERE table_name = %(table)s AND column_name = 'id'",
        {"table": table},
    ).fetchone()
    assert row is not None
    statement = sql.SQL("SELECT setval({}::regclass, (SELECT max(id) FROM {}))")
    connection.execute(statement.format(sql.Literal(str(row[0])), sql.Identifier(table)))
