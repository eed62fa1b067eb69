"""Commands that the pages tell people to type exist, and take the options they are shown with."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError, get_commands, load_command_class

from mendline.cli.main import COMMANDS
from tests.docs.pages import ROOT, blocks

_OURS = re.compile(r"(?:make|mendline|\.venv/bin/mendline) ")
OWN_SUBJECTS = {name for name, command in COMMANDS.items() if command.own is not None}


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


@pytest.mark.parametrize(("place", "words"), MENDLINE, ids=[f"{place} {' '.join(words)}" for place, words in MENDLINE])
def test_a_command_exists_and_takes_what_the_page_gives_it(place: str, words: list[str]) -> None:
    name, *rest = words
    if name in OWN_SUBJECTS:
        return
    django_name = name.replace("-", "_")
    assert django_name in get_commands(), f"{place}: there is no command {name}"
    parser = load_command_class(get_commands()[django_name], django_name).create_parser("mendline", name)
    try:
        parser.parse_args(rest)
    except CommandError as problem:
        pytest.fail(f"{place}: mendline {' '.join(words)}: {problem}")


@pytest.mark.parametrize(("place", "target"), MAKE)
def test_a_make_target_exists(place: str, target: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{re.escape(target)}:", makefile, re.M), f"{place}: make {target}"
