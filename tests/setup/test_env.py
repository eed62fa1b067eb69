"""Settings are read once, typed, and loud when wrong."""

from pathlib import Path

import pytest

from config.env import SettingError, env_flag, env_number, env_secret, env_text
from config.home import local_secret
from mendline.database.address import django_database


@pytest.mark.parametrize("written", ["True", "1", "yes", "on", "off", " TRUE"])
def test_a_flag_is_true_or_false_and_nothing_else(written: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_FLAG", written)

    with pytest.raises(SettingError, match="SOME_FLAG must be true or false"):
        env_flag("SOME_FLAG", False)


def test_an_empty_flag_is_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_FLAG", "")

    assert env_flag("SOME_FLAG", True) is True


@pytest.mark.parametrize(
    ("written", "fits"), [("1", True), ("65535", True), ("0", False), ("65536", False), ("x", False)]
)
def test_a_number_keeps_to_its_limits(written: str, fits: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_PORT", written)

    if fits:
        assert env_number("SOME_PORT", 80, minimum=1, maximum=65535) == int(written)
    else:
        with pytest.raises(SettingError, match="SOME_PORT must be a whole number from 1 to 65535"):
            env_number("SOME_PORT", 80, minimum=1, maximum=65535)


def test_a_secret_in_a_file_wins_over_one_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_text("from the file\n", encoding="utf-8")
    monkeypatch.setenv("SOME_KEY", "from the environment")
    monkeypatch.setenv("SOME_KEY_FILE", str(tmp_path / "key"))

    assert env_secret("SOME_KEY") == "from the file"


def test_a_secret_has_no_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingError, match="SOME_KEY is not set"):
        env_secret("SOME_KEY")

    monkeypatch.setenv("SOME_KEY_FILE", str(tmp_path / "nowhere"))
    with pytest.raises(SettingError, match="SOME_KEY_FILE cannot be read"):
        env_secret("SOME_KEY")


def test_a_missing_text_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingError, match="缺少设置 SOME_TEXT"):
        env_text("SOME_TEXT")


def test_the_local_secret_stays_the_same_and_private(tmp_path: Path) -> None:
    first = local_secret(tmp_path / "state")

    assert local_secret(tmp_path / "state") == first
    assert len(first) >= 50
    assert (tmp_path / "state" / "secret_key").stat().st_mode & 0o077 == 0


def test_production_is_not_started_without_a_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("MENDLINE_DATABASE_ROLE", "app")

    with pytest.raises(SettingError, match="Set DATABASE_URL"):
        django_database(tmp_path, production=True)


def test_another_kind_of_database_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "sqlite:///mendline.db")
    monkeypatch.setenv("MENDLINE_DATABASE_ROLE", "app")

    with pytest.raises(SettingError, match="no other database is supported"):
        django_database(tmp_path, production=True)


def test_an_address_with_awkward_characters_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:p%40ss%2F@db.example:6432/mend%20line?sslmode=require")
    monkeypatch.setenv("MENDLINE_DATABASE_ROLE", "app")

    found = django_database(tmp_path, production=True)

    assert (found["USER"], found["PASSWORD"], found["HOST"], found["PORT"], found["NAME"]) == (
        "me", "p@ss/", "db.example", "6432", "mend line",
    )  # fmt: skip
    assert found["OPTIONS"]["sslmode"] == "require"
    assert found["OPTIONS"]["server_side_binding"] is True


def test_migrations_use_the_owners_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://app@db/mendline")
    monkeypatch.setenv("DATABASE_OWNER_URL", "postgresql://owner@db/mendline")

    for role, user in (("app", "app"), ("owner", "owner")):
        monkeypatch.setenv("MENDLINE_DATABASE_ROLE", role)
        assert django_database(tmp_path, production=True)["USER"] == user


def test_p1_a_database_that_falls_silent_is_given_up_in_seconds_and_the_address_has_the_last_word(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    both = "postgresql://app:x@/mendline?host=10.0.0.1,10.0.0.2&port=5432,5433&target_session_attrs=read-write"
    monkeypatch.setenv("DATABASE_URL", f"{both}&connect_timeout=2")

    found = django_database(tmp_path, production=True)

    assert (found["HOST"], found["PORT"]) == ("10.0.0.1,10.0.0.2", "5432,5433")
    options = found["OPTIONS"]
    assert options["connect_timeout"] == "2" and options["target_session_attrs"] == "read-write"
    silent = options["keepalives_idle"] + options["keepalives_interval"] * options["keepalives_count"]
    assert silent <= 15 and options["tcp_user_timeout"] <= 15_000
