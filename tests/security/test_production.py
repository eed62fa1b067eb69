"""What an installation for others starts with: nothing that shows secrets, nothing that travels in clear."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from config.home import ROOT

SHOWN = """
import json
import django
django.setup()
from config import settings
from django.core import checks
found = checks.run_checks(tags=["security"], include_deployment_checks=True)
told = {name: repr(getattr(settings, name)) for name in dir(settings) if name.isupper()}
print(json.dumps({"issues": [issue.id for issue in found], **told}))
"""
NEEDED = {
    "MENDLINE_MODE": "production",
    "MENDLINE_HOSTS": "repair.example.org",
    "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_.!",
    "DATABASE_URL": "postgresql://mendline_app:secret@127.0.0.1:5432/mendline",
    "BEHIND_TLS_PROXY": "true",
    "DJANGO_SETTINGS_MODULE": "config.settings",
}


def started(**changed: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    environment = {name: value for name, value in {**kept, **NEEDED, **changed}.items() if value}
    return subprocess.run(
        [sys.executable, "-c", SHOWN], capture_output=True, text=True, cwd=ROOT, env=environment, check=False
    )


@pytest.fixture(scope="module")
def production() -> dict[str, Any]:
    done = started()
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_djangos_own_check_of_a_deployment_finds_little(production: dict[str, Any]) -> None:
    """W021: whether a domain joins the browsers' list of https-only names is its owner's decision."""
    assert set(production["issues"]) <= {"security.W021"}


@pytest.mark.parametrize("name", ["SESSION_COOKIE", "CSRF_COOKIE", "LANGUAGE_COOKIE"])
def test_cookies_are_for_this_host_over_tls_and_not_for_scripts(production: dict[str, Any], name: str) -> None:
    assert production[f"{name}_NAME"].startswith("'__Host-")
    assert (production[f"{name}_SECURE"], production[f"{name}_HTTPONLY"]) == ("True", "True")
    assert production[f"{name}_SAMESITE"] == "'Lax'"
    assert f"{name}_DOMAIN" not in production and f"{name}_PATH" not in production


def test_browsers_keep_to_https_for_a_year_below_this_name_too(production: dict[str, Any]) -> None:
    assert int(production["SECURE_HSTS_SECONDS"]) >= 365 * 24 * 60 * 60
    assert production["SECURE_HSTS_INCLUDE_SUBDOMAINS"] == production["SECURE_SSL_REDIRECT"] == "True"


def test_nothing_of_development_is_on(production: dict[str, Any]) -> None:
    assert production["DEBUG"] == "False"
    assert (production["WEBHOOK_ALLOW_HTTP"], production["WEBHOOK_ALLOW_PRIVATE"]) == ("False", "False")
    assert production["ALLOWED_HOSTS"] == "['repair.example.org']"
    assert "django.contrib.admin" not in production["INSTALLED_APPS"]
    assert production["ALLAUTH_TRUSTED_PROXY_COUNT"] == "1"


@pytest.mark.parametrize(
    ("changed", "named"),
    [({"SECRET_KEY": ""}, "SECRET_KEY"), ({"MENDLINE_HOSTS": ""}, "MENDLINE_HOSTS"), ({"DEBUG": "true"}, "DEBUG"),
     ({"DATABASE_URL": ""}, "DATABASE_URL")],
)  # fmt: skip
def test_what_is_missing_or_dangerous_stops_the_start_and_is_named(changed: dict[str, str], named: str) -> None:
    done = started(**changed)

    assert done.returncode != 0 and named in done.stderr
    assert NEEDED["SECRET_KEY"] not in done.stderr and "secret@" not in done.stderr
