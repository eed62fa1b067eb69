"""How far the work on notices has come."""

from __future__ import annotations

from django.db import models


class CopyCursor(models.Model):
    """The newest notice up to which everybody who wants e-mail as well was given a copy. One row."""

    settled_id = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.settled_id)
