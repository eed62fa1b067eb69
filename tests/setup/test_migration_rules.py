"""P8: tables change under people who are working, so a migration keeps to rules."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, migrations, models
from django.db.migrations.loader import MigrationLoader

from mendline.database import migration_rules
from mendline.database.migration_rules import RULES, faults, single_statements, statements_of, tables_made_by


def a_migration(*operations: Any, **fields: Any) -> migrations.Migration:
    kind = type("Migration", (migrations.Migration,), {"operations": list(operations), **fields})
    migration: migrations.Migration = kind("0099_new", "orders")
    return migration


def rules_broken(sql: str, **fields: Any) -> list[str]:
    return [fault.rule for fault in faults(a_migration(**fields), list(single_statements(sql)))]


def test_p8_the_migrations_of_the_project_keep_to_the_rules(db: None) -> None:
    assert [str(fault) for fault in migration_rules.faults_of_project()] == []


BAD = {
    "renamed": 'ALTER TABLE "orders_record" RENAME COLUMN "facts" TO "known"',
    "renamed-table": 'ALTER TABLE "access_token" RENAME TO "access_key"',
    "dropped-too-early": 'ALTER TABLE "orders_repairorder" DROP COLUMN "fault" CASCADE',
    "dropped-too-early-table": 'DROP TABLE "care_standing" CASCADE',
    "column-demands-a-value": 'ALTER TABLE "access_person" ADD COLUMN "floor" integer NOT NULL',
    "column-demands-a-value-set": 'ALTER TABLE "access_person" ALTER COLUMN "phone" SET NOT NULL',
    "default-taken-away": 'ALTER TABLE "access_person" ALTER COLUMN "floor" DROP DEFAULT',
    "type-changed": 'ALTER TABLE "journal_entry" ALTER COLUMN "kind" TYPE text USING "kind"::text',
    "index-holds-writers": 'CREATE INDEX "by_x" ON "orders_repairorder" ("fault") WHERE "state" = \'x\'',
    "index-holds-writers-unique": "CREATE UNIQUE INDEX by_x ON public.journal_entry (id)",
    "constraint-reads-everything": 'ALTER TABLE "orders_record" ADD CONSTRAINT "c" CHECK ("revision" >= 0)',
    "rewrites-rows": "UPDATE orders_repairorder SET fault = ''",
    "rewrites-rows-delete": "DELETE FROM journal_outgoing WHERE state = 'sent'",
    "holds-the-table": "LOCK TABLE access_person IN EXCLUSIVE MODE",
    "waits-for-ever": "SET LOCAL lock_timeout = 0",
}


@pytest.mark.parametrize(("named", "sql"), BAD.items(), ids=BAD)
def test_p8_what_stops_people_or_the_release_before_is_named(named: str, sql: str) -> None:
    assert [rule for rule in rules_broken(sql) if named.startswith(rule)] != []


def test_every_rule_has_an_example() -> None:
    assert [rule.name for rule in RULES if not any(named.startswith(rule.name) for named in BAD)] == []


@pytest.mark.parametrize(
    "sql",
    [
        'ALTER TABLE "orders_repairorder" ADD COLUMN "floor" integer NULL',
        'ALTER TABLE "orders_repairorder" ADD COLUMN "floor" varchar(9) DEFAULT \'\' NOT NULL',
        'CREATE INDEX CONCURRENTLY "by_x" ON "orders_repairorder" ("fault")',
        'CREATE INDEX "by_x" ON "access_token" ("name")',  # small: built before anybody notices
        'ALTER TABLE "orders_record" ADD CONSTRAINT "c" CHECK ("revision" >= 0) NOT VALID',
        "CREATE OR REPLACE FUNCTION mendline_write() AS $x$ UPDATE orders_repairorder SET fault = ''; $x$ LANGUAGE sql",
        "-- DROP TABLE orders_record\nSELECT 1",
        "UPDATE access_person SET phone = ''",
    ],
    ids=["nullable", "default", "concurrently", "small", "not-valid", "function", "comment", "few-rows"],
)
def test_what_both_releases_understand_and_nobody_waits_for_is_allowed(sql: str) -> None:
    assert rules_broken(sql) == []


def test_a_table_that_the_same_release_makes_is_nobodys_yet() -> None:
    statements = ["CREATE TABLE journal_entry (id int)", "CREATE INDEX a ON journal_entry (id)"]

    assert tables_made_by(statements) == {"journal_entry"}
    assert faults(a_migration(), statements, {"journal_entry"}) == []
    assert faults(a_migration(), statements) != []


def test_an_exemption_has_a_reason_and_a_ground() -> None:
    rename, reason = BAD["renamed"], "made this morning, on no machine yet"

    assert rules_broken(rename, exempt={"renamed": reason}) == []
    assert rules_broken(rename, exempt={"renamed": " "}) == ["renamed"]
    assert rules_broken("SELECT 1", exempt={"renamed": reason}) == ["exempt-for-nothing"]
    assert rules_broken("SELECT 1", exempt={"ranamed": reason}) == ["exempt-for-nothing"]


@pytest.mark.parametrize(
    ("last_used_in", "broken"),
    [("0.3.9", []), ("0.4.0", ["dropped-too-early"]), ("0.10.0", ["dropped-too-early"])],
    ids=["release-before", "this-release", "later"],
)
def test_p8_what_is_dropped_was_last_used_by_an_earlier_release(
    last_used_in: str, broken: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migration_rules, "this_release", lambda: "0.4.0")

    assert rules_broken(BAD["dropped-too-early"], last_used_in=last_used_in) == broken


def test_python_in_a_migration_needs_a_reason() -> None:
    migration = a_migration(migrations.RunPython(migrations.RunPython.noop))

    assert [fault.rule for fault in faults(migration, [])] == ["runs-python"]


def test_a_migration_without_transaction_has_one_step() -> None:
    """It may be stopped by somebody who holds the table, and is then carried out again from its beginning."""
    one, two = migrations.RunSQL("SELECT 1"), migrations.RunSQL("SELECT 2")

    assert [fault.rule for fault in faults(a_migration(one, two, atomic=False), [])] == ["stops-half-way"]
    assert faults(a_migration(one, two), []) == faults(a_migration(one, atomic=False), []) == []


@pytest.mark.parametrize(
    ("field", "broken"),
    [
        (models.CharField(max_length=9, default="a"), ["default-taken-away"]),
        (models.CharField(max_length=9, db_default="a"), []),
        (models.IntegerField(null=True), []),
    ],
    ids=["default", "db-default", "nullable"],
)
def test_p8_djangos_own_sql_is_what_is_read(db: None, field: models.Field[Any, Any], broken: list[str]) -> None:
    """`default=` is dropped again by Django itself, and the code of the release before could write nothing."""
    loader = MigrationLoader(connection)
    migration = a_migration(
        migrations.AddField("repairorder", "floor", field), dependencies=[("orders", "0005_no_pattern_indexes")]
    )
    loader.graph.add_node(("orders", "0099_new"), migration)
    loader.graph.add_dependency(migration, ("orders", "0099_new"), ("orders", "0005_no_pattern_indexes"))

    assert [fault.rule for fault in faults(migration, statements_of(migration, loader))] == broken
