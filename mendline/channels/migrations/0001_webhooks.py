"""Where events are posted to, and the trigger that queues them in the transaction of the event."""

from django.db import migrations, models

import mendline.channels.webhook.models

# One row of the outbox for each active webhook that listens to this kind. SECURITY DEFINER, because whoever writes
# history need not be able to read secrets. No personal data: a receiver that may know more asks the API.
TRIGGER = """
CREATE FUNCTION mendline_tell_webhooks() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM channels_webhook WHERE active) THEN
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
CREATE TRIGGER tell_webhooks AFTER INSERT ON journal_entry
    FOR EACH ROW EXECUTE FUNCTION mendline_tell_webhooks();
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [("journal", "0002_append_only")]

    operations = [
        migrations.CreateModel(
            name="Webhook",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("url", models.CharField(max_length=500)),
                ("secret", models.CharField(default=mendline.channels.webhook.models.new_secret, max_length=100)),
                ("events", models.JSONField(default=list)),
                ("active", models.BooleanField(default=True)),
                ("created_by", models.BigIntegerField(null=True)),
                ("created_at", models.DateTimeField()),
            ],
        ),
        migrations.RunSQL(TRIGGER, "DROP FUNCTION mendline_tell_webhooks() CASCADE"),
    ]
