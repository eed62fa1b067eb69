"""Photos and documents of an order: checked, drawn anew, kept under a name that says nothing.

The order of the checks is the protection: size, then the file's first bytes, then (for pictures)
decoding and encoding again in a child process with limits, then the virus scanner where one is
set (`CLAMD`), then a random name outside the web root. The name that came along is cleaned first
and checked afterwards, and is never used as a path.

The file is written before the row that names it. A transaction that fails after that leaves a file
without a row, which the worker puts aside once a day; the other way round an order would name a
file that is gone.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.db import transaction

from mendline.access.actors import Actor
from mendline.journal.models import Entry
from mendline.kernel.errors import Invalid, NotVisible
from mendline.kernel.scanning import REFUSALS
from mendline.kernel.text import Text
from mendline.orders import store
from mendline.orders.attachment_child import MAX_MEGAPIXELS, MAX_WEBP, REFUSED_MEMORY, REFUSED_PIXELS
from mendline.orders.models import Attachment

MAX_BYTES = 10 * 1024 * 1024
LONGEST_NAME, LONGEST_ENDING = 120, 12
CHILD = Path(__file__).with_name("attachment_child.py")
CHILD_SECONDS = 20  # of the clock; of the processor it has less
STRAY_AFTER = timedelta(days=1)
LOST_KEPT = timedelta(days=30)

_PDF = "application/pdf"
# Media type → endings that such a file may have.
ENDINGS = {
    "image/jpeg": (".jpg", ".jpeg"),
    "image/png": (".png",),
    "image/webp": (".webp",),
    _PDF: (".pdf",),
}
PICTURES = frozenset(ENDINGS) - {_PDF}
_UNUSABLE = re.compile(r'[\\/:*?"<>|%;]')
_BEFORE_A_DOT = re.compile(r"[ .]+\.")
_STORED_AS = re.compile(r"[0-9a-f]{2}/[A-Za-z0-9_-]{32}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Checked:
    """A file that was found good: what will be stored, not what was sent."""

    content: bytes
    media_type: str
    name: str


def keep(order_ref: str, content: bytes, *, name: str, fact: str = "", actor: Actor, now: datetime) -> Attachment:
    """Check a file, store it and note it in the history of `order_ref` (an order or a record).

    Raises:
        NotVisible: the order is outside the actor's scope.
        Invalid: names `file` and says what is wrong with it.
    """
    subject = store.load(order_ref, actor=actor)
    good = checked(content, name)
    if settings.SCANNING is not None and (refusal := settings.SCANNING.refusal(content)) is not None:
        raise Invalid({"file": REFUSALS[refusal]})
    stored_as = _write(good.content)
    with transaction.atomic():
        kept = Attachment.objects.create(
            order_ref=order_ref,
            fact=fact,
            name=good.name,
            stored_as=stored_as,
            media_type=good.media_type,
            size=len(good.content),
            sha256=hashlib.sha256(good.content).hexdigest(),
            uploaded_by=actor.person_id or 0,
            uploaded_at=now,
        )
        Entry.objects.create(
            at=now, subject=order_ref, kind="order.attach", process=subject.process, from_state=subject.state,
            to_state=subject.state, revision=subject.revision, actor_id=actor.person_id, actor_name=actor.name,
            actor_role=actor.role, station_no=subject.station_no, region=subject.region,
            data={"name": good.name, "stored_as": stored_as, "size": kept.size, "fact": fact},
        )  # fmt: skip
    return kept


def of_subject(ref: str) -> list[Attachment]:
    """Return the files of an order or record that was read within its scope already, oldest first."""
    return list(Attachment.objects.filter(order_ref=ref).order_by("id"))


def open_for(actor: Actor, stored_as: str) -> tuple[Attachment, BinaryIO]:
    """Return a stored file, opened for reading, if its order lies in the actor's scope.

    Raises NotVisible: no such file, or somebody else's.
    """
    kept = Attachment.objects.filter(stored_as=stored_as).first() if _STORED_AS.fullmatch(stored_as) else None
    if kept is None:
        raise NotVisible
    store.load(kept.order_ref, actor=actor)
    try:
        # What was put in its place and only points elsewhere is not the file.
        return kept, os.fdopen(os.open(_path(kept.stored_as), os.O_RDONLY | os.O_NOFOLLOW), "rb")
    except FileNotFoundError:
        raise NotVisible from None
    except OSError as problem:
        if problem.errno != errno.ELOOP:
            raise
        raise NotVisible from None


def checked(content: bytes, name: str) -> Checked:
    """Return what may be stored of an uploaded file.

    Raises Invalid.
    """
    if not content:
        raise _bad("文件是空的，请重新选择", "the file is empty; choose it again")
    if len(content) > MAX_BYTES:
        raise _bad("文件超过 10 MB，请压缩后再传", "the file is larger than 10 MB; make it smaller")
    media_type = media_type_of(content)
    if media_type is None:
        raise _bad("只接受 JPEG、PNG、WebP 照片和 PDF", "only JPEG, PNG and WebP pictures and PDF are taken")
    clean = clean_name(name)
    ending = Path(clean).suffix.lower()
    if not ending:
        clean += ENDINGS[media_type][0]
    elif ending not in ENDINGS[media_type]:
        raise _bad(
            f"文件内容是 {media_type}，与扩展名 {ending} 不符",
            f"the content is {media_type}, which does not fit the ending {ending}",
        )
    if media_type in PICTURES:
        content = _drawn_anew(content)
    return Checked(content, media_type, clean)


def media_type_of(content: bytes) -> str | None:
    """Return what the file is by its first bytes; None for everything that is not taken."""
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content.startswith(b"%PDF-1.") or content.startswith(b"%PDF-2."):
        return _PDF
    return None


def clean_name(name: str) -> str:
    """Return a file name without folders, invisible characters, or a dot in front; cleaned again it stays as it is.

    >>> clean_name("..\\\\..\\\\evil\\u200b.jpg"), clean_name("C:/tmp/.htaccess")
    ('evil.jpg', 'htaccess')
    """
    plain = unicodedata.normalize("NFKC", name)
    # Categories C: control, format (zero width, direction), surrogate, unassigned. Spaces become ordinary ones.
    plain = "".join(sign for sign in plain if sign.isspace() or unicodedata.category(sign)[0] != "C")
    plain = " ".join(re.split(r"[\\/]", plain)[-1].split())
    plain = _BEFORE_A_DOT.sub(".", _UNUSABLE.sub("_", plain)).strip(" .")
    ending = Path(plain).suffix
    if len(ending) > LONGEST_ENDING:  # a sentence with a dot in it
        ending = ""
    return (plain.removesuffix(ending)[: LONGEST_NAME - len(ending)].strip(" .") or "file") + ending


def strays(now: datetime) -> Iterator[Path]:
    """Yield stored files older than a day that no row names: left behind by transactions that failed."""
    oldest = (now - STRAY_AFTER).timestamp()
    for path in _root().glob("[0-9a-f][0-9a-f]/*"):
        stored_as = f"{path.parent.name}/{path.name}"
        if path.stat().st_mtime < oldest and not Attachment.objects.filter(stored_as=stored_as).exists():
            yield path


def put_strays_aside(now: datetime) -> int:
    """Move strays into `lost/`, delete what has lain there for 30 days, and return how many were moved.

    Moved and not deleted at once: a database restored from last week knows none of this week's files.
    """
    lost = _root() / "lost"
    moved = 0
    for path in list(strays(now)):
        lost.mkdir(mode=0o700, exist_ok=True)
        aside = path.rename(lost / f"{path.parent.name}-{path.name}")
        os.utime(aside, (now.timestamp(), now.timestamp()))
        moved += 1
    for path in lost.glob("*"):
        if path.stat().st_mtime <= (now - LOST_KEPT).timestamp():
            path.unlink()
    return moved


def _drawn_anew(content: bytes) -> bytes:
    """Decode and encode a picture in a child with little memory, little time and no environment."""
    try:
        child = subprocess.run(  # noqa: S603 - our own file, our own interpreter
            [sys.executable, "-I", str(CHILD)],
            input=content,
            capture_output=True,
            timeout=CHILD_SECONDS,
            cwd="/",
            env={},
        )
    except subprocess.TimeoutExpired:
        raise _bad("照片处理超时，请换一张", "the picture took too long to read; send another") from None
    if child.returncode == REFUSED_PIXELS:
        raise _bad(f"照片超过 {MAX_MEGAPIXELS} 百万像素", f"the picture has more than {MAX_MEGAPIXELS} megapixels")
    if child.returncode == REFUSED_MEMORY:
        raise _bad(
            f"这种照片（WebP、渐进式 JPEG 或带透明）像素过多，请缩小到 {MAX_WEBP} 百万像素，或另存为普通 JPEG",
            "a picture of this sort (WebP, progressive JPEG, or see-through) has too many pixels:"
            f" make it {MAX_WEBP} megapixels or fewer, or save it as an ordinary JPEG",
        )
    if child.returncode != 0 or not child.stdout:
        raise _bad("照片已损坏，无法读取，请重新拍摄", "the picture is damaged and cannot be read; take it again")
    return child.stdout


def _write(content: bytes) -> str:
    """Store bytes under a random name and return it. Complete on disk before it has that name."""
    token = secrets.token_urlsafe(24)
    stored_as = f"{secrets.token_hex(1)}/{token}"
    path = _path(stored_as)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{token}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return stored_as


def _root() -> Path:
    return Path(settings.MEDIA_ROOT)


def _path(stored_as: str) -> Path:
    return _root() / stored_as


def _bad(zh: str, en: str) -> Invalid:
    return Invalid({"file": Text(zh, en)})
