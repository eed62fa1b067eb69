"""The queue of those who see everything gets an index; the doubles of the numbers' unique keys go.

Django makes a second index with `varchar_pattern_ops` for every unique text, for searches by a beginning. Orders and
records are never searched by the beginning of their number, and every new one paid for it.
"""

from django.db import migrations, models

DROP_DOUBLES = """
DO $$
DECLARE name text;
BEGIN
    FOR name IN SELECT indexname FROM pg_indexes
        WHERE schemaname = 'public' AND tablename IN ('orders_repairorder', 'orders_record')
          AND indexname LIKE '%\\_ref\\_%\\_like'
    LOOP
        EXECUTE format('DROP INDEX %I', name);
    END LOOP;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0003_write")]

    operations = [
        migrations.AddIndex(
            "repairorder",
            models.Index(
                fields=["due_at", "id"], name="order_due", condition=models.Q(category__in=["open", "waiting"])
            ),
        ),
        migrations.RunSQL(DROP_DOUBLES, migrations.RunSQL.noop),
    ]
