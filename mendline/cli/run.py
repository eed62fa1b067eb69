"""`mendline run`: from a fresh folder to a running system, and back to nothing on Ctrl-C."""

import argparse
import http.client
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from threading import Event

from config.env import SettingError, env_number, env_text, has_env
from config.home import make_state_folder, state_folder
from mendline.cli import migrate, packages
from mendline.cli.children import Child, clear_orphans, end_all, environment
from mendline.cli.live import live_command
from mendline.cli.run_lock import AlreadyRunning, RunLock, hold, holder
from mendline.cli.serve import WEB_LIMITS_MS, web_command
from mendline.database import launcher
from mendline.database.cluster import running_pid
from mendline.database.errors import DatabaseUnavailable

HOST = "127.0.0.1"
FIRST_PORT, LAST_PORT = 8000, 8099
WEB_START_SECONDS = 60.0
WATCH_SECONDS = 1.0
GIVE_UP_AFTER_FAILURES = 6
WORKER_LIMITS_MS = {"MENDLINE_STATEMENT_TIMEOUT_MS": "60000", "MENDLINE_LOCK_TIMEOUT_MS": "10000"}


class StartFailed(Exception):
    """A part did not start. The message says which, and shows its last words."""


@dataclass
class Installation:
    """What is running on behalf of this command."""

    home: Path
    stopping: Event = field(default_factory=Event)
    children: list[Child] = field(default_factory=list)
    server: launcher.Server | None = None


def main(arguments: Sequence[str]) -> int:
    """Set up, start, watch, stop. Returns 0 after an orderly stop and when it is running already, else 1."""
    parser = argparse.ArgumentParser(
        prog="mendline run",
        description="启动数据库、网页和后台任务，直到按下 Ctrl-C。 Start database, web and worker until Ctrl-C."
        " MENDLINE_PORT, MENDLINE_HOME, DATABASE_URL are respected.",
    )
    parser.add_argument("--no-demo", action="store_true", help="空库也不载入演示数据 do not load the demo world")
    given = parser.parse_args(arguments)
    home = state_folder()
    make_state_folder(home)
    try:
        with hold(home) as lock, _stop_signals() as stopping:
            return _run(Installation(home, stopping), lock, with_demo=not given.no_demo)
    except AlreadyRunning as held:
        print(held)
        return 0
    except (DatabaseUnavailable, StartFailed, SettingError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1


def stop_main(arguments: Sequence[str]) -> int:
    """Stop the `mendline run` of this state folder; returns 0 also when there is none."""
    argparse.ArgumentParser(prog="mendline stop").parse_args(arguments)
    home = state_folder()
    make_state_folder(home)
    running = holder(home)
    if running is None:
        print("没有在运行。 Nothing is running.")
        return 0
    with suppress(ProcessLookupError):
        os.kill(running.pid, signal.SIGTERM)
    give_up_at = time.monotonic() + 40
    while holder(home) is not None:
        if time.monotonic() > give_up_at:
            print(f"进程 {running.pid} 没有停止。 Process {running.pid} did not stop.", file=sys.stderr)
            return 1
        time.sleep(0.2)
    print("已停止。 Stopped.")
    return 0


def _run(installation: Installation, lock: RunLock, *, with_demo: bool) -> int:
    try:
        orphans = clear_orphans(installation.home)
        if orphans:
            print(f"清理了上次遗留的 {orphans} 个进程。 Ended {orphans} processes left from last time.")
        _prepare_database(installation, with_demo=with_demo)
        address = _start_processes(installation)
        lock.announce(address)
        _welcome(address)
        return _watch(installation)
    finally:
        end_all(installation.children)
        _close_own_connections()
        if installation.server is not None:
            _leave_database(installation.server)


def _prepare_database(installation: Installation, *, with_demo: bool) -> None:
    with _step("数据库 database") as note:
        installation.server = launcher.ensure_running(installation.home)
        note.append(f"PostgreSQL {installation.server.version.split()[0]}")
    # Tables are the owner's; the web process and the worker get their own, lesser account.
    os.environ["MENDLINE_DATABASE_ROLE"] = "owner"
    import django
    from django.core.management import get_commands

    with _step("表、权限与流程 tables, rights, processes"):
        django.setup()
        migrate.bring_up_to_date()
        empty = _is_empty()
    if with_demo and empty and "demo" in get_commands():
        with _step("演示数据 demo world"):
            _call(installation, "demo", "--size", "small")
    _close_own_connections()
    del os.environ["MENDLINE_DATABASE_ROLE"]


def _start_processes(installation: Installation) -> str:
    from django.core.management import get_commands

    port = _free_port()
    logs = installation.home / "logs"
    workers = min(2, os.cpu_count() or 1)
    live_address = _start_live(installation, port)
    web = Child(
        "web",
        web_command(HOST, port, workers=workers, threads=4),
        environment(
            installation.home, **WEB_LIMITS_MS, MENDLINE_DATABASE_ROLE="app", MENDLINE_LIVE_ADDRESS=live_address
        ),
        logs / "web.log",
    )
    installation.children.append(web)
    with _step("网页 web"):
        web.start()
        _wait_for(web, port, installation.stopping)
    if "worker" in get_commands():
        worker = Child(
            "worker",
            [sys.executable, "-m", "mendline.cli.main", "worker"],
            environment(installation.home, **WORKER_LIMITS_MS, MENDLINE_DATABASE_ROLE="app"),
            logs / "worker.log",
        )
        installation.children.append(worker)
        with _step("后台任务 worker"):
            worker.start()
    return f"http://{HOST}:{port}"


def _start_live(installation: Installation, web_port: int) -> str:
    """Start the process that tells pages of changes, beside the web's port, and return its address for browsers.

    Without a free port there is none, and pages ask every ten seconds instead.
    """
    if has_env("MENDLINE_LIVE_ADDRESS"):
        return env_text("MENDLINE_LIVE_ADDRESS")
    port = next((port for port in range(web_port + 100, web_port + 120) if port < 65536 and _can_listen(port)), None)
    if port is None:
        return ""
    live = Child(
        "live",
        live_command(HOST, port),
        environment(installation.home, MENDLINE_DATABASE_ROLE="app"),
        installation.home / "logs" / "live.log",
    )
    installation.children.append(live)
    live.start()
    return f"http://{HOST}:{port}/live/"


def _watch(installation: Installation) -> int:
    """Keep everything alive until asked to stop."""
    while not installation.stopping.wait(WATCH_SECONDS):
        server = installation.server
        if server is not None and server.cluster is not None and running_pid(server.cluster) is None:
            print("数据库意外停止，正在恢复。 The database went away; starting it again.", flush=True)
            installation.server = launcher.ensure_running(installation.home)
        for child in installation.children:
            if child.revive():
                print(f"{child.name} 意外停止，已重新启动。 {child.name} ended; started again. {child.log}", flush=True)
            if child.failures >= GIVE_UP_AFTER_FAILURES:
                raise StartFailed(f"{child.name} 反复停止。 {child.name} keeps ending:\n{child.last_words()}")
    print("\n正在停止… Stopping…", flush=True)
    return 0


def _close_own_connections() -> None:
    from django.db import connections

    connections.close_all()


def _leave_database(server: launcher.Server) -> None:
    if server.cluster is not None and not launcher.stop_if_unused(server):
        print("数据库仍有其他连接，保持运行。 The database stays up: others are connected.", flush=True)


def _call(installation: Installation, *command: str) -> None:
    """Run a command as the web process would: with the application's account."""
    child = Child(
        command[0],
        [sys.executable, "-m", "mendline.cli.main", *command],
        environment(installation.home, MENDLINE_DATABASE_ROLE="app"),
        installation.home / "logs" / f"{command[0]}.log",
    )
    installation.children.append(child)
    child.start()
    while child.is_alive():
        if installation.stopping.wait(0.1):
            raise StartFailed("已中断。 Interrupted.")
    installation.children.remove(child)
    if child.process is not None and child.process.returncode != 0:
        raise StartFailed(f"命令失败 mendline {' '.join(command)} failed:\n{child.last_words()}")


def _is_empty() -> bool:
    """Say whether nobody has been entered yet, so that a first visitor could not even log in."""
    from django.contrib.auth import get_user_model
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f'SELECT NOT EXISTS (SELECT 1 FROM "{get_user_model()._meta.db_table}")')
        return bool(cursor.fetchone()[0])


def _free_port() -> int:
    if has_env("MENDLINE_PORT"):
        wanted = env_number("MENDLINE_PORT", FIRST_PORT, minimum=1, maximum=65535)
        if not _can_listen(wanted):
            raise StartFailed(
                f"端口 {wanted} 已被占用，请改 MENDLINE_PORT。 Port {wanted} is taken: choose another MENDLINE_PORT."
            )
        return wanted
    for port in range(FIRST_PORT, LAST_PORT + 1):
        if _can_listen(port):
            return port
    raise StartFailed(f"{FIRST_PORT}–{LAST_PORT} 端口都被占用。 All these ports are taken: set MENDLINE_PORT.")


def _can_listen(port: int) -> bool:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def _wait_for(web: Child, port: int, stopping: Event) -> None:
    """Return when the login page is there.

    Raises:
        StartFailed: the web process ended, answered with an error of its own, or nothing within WEB_START_SECONDS.
    """
    give_up_at = time.monotonic() + WEB_START_SECONDS
    while time.monotonic() < give_up_at and web.is_alive():
        with suppress(OSError, http.client.HTTPException), closing(http.client.HTTPConnection(HOST, port, 20)) as ask:
            ask.request("GET", "/accounts/login/")
            status = ask.getresponse().status
            if status < 500:
                return
            raise StartFailed(f"登录页出错。 The login page answers {status}:\n{web.last_words()}")
        if stopping.wait(0.1):
            raise StartFailed("已中断。 Interrupted.")
    raise StartFailed(f"网页服务没有启动。 The web process did not start:\n{web.last_words()}")


def _welcome(address: str) -> None:
    print(f"\n统修已启动 Mendline is running: {address}\n")
    for login in import_module("mendline.sim.demo").logins():
        print(f"  {login}")
    absent = packages.missing(packages.PRINTING)
    if absent:
        print(f"\n  打印 PDF 时会需要 For PDF pages: {packages.advice(absent)}")
    print("\n  按 Ctrl-C 停止 Press Ctrl-C to stop\n", flush=True)


@contextmanager
def _step(name: str) -> Iterator[list[str]]:
    """Print what is being done, then how long it took; the body may add remarks."""
    remarks: list[str] = []
    began = time.monotonic()
    on_screen = sys.stdout.isatty()
    print(f"… {name}", end="" if on_screen else "\n", flush=True)
    try:
        yield remarks
    except BaseException:
        print(end="\n" if on_screen else "", flush=True)
        raise
    tail = f" ({', '.join(remarks)})" if remarks else ""
    over = "\r" if on_screen else ""
    print(f"{over}✓ {name}{tail} {time.monotonic() - began:.1f} s", flush=True)


@contextmanager
def _stop_signals() -> Iterator[Event]:
    """Turn SIGINT, SIGTERM and SIGHUP into an event; a second Ctrl-C does nothing worse."""
    stopping = Event()
    names = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(name, lambda *_: stopping.set()) for name in names]
    try:
        yield stopping
    finally:
        for name, handler in zip(names, before, strict=True):
            signal.signal(name, handler)
