"""What is in deploy/ starts what it says, and backing up and restoring go as the page tells."""

from __future__ import annotations

import http.client
import os
import re
import shlex
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path

import pytest
from django.db import connection

from mendline.cli.packages import PRINTING
from mendline.network.areas import load_areas
from mendline.sim.faults.crew import on_the_test_database
from tests.docs.pages import LANGUAGES, ROOT, Block, page, tried
from tests.make import a_network, a_report

DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
PATIENCE = 240.0  # seconds; a busy machine is slow and not wrong
FORBIDDEN_CHANGE = "UPDATE orders_repairorder SET state = 'called_back'"


def setting(unit: Path, name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", unit.read_text(encoding="utf-8"), re.M)


def here(command: str) -> list[str]:
    """Return a unit's command as it would be with the project in this folder."""
    return [word.replace("/opt/mendline", str(ROOT)) for word in shlex.split(command)]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="this machine has no systemd-analyze")
def test_the_units_are_sound(tmp_path: Path) -> None:
    project, units = tmp_path / "opt", tmp_path / "units"  # a unit quotes no spaces, which this folder's name may have
    project.symlink_to(ROOT)
    units.mkdir()
    for unit in (DEPLOY / "systemd").iterdir():
        text = unit.read_text(encoding="utf-8").replace("/opt/mendline", str(project))
        (units / unit.name).write_text(text, encoding="utf-8")

    said = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *sorted(units.iterdir())],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    # Other units of the machine may be wrong; ours are named.
    assert [line for line in said.stderr.splitlines() if "mendline" in line] == []


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_names_only_what_there_is(unit: Path) -> None:
    assert setting(unit, "ExecStart")
    for command in setting(unit, "ExecStart"):
        assert Path(here(command)[0]).exists()
    for file in setting(unit, "EnvironmentFile"):
        assert (DEPLOY / Path(file).name).exists()
    for document in setting(unit, "Documentation"):
        assert (ROOT / document.removeprefix("file:/opt/mendline/")).exists()


def test_only_the_unit_that_makes_tables_holds_the_owners_account() -> None:
    holders = [unit.name for unit in UNITS if "/etc/mendline/owner.env" in setting(unit, "EnvironmentFile")]

    assert holders == ["mendline-migrate.service"]
    assert "OWNER" not in (DEPLOY / "mendline.env").read_text(encoding="utf-8")


def test_every_setting_of_the_examples_is_told() -> None:
    given = re.findall(r"^([A-Z_]+)=", (DEPLOY / "mendline.env").read_text() + (DEPLOY / "owner.env").read_text(), re.M)
    told = page("docs/zh/operations/settings.md")

    assert given
    assert [name for name in given if f"`{name.removesuffix('_FILE')}`" not in told] == []


@pytest.fixture
def free_port() -> int:
    """A port that nobody listens at, below those that the system hands out: nobody is given it before we begin."""
    for port in range(20_000 + os.getpid() % 5_000, 32_000):
        with suppress(OSError), closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("unit", "path", "status"),
    [("mendline-web", "/accounts/login/", 200), ("mendline-live", "/live/", 401)],
)
def test_a_units_command_serves(unit: str, path: str, status: int, free_port: int, tmp_path: Path) -> None:
    [command] = setting(DEPLOY / "systemd" / f"{unit}.service", "ExecStart")
    words = here(re.sub(r"--port \d+", f"--port {free_port}", command))
    words += ["--workers", "1"] if unit == "mendline-web" else []  # as many as there are cores would only take longer
    environment = {**on_the_test_database(), "MENDLINE_HOME": str(tmp_path)}
    with subprocess.Popen(words, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            assert answered(free_port, path, process) == status
        finally:
            process.terminate()
            process.wait(PATIENCE)


def answered(port: int, path: str, process: subprocess.Popen[bytes]) -> int:
    give_up_at = time.monotonic() + PATIENCE
    while time.monotonic() < give_up_at:
        with suppress(OSError), closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as asking:
            asking.request("GET", path)
            return asking.getresponse().status
        with suppress(subprocess.TimeoutExpired):
            raise AssertionError(f"it ended with {process.wait(0.1)}")  # while it starts, nobody listens
    raise AssertionError(f"nothing answers at {port}{path}")


def test_the_proxies_pass_both_ports_and_hold_no_event_back() -> None:
    ports = {
        name: re.search(r"--port (\d+)", setting(DEPLOY / "systemd" / f"mendline-{name}.service", "ExecStart")[0])
        for name in ("web", "live")
    }
    nginx, caddy = ((DEPLOY / name).read_text(encoding="utf-8") for name in ("nginx.conf", "Caddyfile"))
    for found in ports.values():
        assert found and f"127.0.0.1:{found[1]}" in nginx and f"127.0.0.1:{found[1]}" in caddy
    live = nginx.partition("location /live/ {")[2].partition("}")[0]
    assert "proxy_buffering off;" in live and "gzip off;" in live
    assert "flush_interval -1" in caddy.partition("handle /live/* {")[2].partition("handle {")[0]
    assert "$request " not in nginx and "$request_uri" not in nginx.partition("log_format")[2].partition(";")[0]
    assert nginx.count("{") == nginx.count("}") and caddy.count("{") == caddy.count("}")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_proxies_on_the_page_are_those_of_the_files(language: str) -> None:
    text = page(f"docs/{language}/operations/tls.md")
    for name, kind in (("nginx.conf", "nginx"), ("Caddyfile", "text")):
        [shown] = re.findall(rf"^```{kind}\n(.*?)^```$", text, re.M | re.S)
        kept = {line.strip() for line in (DEPLOY / name).read_text(encoding="utf-8").splitlines()}
        assert [line for line in shown.splitlines() if line.strip() not in kept] == []


def test_the_container_file_takes_what_the_project_has() -> None:
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    copied = [words.split()[:-1] for words in re.findall(r"^COPY (?!--from)(.+)$", text, re.M)]

    assert [name for names in copied for name in names if not (ROOT / name).exists()] == []
    assert [name for needed in PRINTING for name in needed.packages if name not in text] == []
    assert re.search(r"^USER mendline$", text, re.M)
    assert "/" not in re.findall(r"^FROM (\S+)", text, re.M)[0], "a registry is chosen by whoever builds"


@pytest.fixture
def server_tools(transactional_db: None) -> Path:
    """The folder of the server's own programs: pg_dump of another version refuses."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        major = int(cursor.fetchone()[0]) // 10000
    folder = Path(f"/usr/lib/postgresql/{major}/bin")
    if not (folder / "pg_restore").exists():
        pytest.skip(f"no client programs of PostgreSQL {major} on this machine")
    return folder


@pytest.fixture
def restored(transactional_db: None) -> Iterator[str]:
    """The name of the database that the page restores into, made to fit this test."""
    name = f"{connection.settings_dict['NAME']}_restored"
    drop = f'DROP DATABASE IF EXISTS "{name}"'
    with connection.cursor() as cursor:
        cursor.execute(drop)
    yield name
    with connection.cursor() as cursor:
        cursor.execute(drop)


def rows(environment: Mapping[str, str], url: str) -> str:
    """Return every table's number of rows."""
    ask = """SELECT string_agg(format('SELECT %L, count(*) FROM %I', tablename, tablename), ' UNION ALL ' ORDER BY
        tablename) || ' ORDER BY 1' FROM pg_tables WHERE schemaname = 'public'"""
    statement = psql(environment, url, ask).stdout
    return psql(environment, url, statement).stdout


def psql(environment: Mapping[str, str], url: str, statement: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["psql", "-XAtq", url, "-c", statement], env=environment, capture_output=True, text=True, check=False
    )


def shell(block: Block, environment: Mapping[str, str], folder: Path) -> None:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block.text.replace("mendline_restored", environment["RESTORED_NAME"])],
        cwd=folder, env=dict(environment), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{block.id}: {done.stdout}{done.stderr}"


def test_what_was_backed_up_is_restored_whole(server_tools: Path, restored: str, tmp_path: Path) -> None:
    load_areas()
    a_network()
    order = a_report()
    files = tmp_path / "home" / "files"
    files.mkdir(parents=True)
    (files / "photo").write_bytes(b"a picture")
    owner = on_the_test_database()
    url = owner["DATABASE_OWNER_URL"]
    name = str(connection.settings_dict["NAME"])
    environment = {
        **owner,
        "PATH": f"{server_tools}{os.pathsep}{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "MENDLINE_HOME": str(tmp_path / "home"),
        "RESTORED_URL": url.replace(f"/{name}?", f"/{restored}?"),
        "RESTORED_NAME": restored,
    }
    both = {
        kind: [block for block in tried("shell") if block.tried == f"shell {kind}"] for kind in ("backup", "restore")
    }
    assert [len(found) for found in both.values()] == [2, 2]
    assert all(one.text == other.text for one, other in both.values()), "both languages give the same commands"

    shell(both["backup"][0], environment, tmp_path)
    before = rows(environment, url)
    (files / "photo").unlink()
    shell(both["restore"][0], environment, tmp_path)

    assert rows(environment, environment["RESTORED_URL"]) == before
    found = psql(environment, environment["RESTORED_URL"], "SELECT ref FROM orders_repairorder")
    assert found.stdout.split() == [order.ref]
    assert (files / "photo").read_bytes() == b"a picture"
    refused = psql(environment, environment["RESTORED_URL"], FORBIDDEN_CHANGE)
    assert refused.returncode != 0 and "called_back" in refused.stderr
