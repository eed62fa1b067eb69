"""A seat at one station, or none: which station comes next is chosen anew by whoever asked (COM-10)."""

from django.db import migrations

# Takes a seat of the station's day for an order; raises ML010 when none is left. Called by the function that writes
# the order, before it writes anything else: whoever takes a seat holds one counter only and no row after which
# another could wait for that counter.
TAKE_SEAT = """
DROP FUNCTION IF EXISTS network_take_seat(varchar, varchar, date, varchar[]);
CREATE FUNCTION network_take_seat(ref varchar, station varchar, line varchar, on_day date) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    load_of bigint;
BEGIN
    UPDATE network_dayload SET taken = taken + 1
        WHERE station_no = station AND product_line = line AND day = on_day AND taken < capacity
        RETURNING id INTO load_of;
    IF load_of IS NULL THEN
        PERFORM network_open_day(station, line, on_day);
        UPDATE network_dayload SET taken = taken + 1
            WHERE station_no = station AND product_line = line AND day = on_day AND taken < capacity
            RETURNING id INTO load_of;
    END IF;
    IF load_of IS NULL THEN
        RAISE EXCEPTION 'COM-10: no seat is left at station % on %', station, on_day USING ERRCODE = 'ML010';
    END IF;
    INSERT INTO network_seat (order_ref, load_id) VALUES (ref, load_of);
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("network", "0002_guards")]

    operations = [
        migrations.RunSQL(TAKE_SEAT, "DROP FUNCTION network_take_seat(varchar, varchar, varchar, date);"),
    ]
