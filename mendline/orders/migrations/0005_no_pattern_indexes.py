"""Drop second indexes that no search uses; every report paid for them.

Django adds one for patterns (LIKE) beside each unique text. Numbers, keys and telephones are looked up
whole here; what people type is searched in tables of its own.
"""

from django.db import migrations

UNUSED = (
    "customers_customer_phone_01182399_like",
    "journal_outgoing_key_596f4907_like",
    "network_seat_order_ref_c637ea2b_like",
)


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0004_due_index"),
        ("customers", "0002_looked_up_by_telephone"),
        ("journal", "0001_initial"),
        ("network", "0001_initial"),
    ]

    operations = [migrations.RunSQL(f"DROP INDEX IF EXISTS {name}", migrations.RunSQL.noop) for name in UNUSED]
