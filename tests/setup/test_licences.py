"""P21, unknown licence 0: what a package says of its licence is read, and what says nothing is named.

What is really installed is judged in test_sbom.py.
"""

from __future__ import annotations

from email.message import Message
from importlib.metadata import PackageMetadata
from typing import cast

import pytest

from mendline.cli.supply import licences
from mendline.cli.supply.pieces import Piece


def metadata(**told: str | tuple[str, ...]) -> Message:
    message = Message()
    for name, values in told.items():
        for value in (values,) if isinstance(values, str) else values:
            message[name.replace("_", "-")] = value
    return message


def said(**told: str | tuple[str, ...]) -> str:
    return licences.licence_of(cast(PackageMetadata, metadata(**told)), "pkg:pypi/made-up")


@pytest.mark.parametrize(
    ("told", "licence"),
    [
        ({"License_Expression": "MIT AND PSF-2.0", "License": "other"}, "MIT AND PSF-2.0"),
        ({"License": "BSD-3-Clause", "Classifier": "License :: OSI Approved :: BSD License"}, "BSD-3-Clause"),
        ({"License": "Apache 2.0"}, "Apache-2.0"),
        ({"Classifier": ("License :: OSI Approved", "License :: OSI Approved :: MIT License")}, "MIT"),
        ({"License": "see COPYING", "Classifier": "License :: OSI Approved :: MIT License"}, "MIT"),
        (
            {
                "License": "MIT",
                "Classifier": ("License :: OSI Approved :: MIT License", "License :: Other/Proprietary"),
            },
            "MIT AND LicenseRef-Other-Proprietary",
        ),
        ({"License": "Copyright (c) Somebody, all rights reserved"}, ""),
        ({"Classifier": "Topic :: Software Development"}, ""),
    ],
    ids=["expression", "field", "other word", "classifier", "no name", "several count all", "a sentence", "nothing"],
)
def test_a_licence_is_read_from_where_the_package_tells_it(told: dict[str, str], licence: str) -> None:
    assert said(**told) == licence


@pytest.mark.parametrize(
    "expression",
    ["MIT", "Apache-2.0 OR GPL-3.0-only", "MIT AND (LGPL-2.1-or-later OR GPL-2.0-only)", "MIT/Apache-2.0",
     "Apache-2.0 WITH LLVM-exception", "((MPL-2.0))", "(MIT OR Apache-2.0) AND Unicode-3.0"],
)  # fmt: skip
def test_an_expression_that_leaves_a_way_is_permitted(expression: str) -> None:
    assert licences.is_permitted(expression)


@pytest.mark.parametrize(
    "expression",
    ["GPL-3.0-or-later", "MIT AND GPL-3.0-only", "AGPL-3.0-only OR SSPL-1.0", "MIT AND (GPL-2.0-only OR AGPL-3.0-only)",
     "", "MIT AND", "(MIT", "MIT)", "MIT GPL-3.0-only", "GPL-2.0-only WITH LLVM-exception", "MIT WITH Commons-Clause",
     "MIT WITH", "MIT OR (Apache-2.0", "LicenseRef-Other-Proprietary"],
    ids=lambda text: text or "nothing",
)  # fmt: skip
def test_an_expression_that_leaves_none_is_not(expression: str) -> None:
    assert not licences.is_permitted(expression)


def test_a_package_without_a_licence_is_named_with_what_to_do() -> None:
    (fault,) = licences.faults([Piece("library", "made-up", "1.0"), Piece("library", "fine", "1.0", licence="MIT")])

    assert fault.startswith("made-up 1.0: ") and "许可证不明" in fault and "BY_HAND" in fault


def test_a_licence_that_is_not_permitted_is_named_inside_a_package_too() -> None:
    inside = Piece("library", "libhidden", "2", licence="GPL-3.0-only")

    (fault,) = licences.faults([Piece("library", "fine", "1.0", licence="MIT", inside=(inside,))])

    assert fault.startswith("fine 1.0 › libhidden 2: ") and fault.endswith("GPL-3.0-only")


def test_what_the_wheel_does_not_hold_is_really_not_there() -> None:
    from PIL import features

    assert set(licences.NOT_IN_THE_WHEEL) == {("pillow", "libimagequant")}
    assert not features.check("libimagequant")
