"""The web process without the limit on tables being made: the control of `hostile_load`, and nothing else."""

from __future__ import annotations

from config.wsgi import application as application
from mendline.web.console import in_turn

WITHOUT_LIMIT = 10_000
in_turn.TURNS = in_turn.Turns(WITHOUT_LIMIT)
