"""Every command that the pages tell people to type is carried out, or says why it cannot be."""

from __future__ import annotations

import io
import re
import shlex
import shutil
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command, get_commands, load_command_class
from pytest_django.fixtures import Settings

from mendline.access.models import Token
from mendline.channels.models import Webhook
from mendline.cli import doctor
from mendline.cli.main import COMMANDS
from mendline.process.loading import load_all, processes
from mendline.sim import scenarios, worlds
from tests.docs.pages import CANNOT, LANGUAGES, ROOT, SITE, Block, blocks, page, tried

OWN_SUBJECTS = {name for name, command in COMMANDS.items() if command.own is not None}
_OURS = re.compile(r"(?:make|mendline|\.venv/bin/mendline) ")
RUN = list(dict.fromkeys(line.removeprefix(".venv/bin/") for block in tried("run") for line in block.lines))
SHELLS = ("sh", "shell", "bash", "console")
HERE = {str(path.relative_to(ROOT)) for paths in SITE.values() for path in paths}


def typed() -> Iterator[tuple[str, list[str]]]:
    """Yield every command line of the shell blocks as words, with where it stands."""
    for block in blocks():
        if block.language == "sh":
            for line in block.text.splitlines():
                for part in line.split("&&"):
                    if _OURS.match(part.strip()):
                        yield block.id, shlex.split(part, comments=True)


MENDLINE = [(place, words[1:]) for place, words in typed() if Path(words[0]).name == "mendline"]
MAKE = sorted({(place, words[1]) for place, words in typed() if words[0] == "make"})


def test_every_command_of_the_site_says_how_it_is_tried() -> None:
    assert [one.id for one in blocks() if one.language in SHELLS and one.page in HERE and not one.tried] == []


@pytest.mark.parametrize("block", tried("not"), ids=lambda block: block.id)
def test_a_command_that_is_not_tried_has_a_reason_that_fits(block: Block) -> None:
    reason = block.tried.removeprefix("not").strip()

    assert reason in CANNOT, f"{block.id}: say one of {', '.join(CANNOT)}"
    commands = [line.removeprefix(".venv/bin/") for line in block.lines]
    assert [one for one in commands if not one.startswith(CANNOT[reason])] == []


@pytest.mark.parametrize(("place", "words"), MENDLINE, ids=[f"{place} {' '.join(words)}" for place, words in MENDLINE])
def test_a_command_exists_and_takes_what_the_page_gives_it(place: str, words: list[str]) -> None:
    name, *rest = words
    if name in OWN_SUBJECTS:
        return
    if "--help" in rest:
        rest.remove("--help")
        assert name in get_commands()
        return
    django_name = name.replace("-", "_")
    assert django_name in get_commands() or name in get_commands(), f"{place}: there is no command {name}"
    parser = load_command_class(get_commands()[django_name], django_name).create_parser("mendline", name)
    try:
        parser.parse_args(rest)
    except CommandError as problem:
        pytest.fail(f"{place}: mendline {' '.join(words)}: {problem}")


@pytest.mark.parametrize(("place", "target"), MAKE)
def test_a_make_target_exists(place: str, target: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{re.escape(target)}:", makefile, re.M), f"{place}: make {target}"


@pytest.fixture
def folder(db: None, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A project's folder that commands may write into."""
    for folder in ("processes", "scenarios"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    [mine, *_] = tried("scenario")
    (tmp_path / "mine.yaml").write_text(mine.text, encoding="utf-8")
    settings.PROCESS_FOLDER = tmp_path / "processes"
    settings.SEALS_FOLDER = tmp_path / "seals"
    monkeypatch.chdir(tmp_path)
    processes.cache_clear()
    load_all()
    yield
    processes.cache_clear()


@pytest.fixture
def installation(folder: None) -> None:
    worlds.load("small").build()


def test_the_commands_on_the_pages_do_what_they_are_given(
    installation: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the order of the pages, each once: what stands on several pages is the same command."""
    for line in RUN:
        name, *rest = shlex.split(line)[1:]
        if [name, *rest][:2] == ["process", "test"]:
            continue
        try:
            _carry_out(name, rest)
        except (CommandError, SystemExit) as problem:
            if "--help" not in rest and not (isinstance(problem, SystemExit) and problem.code in (0, None)):
                pytest.fail(f"{line}: {problem} {capsys.readouterr().err[-500:]}")


@pytest.mark.parametrize("line", [line for line in RUN if line.startswith("mendline process test ")])
def test_the_scenarios_on_the_pages_pass(line: str, folder: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scenarios, "scratch_database", nullcontext)  # the test's own database will do

    call_command(*shlex.split(line)[1:], stdout=io.StringIO())


def _carry_out(name: str, rest: list[str]) -> None:
    if name == "doctor":
        assert doctor.main(rest) in (0, 1)  # what it finds is a matter of the machine
        return
    if name in ("stop", "migrate"):  # of all that runs, and of the whole database: test_deploy lets `migrate` work
        own = COMMANDS[name].own
        assert own is not None
        own(["--help"])
        return
    if rest[:1] in (["revoke"], ["stop"]) and rest[1:] == ["1"]:  # the first there is, whatever its number here
        newest = (Token if name == "token" else Webhook).objects.order_by("-pk").first()
        assert newest is not None
        rest[1] = str(newest.pk)
    call_command(name.replace("-", "_"), *rest, stdout=io.StringIO())


@pytest.mark.parametrize("name", sorted(str(path.relative_to(ROOT / "docs" / "zh")) for path in SITE["zh"]))
def test_both_languages_give_the_same_commands(name: str) -> None:
    zh, en = (
        [(block.tried, block.lines) for block in blocks() if block.page == f"docs/{language}/{name}" and block.tried]
        for language in LANGUAGES
    )
    if not name.startswith(("process/", "reference/")):  # there the examples have words of their own
        assert zh == en
    assert [mark for mark, _ in zh] == [mark for mark, _ in en] and page(f"docs/zh/{name}")
