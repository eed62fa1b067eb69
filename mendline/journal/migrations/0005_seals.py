"""The history is sealed piece by piece, nothing append-only may be emptied as a whole, and what is sent can be held.

`journal_seal` is a chain over pieces of the history (see `journal/sealing_chain.py`). `journal_hold` says since when
nothing goes out after a restore, until somebody lets it (see `journal/holds.py`). Both are written by plain SQL only.
"""

from typing import ClassVar

from django.db import migrations

TABLES = """
CREATE TABLE journal_seal (
    number bigint PRIMARY KEY CHECK (number >= 0),
    form smallint NOT NULL,
    up_to bigint NOT NULL,
    entries integer NOT NULL CHECK (entries >= 0),
    sealed_at timestamptz NOT NULL,
    content bytea NOT NULL CHECK (length(content) = 32),
    head bytea NOT NULL CHECK (length(head) = 32),
    leaves bytea NOT NULL
);
CREATE TABLE journal_hold (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    since timestamptz NOT NULL,
    as_of timestamptz NOT NULL,
    why text NOT NULL,
    released_at timestamptz,
    released_by text NOT NULL DEFAULT '',
    chosen text NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX one_hold_at_a_time ON journal_hold ((1)) WHERE released_at IS NULL;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON journal_seal
    FOR EACH ROW EXECUTE FUNCTION mendline_append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON journal_seal
    FOR EACH STATEMENT EXECUTE FUNCTION mendline_append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON journal_entry
    FOR EACH STATEMENT EXECUTE FUNCTION mendline_append_only();
"""
BACK = """
DROP TRIGGER append_only_whole ON journal_entry;
DROP TABLE journal_seal;
DROP TABLE journal_hold;
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("journal", "0004_outgoing_for_people")]

    operations: ClassVar = [migrations.RunSQL(TABLES, BACK)]
