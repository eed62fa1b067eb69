"""What a migration may do to a database that people are working with (P8).

While a new release is put in place, the old code goes on serving: with the new tables before it is replaced, and again
if somebody goes back. So a change of the tables comes in steps that both understand: add what is new so that the old
code need not know of it, let the release go by, then remove what nobody uses any more. And nothing may hold a large
table longer than a moment.

What is looked at is the SQL that a migration sends, not its Python: that is what the database does. A migration that
may break a rule says so itself, with its reason:

    class Migration(migrations.Migration):
        exempt = {"index-holds-writers": "the table is made empty by the migration before"}
        last_used_in = "0.4.0"  # the last release whose code used what is dropped here
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from django.db import connection
from django.db.migrations import Migration, RunPython
from django.db.migrations.loader import MigrationLoader

from config.home import ROOT

OURS = "mendline."
# Everything up to here was written before anybody ran the product; rules begin with the next migration.
BASE: Mapping[str, str] = {
    "access": "0002", "care": "0001", "channels": "0002", "contact": "0001", "customers": "0002", "figures": "0001",
    "journal": "0004", "network": "0004", "orders": "0005", "process": "0002", "search": "0001", "web": "0002",
}  # fmt: skip
# Tables that grow with every order: whoever holds one of them up holds up everybody.
LARGE = frozenset(
    (
        "orders_repairorder", "orders_record", "orders_attachment", "orders_idempotencykey", "journal_entry",
        "journal_outgoing", "process_timer", "customers_customer", "network_seat", "network_dayload", "search_current",
        "search_past", "figures_orderfact",
    )
)  # fmt: skip
_NAME = r'"?(?:public"?\.)?"?(?P<table>[a-z_0-9]+)"?'


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing a migration may not do, what happens if it does, and what to do instead."""

    name: str
    patterns: tuple[re.Pattern[str], ...]
    why: str
    instead: str
    large_only: bool = False  # elsewhere it takes no time
    unless: re.Pattern[str] | None = None  # what makes it harmless


def _read(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern.replace("TABLE_NAME", _NAME), re.IGNORECASE)


def _rule(name: str, *patterns: str, why: str, instead: str, large_only: bool = False, unless: str = "") -> Rule:
    read = tuple(
        _read(one.replace("ALTER_IT", r"^ALTER TABLE (?:IF EXISTS )?(?:ONLY )?TABLE_NAME\b.*")) for one in patterns
    )
    return Rule(name, read, why, instead, large_only, _read(unless) if unless else None)


RULES: tuple[Rule, ...] = (
    _rule(
        "renamed",
        r"ALTER_IT\bRENAME\b",
        why="the code of the release before asks for the old name",
        instead="add the new column, write both, read the new one, drop the old one a release later",
    ),
    _rule(
        "dropped-too-early",
        r"ALTER_IT\bDROP COLUMN\b",
        r"^DROP TABLE (?:IF EXISTS )?TABLE_NAME",
        why="the code of the release before still uses it",
        instead="take it out of the models now (SeparateDatabaseAndState), drop it a release later with `last_used_in`",
    ),
    _rule(
        "column-demands-a-value",
        r"ALTER_IT\bADD COLUMN\b.*\bNOT NULL\b",
        r"ALTER_IT\bSET NOT NULL\b",
        why="the code of the release before writes rows without it, and they are refused",
        instead="null=True, or db_default=… so that the database fills it in",
        unless=r"\bADD COLUMN\b.*\b(?:DEFAULT|GENERATED)\b",
    ),
    _rule(
        "default-taken-away",
        r"ALTER_IT\bALTER COLUMN\b.*\bDROP DEFAULT\b",
        why="the code of the release before writes rows without the column, and they are refused",
        instead="db_default=… instead of default=…: Django drops the latter again in the same migration",
    ),
    _rule(
        "type-changed",
        r"ALTER_IT\bALTER COLUMN\b.*\bTYPE\b",
        why="the whole table is written anew while nobody may read it",
        instead="add a column of the new type and let the worker fill it",
        large_only=True,
    ),
    _rule(
        "index-holds-writers",
        r"^CREATE (?:UNIQUE )?INDEX (?!CONCURRENTLY\b).*?\bON (?:ONLY )?TABLE_NAME",
        why="nobody can write to the table until the index is built",
        instead="AddIndexConcurrently, with atomic = False",
        large_only=True,
    ),
    _rule(
        "constraint-reads-everything",
        r"ALTER_IT\bADD CONSTRAINT\b.*\b(?:CHECK|FOREIGN KEY|UNIQUE|EXCLUDE)\b",
        why="every row is compared while nobody may write",
        instead="AddConstraintNotValid and ValidateConstraint in two migrations; build a unique index before",
        large_only=True,
        unless=r"\bNOT VALID\b|\bUSING INDEX\b",
    ),
    _rule(
        "rewrites-rows",
        r"^UPDATE (?:ONLY )?TABLE_NAME\b",
        r"^DELETE FROM (?:ONLY )?TABLE_NAME\b",
        why="all rows are locked until the last one is done",
        instead="let the worker do it in batches",
        large_only=True,
    ),
    _rule(
        "holds-the-table",
        r"^(?:LOCK TABLE|LOCK|TRUNCATE(?: TABLE)?|CLUSTER|VACUUM FULL|REINDEX TABLE) (?:ONLY )?TABLE_NAME",
        why="everybody waits for it",
        instead="there is hardly a case in which a migration must do this",
    ),
    _rule(
        "waits-for-ever",
        r"\block_timeout\b\s*(?:=|TO)\s*'?0",
        why="whoever holds the table decides how long everybody waits",
        instead="leave lock_timeout as `mendline migrate` sets it",
    ),
)
_BY_NAME = {rule.name: rule for rule in RULES}
PYTHON, HALF = "runs-python", "stops-half-way"
_CREATED = _read(r"^CREATE TABLE (?:IF NOT EXISTS )?TABLE_NAME")
_BODY = re.compile(r"\$(\w*)\$.*?\$\1\$", re.DOTALL)
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Fault:
    """One rule that one migration breaks."""

    migration: str
    rule: str
    said: str

    def __str__(self) -> str:
        return f"{self.migration}: {self.rule}: {self.said}"


def faults_of_project() -> list[Fault]:
    """Return what is wrong with our own migrations since `BASE`. Needs a database whose tables are up to date."""
    loader = MigrationLoader(connection)
    new = [
        migration
        for (label, name), migration in sorted(loader.disk_migrations.items())
        if migration.__module__.startswith(OURS) and name.split("_", 1)[0] > BASE.get(label, "")
    ]
    made: set[str] = set()
    for migration in new:
        made |= tables_made_by(statements_of(migration, loader))
    return [fault for migration in new for fault in faults(migration, statements_of(migration, loader), made)]


def statements_of(migration: Migration, loader: MigrationLoader) -> list[str]:
    """Return the SQL that a migration sends, statement by statement, without comments and bodies of functions."""
    key = (migration.app_label, migration.name)
    state = loader.project_state(key, at_end=False)
    with connection.schema_editor(collect_sql=True, atomic=migration.atomic) as editor:
        migration.apply(state, editor, collect_sql=True)
    return list(single_statements("\n".join(editor.collected_sql)))


def single_statements(text: str) -> Iterator[str]:
    """Yield the statements of a text of SQL on one line each.

    >>> list(single_statements("-- a\\nSELECT 1; CREATE FUNCTION f() AS $$ DROP TABLE x; $$;"))
    ['SELECT 1', "CREATE FUNCTION f() AS ''"]
    """
    for statement in _BODY.sub("''", _COMMENT.sub("", text)).split(";"):
        if words := " ".join(statement.split()):
            yield words


def tables_made_by(statements: Iterable[str]) -> set[str]:
    """Return the tables that these statements create: nobody works with them yet."""
    return {match["table"] for statement in statements if (match := _CREATED.match(statement))}


def faults(migration: Migration, statements: Sequence[str], made: Iterable[str] = ()) -> list[Fault]:
    """Return the rules that a migration breaks. `made` are tables that the same release creates."""
    exempt: Mapping[str, str] = getattr(migration, "exempt", {})
    name = f"{migration.app_label}.{migration.name}"
    found: dict[str, str] = {}
    for statement in statements:
        for rule in RULES:
            if (rule.name != "dropped-too-early" or not _is_over(migration)) and _breaks(rule, statement, set(made)):
                found.setdefault(rule.name, f"{rule.why}. Instead: {rule.instead}. {statement[:160]}")
    if any(isinstance(operation, RunPython) for operation in migration.operations):
        found[PYTHON] = "nobody can say how long it holds what. Instead: SQL, or a chore of the worker in batches."
    if not migration.atomic and len(migration.operations) > 1:
        found[HALF] = (
            "without a transaction the next try meets what is done already. Instead: one step in each migration."
        )
    faulty = [Fault(name, rule, said) for rule, said in found.items() if not exempt.get(rule, "").strip()]
    for named in exempt:
        if named not in found:
            what = "breaks no such rule" if named in (*_BY_NAME, PYTHON, HALF) else f"there is no rule {named!r}"
            faulty.append(Fault(name, "exempt-for-nothing", f"{what}: take {named!r} out of `exempt`"))
    return faulty


def _breaks(rule: Rule, statement: str, made: set[str]) -> bool:
    match = next((found for one in rule.patterns if (found := one.search(statement))), None)
    if match is None or (rule.unless is not None and rule.unless.search(statement)):
        return False
    table = match.groupdict().get("table")
    return table not in made and (table in LARGE or not rule.large_only)


def _is_over(migration: Migration) -> bool:
    """Whether the code that last used what is dropped is older than the release being made."""
    named: str = getattr(migration, "last_used_in", "")
    return bool(named) and _numbers(named) < _numbers(this_release())


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


@cache
def this_release() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return str(project["project"]["version"])
