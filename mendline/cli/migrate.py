"""`mendline migrate`: tables, rights and processes, in that order. Works as the owner."""

import argparse
import sys
from collections.abc import Sequence
from datetime import timedelta
from importlib import import_module

HELP = "mendline migrate [--lock-timeout SECONDS] [--patience SECONDS] [APP [MIGRATION]] …"


def main(arguments: Sequence[str] = ()) -> int:
    """Bring the database up to date; arguments are those of Django's `migrate`, and how long to wait for a lock.

    Raises DatabaseUnavailable: somebody holds a table; says who.
    """
    import django
    from django.core.management import call_command

    from mendline.database import lock_wait

    own = argparse.ArgumentParser(prog="mendline migrate", usage=HELP, add_help=False)
    own.add_argument(
        "--lock-timeout", type=_seconds, default=lock_wait.LOCK_TIMEOUT, metavar="SECONDS",
        help="每次最多等一张表多久 / how long to wait for a table each time (2)",
    )  # fmt: skip
    own.add_argument(
        "--patience", type=_seconds, default=lock_wait.PATIENCE, metavar="SECONDS",
        help="多久之后放弃 / after how long to give up (60)",
    )  # fmt: skip
    given, rest = own.parse_known_args(list(arguments))
    if {"-h", "--help"} & set(rest):
        print(own.format_help())
    django.setup()

    def work() -> None:
        call_command("migrate", *rest)
        finish()

    lock_wait.in_turns(work, told=_tell, lock_timeout=given.lock_timeout, patience=given.patience)
    return 0


def bring_up_to_date() -> bool:
    """Migrate quietly if something is pending; returns whether it was. Django must be set up.

    Raises DatabaseUnavailable: somebody holds a table; says who.
    """
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    from mendline.database.lock_wait import in_turns

    executor = MigrationExecutor(connection)
    pending = bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))

    def work() -> None:
        if pending:
            call_command("migrate", verbosity=0, interactive=False)
        finish()

    in_turns(work, told=_tell)
    return pending


def finish() -> None:
    """Set the rights, load the process files and the areas; each changes nothing when nothing is new."""
    from mendline.database.grants import apply_grants

    apply_grants()
    import_module("mendline.process.loading").load_all()
    import_module("mendline.network.areas").load_areas()


def _seconds(text: str) -> timedelta:
    try:
        return timedelta(seconds=float(text))
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"{text!r} 不是秒数 is no number of seconds") from None


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
