"""`mendline site`: the documentation in Chinese and English, with the reference pages made from the code.

Chinese lies at the root of what is built, English in `en/`; every page has its other language at the same place.
"""

import argparse
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path

from config.home import ROOT

LANGUAGES = ("zh", "en")
DOCS = ROOT / "docs"
BUILD = ROOT / "build"
_SOURCE = "site-source"  # what the builder reads; named in docs/site/*.toml
_TO_PICTURES = re.compile(r"(\]\()((?:\.\./)+)(images/)")
# A line that ends and a next one that begins in Chinese are one sentence; the browser would put a blank between them.
_CHINESE_BREAK = re.compile(r"(?<=[\u3001-\u303f\u4e00-\u9fff\uff00-\uffef”’])\n(?=[\u4e00-\u9fff“‘（])")
_FENCED = re.compile(r"(^```.*?^```$)", re.M | re.S)
_COMMANDS_HEAD = {
    "zh": (
        "命令",
        "`mendline` 就是 `.venv/bin/mendline`。每个命令都可加 `--help`；能供程序读取的有 `--json`。本页由命令表生成。",
        "| 命令 | 作用 |",
    ),
    "en": (
        "Commands",
        "`mendline` is `.venv/bin/mendline`. Every command takes `--help`, and `--json` where scripts may want it."
        " This page is made from the table of commands.",
        "| Command | What it does |",
    ),
}


def main(arguments: Sequence[str]) -> int:
    """Write the reference pages and build the site; returns 1 if a page has a fault."""
    parser = argparse.ArgumentParser(
        prog="mendline site", description="生成参考页并构建中英文文档站。 Write the reference pages, build the site."
    )
    parser.add_argument("--to", type=Path, default=BUILD / "site", help="放到哪里 where to (build/site)")
    parser.add_argument("--pages-only", action="store_true", help="只写参考页 only the reference pages")
    given = parser.parse_args(arguments)
    for path in write_references():
        print(path.relative_to(ROOT))
    if given.pages_only:
        return 0
    if not builder().exists():
        print("缺少 zensical：请先 make install。 The site's builder is missing: run make install.", file=sys.stderr)
        return 1
    fault = build(given.to.resolve())
    if fault:
        print(fault, file=sys.stderr)
        return 1
    print(f"{given.to}\n  python3 -m http.server --directory {given.to}")
    return 0


def references() -> dict[str, Callable[[str], str]]:
    """Return the pages made from the code: their place below docs/<language>/, and what writes them."""
    import django

    django.setup()
    process = import_module("mendline.process.reference")
    interface = import_module("mendline.web.api.reference")
    return {
        "process/keys.md": process.keys_page,
        "process/vocabulary.md": process.vocabulary_page,
        "reference/api-calls.md": interface.calls_page,
        "reference/commands.md": commands_page,
    }


def write_references(docs: Path = DOCS) -> Iterator[Path]:
    """Write the pages made from the code where they changed; yields those."""
    for name, write in references().items():
        for language in LANGUAGES:
            path, text = docs / language / name, write(language)
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
                yield path


def commands_page(language: str) -> str:
    """Return the page of commands, one row for each."""
    commands = import_module("mendline.cli.main").COMMANDS
    title, lead, head = _COMMANDS_HEAD[language]
    lines = [f"# {title}", "", lead, "", head, "| --- | --- |"]
    lines += [
        f"| `mendline {name}` | {(one.zh if language == 'zh' else one.en).replace('|', ' · ')} |"
        for name, one in commands.items()
    ]
    return "\n".join([*lines, ""])


def builder() -> Path:
    return Path(sys.executable).parent / "zensical"


def build(to: Path, work: Path = BUILD) -> str:
    """Build both languages into `to`, by way of the folder `work`; returns what the builder says is wrong."""
    source = work / _SOURCE
    shutil.rmtree(source, ignore_errors=True)
    shutil.rmtree(work / "site", ignore_errors=True)
    shutil.copytree(DOCS / "site" / "overrides", source / "overrides")
    for language in LANGUAGES:
        _stage(language, source / language)
        shutil.copyfile(DOCS / "site" / f"{language}.toml", work / f"{language}.toml")
        command = [str(builder()), "build", "--clean", "--strict", "--config-file", f"{language}.toml"]
        done = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            return f"{done.stdout}{done.stderr}"
    if to != work / "site":
        shutil.rmtree(to, ignore_errors=True)
        shutil.copytree(work / "site", to)
    return ""


def _stage(language: str, folder: Path) -> None:
    """Put a language's pages and pictures into one folder, which is all that the builder sees."""
    shutil.copytree(DOCS / language, folder)
    shutil.copyfile(DOCS / "site" / "site.css", folder / "site.css")
    for page in folder.rglob("*.md"):
        text = page.read_text(encoding="utf-8")
        # In the sources the pictures lie beside the language, here inside it: one step less.
        text = _TO_PICTURES.sub(_one_step_less, text)
        parts = _FENCED.split(text)  # prose and code in turn
        parts[::2] = [_CHINESE_BREAK.sub("", prose) for prose in parts[::2]]
        page.write_text("".join(parts), encoding="utf-8")
    shutil.copytree(DOCS / "images", folder / "images", ignore=shutil.ignore_patterns("*.json"))


def _one_step_less(found: re.Match[str]) -> str:
    return f"{found[1]}{found[2].removeprefix('../')}{found[3]}"
