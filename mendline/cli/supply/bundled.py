"""What a wheel brings along beside its own code: libraries of C, programs, and what its own bill says it is built from.

An advisory for OpenSSL says nothing of psycopg, although psycopg's wheel carries one. So these are found in three ways:
by file name (auditwheel puts them into `*.libs/` with a hash in the name), by what is written inside the few whose
name tells too little, and by the bills in `*.dist-info/sboms/`.
"""

from __future__ import annotations

import csv
import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mendline.cli.supply.pieces import Piece, in_order

LIBRARY = re.compile(
    r"(?P<name>lib[^/]+?)(?:-[0-9a-f]{8})?\.(?:so(?:\.(?P<version>[0-9.]+))?|(?P<mac>[0-9.]*)\.?dylib|dll)$"
)
PROGRAM = b"\x7fELF"
WRITTEN_INSIDE = {
    # The file's name tells the number of the interface alone (3), which did not change for five years of advisories.
    "libcrypto": re.compile(rb"OpenSSL (\d+\.\d+\.\d+[a-z]?) +\d+ [A-Z][a-z]{2} \d{4}"),
    "libkrb5": re.compile(rb"krb5-(\d+\.\d+(?:\.\d+)?)"),
}


def bundled(folder: Path, record: str, own_purl: str, *, scope: str) -> tuple[Piece, ...]:
    """Return what one installed package carries. `record` is its RECORD, whose paths begin at `folder`."""
    found: dict[tuple[str, str], Piece] = {}
    bills: list[Path] = []
    for place, sha256 in _entries(record):
        name = place.rpartition("/")[2]
        if "/sboms/" in place and name.endswith(".json"):
            bills.append(folder / place)
            continue
        piece = _library(folder, place, sha256, scope=scope) or _program(folder, place, sha256, scope=scope)
        if piece is not None:
            # A wheel has no links: libpq.so, libpq.so.5 and libpq.so.5.18 are one file three times.
            known = found.get((piece.name, sha256))
            if known is None or len(piece.version) > len(known.version):
                found[piece.name, sha256] = piece
    told = [piece for bill in sorted(bills) for piece in _of_bill(bill, own_purl, scope=scope)]
    return in_order([*found.values(), *dict.fromkeys(told)])


def _entries(record: str) -> Iterator[tuple[str, str]]:
    """Yield path and SHA-256 in hexadecimal of each file of a RECORD."""
    for row in csv.reader(record.splitlines()):
        if len(row) > 1 and row[1].startswith("sha256="):
            text = row[1].removeprefix("sha256=")
            yield row[0], urlsafe_b64decode(text + "=" * (-len(text) % 4)).hex()


def _library(folder: Path, place: str, sha256: str, *, scope: str) -> Piece | None:
    match = LIBRARY.fullmatch(place.rpartition("/")[2])
    if match is None or re.search(r"\.(cpython-|abi3)", place):  # the latter are the package's own code
        return None
    name, version, told_by = match["name"], match["version"] or match["mac"] or "", "file name"
    if inside := WRITTEN_INSIDE.get(name):
        written = inside.search((folder / place).read_bytes())
        version, told_by = (written[1].decode(), "inside the file") if written else (version, told_by)
    return Piece("library", name, version, scope=scope, hashes=(("SHA-256", sha256),), place=place, told_by=told_by)


def _program(folder: Path, place: str, sha256: str, *, scope: str) -> Piece | None:
    name = place.rpartition("/")[2]
    path = folder / place
    if "." in name or not path.is_file():
        return None
    with path.open("rb") as file:
        if file.read(len(PROGRAM)) != PROGRAM:
            return None
    return Piece("application", name, scope=scope, hashes=(("SHA-256", sha256),), place=place)


def _of_bill(path: Path, own_purl: str, *, scope: str) -> Iterator[Piece]:
    """Yield what a wheel's own bill names, without what only built it and without the package itself."""
    document = json.loads(path.read_text(encoding="utf-8"))
    own = own_purl.lower().replace("_", "-")
    for one in document.get("components", ()):
        # Qualifiers and the part after # are addresses and folders of whoever built it.
        purl = re.split(r"[?#]", str(one.get("purl") or ""))[0]
        if one.get("scope") == "excluded" or purl.lower().replace("_", "-") == own:
            continue
        yield Piece(
            "library",
            str(one["name"]),
            str(one.get("version") or ""),
            purl,
            _licence(one),
            scope,
            tuple((str(h["alg"]), str(h["content"])) for h in one.get("hashes", ()) if h["alg"].startswith("SHA-")),
            told_by=f"the wheel's own bill, {path.name}",
        )


def _licence(component: Mapping[str, Any]) -> str:
    told = []
    for one in component.get("licenses") or ():
        licence = one.get("license") or {}
        told.append(str(one.get("expression") or licence.get("id") or licence.get("name") or ""))
    return " AND ".join(filter(None, told))
