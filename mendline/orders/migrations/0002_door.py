"""The database's side of the one door: the guard of state changes. `0003` adds the function that writes."""

from django.db import migrations

# P5: whoever connects, a state changes only as some process version lists it, and the version never changes.
GUARD = """
CREATE FUNCTION mendline_guard_state() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE came_from text := 'new';
BEGIN
    IF TG_OP = 'UPDATE' THEN
        came_from := OLD.state;
        IF NEW.process <> OLD.process OR NEW.process_version <> OLD.process_version OR NEW.ref <> OLD.ref THEN
            RAISE EXCEPTION '% keeps the process version it began with', OLD.ref USING ERRCODE = 'check_violation';
        END IF;
        IF NEW.state = OLD.state THEN
            RETURN NEW;
        END IF;
    END IF;
    IF NOT EXISTS (SELECT 1 FROM process_allowedchange a
                   WHERE a.process = NEW.process AND a.version = NEW.process_version
                     AND a.from_state = came_from AND a.to_state = NEW.state) THEN
        RAISE EXCEPTION '% % does not allow % to become %', NEW.process, NEW.process_version, came_from, NEW.state
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""

TRIGGERS = """
CREATE TRIGGER guard_state BEFORE INSERT OR UPDATE OF state, process, process_version, ref ON {table}
    FOR EACH ROW EXECUTE FUNCTION mendline_guard_state();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0001_initial"),
        ("journal", "0001_initial"),
        ("process", "0001_initial"),
        ("customers", "0001_initial"),
    ]

    operations = [
        migrations.RunSQL(GUARD, "DROP FUNCTION mendline_guard_state() CASCADE"),
        migrations.RunSQL(TRIGGERS.format(table="orders_repairorder"), migrations.RunSQL.noop),
        migrations.RunSQL(TRIGGERS.format(table="orders_record"), migrations.RunSQL.noop),
    ]
