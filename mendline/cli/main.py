"""The `mendline` command: finds the database, then hands over.

A command lives where its subject lives, as a Django management command of that package; only what concerns the
whole installation (`run`, `serve`, `migrate`, `doctor` …) is here. `mendline X …` runs the management command X.
"""

import difflib
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from config.env import SettingError
from config.home import make_state_folder, state_folder
from mendline.cli import advisories, backup, doctor, hostile, live, migrate, quality, restore, run, serve, site
from mendline.cli.supply import command as sbom
from mendline.database.errors import DatabaseUnavailable
from mendline.database.launcher import ensure_running, stop_if_unused


@dataclass(frozen=True)
class Command:
    """One line of the help. Without `own` it is a management command of one of the packages."""

    zh: str
    en: str
    own: Callable[[Sequence[str]], int] | None = None
    role: str = "app"
    """The database account it works with: `owner` makes tables and databases, `app` does the daily work."""


COMMANDS: dict[str, Command] = {
    "run": Command("一切就绪并启动（第一次会建库并载入演示数据）", "set everything up and start it", run.main),
    "stop": Command("停止 `mendline run`", "stop what `mendline run` started", run.stop_main),
    "serve": Command("只启动网页服务（生产环境）", "the web process alone, for production", serve.main),
    "live": Command("把变化告诉打开的页面", "tell open pages what changed", live.main),
    "worker": Command("后台任务、计时器与消息发送", "jobs, timers and outgoing messages"),
    "migrate": Command("更新表、权限与流程", "bring tables, rights and processes up to date", migrate.main, "owner"),
    "demo": Command("载入演示数据：small、national、huge", "load a demo world: small, national, huge", None, "owner"),
    "process": Command("流程文件：check|test|diagram|table|load", "check, test, draw or load them", None, "owner"),
    "rules": Command("每条规则由何处执行、由何测试证明", "where each rule is enforced and what proves it"),
    "vocabulary": Command("流程文件可用的名称及其含义", "the names that a process file may use"),
    "bench": Command("测量速度", "measure speed", None, "owner"),
    "simulate": Command("模拟一个世界并核对每个答复", "simulate a world, judge every answer", None, "owner"),
    "defects": Command("植入缺陷，看哪个测试发现", "plant defects, see which test notices", None, "owner"),
    "upgrade-drill": Command("演习升级，一边有人在用", "drill an upgrade under load", None, "owner"),
    "import-network": Command("导入维修站、覆盖、产能", "import stations, coverage and capacity"),
    "export-network": Command("导出维修站、覆盖、产能", "export stations, coverage and capacity"),
    "search": Command("查找索引：status|rebuild", "the index of the search: how far it is, make it anew"),
    "figures": Command("统计数字：status|rebuild", "the figures: as of when they are, count them anew"),
    "token": Command("接口密钥：issue|list|revoke", "keys of machines"),
    "reset-second-factor": Command("重置某人的双重验证", "reset the second factor of somebody who lost it"),
    "webhook": Command("推送地址：add|list|stop", "where events are posted to"),
    "legacy": Command("与旧系统交换：export|import", "exchange with the legacy system"),
    "assess": Command("维修站考评结费依据", "what a station's assessed fee rests on"),
    "backup": Command("备份数据库与附件", "back up the database and the attachments", backup.main, "owner"),
    "restore": Command("从备份恢复，可到某一时刻", "restore from a backup, to a moment if wanted", restore.main),
    "outbox": Command("恢复后扣住的外发消息：status|release", "what is held back after a restore"),
    "audit": Command("历史封存：verify|status", "the sealed history: verify it, how far it is", None, "auditor"),
    "storm": Command("整夜的故障：语句、次序、进程、断线", "a night of failures and its page", None, "owner"),
    "doctor": Command("检查本机与安装", "look this machine and installation over", doctor.main, "owner"),
    "advisories": Command("与公布的漏洞比对（要联网）", "compare with published advisories", advisories.main),
    "sbom": Command("软件物料清单、许可证与变化", "bill of materials, licences, what changed", sbom.main),
    "site": Command("文档站：生成参考页并构建", "the documentation site and its reference pages", site.main),
    "check": Command("静态检查（格式、类型、依赖方向……）", "static checks", quality.check_main, "owner"),
    "test": Command("全部检查与测试", "all checks and tests", quality.test_main, "owner"),
    "hostile": Command("安全测试的全集（约一刻钟）", "all security tests, a quarter of an hour", hostile.main, "owner"),
}  # fmt: skip

# They prepare the database themselves, or need none.
WITHOUT_DATABASE = frozenset(
    (
        "run",
        "restore",
        "stop",
        "storm",
        "check",
        "test",
        "hostile",
        "advisories",
        "sbom",
        "rules",
        "vocabulary",
        "site",
        "makemessages",
        "compilemessages",
        "collectstatic",
        "findstatic",
    )
)
MAKE_TABLES = frozenset(("makemigrations", "sqlmigrate", "showmigrations", "flush"))


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code (2: the command line is wrong)."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(overview())
        return 0
    name, rest = arguments[0], arguments[1:]
    command = COMMANDS.get(name)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    role = command.role if command else "owner" if name in MAKE_TABLES else "app"
    os.environ.setdefault("MENDLINE_DATABASE_ROLE", role)
    try:
        make_state_folder(state_folder())
        if name in WITHOUT_DATABASE or {"-h", "--help"} & set(rest):
            return _hand_over(name, rest)
        server = ensure_running(state_folder())
        try:
            return _hand_over(name, rest)
        finally:
            _let_go()
            if server.started:
                stop_if_unused(server)
    except (DatabaseUnavailable, SettingError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def overview() -> str:
    """Return the help: one line per command, in both languages."""
    lines = ["统修 Mendline", "", "  mendline COMMAND [--help] …", ""]
    width = max(map(len, COMMANDS))
    lines += [f"  {name:<{width}} {one.zh}\n  {'':<{width}} {one.en}" for name, one in COMMANDS.items()]
    lines += [
        "",
        "Django 的命令也可用 Django's own commands work too: shell, dbshell, makemigrations, createsuperuser …",
    ]
    return "\n".join(lines)


def _hand_over(name: str, rest: Sequence[str]) -> int:
    command = COMMANDS.get(name)
    if command is not None and command.own is not None:
        return command.own(rest)

    import django
    from django.core.management import ManagementUtility, get_commands

    django.setup()
    known = get_commands()
    django_name = name.replace("-", "_")
    if django_name not in known:
        near = difflib.get_close_matches(name, [*COMMANDS, *known], n=3)
        hint = f" 是否想用 Did you mean: {', '.join(near)}?" if near else ""
        print(f"没有命令 {name}。 There is no command {name}.{hint} mendline --help", file=sys.stderr)
        return 2
    try:
        ManagementUtility(["mendline", django_name, *rest]).execute()
    except OSError as problem:
        if problem.filename is None:
            raise
        print(f"无法读写 cannot read or write {problem.filename}: {problem.strerror}", file=sys.stderr)
        return 1
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    return 0


def _let_go() -> None:
    """Close our own connections, so that the server can be seen to be unused."""
    from django.conf import settings

    if settings.configured:
        from django.db import connections

        connections.close_all()


if __name__ == "__main__":
    sys.exit(main())
