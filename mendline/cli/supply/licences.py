"""Which licence each piece has, and whether we may use it: an SPDX expression is read, not a word looked for.

Whoever installs Mendline must be able to run, change and pass on the whole of it. So: permissive licences, and those
that ask for their own source alone (LGPL as a library, MPL by file). What tells its licence badly is in `BY_HAND`, each
with its reason; what tells none is a fault until somebody has read it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import PackageMetadata

from mendline.cli.supply.pieces import Piece

PERMISSIVE = frozenset(
    "0BSD Apache-2.0 BSD-1-Clause BSD-2-Clause BSD-3-Clause BSL-1.0 CC0-1.0 CDLA-Permissive-2.0 FTL IJG ISC MIT MIT-0"
    " MIT-CMU NCSA OpenSSL PSF-2.0 PostgreSQL Unicode-3.0 Unicode-DFS-2016 Unlicense WTFPL X11 Zlib bzip2-1.0.6 libtiff"
    " LicenseRef-BSD".split()
)
OWN_SOURCE_ALONE = frozenset("LGPL-2.1-only LGPL-2.1-or-later LGPL-3.0-only LGPL-3.0-or-later MPL-1.1 MPL-2.0".split())
PERMITTED = PERMISSIVE | OWN_SOURCE_ALONE
EXCEPTIONS = frozenset(("LLVM-exception",))  # each gives more than the licence it is added to

WORDS = {
    "apache 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "bsd": "LicenseRef-BSD",
    "bsd license": "LicenseRef-BSD",  # two or three clauses: it does not say
    "bsd 2-clause license": "BSD-2-Clause",
    "gnu general public license v2 or later (gplv2+)": "GPL-2.0-or-later",
    "gnu lesser general public license v2 or later (lgplv2+)": "LGPL-2.1-or-later",
    "isc license (iscl)": "ISC",
    "mit licence": "MIT",
    "mit license": "MIT",
    "mozilla public license 1.1 (mpl 1.1)": "MPL-1.1",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "python software foundation license": "PSF-2.0",
}
"""What packages write in `License` and in their classifiers, and what SPDX calls it."""


@dataclass(frozen=True, slots=True)
class ByHand:
    """A licence that somebody read in the package's own files, because its metadata tell none or tell it wrongly."""

    licence: str
    reason: str


BY_HAND: dict[str, ByHand] = {
    "pkg:npm/htmx-ext-response-targets": ByHand("0BSD", "package.json names none; its LICENSE is the BSD Zero Clause"),
    "pkg:npm/htmx-ext-sse": ByHand("0BSD", "package.json names none; its LICENSE is the BSD Zero Clause"),
    "pkg:pypi/pyphen": ByHand(
        "GPL-2.0-or-later OR LGPL-2.1-or-later OR MPL-1.1", "three classifiers, of which its LICENSE gives the choice"
    ),
    "pkg:pypi/qrcode": ByHand(
        "BSD-3-Clause AND MIT", "a classifier says `other`: its LICENSE is BSD with the MIT notice of what it came from"
    ),
}

NOT_IN_THE_WHEEL = {
    ("pillow", "libimagequant"): "GPL: its bill names what it can be built with; the wheels are built without it",
}
"""What a wheel's own bill names although the wheel does not hold it."""


def licence_of(metadata: PackageMetadata, purl: str) -> str:
    """Return the SPDX expression of a Python package, or nothing where its metadata tell none.

    `License-Expression` counts first, then `License` where it is a name we know, then the classifiers: all of them,
    because nobody says whether several are a choice.
    """
    if by_hand := BY_HAND.get(purl):
        return by_hand.licence
    if "License-Expression" in metadata:
        return metadata["License-Expression"].strip()
    field = " ".join(metadata["License"].split()) if "License" in metadata else ""
    spdx = WORDS.get(field.lower(), field)
    told = [
        classifier.rpartition("::")[2].strip()
        for classifier in metadata.get_all("Classifier") or ()
        if classifier.startswith("License ::")
    ]
    told = [name for name in told if name != "OSI Approved"]
    if spdx in PERMITTED and told[1:] == []:  # several classifiers say more than the one word
        return spdx
    return " AND ".join(dict.fromkeys(WORDS.get(name.lower(), _as_reference(name)) for name in told))


def licence_of_script(package: dict[str, object], purl: str) -> str:
    """Return the same for a package of the bundle, from its line in the lock file."""
    by_hand = BY_HAND.get(purl)
    return by_hand.licence if by_hand else str(package.get("license") or "")


def is_permitted(expression: str) -> bool:
    """Say whether an SPDX expression leaves us a way: any side of an OR, every side of an AND."""
    tokens = re.findall(r"[()]|[^\s()]+", expression.replace("/", " OR "))
    try:
        verdict, rest = _either(tokens)
    except (IndexError, ValueError):
        return False
    return verdict and not rest


def faults(pieces: Iterable[Piece]) -> list[str]:
    """Return what has no known licence or one that is not permitted, by name.

    What is inside a package counts where the wheel tells its licence; where it does not, the package's own files do.
    """
    said = []
    for piece in pieces:
        if not piece.licence:
            said.append(
                f"{piece.called}: 许可证不明，请读其许可文件并写入 BY_HAND / licence unknown: read it, add it there"
            )
        elif not is_permitted(piece.licence):
            said.append(f"{piece.called}: 许可证不在允许之列 / licence not permitted: {piece.licence}")
        said += [
            f"{piece.called} › {one.called}: 许可证不在允许之列 / licence not permitted: {one.licence}"
            for one in piece.inside
            if one.licence and not is_permitted(one.licence) and (piece.name, one.name) not in NOT_IN_THE_WHEEL
        ]
    return said


def _as_reference(name: str) -> str:
    return "LicenseRef-" + re.sub(r"[^A-Za-z0-9.]+", "-", name).strip("-")


def _either(tokens: list[str]) -> tuple[bool, list[str]]:
    verdict, rest = _both(tokens)
    while rest and rest[0].upper() == "OR":
        more, rest = _both(rest[1:])
        verdict = verdict or more
    return verdict, rest


def _both(tokens: list[str]) -> tuple[bool, list[str]]:
    verdict, rest = _one(tokens)
    while rest and rest[0].upper() == "AND":
        more, rest = _one(rest[1:])
        verdict = verdict and more
    return verdict, rest


def _one(tokens: list[str]) -> tuple[bool, list[str]]:
    if tokens[0] == "(":
        verdict, rest = _either(tokens[1:])
        if rest[:1] != [")"]:
            raise ValueError("a bracket is not closed")
        return verdict, rest[1:]
    verdict, rest = tokens[0] in PERMITTED, tokens[1:]
    if rest and rest[0].upper() == "WITH":
        verdict, rest = verdict and rest[1] in EXCEPTIONS, rest[2:]
    return verdict, rest
