"""What is changed in the administration (people, keys, webhooks themselves) is nothing for other systems to hear of."""

from django.db import migrations

TOLD = """
CREATE OR REPLACE FUNCTION mendline_tell_webhooks() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF {left_out} NOT EXISTS (SELECT 1 FROM channels_webhook WHERE active) THEN
        RETURN NULL;
    END IF;
    INSERT INTO journal_outgoing (key, at, subject, notice, channel, role, station_no, region, address, data, state,
                                  attempts, next_try_at, error)
    SELECT NEW.id || ':' || w.id, NEW.at, NEW.subject, left(NEW.kind, 60), 'webhook', '', '', '', 'webhook:' || w.id,
           jsonb_build_object(
               'event_id', NEW.id, 'kind', NEW.kind, 'subject', NEW.subject,
               'at', to_char(NEW.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
               'from_state', NEW.from_state, 'to_state', NEW.to_state, 'revision', NEW.revision),
           'pending', 0, NEW.at, ''
    FROM channels_webhook w
    WHERE w.active AND (w.events ? '*' OR w.events ? NEW.kind);
    RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("channels", "0001_webhooks")]

    operations = [
        migrations.RunSQL(
            TOLD.replace("{left_out}", "NEW.process = 'administration' OR"), TOLD.replace("{left_out} ", "")
        )
    ]
