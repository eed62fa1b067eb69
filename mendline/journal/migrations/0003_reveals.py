"""Who saw how many telephone numbers in the last hour is asked at every look: a small index of its own."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("journal", "0002_append_only")]

    operations: ClassVar = [
        migrations.AddIndex(
            model_name="entry",
            index=models.Index(
                condition=models.Q(("kind", "order.reveal_phone")), fields=["actor_id", "at"], name="entry_of_a_reveal"
            ),
        ),
    ]
