"""Who may do what in the database. Applied after every migration, so that new tables are covered.

The owner makes tables; the application reads and writes rows; the auditor reads. What not even the application may
do, because only a guarded database function may, is listed in REVOKED. A right that is taken away there holds
against every mistake and every intruder in the web process (P5, P6 of the reliability rules).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import LiteralString
from urllib.parse import unquote, urlsplit

from django.db import connection as django_connection
from django.db.backends.utils import CursorWrapper
from psycopg import sql

from mendline.database.address import url_from_environment

SCHEMA = "public"
AUDITOR = "mendline_auditor"


@dataclass(frozen=True)
class Revoked:
    """A right that the application does not have. Without `columns` it is the whole table's."""

    table: str
    right: LiteralString
    columns: tuple[str, ...] = ()


REVOKED: tuple[Revoked, ...] = (
    # How an order or a record stands changes through `mendline_write` alone, which checks the transition.
    Revoked("orders_repairorder", "UPDATE", ("state",)),
    Revoked("orders_record", "UPDATE", ("state",)),
    # History is only ever added to.
    Revoked("journal_entry", "UPDATE"),
    Revoked("journal_entry", "DELETE"),
    Revoked("journal_seal", "UPDATE"),
    Revoked("journal_seal", "DELETE"),
    # Orders live under an overlay of a procedure: what it says stays as it was.
    Revoked("process_overlay", "UPDATE"),
    Revoked("process_overlay", "DELETE"),
)

# What an auditor need not know to audit: secrets, what opens doors, whom an order is for.
HIDDEN_FROM_AUDITOR: tuple[Revoked, ...] = (
    Revoked("access_person", "SELECT", ("password",)),
    Revoked("access_token", "SELECT", ("digest",)),
    Revoked("channels_webhook", "SELECT", ("secret",)),
    Revoked("mfa_authenticator", "SELECT"),
    # What orders are found by is made of names, telephone numbers and addresses.
    Revoked("search_current", "SELECT"),
    Revoked("search_past", "SELECT"),
    Revoked("django_session", "SELECT"),
    Revoked("access_signin", "SELECT"),
)


def app_role() -> str:
    """Return the name of the role that the web process and the worker use."""
    url = url_from_environment("app")
    return unquote(urlsplit(url).username or "") if url else "mendline_app"


def apply_grants(app: str | None = None, auditor: str = AUDITOR) -> None:
    """Set the rights of the application and the auditor. Runs as the owner, on Django's default connection.

    A role that does not exist is left out, and so is an application that is itself the owner (an installation with
    one account): then only triggers guard the rows.
    """
    app = app or app_role()
    with django_connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        owner = cursor.fetchone()[0]
        for role in (app, auditor):
            if role != owner and _exists(cursor, role):
                _run(cursor, "GRANT USAGE ON SCHEMA {schema} TO {role}", role)
                _run(cursor, "GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}", role)
        if auditor != owner and _exists(cursor, auditor):
            for hidden in HIDDEN_FROM_AUDITOR:
                _revoke(cursor, hidden, auditor)
        if app == owner or not _exists(cursor, app):
            return
        _run(cursor, "GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}", app)
        _run(cursor, "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role}", app)
        _run(cursor, "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {schema} TO {role}", app)
        _run(cursor, "REVOKE INSERT, UPDATE, DELETE ON {schema}.django_migrations FROM {role}", app)
        for revoked in REVOKED:
            _revoke(cursor, revoked, app)


def _revoke(cursor: CursorWrapper, revoked: Revoked, role: str) -> None:
    existing = _columns(cursor, revoked.table)
    if not existing:  # the table comes with a later migration
        return
    names = {"table": sql.Identifier(SCHEMA, revoked.table), "right": sql.SQL(revoked.right)}
    _run(cursor, "REVOKE {right} ON {table} FROM {role}", role, **names)
    # A right on the whole table outweighs one on a column, so it is taken away and given back for the other columns.
    others = [column for column in existing if column not in revoked.columns]
    if revoked.columns and others:
        columns = sql.SQL(", ").join(map(sql.Identifier, others))
        _run(cursor, "GRANT {right} ({columns}) ON {table} TO {role}", role, columns=columns, **names)


def _run(cursor: CursorWrapper, statement: LiteralString, role: str, **names: sql.Composable) -> None:
    composed = sql.SQL(statement).format(schema=sql.Identifier(SCHEMA), role=sql.Identifier(role), **names)
    cursor.execute(composed.as_string())


def _exists(cursor: CursorWrapper, role: str) -> bool:
    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
    return cursor.fetchone() is not None


def _columns(cursor: CursorWrapper, table: str) -> Sequence[str]:
    cursor.execute(
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position",
        [SCHEMA, table],
    )
    return [row[0] for row in cursor.fetchall()]
