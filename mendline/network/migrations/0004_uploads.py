"""Tables that are being checked before they are imported."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("network", "0003_one_seat")]

    operations = [
        migrations.CreateModel(
            name="Upload",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120)),
                ("content", models.BinaryField()),
                ("uploaded_by", models.BigIntegerField()),
                ("uploaded_at", models.DateTimeField(db_index=True)),
                ("imported_at", models.DateTimeField(null=True)),
            ],
        ),
    ]
