"""`mendline migrate`: tables, rights and processes, in that order. Works as the owner."""

from collections.abc import Sequence
from importlib import import_module


def main(arguments: Sequence[str] = ()) -> int:
    """Bring the database up to date; arguments are those of Django's `migrate`."""
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", *arguments)
    finish()
    return 0


def bring_up_to_date() -> bool:
    """Migrate quietly if something is pending; returns whether it was. Django must be set up."""
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    pending = bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if pending:
        call_command("migrate", verbosity=0, interactive=False)
    finish()
    return pending


def finish() -> None:
    """Set the rights, load the process files and the areas; each changes nothing when nothing is new."""
    from mendline.database.grants import apply_grants

    apply_grants()
    import_module("mendline.process.loading").load_all()
    import_module("mendline.network.areas").load_areas()
