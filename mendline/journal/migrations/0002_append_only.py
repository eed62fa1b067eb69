"""History is only ever added to, whoever connects. Only the owner of the table may still empty it as a whole."""

from django.db import migrations

REFUSE = """
CREATE FUNCTION mendline_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the journal is append-only' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON journal_entry
    FOR EACH ROW EXECUTE FUNCTION mendline_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("journal", "0001_initial")]

    operations = [migrations.RunSQL(REFUSE, "DROP FUNCTION mendline_append_only() CASCADE")]
