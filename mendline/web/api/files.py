"""Photos and documents of orders over HTTP."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.core.files.uploadedfile import UploadedFile
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.utils import timezone
from ninja import Router

from mendline.kernel.errors import Invalid
from mendline.kernel.text import Text
from mendline.orders import attachments, store
from mendline.orders.models import Attachment
from mendline.process.loading import process_for
from mendline.web.api import limits
from mendline.web.api.callers import refuse_strangers
from mendline.web.api.calls import Call, answer, digest_of, once, reading
from mendline.web.api.problems import EdgeError
from mendline.web.api.schemas import AttachmentOut, Attachments
from mendline.web.api.subjects import known_ref

FORM_BYTES = 64 * 1024  # what the form around the file may take
FILE_FACTS = ("photo", "file", "signature")
UPLOAD = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary", "description": "JPEG, PNG, WebP, PDF; ≤ 10 MB"},
                        "fact": {"type": "string", "description": "the fact it is for, e.g. site_photo"},
                    },
                }
            }
        },
    }
}

router = Router(tags=["attachments"])


def attachment_row(kept: Attachment) -> dict[str, Any]:
    return {
        "stored_as": kept.stored_as,
        "name": kept.name,
        "fact": kept.fact,
        "media_type": kept.media_type,
        "size": kept.size,
        "uploaded_at": kept.uploaded_at,
    }


@router.post("/orders/{ref}/attachments", response={201: AttachmentOut}, operation_id="attach", openapi_extra=UPLOAD)
def attach(request: HttpRequest, ref: str) -> HttpResponse:
    """Add a photo or PDF to an order (`file`, and optionally the `fact` it is for).

    Pictures are drawn anew without position and camera data. The answer's `stored_as` is what a
    step takes as the value of a fact of type photo or file.
    """
    return _attach(request, known_ref(ref, "order"))


@router.post(
    "/records/{ref}/attachments", response={201: AttachmentOut}, operation_id="attach_to_record", openapi_extra=UPLOAD
)
def attach_to_record(request: HttpRequest, ref: str) -> HttpResponse:
    """Add a photo or PDF to a record, as with orders."""
    return _attach(request, known_ref(ref, "record"))


def _attach(request: HttpRequest, ref: str) -> HttpResponse:
    try:
        file, fact = _uploaded(request)
    except (EdgeError, Invalid):
        refuse_strangers(request, timezone.now())
        raise
    content = file.read()
    name = file.name or ""

    def act(call: Call) -> HttpResponse:
        limits.take(limits.UPLOADS, call.person_id)
        subject = store.load(ref, actor=call.actor)
        facts = process_for(subject.process, subject.process_version).facts
        if fact and (fact not in facts or facts[fact].type not in FILE_FACTS):
            raise Invalid({"fact": Text("不是照片或文件类的项目", "is no fact that holds a photo or a file")})
        kept = attachments.keep(ref, content, name=name, fact=fact, actor=call.actor, now=call.now)
        return answer(attachment_row(kept), 201, Location=f"/api/v1/attachments/{kept.stored_as}")

    about = f"{name}\n{fact}\n".encode(errors="replace")
    return once(request, digest_of(request, about, hashlib.sha256(content).digest()), act, _no_body)


def _uploaded(request: HttpRequest) -> tuple[UploadedFile[bytes], str]:
    try:
        announced = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        announced = 0
    too_large = EdgeError(413, "too_large", Text("文件超过 10 MB", "the file is larger than 10 MB"))
    if announced > attachments.MAX_BYTES + FORM_BYTES:
        raise too_large
    if (request.content_type or "").lower() != "multipart/form-data":
        raise EdgeError(400, "not_multipart", Text("请用 multipart/form-data 上传", "send it as multipart/form-data"))
    try:
        file, fact = request.FILES.get("file"), request.POST.get("fact", "")
    except (MultiPartParserError, SuspiciousOperation, BadRequest, OSError):
        raise EdgeError(400, "unreadable_body", Text("上传内容不完整", "the upload is damaged")) from None
    if file is None:
        raise Invalid({"file": Text("请选择文件", "choose a file")})
    if (file.size or 0) > attachments.MAX_BYTES:
        raise too_large
    if len(fact) > 40:
        raise Invalid({"fact": Text("名称太长", "is too long a name")})
    return file, fact


def _no_body() -> Mapping[str, Any]:
    return {}


@router.get("/orders/{ref}/attachments", response=Attachments, operation_id="list_attachments")
@reading
def list_attachments(call: Call, ref: str) -> HttpResponse:
    """List the files of an order, oldest first."""
    store.load(known_ref(ref, "order"), actor=call.actor)
    return answer({"items": [attachment_row(row) for row in attachments.of_subject(ref)]})


@router.get("/attachments/{path:stored_as}", response={200: None}, operation_id="download")
@reading
def download(call: Call, stored_as: str) -> FileResponse:
    """Return the file. Pictures that were drawn anew may be looked at in place; everything else is a download."""
    kept, file = attachments.open_for(call.actor, stored_as)
    response = FileResponse(
        file,
        as_attachment=kept.media_type not in attachments.PICTURES,
        filename=kept.name,
        content_type=kept.media_type,
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'; sandbox"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response
