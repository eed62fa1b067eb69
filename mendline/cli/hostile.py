"""`mendline hostile`: all questions of the security tests, with another seed each time."""

import argparse
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from config.home import ROOT
from mendline.cli.hostile_page import page

_STEPS = "tests/security/test_fuzz_steps.py"
_ADDRESSES = "tests/console/test_bad_input_addresses.py"
_WORDS = "tests/browser/test_hostile_words.py"
PARTS: Mapping[str, tuple[str, ...]] = {
    "description": ("tests/api/test_fuzz.py",),  # what the description of the interface allows, as every role
    "steps": (_STEPS,),  # every step of every procedure with facts that are right, nearly right, and wrong
    "matrix": ("tests/access_matrix",),  # every address, as every role, about what is somebody else's
    # Files, tables, passwords, secrets, requests from elsewhere, addresses edited by hand, words a browser would run.
    "walls": ("tests/security", _ADDRESSES, _WORDS, f"--ignore={_STEPS}"),
}
ALL = ("tests/security", "tests/api/test_fuzz.py", "tests/access_matrix", _ADDRESSES, _WORDS)
EXAMPLES = 30
TOLD = "MENDLINE_HOSTILE_TOLD"  # where `hostile_told` writes; that is a plugin of pytest, which only tests have


def main(arguments: Sequence[str]) -> int:
    """Run them; returns what pytest returns (0: nothing was found). The seed is printed and finds the same again."""
    parser = argparse.ArgumentParser(
        prog="mendline hostile",
        description="安全测试的全集：所有角色、地址、文件。 The security tests in full: every role, address and file.",
    )
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000), help="种子 seed (随机 random)")
    parser.add_argument("--examples", type=int, default=EXAMPLES, help="每项请求数 requests for each operation (30)")
    parser.add_argument("--part", choices=[*PARTS], help="只运行一部分 only one part: " + ", ".join(PARTS))
    parser.add_argument("--only", default="", help="只运行名称含此词的 only tests whose name has this in it")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="每项测试的问答写入文件 what each test asked and heard"
    )
    parser.add_argument("--page", type=Path, metavar="FILE", help="证据页写入文件 the page of evidence")
    given = parser.parse_args(arguments)
    asked = f"--seed {given.seed} --examples {given.examples}"
    asked += "".join(f" --{name} {value}" for name, value in (("part", given.part), ("only", given.only)) if value)
    print(asked, flush=True)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", *(PARTS[given.part] if given.part else ALL)]
    environment = {
        **os.environ,
        "MENDLINE_HOSTILE": "whole",
        "MENDLINE_MATRIX": "whole",
        "MENDLINE_FUZZ_SEED": str(given.seed),
        "MENDLINE_FUZZ_EXAMPLES": str(given.examples),
    }
    if given.only:
        command += ["-k", given.only]
    with TemporaryDirectory() as folder:
        told = given.json or (Path(folder) / "told.json" if given.page else None)
        if told:
            command += ["-p", "mendline.cli.hostile_told"]
            environment[TOLD] = os.path.abspath(told)  # noqa: PTH100 - without following links
        load = [os.getloadavg()[0]]
        ended = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
        if given.page and told:
            load.append(os.getloadavg()[0])
            text = page(json.loads(told.read_text("utf-8")), command=f"mendline hostile {asked}", load=load)
            given.page.write_text(text, encoding="utf-8")
    return ended
