"""The database's side of the one door: the function that writes whatever was decided, in one statement."""

from django.db import migrations

# Everything that one or more decisions change, in one call: rows, history, timers, messages.
# SECURITY DEFINER: the application's role may not update the column `state` by itself (P5).
WRITE = """
CREATE OR REPLACE FUNCTION mendline_write(changes jsonb) RETURNS bigint[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    item jsonb;
    entry jsonb;
    kept jsonb;
    new_id bigint;
    ids bigint[] := '{}';
    given_ref text;
    happened timestamptz;
    orders_row orders_repairorder;
    records_row orders_record;
BEGIN
    FOR item IN SELECT * FROM jsonb_array_elements(changes) LOOP
        given_ref := item->'row'->>'ref';
        entry := item->'entry';
        happened := (entry->>'at')::timestamptz;
        IF item ? 'once' THEN
            kept := item->'once';
            IF NOT pg_try_advisory_xact_lock(hashtextextended((kept->>'person') || ':' || (kept->>'key'), 0)) THEN
                RAISE EXCEPTION 'the same call is under way' USING ERRCODE = 'ML409';
            END IF;
            INSERT INTO orders_idempotencykey (person_id, key, request_digest, status, body, created_at)
            VALUES ((kept->>'person')::bigint, kept->>'key', kept->>'digest', (kept->>'status')::smallint,
                    kept->>'body', happened);
        END IF;
        -- The counter of seats first: everybody locks in this order.
        IF item ? 'seat' THEN
            PERFORM network_take_seat(given_ref, item->'seat'->>'station_no', item->'seat'->>'line',
                                      (item->'seat'->>'day')::date);
        END IF;
        IF item->>'table' = 'order' THEN
            orders_row := jsonb_populate_record(NULL::orders_repairorder, item->'row');
            IF item->'id' = 'null'::jsonb THEN
                orders_row.id := nextval('orders_repairorder_id_seq');
                INSERT INTO orders_repairorder SELECT orders_row.*;
                new_id := orders_row.id;
                INSERT INTO customers_customer (phone, name, area, address, created_at, updated_at)
                VALUES (orders_row.phone, orders_row.customer_name, orders_row.area, orders_row.address, happened, happened)
                ON CONFLICT (phone) DO UPDATE SET name = EXCLUDED.name, area = EXCLUDED.area,
                    address = EXCLUDED.address, updated_at = EXCLUDED.updated_at;
            ELSE
                new_id := (item->>'id')::bigint;
                UPDATE orders_repairorder SET
                    state = orders_row.state, category = orders_row.category, region = orders_row.region,
                    station_no = orders_row.station_no, revision = orders_row.revision, facts = orders_row.facts,
                    clocks = orders_row.clocks, due_at = orders_row.due_at, updated_at = orders_row.updated_at,
                    serial_no = orders_row.serial_no, area = orders_row.area, address = orders_row.address,
                    customer_name = orders_row.customer_name, phone = orders_row.phone, fault = orders_row.fault,
                    assignee_id = orders_row.assignee_id, assignee_name = orders_row.assignee_name,
                    replaces = orders_row.replaces, replaced_by = orders_row.replaced_by
                WHERE id = new_id AND revision = (item->>'revision')::int;
                IF NOT FOUND THEN
                    RAISE EXCEPTION 'order % moved on', given_ref USING ERRCODE = 'serialization_failure';
                END IF;
            END IF;
        ELSE
            records_row := jsonb_populate_record(NULL::orders_record, item->'row');
            IF item->'id' = 'null'::jsonb THEN
                records_row.id := nextval('orders_record_id_seq');
                INSERT INTO orders_record SELECT records_row.*;
                new_id := records_row.id;
            ELSE
                new_id := (item->>'id')::bigint;
                UPDATE orders_record SET
                    state = records_row.state, category = records_row.category, region = records_row.region,
                    station_no = records_row.station_no, revision = records_row.revision, facts = records_row.facts,
                    clocks = records_row.clocks, due_at = records_row.due_at, updated_at = records_row.updated_at
                WHERE id = new_id AND revision = (item->>'revision')::int;
                IF NOT FOUND THEN
                    RAISE EXCEPTION 'record % moved on', given_ref USING ERRCODE = 'serialization_failure';
                END IF;
            END IF;
        END IF;
        ids := ids || new_id;

        INSERT INTO journal_entry (at, subject, kind, process, from_state, to_state, revision, actor_id, actor_name,
                                   actor_role, station_no, region, data)
        VALUES (happened, given_ref, entry->>'kind', entry->>'process', entry->>'from_state',
                entry->>'to_state', (entry->>'revision')::int, (entry->>'actor_id')::bigint,
                entry->>'actor_name', entry->>'actor_role', entry->>'station_no',
                entry->>'region', entry->'data');

        IF jsonb_array_length(item->'ended') > 0 THEN
            UPDATE process_timer SET state = 'void'
            WHERE subject = given_ref AND state = 'open'
              AND clock IN (SELECT jsonb_array_elements_text(item->'ended'));
        END IF;
        IF jsonb_array_length(item->'timers') > 0 THEN
            INSERT INTO process_timer (subject, clock, step, generation, due_at, state)
            SELECT given_ref, t.clock, t.step, t.generation, t.due_at, 'open'
            FROM jsonb_to_recordset(item->'timers') AS t(clock text, step text, generation int, due_at timestamptz);
        END IF;
        IF jsonb_array_length(item->'messages') > 0 THEN
            INSERT INTO journal_outgoing (key, at, subject, notice, channel, role, station_no, region, address, data,
                                          state, attempts, next_try_at, error)
            SELECT m.key, happened, given_ref, m.notice, m.channel, m.role, m.station_no, m.region, '', m.data,
                   m.state, 0, CASE WHEN m.state = 'pending' THEN happened END, ''
            FROM jsonb_to_recordset(item->'messages') AS m(key text, notice text, channel text, role text,
                                                           station_no text, region text, state text, data jsonb);
        END IF;
    END LOOP;
    RETURN ids;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0002_door"), ("network", "0003_one_seat")]

    operations = [migrations.RunSQL(WRITE, "DROP FUNCTION mendline_write(jsonb)")]
