"""The first visitor of a new web process does not wait for what it could have read before."""

from __future__ import annotations

import os
import subprocess
import sys

from django.conf import settings


def test_a_web_process_has_its_pages_before_it_serves() -> None:
    said = subprocess.run(
        [sys.executable, "-c", "import config.wsgi, sys; print('mendline.web.console.urls' in sys.modules)"],
        cwd=settings.BASE_DIR, env=os.environ, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert said.stdout.strip() == "True", said.stderr
