"""All rows that the product may write: what they were, what a command made of them, and back again.

Going back is cheaper than a new database for every fault: what came is deleted and what went is put in again, past
the triggers, by the owner. Numbers drawn from sequences are not given back, as in life.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import orjson
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

# Written once with a database, or kept for Django's own purposes: nothing that a command is about.
_LEFT_OUT = (
    "django_migrations", "django_content_type", "auth_permission", "auth_group", "auth_group_permissions",
    "django_session", "access_signin", "network_area", "procrastinate_workers", "django_site", "access_token",
)  # fmt: skip
_TABLES = """
    SELECT c.relname, a.attname FROM pg_class c
    JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary AND i.indnatts = 1
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
    WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND NOT c.relname = ANY(%s)
    ORDER BY c.relname
"""
_TRIGGERS = """
    SELECT tgrelid::regclass::text, array_agg(tgname::text) FROM pg_trigger
    WHERE NOT tgisinternal AND tgenabled = 'O' GROUP BY tgrelid
"""
# Drawn anew by every run of the same command; which one it is tells nothing.
_DRAWN = frozenset({"id", "load_id", "revision_number"})
_RUNNING_NUMBERS = {"network_networkrevision": {"revision"}, "network_networkchange": {"revision"}}
_NUMBERED = ("orders_repairorder", "orders_record")

Row: TypeAlias = str  # as JSON text, which is what sets compare quickly
Effect: TypeAlias = tuple[str, ...]  # what came and what went, without what chance drew


@dataclass(frozen=True, slots=True)
class Difference:
    """Rows that came and rows that went, by table; a changed row is in both."""

    came: Mapping[str, frozenset[Row]]
    went: Mapping[str, frozenset[Row]]

    def __bool__(self) -> bool:
        return any(self.came.values()) or any(self.went.values())

    @property
    def tables(self) -> set[str]:
        return {table for rows in (self.came, self.went) for table, found in rows.items() if found}

    def effect(self) -> Effect:
        """Return what happened, told so that two runs of the same command tell the same."""
        names = self._names()
        lines = [
            f"{sign} {table} {_told(table, row, names)}"
            for sign, rows in (("+", self.came), ("-", self.went))
            for table, found in rows.items()
            for row in found
        ]
        return tuple(sorted(lines))

    def _names(self) -> dict[str, str]:
        """Return for each number that was given out what to call it: the process and how many there were before."""
        known = {orjson.loads(row)["ref"] for table in _NUMBERED for row in self.went.get(table, ())}
        fresh = [orjson.loads(row) for table in _NUMBERED for row in self.came.get(table, ())]
        fresh = sorted((row for row in fresh if row["ref"] not in known), key=lambda row: int(row["id"]))
        files = sorted(
            (orjson.loads(row) for row in self.came.get("orders_attachment", ())), key=lambda row: int(row["id"])
        )
        names = {row["ref"]: f"<{row['process']} {place}>" for place, row in enumerate(fresh)}
        return names | {row["stored_as"]: "<file>" for row in files}


@dataclass(slots=True)
class Rows:
    """The tables of the database we are connected to, as its owner."""

    keys: dict[str, str] = field(default_factory=dict)  # table → its key's column
    _triggers: dict[str, list[str]] = field(default_factory=dict)  # those that are on: others stay off
    _marks: dict[str, str] = field(default_factory=dict)  # how many rows there were, and who wrote last
    _known: dict[str, frozenset[Row]] = field(default_factory=dict)
    _question: str = ""

    def now(self) -> dict[str, frozenset[Row]]:
        """Return every row there is. Only tables that somebody wrote to are read again."""
        if not self.keys:
            self._look_at_tables()
        with connection.cursor() as cursor:
            cursor.execute(self._question)
            marks = dict(cursor.fetchall())
            for table in [table for table, mark in marks.items() if mark != self._marks.get(table)]:
                cursor.execute(f"SELECT to_jsonb(t)::text FROM {table} t")
                self._known[table] = frozenset(row for (row,) in cursor.fetchall())
        self._marks = marks
        return dict(self._known)

    def since(self, before: Mapping[str, frozenset[Row]]) -> Difference:
        return difference(before, self.now())

    def put_back(self, change: Difference) -> None:
        """Undo a difference: afterwards all rows are what they were."""
        tables = sorted(change.tables)
        if not tables:
            return
        with transaction.atomic(), connection.cursor() as cursor:
            self._switch(cursor, tables, "DISABLE")
            for table in tables:
                key = self.keys[table]
                came = [str(orjson.loads(row)[key]) for row in change.came.get(table, ())]
                cursor.execute(f"DELETE FROM {table} WHERE {key}::text = ANY(%s)", [came])
            for table in tables:
                went = "[" + ",".join(change.went.get(table, ())) + "]"
                cursor.execute(f"INSERT INTO {table} SELECT * FROM jsonb_populate_recordset(NULL::{table}, %s)", [went])
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            self._switch(cursor, tables, "ENABLE")

    def _switch(self, cursor: CursorWrapper, tables: list[str], word: str) -> None:
        for table in tables:
            for trigger in self._triggers.get(table, ()):
                cursor.execute(f"ALTER TABLE {table} {word} TRIGGER {trigger}")

    def _look_at_tables(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(_TABLES, [list(_LEFT_OUT)])
            self.keys = dict(cursor.fetchall())
            cursor.execute(_TRIGGERS)
            self._triggers = dict(cursor.fetchall())
        self._question = " UNION ALL ".join(
            f"SELECT '{table}', count(*) || '/' || coalesce(max(xmin::text::bigint), 0) FROM {table}"
            for table in self.keys
        )


def difference(before: Mapping[str, frozenset[Row]], after: Mapping[str, frozenset[Row]]) -> Difference:
    return Difference(
        {table: rows - before[table] for table, rows in after.items() if rows != before[table]},
        {table: before[table] - rows for table, rows in after.items() if rows != before[table]},
    )


def _told(table: str, row: Row, names: Mapping[str, str]) -> str:
    drawn = _DRAWN | _RUNNING_NUMBERS.get(table, frozenset())
    kept: dict[str, Any] = {name: value for name, value in orjson.loads(row).items() if name not in drawn}
    told = orjson.dumps(kept, option=orjson.OPT_SORT_KEYS).decode()
    for ref, name in names.items():
        told = told.replace(ref, name)
    return told
