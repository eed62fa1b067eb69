"""Customers are looked up by telephone; names are found through their orders (`mendline/search`)."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("customers", "0001_initial")]

    operations = [migrations.RemoveIndex(model_name="customer", name="customer_by_name")]
