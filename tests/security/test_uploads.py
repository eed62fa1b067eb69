"""P12: four hundred files that pretend to be a photo; what is kept was drawn by us, under a name that says nothing.

Most are turned away by their first bytes. Those that reach the child that draws pictures cost a process each, which is
forked here (see `weighing`); with MENDLINE_HOSTILE=whole it is started as the product starts it. What each costs is in
`test_uploads_weighed`.
"""

from __future__ import annotations

import io
import itertools
import os
import re
import stat
import struct
import unicodedata
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from zlib import crc32

import pytest
from django.http import FileResponse
from django.urls import get_resolver
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image
from pytest_django import Settings

from mendline.kernel.errors import Invalid
from mendline.orders import attachments
from mendline.orders.attachments import checked, clean_name, media_type_of
from tests.api.conftest import Machines
from tests.security.weighing import scale as scale
from tests.security.weighing import weighed as weighed

WHOLE = os.environ.get("MENDLINE_HOSTILE") == "whole"
MANY = 100_000_000 if WHOLE else 5_000_000
CANARY = b"<script>canary()</script>"
# Beginnings of files that are no photo and no PDF, whatever they are called.
OTHERS: dict[str, bytes] = {
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='canary()'/>",
    "svg after a mark": b"\xef\xbb\xbf<?xml version='1.0'?><svg onload='canary()'/>",
    "svg in utf-16": "<svg onload='canary()'/>".encode("utf-16"),
    "svg packed": b"\x1f\x8b\x08\x00" + zlib.compress(b"<svg onload='canary()'/>"),
    "html": b"<!doctype html>" + CANARY,
    "html after blanks": b"   \n\t" + CANARY,
    "xhtml": b"<?xml version='1.0'?><html/>",
    "mhtml": b"From: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related\r\n\r\n" + CANARY,
    "eml": b"Received: from x\r\nSubject: x\r\n\r\n" + CANARY,
    "xsl": b"<xsl:stylesheet version='1.0'/>",
    "php": b"<?php system($_GET[0]); ?>",
    "jsp": b"<% out.print(1); %>",
    "shell": b"#!/bin/sh\nid\n",
    "javascript": b"alert(1)",
    "python": b"import os",
    "batch": b"@echo off\r\n",
    "htaccess": b"AddHandler x .jpg\n",
    "exe": b"MZ" + b"\x00" * 200,
    "elf": b"\x7fELF\x02\x01\x01",
    "mach-o": b"\xcf\xfa\xed\xfe",
    "class": b"\xca\xfe\xba\xbe",
    "wasm": b"\x00asm\x01\x00\x00\x00",
    "swf": b"FWS\x09",
    "jar": b"PK\x03\x04jar",
    "docx": b"PK\x03\x04word/",
    "xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    "rar": b"Rar!\x1a\x07",
    "7z": b"7z\xbc\xaf\x27\x1c",
    "gzip": b"\x1f\x8b\x08",
    "bzip2": b"BZh9",
    "xz": b"\xfd7zXZ\x00",
    "zstd": b"\x28\xb5\x2f\xfd",
    "tar": b"a" + b"\x00" * 256 + b"ustar",
    "gif": b"GIF89a" + b"\x00" * 50,
    "gif with a script": b"GIF89a/*" + CANARY + b"*/=1;",
    "bmp": b"BM" + b"\x00" * 60,
    "tiff": b"II*\x00" + b"\x00" * 60,
    "tiff the other way": b"MM\x00*",
    "ico": b"\x00\x00\x01\x00",
    "psd": b"8BPS\x00\x01",
    "heic": b"\x00\x00\x00\x18ftypheic",
    "avif": b"\x00\x00\x00\x18ftypavif",
    "mp4": b"\x00\x00\x00\x18ftypmp42",
    "jpeg 2000": b"\x00\x00\x00\x0cjP  \r\n\x87\n",
    "webm": b"\x1aE\xdf\xa3",
    "ogg": b"OggS",
    "mp3": b"ID3\x03",
    "eps": b"%!PS-Adobe",
    "postscript in disguise": b"\xc5\xd0\xd3\xc6",
    "jpeg but for a byte": b"\xff\xd8\xfe" + b"\x00" * 99,
    "half a jpeg": b"\xff\xd8",
    "png with unix line ends": b"\x89PNG\n\x1a\n",
    "riff that is sound": b"RIFF\x00\x00\x00\x00WAVE",
    "pdf after something": b"x%PDF-1.7",
    "pdf after blanks": b"\n%PDF-1.7",
    "pdf of no version": b"%PDF-9.9",
    "nothing": b"",
    "zeros": b"\x00" * 4096,
    "ones": b"\xff" * 4096,
    "a link": b"/etc/passwd",
    "a symbolic link": b"!<symlink>\xff\xfe/\x00e",
}
# What a camera or an agency writes into a JPEG besides Exif: place and photographer, as a block of Photoshop's.
PRESS = b"Photoshop 3.0\x008BIM\x04\x04\x00\x00" + struct.pack(">I", len(CANARY)) + CANARY + b"\x00"
NAMES_OF_OTHERS = ("a.jpg", "a.png", "a.webp", "a.pdf", "a", "a.svg")
# Endings that a server or a browser could take for something to run.
DANGEROUS = (
    "php",
    "php5",
    "phtml",
    "phar",
    "jsp",
    "jspx",
    "asp",
    "aspx",
    "cgi",
    "pl",
    "py",
    "sh",
    "exe",
    "bat",
    "cmd",
    "scr",
    "js",
    "mjs",
    "html",
    "htm",
    "xhtml",
    "shtml",
    "svg",
    "svgz",
    "xml",
    "xsl",
    "swf",
    "mht",
    "mhtml",
    "hta",
    "lnk",
    "url",
    "htaccess",
    "jpg.php",
    "jpg.html",
    "jpg;.php",
    "jpg%00.php",
    "jpg\x00.php",
    "jpg\u200b.html",
    "jpg\u202ephp",
    "jpg .html",
    "pHp",
    "ｈｔｍｌ",
    "jpg::$DATA",
    "jpg/.php",
    "jpg\r\n.html",
    "gif",
    "tiff",
    "zip",
)


def a_picture(kind: str = "JPEG", size: tuple[int, int] = (30, 20), mode: str = "RGB", **saved: object) -> bytes:
    content = io.BytesIO()
    Image.new(mode, size, (200, 30, 30, 128)[: len(Image.new(mode, (1, 1)).getbands())]).save(content, kind, **saved)
    return content.getvalue()


def a_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc32(kind + data))


def with_chunk(kind: bytes, data: bytes) -> bytes:
    """A PNG with a chunk of one's own after its head."""
    plain = a_picture("PNG")
    return plain[:33] + a_chunk(kind, data) + plain[33:]


def of_size(width: int, height: int) -> bytes:
    """A PNG that says it is so large, with no pixels to show for it."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + a_chunk(b"IHDR", head)
        + a_chunk(b"IDAT", zlib.compress(b"\x00" * 1000))
        + a_chunk(b"IEND", b"")
    )


@cache
def pretenders() -> dict[str, bytes]:
    """Return what is a picture and something else as well."""
    jpeg, png, webp = a_picture(), a_picture("PNG"), a_picture("WEBP")
    exif = Image.Exif()
    exif[0x010E] = CANARY.decode()
    exif.get_ifd(0x8825)[1] = "N"
    return {
        "jpeg, then html": jpeg + CANARY,
        "jpeg, then php": jpeg + b"<?php canary(); ?>",
        "jpeg, then a zip": jpeg + b"PK\x03\x04canary",
        "jpeg, then a pdf": jpeg + b"%PDF-1.7 canary",
        "jpeg with a comment": a_picture(comment=CANARY),
        "jpeg with exif": a_picture(exif=exif),
        "jpeg with a profile": a_picture(icc_profile=CANARY * 20),
        "jpeg with xmp": a_picture(xmp=CANARY),
        "jpeg with iptc": jpeg[:2] + b"\xff\xed" + struct.pack(">H", 2 + len(PRESS)) + PRESS + jpeg[2:],
        "png, then html": png + CANARY,
        "png with text": with_chunk(b"tEXt", b"Title\x00" + CANARY),
        "png with long text": with_chunk(b"iTXt", b"XML:com.adobe.xmp\x00\x00\x00\x00\x00" + CANARY),
        "png with a chunk of its own": with_chunk(b"caNa", CANARY),
        "png with exif": a_picture("PNG", exif=exif),
        "webp, then html": webp + CANARY,
        "webp with exif": a_picture("WEBP", exif=exif),
        "webp with xmp": a_picture("WEBP", xmp=CANARY),
        "webp with a profile": a_picture("WEBP", icc_profile=CANARY * 20),
        "several pictures": a_picture("PNG", save_all=True, append_images=[Image.new("RGB", (30, 20))]),
        "cmyk": a_picture(mode="CMYK"),
        "grey": a_picture(mode="L"),
        "see-through": a_picture("PNG", mode="RGBA"),
    }


@cache
def traps() -> dict[str, bytes]:
    """Return what is meant to break whoever opens it."""
    jpeg = a_picture(size=(300, 300))
    found = {
        "forty thousand squared": of_size(40_000, 40_000),
        "two thousand million wide": of_size(2**31 - 1, 1),
        "no width": of_size(0, 100),
        "just too many": of_size(8000, 5001),
        "text that unpacks to a hundred times its size": with_chunk(
            b"zTXt", b"a\x00\x00" + zlib.compress(b"\x00" * MANY, 9)
        ),
        "profile that unpacks to a hundred times its size": with_chunk(
            b"iCCP", b"a\x00\x00" + zlib.compress(b"\x00" * MANY, 9)
        ),
        "a chunk of four gigabytes": a_picture("PNG")[:33] + b"\xff\xff\xff\xffIDAT",
        "pixels that do not unpack": of_size(100, 100),
        "only its first bytes": b"\xff\xd8\xff",
        "webp of nothing": b"RIFF\xff\xff\xff\xffWEBPVP8 ",
        "jpeg of zeros": b"\xff\xd8\xff\xe0" + b"\x00" * 5000,
    }
    found |= {f"cut at {cut}": jpeg[:cut] for cut in range(4, 160, 8)}
    found |= {
        f"byte {place} turned": jpeg[:place] + bytes([jpeg[place] ^ 0xFF]) + jpeg[place + 1 :]
        for place in range(3, 163, 8)
    }
    return found


def test_the_corpus_has_four_hundred_files(record_property: Callable[[str, object], None]) -> None:
    plain = len(OTHERS) * len(NAMES_OF_OTHERS) + len(DANGEROUS) * 2
    record_property("files / 个文件", plain + len(pretenders()) + len(traps()))
    assert plain + len(pretenders()) + len(traps()) >= 400


def test_what_is_something_else_is_refused_under_every_name() -> None:
    taken = []
    for (kind, content), name in itertools.product(OTHERS.items(), NAMES_OF_OTHERS):
        assert media_type_of(content) is None, kind
        try:
            checked(content, name)
            taken.append((kind, name))
        except Invalid as refused:
            assert list(refused.fields) == ["file"]
    assert taken == []


@pytest.mark.parametrize("ending", DANGEROUS)
def test_a_good_file_with_an_ending_that_somebody_runs_is_refused(ending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachments, "_drawn_anew", lambda content: content)
    for content in (a_picture("PNG"), b"%PDF-1.7\n%%EOF"):
        try:
            kept = checked(content, f"a.{ending}")
        except Invalid:
            continue
        assert Path(kept.name).suffix.lower() in (".png", ".pdf", ".jpg"), kept.name
        assert Path(kept.name).suffix.lower() in attachments.ENDINGS[kept.media_type]


@settings(max_examples=300 if not WHOLE else 20_000, derandomize=True)
@given(name=st.text(max_size=300) | st.text(alphabet='./\\:%;\x00\r\n"\u200b\u202e．／＼ＣＯＮ\ufeff a', max_size=60))
@example(name="0.0000000000 0")  # what follows a dot may be no ending at all
@example(name="a . .b" + "b" * 300)
def test_no_name_is_a_path_a_header_or_a_disguise(name: str) -> None:
    clean = clean_name(name)

    assert 1 <= len(clean) <= attachments.LONGEST_NAME
    assert not set(clean) & set('\\/:*?"<>|%;\r\n\x00') and not clean.startswith((".", " "))
    assert not any(unicodedata.category(sign) in ("Cc", "Cf", "Cs") for sign in clean)
    assert clean_name(clean) == clean
    header = FileResponse(io.BytesIO(b""), as_attachment=True, filename=clean)["Content-Disposition"]
    assert re.fullmatch(r"attachment; filename(\*=utf-8''[A-Za-z0-9!#$&+.^_`|~%'()*-]*|=\"[^\"\r\n\\]*\")", header), (
        header
    )


@pytest.mark.usefixtures("weighed")
@pytest.mark.parametrize("name", pretenders())
def test_of_a_picture_that_is_something_else_too_only_the_picture_is_kept(name: str) -> None:
    kept = checked(pretenders()[name], "a")

    assert b"canary" not in kept.content and b"script" not in kept.content
    drawn = Image.open(io.BytesIO(kept.content))
    assert not drawn.getexif() and "icc_profile" not in drawn.info and getattr(drawn, "n_frames", 1) == 1
    end = {"image/jpeg": b"\xff\xd9", "image/png": b"IEND\xaeB`\x82"}.get(kept.media_type)
    assert end is None or kept.content.endswith(end)


@pytest.mark.usefixtures("weighed")
@pytest.mark.parametrize("name", traps())
def test_a_trap_costs_one_refusal_or_is_drawn_small(name: str) -> None:
    content = traps()[name]
    try:
        kept = checked(content, "a")
    except Invalid as refused:
        assert list(refused.fields) == ["file"]
    else:
        assert max(Image.open(io.BytesIO(kept.content)).size) <= 4096


EVIL: dict[str, str] = {
    "takes a gigabyte": "held = bytearray(1 << 30)\nraise ValueError",
    "writes a file": "__import__('io').open(BESIDE, 'w').write('x' * 100)\nraise SystemExit(0)",
    "never ends": "while True: pass",
    "says nothing": "raise SystemExit(0)",
    "dies": "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
    "sends what it knows": "import os, sys; sys.stdout.write(repr(dict(os.environ))); sys.stdout.flush(); os._exit(0)",
}


def a_child(folder: Path, evil: str, limits: bool = True) -> Path:
    """The real child with a picture library that does something else; its limits of time made short."""
    library = folder / "PIL"
    library.mkdir()
    code = evil.replace("BESIDE", repr(str(folder / "written")))
    body = "\n".join(f"    {line}" for line in code.splitlines())
    (library / "Image.py").write_text(f"MAX_IMAGE_PIXELS = None\ndef open(*a, **k):\n{body}\n", encoding="utf-8")
    (library / "ImageOps.py").write_text("", encoding="utf-8")
    (library / "__init__.py").write_text("", encoding="utf-8")
    source = Path(attachments.__file__).with_name("attachment_child.py").read_text(encoding="utf-8")
    source = source.replace("CPU_SECONDS = 10", "CPU_SECONDS = 1")
    if not limits:
        source = re.sub(r"^    resource\.setrlimit.*$", "", source, flags=re.M)
    # The library stands in the child's own folder, which -I leaves out.
    path = folder / "child.py"
    path.write_text(
        source.replace("import io", f"import sys\nsys.path.insert(0, {str(folder)!r})\nimport io", 1), encoding="utf-8"
    )
    return path


@pytest.mark.parametrize("evil", EVIL if WHOLE else ["takes a gigabyte", "writes a file", "sends what it knows"])
def test_a_library_that_is_taken_over_harms_nobody_else(
    evil: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "canary-of-the-environment")
    monkeypatch.setattr(attachments, "CHILD", a_child(tmp_path, EVIL[evil]))
    said = b""
    try:
        said = attachments._drawn_anew(a_picture())
    except Invalid as refused:
        assert list(refused.fields) == ["file"]

    assert not (tmp_path / "written").exists() or (tmp_path / "written").stat().st_size == 0
    assert b"canary" not in said


@pytest.mark.parametrize("evil", ["takes a gigabyte", "writes a file"])
def test_control_without_its_limits_the_child_does_what_it_likes(
    evil: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    did = EVIL[evil].replace("raise ValueError", "__import__('io').open(BESIDE, 'w').write('had it')\nraise ValueError")
    monkeypatch.setattr(attachments, "CHILD", a_child(tmp_path, did, limits=False))
    with pytest.raises(Invalid):
        attachments._drawn_anew(a_picture())

    assert (tmp_path / "written").stat().st_size > 0


@pytest.mark.django_db
def test_what_is_kept_lies_outside_of_what_is_served_and_says_nothing(
    machine: Machines, settings: Settings, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path / "files"
    cc = machine("cc")
    ref = cc.report().json()["ref"]
    kept = cc.upload(ref, a_picture(), "王先生的身份证.jpg").json()["stored_as"]

    [path] = [one for one in (tmp_path / "files").rglob("*") if one.is_file()]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert re.fullmatch(r"[0-9a-f]{2}/[A-Za-z0-9_-]{32}", kept), "192 bits that nobody guesses, and no ending"
    assert not any("media" in route or "files/" in route for route in _routes())
    assert Path(settings.STATIC_ROOT) not in path.parents

    path.unlink()
    path.symlink_to("/etc/passwd")
    assert cc.get(f"/attachments/{kept}").status_code == 404


def _routes() -> Iterator[str]:
    return (str(one.pattern) for one in get_resolver().url_patterns)
