"""What the network promises, kept by the database itself, whoever connects.

- Coverage, capacity and filings are history: rows are added and ended, never rewritten or removed (COM-07).
- No day is sold beyond its capacity (COM-10), and an order has at most one seat.
- Every change of the network leaves a new revision and the stations it touched.
"""

from django.db import migrations

REVISIONS = """
CREATE SEQUENCE network_revision_number;

-- TG_ARGV[0]: the column that names the station, or nothing where every station may be concerned.
CREATE FUNCTION network_note_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    touched varchar[] := ARRAY[''];
    noted bigint;
BEGIN
    IF TG_NARGS > 0 AND TG_OP <> 'TRUNCATE' THEN
        EXECUTE format('SELECT array_agg(DISTINCT %I) FROM touched_rows', TG_ARGV[0]) INTO touched;
        IF touched IS NULL THEN
            RETURN NULL;  -- the statement changed no row
        END IF;
        IF cardinality(touched) > 500 THEN
            touched := ARRAY[''];
        END IF;
    END IF;
    -- The row's lock is held until the commit, so revisions become visible in the order of their numbers.
    INSERT INTO network_networkrevision AS one (id, revision) VALUES (1, nextval('network_revision_number'))
        ON CONFLICT (id) DO UPDATE SET revision = nextval('network_revision_number') RETURNING one.revision INTO noted;
    INSERT INTO network_networkchange (revision, station_no) SELECT noted, unnest(touched);
    IF noted % 1000 = 0 THEN
        DELETE FROM network_networkchange WHERE revision < noted - 20000;
    END IF;
    RETURN NULL;
END $$;
"""

# table → the column that names its station
WATCHED = {
    "network_station": "number",
    "network_coverage": "station_id",
    "network_capacity": "station_id",
    "network_region": "",
    "network_productline": "",
    "network_product": "",
    "network_no800area": "",
}


def _watch(table: str, column: str) -> str:
    argument = f"'{column}'" if column else ""
    statements = []
    for event, rows in (("insert", "NEW"), ("update", "NEW"), ("delete", "OLD")):
        statements.append(
            f"CREATE TRIGGER {table}_note_{event} AFTER {event.upper()} ON {table}"
            f" REFERENCING {rows} TABLE AS touched_rows"
            f" FOR EACH STATEMENT EXECUTE FUNCTION network_note_change({argument});"
        )
    statements.append(
        f"CREATE TRIGGER {table}_note_truncate AFTER TRUNCATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION network_note_change();"
    )
    return "\n".join(statements)


HISTORY = """
CREATE FUNCTION network_keep_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'COM-07: rows of % are ended by effective_until, never rewritten or removed', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER network_coverage_kept BEFORE DELETE ON network_coverage
    FOR EACH ROW EXECUTE FUNCTION network_keep_history();
CREATE TRIGGER network_capacity_kept BEFORE DELETE ON network_capacity
    FOR EACH ROW EXECUTE FUNCTION network_keep_history();
CREATE TRIGGER network_no800area_kept BEFORE DELETE ON network_no800area
    FOR EACH ROW EXECUTE FUNCTION network_keep_history();

CREATE TRIGGER network_coverage_as_written BEFORE UPDATE ON network_coverage FOR EACH ROW
    WHEN ((OLD.station_id, OLD.area, OLD.product_line, OLD.effective_from)
          IS DISTINCT FROM (NEW.station_id, NEW.area, NEW.product_line, NEW.effective_from))
    EXECUTE FUNCTION network_keep_history();
CREATE TRIGGER network_capacity_as_written BEFORE UPDATE ON network_capacity FOR EACH ROW
    WHEN ((OLD.station_id, OLD.product_line, OLD.per_day, OLD.effective_from)
          IS DISTINCT FROM (NEW.station_id, NEW.product_line, NEW.per_day, NEW.effective_from))
    EXECUTE FUNCTION network_keep_history();
CREATE TRIGGER network_no800area_as_written BEFORE UPDATE ON network_no800area FOR EACH ROW
    WHEN ((OLD.area, OLD.effective_from) IS DISTINCT FROM (NEW.area, NEW.effective_from))
    EXECUTE FUNCTION network_keep_history();
"""

SEATS = """
-- Counted on the same page again and again: leave room there.
ALTER TABLE network_dayload SET (fillfactor = 70);

CREATE FUNCTION network_refuse_overselling() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'COM-10: station % has % seats on %, % would be taken', NEW.station_no, NEW.capacity, NEW.day, NEW.taken
        USING ERRCODE = 'check_violation', CONSTRAINT = 'never_oversold';
END $$;

-- Lowering the capacity below what is taken is allowed; taking more is not.
CREATE TRIGGER network_dayload_never_oversold BEFORE UPDATE OF taken ON network_dayload FOR EACH ROW
    WHEN (NEW.taken > OLD.taken AND NEW.taken > NEW.capacity) EXECUTE FUNCTION network_refuse_overselling();
CREATE TRIGGER network_dayload_never_born_oversold BEFORE INSERT ON network_dayload FOR EACH ROW
    WHEN (NEW.taken > NEW.capacity) EXECUTE FUNCTION network_refuse_overselling();

-- Opens a station's day with the capacity that holds then. The shared lock waits for a change of capacity that is
-- under way (network/history.py takes the exclusive one), so no day opens with a figure that is just being replaced.
CREATE FUNCTION network_open_day(station varchar, line varchar, on_day date) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM network_dayload WHERE station_no = station AND product_line = line AND day = on_day;
    IF FOUND THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock_shared(72019, 5);
    INSERT INTO network_dayload (station_no, product_line, day, capacity, taken)
        SELECT station, line, on_day, per_day, 0 FROM network_capacity
            WHERE station_id = station AND product_line = line
                AND effective_from <= on_day AND (effective_until IS NULL OR effective_until > on_day)
            ORDER BY effective_from DESC LIMIT 1
        ON CONFLICT DO NOTHING;
END $$;

-- Gives an order's seat back. Only the call that removes the row lowers the count.
CREATE FUNCTION network_give_back_seat(ref varchar) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    load_of bigint;
BEGIN
    DELETE FROM network_seat WHERE order_ref = ref RETURNING load_id INTO load_of;
    IF load_of IS NULL THEN
        RETURN false;
    END IF;
    UPDATE network_dayload SET taken = taken - 1 WHERE id = load_of;
    RETURN true;
END $$;
"""

UNDO_SEATS = """
DROP FUNCTION network_give_back_seat(varchar);
DROP FUNCTION network_open_day(varchar, varchar, date);
DROP FUNCTION network_refuse_overselling() CASCADE;
"""


class Migration(migrations.Migration):
    dependencies = [("network", "0001_initial")]

    operations = [
        migrations.RunSQL(
            REVISIONS + "\n".join(_watch(table, column) for table, column in WATCHED.items()),
            "DROP FUNCTION network_note_change() CASCADE; DROP SEQUENCE network_revision_number;",
        ),
        migrations.RunSQL(HISTORY, "DROP FUNCTION network_keep_history() CASCADE;"),
        migrations.RunSQL(SEATS, UNDO_SEATS),
    ]
