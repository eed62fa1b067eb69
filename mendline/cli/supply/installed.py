"""Everything that is installed here: Python itself, its packages, those of the bundle."""

from __future__ import annotations

import json
import platform
import re
import ssl
import sysconfig
from base64 import b64decode
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path
from urllib.parse import quote

from config.home import ROOT
from mendline.cli.supply.bundled import bundled
from mendline.cli.supply.licences import licence_of, licence_of_script
from mendline.cli.supply.pieces import EXCLUDED, OPTIONAL, REQUIRED, Piece, in_order, normal

OURSELVES = "mendline"
SCOPES = (("base", REQUIRED), ("embedded", OPTIONAL))
"""A package that is in several lists has the scope of the first; what is in none of these is a tool of development."""

Lock = dict[tuple[str, str], tuple[str, ...]]


def everything(root: Path = ROOT, site: Path | None = None) -> tuple[Piece, ...]:
    """Return what is installed, in the order of its names."""
    site = site or Path(sysconfig.get_path("purelib"))
    return in_order([python_itself(), *python_packages(root, site), *packages_of_bundle(root)])


def python_itself() -> Piece:
    """Return the interpreter, with the OpenSSL that it is linked with; both come with the operating system."""
    openssl = Piece("library", "OpenSSL", ssl.OPENSSL_VERSION.split()[1], licence="Apache-2.0", told_by="ssl")
    version = platform.python_version()
    return Piece("application", "Python", version, f"pkg:generic/python@{version}", "PSF-2.0", inside=(openssl,))


def python_packages(root: Path, site: Path) -> list[Piece]:
    """Return the installed Python packages with what they carry, and the hashes that the lock files accept for each."""
    locks = {path.stem: read_lock(path) for path in sorted((root / "requirements").glob("*.txt"))}
    return [_package(one, site, locks) for one in distributions(path=[str(site)]) if normal(one.name) != OURSELVES]


def read_lock(path: Path) -> Lock:
    """Return name and version of each line of a lock file, with the SHA-256 of the files it accepts."""
    found: dict[tuple[str, str], list[str]] = {}
    hashes: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if match := re.match(r"([A-Za-z0-9._-]+)==([^\s;\\]+)", line):
            hashes = found.setdefault((normal(match[1]), match[2]), [])
        hashes += re.findall(r"--hash=sha256:([0-9a-f]{64})", line)
    return {key: tuple(sorted(values)) for key, values in found.items()}


def not_locked(pieces: tuple[Piece, ...]) -> list[str]:
    """Return the packages that nobody locked: no hash was compared when they were installed."""
    return [one.called for one in pieces if one.purl.startswith(("pkg:pypi/", "pkg:npm/")) and not _is_locked(one)]


def packages_of_bundle(root: Path) -> list[Piece]:
    """Return what the front end is made of and built with, as far as it is installed: some are for other machines."""
    document = json.loads((root / "package-lock.json").read_text(encoding="utf-8"))
    found = []
    for place, package in document["packages"].items():
        if not place or not (root / place).is_dir():
            continue
        name = place.rpartition("node_modules/")[2]
        bare = f"pkg:npm/{quote(name, safe='/')}"
        algorithm, _, digest = str(package.get("integrity") or "").partition("-")
        hashes = ((f"SHA-{algorithm.removeprefix('sha')}", b64decode(digest).hex()),) if digest else ()
        found.append(
            Piece(
                "library",
                name,
                package["version"],
                f"{bare}@{package['version']}",
                licence_of_script(package, bare),
                EXCLUDED if package.get("dev") else REQUIRED,
                hashes,
                place=place,
            )
        )
    return found


def _package(one: Distribution, site: Path, locks: dict[str, Lock]) -> Piece:
    key = (normal(one.name), one.version)
    purl = f"pkg:pypi/{key[0]}"
    scope = next((scope for name, scope in SCOPES if key in locks.get(name, {})), EXCLUDED)
    full = f"{purl}@{one.version}"
    return Piece(
        "library",
        one.name,
        one.version,
        full,
        licence_of(one.metadata, purl),
        scope,
        accepted=next(_accepted(key, locks), ()),
        inside=bundled(site, one.read_text("RECORD") or "", full, scope=scope),
    )


def _accepted(key: tuple[str, str], locks: dict[str, Lock]) -> Iterator[tuple[str, ...]]:
    return (lock[key] for lock in locks.values() if key in lock)


def _is_locked(piece: Piece) -> bool:
    return bool(piece.accepted or piece.hashes)
