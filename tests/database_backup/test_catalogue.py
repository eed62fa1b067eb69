"""Which folder counts as a backup, which may go, and what a damaged one is told by."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from config.home import state_folder
from mendline.cli.main import main
from mendline.database import backup_catalogue, backup_files, restore
from mendline.database.backup import Source, ask, locked, source_of, take
from mendline.database.backup_catalogue import BackupFailed, Manifest, StoredFile, backups_in, differences, read
from mendline.database.binaries import installed
from mendline.database.launcher import Server, ensure_running

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)


def a_backup(repository: Path, day: int, *, wal: str = "000000010000000000000001") -> Path:
    """A backup of one small file, as complete as one of a server."""
    folder = repository / f"202603{day:02}T010000Z"
    base = folder / "base"
    base.mkdir(parents=True)
    (base / "page").write_bytes(b"rows")
    said = {"Files": [{"Path": "page", "Size": 4, "Checksum": hashlib.sha256(b"rows").hexdigest()}]}
    (base / "backup_manifest").write_text(json.dumps(said))
    (repository / "files" / "ab").mkdir(parents=True, exist_ok=True)
    (repository / "files" / "ab" / "photo").write_bytes(b"a picture")
    photo = StoredFile("ab/photo", 9, hashlib.sha256(b"a picture").hexdigest())
    moment = datetime(2026, 3, day, 1, 5, tzinfo=UTC).isoformat()
    manifest = Manifest(
        1, folder.name, moment, moment, "15.1", 15, "1", "mendline", "mendline_admin", wal, "",
        backup_catalogue.stored(base, [base / "backup_manifest"]), (photo,),
    )  # fmt: skip
    backup_catalogue.write(folder, manifest)
    return folder


def test_a_whole_backup_counts_and_a_half_one_never_does(tmp_path: Path) -> None:
    whole = a_backup(tmp_path, 2)
    a_backup(tmp_path, 3).rename(tmp_path / "20260303T010000Z.making")
    (tmp_path / "20260304T010000Z" / "base").mkdir(parents=True)  # died before its manifest

    assert [one.folder for one in backups_in(tmp_path)] == [whole]
    assert list(differences(read(whole))) == []
    with pytest.raises(BackupFailed, match="whole backup"):
        restore.choose(tmp_path / "20260303T010000Z.making" / "base", None)
    assert backup_catalogue.forget_half_ones(tmp_path) == 1


@pytest.mark.parametrize("path", ["base/page", "base/backup_manifest", "../files/ab/photo"])
@pytest.mark.parametrize("how", ["changed", "shorter", "gone"])
def test_whatever_is_not_as_it_was_written_is_named(path: str, how: str, tmp_path: Path) -> None:
    folder = a_backup(tmp_path, 2)
    file = (folder / path).resolve()
    content = file.read_bytes()
    match how:
        case "changed":
            file.write_bytes(bytes([content[0] ^ 1]) + content[1:])
        case "shorter":
            file.write_bytes(content[:-1])
        case _:
            file.unlink()

    assert [fault for fault in differences(read(folder)) if file.name in fault]


def test_a_manifest_that_was_changed_is_refused(tmp_path: Path) -> None:
    folder = a_backup(tmp_path, 2)
    path = folder / "manifest.json"
    path.write_text(path.read_text().replace('"15.1"', '"15.2"'))

    with pytest.raises(BackupFailed, match="not what was written"):
        read(folder)


def test_the_newest_are_kept_with_the_log_that_they_need(tmp_path: Path) -> None:
    pieces = [f"0000000{line}00000000000000{number:02X}" for line, number in ((1, 1), (1, 2), (2, 3), (2, 4))]
    for day, wal in enumerate(pieces[:3], start=1):
        a_backup(tmp_path, day, wal=wal)
    (tmp_path / "wal").mkdir()
    for name in (*pieces[:3], f"{pieces[3]}.partial", "00000002.history"):
        (tmp_path / "wal" / name).touch()

    removed = backup_catalogue.forget_old(tmp_path, 2)

    assert removed == ["20260301T010000Z"] and len(backups_in(tmp_path)) == 2
    left = sorted(path.name for path in (tmp_path / "wal").iterdir())
    assert left == sorted([*pieces[1:3], f"{pieces[3]}.partial", "00000002.history"])


def test_the_newest_backup_before_the_moment_is_chosen(tmp_path: Path) -> None:
    first, second = a_backup(tmp_path, 2), a_backup(tmp_path, 4)

    assert restore.choose(tmp_path, None).folder == second
    assert restore.choose(tmp_path, datetime(2026, 3, 3, tzinfo=UTC)).folder == first
    with pytest.raises(BackupFailed, match="lies before it"):
        restore.choose(tmp_path, datetime(2026, 3, 1, tzinfo=UTC))
    with pytest.raises(BackupFailed, match="no whole backup"):
        restore.choose(tmp_path / "files", None)


def test_attachments_are_copied_once_and_an_interrupted_copy_goes_on(tmp_path: Path) -> None:
    files, repository = tmp_path / "files", tmp_path / "repository"
    repository.mkdir()
    for name in ("ab/one", "cd/two"):
        (files / name).parent.mkdir(parents=True)
        (files / name).write_text(name)
    (files / "ab" / ".half").write_text("an upload that is under way")
    assert backup_files.copy_new(files, repository) == 2
    (repository / "files" / "cd" / "two").unlink()
    (repository / backup_files.INDEX).write_text((repository / backup_files.INDEX).read_text() + "torn of")

    assert backup_files.copy_new(files, repository) == 1
    assert backup_files.put_back(repository, tmp_path / "back") == 2
    assert (tmp_path / "back" / "cd" / "two").read_text() == "cd/two"
    assert not list((tmp_path / "back").rglob(".half"))


def test_an_index_that_leads_outside_is_refused(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "stolen").write_text("x")
    (tmp_path / backup_files.INDEX).write_text(f"{hashlib.sha256(b'x').hexdigest()} 1 ../stolen\n")

    with pytest.raises(BackupFailed, match="outside"):
        backup_files.put_back(tmp_path, tmp_path / "home" / "files")


def test_two_backups_at_once_are_one_too_many(tmp_path: Path) -> None:
    with (tmp_path / ".lock").open("a") as other:
        fcntl.flock(other, fcntl.LOCK_EX)

        with pytest.raises(BackupFailed, match="wait for it"), locked(tmp_path):
            pass


@pytest.fixture
def server() -> Server:
    return ensure_running(state_folder())


def source(server: Server, role: str, tmp_path: Path) -> Source:
    return Source(server.urls[role], installed()[0].folder, tmp_path / "files", tmp_path / "seals")


def test_an_account_without_the_right_is_told_what_its_administrator_has_to_do(server: Server, tmp_path: Path) -> None:
    if server.cluster is None:
        pytest.skip("DATABASE_URL names a server whose accounts we do not know")
    with pytest.raises(BackupFailed, match="CREATE ROLE mendline_backup LOGIN REPLICATION") as refused:
        ask(source(server, "app", tmp_path))
    assert "DATABASE_BACKUP_URL" in str(refused.value) and "pg_hba.conf" in str(refused.value)


def test_without_room_nothing_is_begun(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if server.cluster is None:
        pytest.skip("DATABASE_URL names a server whose accounts we do not know")
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 1_000_000}))

    with pytest.raises(BackupFailed, match="are needed: make room"):
        take(source(server, "admin", tmp_path), tmp_path / "repository", keep=3, now=NINE)
    assert [path.name for path in (tmp_path / "repository").iterdir()] == [".lock"]


def test_the_password_is_on_no_command_line(server: Server, tmp_path: Path) -> None:
    if server.cluster is None:
        pytest.skip("DATABASE_URL names a server whose accounts we do not know")
    found = source_of(server, None, files=tmp_path, seals=tmp_path)
    password = str(conninfo_to_dict(found.url)["password"])

    assert password not in " ".join(found.arguments()) and found.environment()["PGPASSWORD"] == password


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["backup", "--keep", "0"], "--keep must be 1 or more"),
        (["restore", "somewhere", "--until", "2026-03-02T09:30"], "write the zone as well"),
        (["restore", "somewhere", "--until", "yesterday"], "write a moment like"),
        (["restore", "somewhere", "--into", "postgresql://x/y"], "takes a folder"),
    ],
)
def test_a_wrong_command_line_says_what_to_write(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(words)

    assert said in capsys.readouterr().err


def test_an_account_made_as_the_words_say_may_back_up(server: Server, tmp_path: Path) -> None:
    if server.cluster is None:
        pytest.skip("DATABASE_URL names a server whose accounts we do not know")
    name = f"backup_{tmp_path.name.rpartition('_')[2][:20]}_{os.getpid()}"
    with psycopg.connect(server.urls["admin"], autocommit=True) as connection:
        connection.execute(f"CREATE ROLE \"{name}\" LOGIN REPLICATION PASSWORD 'x'".encode())
        try:
            connection.execute(f'GRANT CONNECT ON DATABASE mendline TO "{name}"'.encode())
            connection.execute(f'GRANT pg_read_all_stats TO "{name}"'.encode())
            known = {**conninfo_to_dict(server.urls["admin"]), "user": name, "password": "x"}
            about = ask(Source(make_conninfo("", **known), installed()[0].folder, tmp_path, tmp_path))
        finally:
            connection.execute(f'DROP OWNED BY "{name}"'.encode())
            connection.execute(f'DROP ROLE "{name}"'.encode())

    assert (about.user, about.may_replicate, about.database) == (name, True, "mendline") and about.bytes > 0
