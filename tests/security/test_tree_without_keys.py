"""P17: the project's own files hold no key that opens anything; test values are listed, each with its why."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.home import ROOT

# What each is called, what is in every one of them, and its shape.
SHAPES: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("a private key", ("PRIVATE KEY-",), r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----"),
    ("a key of ours", ("ml_",), r"\bml_[A-Za-z0-9_-]{43}\b"),
    ("a sealed secret", ("gAAAAA",), r"\bgAAAAA[A-Za-z0-9_-]{60,}"),
    ("a signed token", ("eyJ",), r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\."),
    ("a key of a cloud", ("AKIA", "ASIA"), r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    ("a key of another cloud", ("LTAI", "AIza"), r"\bLTAI[A-Za-z0-9]{12,24}\b|\bAIza[A-Za-z0-9_-]{35}\b"),
    ("a key of a code host", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), r"\bgh[pousr]_[A-Za-z0-9]{36}"),
    ("a key of another code host", ("glpat-",), r"\bglpat-[A-Za-z0-9_-]{20}"),
    ("a key of a package index", ("pypi-", "npm_"), r"\bpypi-[A-Za-z0-9_-]{40,}|\bnpm_[A-Za-z0-9]{36}"),
    ("a key of a chat or a shop", ("xox", "k_live_"), r"\bxox[abprs]-[A-Za-z0-9-]{10,}|\b[sr]k_live_[A-Za-z0-9]{16,}"),
    ("a password in an address", ("://",), r"://[^\s:/@\"'`{}<>$]*:(?!\*\*\*@)[^\s/@\"'`{}<>$]{3,}@[\w.-]+"),
)
# A word with as much chance in it as a key has, where a key would stand: behind a name that says so.
WORD = re.compile(r"[A-Za-z0-9+/_-]{20,}={0,2}")
NAMED = re.compile(
    r"(?:secret|passw(?:or)?d|token|api_?key|private_?key|seed)\w*[\"']?\s*[:=]\s*[\"']?$", re.IGNORECASE
)
NAME_AND_SIGNS = 40  # so far before the word its name may begin
BITS = 3.9  # for each sign; words of a language stay below it, and so does hex, which is looked at by its length
HEX = re.compile(r"[0-9a-f]{32,}|[0-9A-F]{32,}")
NOT_OURS = {"node_modules", "build", "dist", "__pycache__", "site"}
BOUND_BY_HASH = ("package-lock.json", "requirements/")  # full of digests of what is installed
TEST_VALUES = {
    "://app:secret@db": "what the mask of the log is shown with",
    "://user:password@host": "the shape of a setting, in its description",
    "://user:secret@example.org": "an address that is refused",
    "://user:secret@example.com": "an address that is refused",
    "://user:pass@example.com": "an address that is refused",
    "://mendline_app:secret@127.0.0.1": "a database that is not there",
    "://app:canary-of-the-database@127.0.0.1": "planted, to be looked for in the log",
    "://me:p%40ss%2F@db.example": "signs that an address must spell otherwise",
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_": "a SECRET_KEY of an installation that is not",
}


def own_files(root: Path) -> Iterator[Path]:
    """Yield every text file of the project, without what is installed or built."""
    for path in sorted(root.iterdir()):
        if path.name in NOT_OURS or path.is_symlink():
            continue
        if path.is_dir():
            if not path.name.startswith("."):  # an installation's own state, and what tools keep
                yield from own_files(path)
        elif path.is_file() and path.stat().st_size < 2_000_000:
            yield path


def bits_of(word: str) -> float:
    """Return how much chance there is in a sign of a word, in bits."""
    return -sum(count / len(word) * math.log2(count / len(word)) for count in Counter(word).values())


def keys_in(text: str) -> Iterator[tuple[str, str]]:
    """Yield what looks like a key, and what kind it would be."""
    for kind, parts, shape in SHAPES:
        if any(part in text for part in parts):
            yield from ((kind, match[0]) for match in re.finditer(shape, text))
    for match in WORD.finditer(text):
        if NAMED.search(text[max(0, match.start() - NAME_AND_SIGNS) : match.start()]):
            if HEX.fullmatch(match[0]) or bits_of(match[0]) > BITS:
                yield "a word of chance", match[0]


def test_p17_no_file_of_the_project_holds_a_key() -> None:
    found, seen, used = [], 0, set()
    for path in own_files(ROOT):
        name = path.relative_to(ROOT).as_posix()
        if name.startswith(BOUND_BY_HASH):
            continue
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        seen += 1
        for kind, word in keys_in(text):
            if word in TEST_VALUES:
                used.add(word)
            else:
                found.append(f"{name}: {kind}: {word}")

    assert seen > 1000
    assert found == [], "\n".join(found)
    assert used == {*TEST_VALUES}, "an entry that nothing needs any more"


KEY = "m" + "l_" + "aB3" * 14 + "x"
PLANTED = {
    "a key of ours": KEY,
    "a private key": "-----BEGIN " + "PRIVATE KEY-----",
    "a sealed secret": "gAAA" + "AAB" + "x9" * 40,
    "a signed token": "ey" + "JhbGciOiJIUzI1NiJ9.ey" + "JzdWIiOiIxMjM0In0.abc",
    "a key of a cloud": "AKI" + "AIOSFODNN7EXAMPLE",
    "a key of a code host": "gh" + "p_" + "aB3d" * 9,
    "a password in an address": "postgresql:/" + "/me:hunter22@db.example/x",
    "a word of chance": "SMTP_PASSWORD=" + "fK29dLq0xWz81mVbTgYp",
}


@pytest.mark.parametrize("kind", [*PLANTED])
def test_p17_control_a_key_in_a_file_is_found(tmp_path: Path, kind: str) -> None:
    (tmp_path / "of a page").mkdir()
    (tmp_path / "of a page" / "notes.md").write_text(f"some words\n{PLANTED[kind]}\n", "utf-8")

    assert [one for path in own_files(tmp_path) for one, _ in keys_in(path.read_text("utf-8"))] == [kind]


@pytest.mark.parametrize("harmless", ["token: str = field_of_the_form_in_words", "password = make_password(PASSWORD)"])
def test_p17_control_a_name_is_no_key(harmless: str) -> None:
    assert [*keys_in(harmless)] == []
