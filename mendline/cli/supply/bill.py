"""The bill of materials: what is installed, written as CycloneDX 1.6, and what came and went between two of them.

The same installation gives the same text: sorted, without a time, and numbered by its own content. No address of a
registry is in it, because each machine has its own; a package is named by its purl.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mendline.cli.supply.pieces import Piece

OURSELVES = {"type": "application", "bom-ref": "mendline", "name": "mendline", "purl": "pkg:generic/mendline"}
Document = dict[str, Any]
Held = dict[str, dict[tuple[str, str], str]]
"""By path of names: version and hash of each piece of that name, and the version of the package it is in."""


def bill(pieces: Iterable[Piece]) -> Document:
    """Return the document of these pieces; raises ValueError where two could not be told apart."""
    components = [_component(piece, _reference(piece)) for piece in pieces]
    references = [one["bom-ref"] for one in _flat(components)]
    if len(set(references)) < len(references):
        raise ValueError(
            f"two pieces have one reference: {sorted({one for one in references if references.count(one) > 1})}"
        )
    content = json.dumps(components, sort_keys=True)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, content)}",
        "version": 1,
        "metadata": {"component": {**OURSELVES, "licenses": [{"expression": "Apache-2.0"}]}},
        "components": components,
    }


@dataclass(frozen=True, slots=True)
class Changes:
    """What is different in the second of two bills, one line each."""

    came: tuple[str, ...]
    went: tuple[str, ...]
    changed: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.came or self.went or self.changed)


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Changes:
    """Compare two bills by name, what is inside a package too.

    A file of the same version with other contents counts as changed where its package kept its version: that is what
    an exchanged library looks like. In a new version of the package it is what everybody expects.

    Raises:
        KeyError, TypeError: one of them is no bill of materials.
    """
    old, new = _held(before), _held(after)
    came, went, changed = [], [], []
    for path in sorted(old.keys() | new.keys(), key=lambda one: (one.lower(), one)):
        left, right = old.get(path, {}), new.get(path, {})
        gone, fresh = left.keys() - right.keys(), right.keys() - left.keys()
        kept_package = set(left.values()) & set(right.values())
        versions_gone, versions_fresh = sorted({v for v, _ in gone}), sorted({v for v, _ in fresh})
        if not left:
            came += [f"{path} {version}".rstrip() for version in versions_fresh]
        elif not right:
            went += [f"{path} {version}".rstrip() for version in versions_gone]
        elif versions_gone != versions_fresh:
            changed.append(f"{path} {', '.join(versions_gone) or '–'} → {', '.join(versions_fresh) or '–'}")
        elif fresh and kept_package:
            changed.append(
                f"{path} {', '.join(versions_fresh)}".rstrip() + ": 版本相同而内容不同 same version, other contents"
            )
    return Changes(tuple(came), tuple(went), tuple(changed))


def _reference(piece: Piece, parent: str = "") -> str:
    own = piece.purl or f"{piece.name}@{piece.version}"
    return f"{parent}#{piece.place or own}" if parent else own + (f"#{piece.place}" if piece.place else "")


def _component(piece: Piece, reference: str) -> Document:
    inside = [_component(one, _reference(one, reference)) for one in piece.inside]
    told: Document = {
        "type": piece.kind,
        "bom-ref": reference,
        "name": piece.name,
        "version": piece.version,
        "scope": piece.scope,
        "hashes": [{"alg": algorithm, "content": content} for algorithm, content in piece.hashes],
        "licenses": _licences(piece.licence),
        "purl": piece.purl,
        "externalReferences": _accepted(piece),
        "properties": [
            {"name": f"mendline:{name}", "value": value}
            for name, value in (("place", piece.place), ("version told by", piece.told_by))
            if value
        ],
        "components": inside,
    }
    return {key: value for key, value in told.items() if value}


def _licences(expression: str) -> list[Document]:
    # A slash is how Rust packages wrote OR for years; a name that is no expression would make the bill invalid.
    return [{"expression": expression.replace("/", " OR ")}] if expression else []


def _accepted(piece: Piece) -> list[Document]:
    """Return the hashes of the lock file: each kind of machine has its own wheel, and one was installed."""
    if not piece.accepted:
        return []
    hashes = [{"alg": "SHA-256", "content": content} for content in piece.accepted]
    return [{"type": "distribution", "url": piece.purl, "comment": "any one of these files", "hashes": hashes}]


def _flat(components: Iterable[Document]) -> Iterator[Document]:
    for one in components:
        yield one
        yield from _flat(one.get("components", ()))


def _held(document: Mapping[str, Any]) -> Held:
    found: Held = {}

    def read(components: Iterable[Mapping[str, Any]], above: str, package: str) -> None:
        for one in components:
            path = f"{above} › {one['name']}" if above else str(one["name"])
            version = str(one.get("version", ""))
            hashes = " ".join(str(known["content"]) for known in one.get("hashes", ()))
            found.setdefault(path, {})[version, hashes] = package or version
            read(one.get("components", ()), path, package or version)

    read(document["components"], "", "")
    return found
