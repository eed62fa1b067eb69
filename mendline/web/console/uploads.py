"""Photos, files and signatures of a form: stored first, then named in what the step is given."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import Any

from PIL import Image, ImageDraw

from mendline.kernel.errors import Invalid
from mendline.kernel.text import Text
from mendline.orders import attachments
from mendline.process.definition import Process, Transition
from mendline.web.console.visit import Visit

PAD = (300, 100)  # the signature pad's own units
SCALE = 3  # pixels for each of them
LONGEST_PATH = 8000
_PATH = re.compile(r"(?:M\d{1,3} \d{1,3}(?:L\d{1,3} \d{1,3})*)+")
_STROKE = re.compile(r"M[^M]+")
_POINT = re.compile(r"(\d{1,3}) (\d{1,3})")


def with_uploads(
    visit: Visit, process: Process, step: Transition, given: Mapping[str, Any], order_ref: str
) -> dict[str, Any]:
    """Return `given` with every uploaded file and drawn signature replaced by the name it is stored under.

    Raises:
        Invalid: a file that is no picture, is too large, or a signature that is none.
    """
    found = dict(given)
    for name in step.takes:
        kind = process.facts[name].type
        if kind in ("photo", "file"):
            uploaded = visit.request.FILES.get(f"{name}.file")
            if uploaded is not None:
                found[name] = _keep(visit, order_ref, name, uploaded.name or name, uploaded.read())
        elif kind == "signature" and str(given.get(name, "")).startswith("M"):
            found[name] = _keep(visit, order_ref, name, "signature.png", drawn(str(given[name]), name))
    return found


def _keep(visit: Visit, order_ref: str, fact: str, name: str, content: bytes) -> str:
    if not order_ref:
        raise Invalid({fact: Text("请先保存，再上传附件", "save it first, then add the file")})
    try:
        kept = attachments.keep(order_ref, content, name=name, fact=fact, actor=visit.actor, now=visit.now)
    except Invalid as problem:
        raise Invalid({fact: next(iter(problem.fields.values()))}) from problem
    return kept.stored_as


def drawn(path: str, field: str) -> bytes:
    """Return the strokes of a signature pad as a PNG. We draw it ourselves: nothing of the upload is interpreted.

    Raises:
        Invalid: not a path of the pad.
    """
    if len(path) > LONGEST_PATH or not _PATH.fullmatch(path):
        raise Invalid({field: Text("签字没有传完整，请重签", "the signature arrived damaged; sign again")})
    picture = Image.new("L", (PAD[0] * SCALE, PAD[1] * SCALE), 255)
    pen = ImageDraw.Draw(picture)
    for stroke in _STROKE.findall(path):
        points = [(int(x) * SCALE, int(y) * SCALE) for x, y in _POINT.findall(stroke)]
        if len(points) == 1:
            x, y = points[0]
            pen.ellipse((x - SCALE, y - SCALE, x + SCALE, y + SCALE), fill=0)
        else:
            pen.line(points, fill=0, width=SCALE * 2, joint="curve")
    kept = io.BytesIO()
    picture.save(kept, "PNG", optimize=True)
    return kept.getvalue()
