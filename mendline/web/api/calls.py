"""How an operation is called: who, when, once. Every operation is wrapped by `reading`, `stepping` or `writing`.

A step of an order or record (`stepping`) is handed the caller's idempotency key and keeps the answer
in the statement that writes the step. Every other operation that changes something (`writing`) runs
in one transaction with its key. For both:

- the same key with the same request gets the stored answer, byte for byte;
- the same key with another request is refused (422 `idempotency_key_reused`);
- the same key while the first call is under way is a conflict (409 `in_flight`).

Only answers of calls that did something are stored, in the same transaction as what they did. A
refusal wrote nothing, so the call may be mended and sent again under the same key.
"""

from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import orjson
from django.db import IntegrityError, OperationalError, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from mendline.access.actors import Actor
from mendline.kernel.errors import Refused
from mendline.kernel.text import Text
from mendline.orders.store import AnsweredMeanwhile, Loaded, Once, in_flight
from mendline.process.registry import Question
from mendline.web.api.bodies import json_object, raw_body
from mendline.web.api.callers import (
    Caller,
    StoredAnswer,
    expected_caller,
    reading_caller,
    spare_the_check,
    stepping_caller,
    writing_caller,
)
from mendline.web.api.problems import EdgeError

P = ParamSpec("P")
R = TypeVar("R", bound=HttpResponseBase)

ONE_ANSWER = "one_answer_per_key"  # the unique key of the table
_KEY = re.compile(r"[\x21-\x7e]{1,80}", re.ASCII)
_STORE = """
    INSERT INTO orders_idempotencykey (person_id, key, request_digest, status, body, created_at)
    VALUES (%s, %s, %s, %s, %s, %s)
"""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of one caller. `now` is read once, here; `body` is empty on calls that read, `key` as well."""

    request: HttpRequest
    actor: Actor
    person_id: int
    now: datetime
    body: Mapping[str, Any] = field(default_factory=dict)
    key: str = ""
    digest: str = ""
    confirm: Question | None = None  # whether the caller is who he is taken for: to be asked before anything is done

    def once(self, receipt: Callable[[Loaded], object], status: int = 200) -> Once:
        """Return the caller's own number for a step, answered with what `receipt` makes of its outcome."""

        def kept(order: Loaded) -> tuple[int, str]:
            return status, as_json(receipt(order)).decode()

        return Once(self.person_id, self.key, self.digest, kept, self.confirm)


class Confidential(HttpResponse):
    """An answer with personal data: it is never stored, so the same key makes the same call happen again."""


def answer(data: object, status: int = 200, **headers: str) -> HttpResponse:
    """Return data as JSON. Moments become ISO text with offset."""
    return HttpResponse(as_json(data), status=status, content_type="application/json", headers=headers or None)


def as_json(data: object) -> bytes:
    return orjson.dumps(data, option=orjson.OPT_UTC_Z)


def reading(view: Callable[Concatenate[Call, P], R]) -> Callable[Concatenate[HttpRequest, P], R]:
    """Make a function of a call into an operation that changes nothing."""

    @wraps(view)
    def operation(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> R:
        now = timezone.now()
        caller = reading_caller(request, now)
        return view(Call(request, caller.actor, caller.person_id, now), *args, **kwargs)

    return _with_signature(operation, view)


def stepping(view: Callable[Concatenate[Call, P], HttpResponse]) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Make a function that carries out one step with `call.once(…)` into an operation that happens once."""

    @wraps(view)
    def operation(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        raw, key, now = raw_body(request), _key_of(request), timezone.now()
        digest = digest_of(request, raw)
        expected = expected_caller(request)
        if expected is not None:
            who, confirm = expected.caller, expected.confirm(key, now)
            try:
                body = json_object(request, raw)
                return view(Call(request, who.actor, who.person_id, now, body, key, digest, confirm), *args, **kwargs)
            except AnsweredMeanwhile:
                pass
            except Exception:
                if expected.confirmed:
                    raise
                # Nobody is refused on what was only expected of him: below he is looked up.
        for last_try in (False, True):
            caller = stepping_caller(request, key, now)
            if caller.stored is not None:
                return _again(caller.stored, digest)
            call = Call(request, caller.actor, caller.person_id, now, json_object(request, raw), key, digest)
            try:
                return view(call, *args, **kwargs)
            except AnsweredMeanwhile:
                if last_try:
                    raise
        raise AssertionError

    return _with_signature(operation, view)


def writing(view: Callable[Concatenate[Call, P], HttpResponse]) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Make a function of a call with a JSON body into an operation that happens once."""

    @wraps(view)
    def operation(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        raw = raw_body(request)
        digest = digest_of(request, raw)

        def act(call: Call) -> HttpResponse:
            return view(call, *args, **kwargs)

        return once(request, digest, act, lambda: json_object(request, raw))

    return _with_signature(operation, view)


def once(
    request: HttpRequest,
    digest: str,
    act: Callable[[Call], HttpResponse],
    body_of: Callable[[], Mapping[str, Any]],
) -> HttpResponse:
    """Carry out `act` once for the request's idempotency key, in one transaction with the stored answer."""
    key = _key_of(request)
    now = timezone.now()
    for last_try in (False, True):
        caller: Caller | None = None
        try:
            spare_the_check()
            with transaction.atomic():
                caller = writing_caller(request, key, now)
                if caller.stored is not None:
                    return _again(caller.stored, digest)
                if not caller.claimed:
                    raise in_flight()
                response = act(Call(request, caller.actor, caller.person_id, now, body_of()))
                if response.status_code < 400 and not isinstance(response, Confidential):
                    _store(caller, key, digest, response, now)
            return response
        except IntegrityError as problem:
            # The first call was committed between this statement's snapshot and its lock: everything
            # done here is undone, and the second look finds the answer.
            if last_try or ONE_ANSWER not in str(problem):
                raise
        except OperationalError:
            if last_try or caller is not None:  # something may have been done
                raise
    raise in_flight()


def digest_of(request: HttpRequest, *parts: bytes) -> str:
    """Return what tells one request from another: method, address and content."""
    address = f"{request.method} {request.path}?{request.META.get('QUERY_STRING', '')}\n"
    digest = hashlib.sha256(address.encode())
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def _key_of(request: HttpRequest) -> str:
    key: str | None = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is None:
        detail = Text(
            "请在 Idempotency-Key 中为每次操作提供一个新的编号，重试时保持不变",
            "send a new Idempotency-Key with every operation, and the same one when you try it again",
        )
        raise EdgeError(400, "idempotency_key_missing", detail)
    if _KEY.fullmatch(key) is None:
        detail = Text(
            "Idempotency-Key 应为 1 至 80 个可见 ASCII 字符", "Idempotency-Key must be 1 to 80 visible ASCII characters"
        )
        raise EdgeError(400, "idempotency_key_unusable", detail)
    return key


def _again(stored: StoredAnswer, digest: str) -> HttpResponse:
    if stored.request_digest != digest:
        raise Refused(
            "idempotency_key_reused",
            Text(
                "该 Idempotency-Key 已用于另一个请求，请换新的",
                "this Idempotency-Key was used for another request; take a new one",
            ),
        )
    return HttpResponse(
        stored.body, status=stored.status, content_type="application/json", headers={"Idempotency-Replayed": "true"}
    )


def _store(caller: Caller, key: str, digest: str, response: HttpResponse, now: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_STORE, [caller.person_id, key, digest, response.status_code, response.content.decode(), now])


def _with_signature(
    operation: Callable[Concatenate[HttpRequest, P], R], view: Callable[..., HttpResponseBase]
) -> Callable[Concatenate[HttpRequest, P], R]:
    """Let the router see the parameters of `view`, with the request in place of the call and all names resolved."""
    first, *others = inspect.signature(view, eval_str=True).parameters.values()
    request = first.replace(name="request", annotation=HttpRequest)
    operation.__signature__ = inspect.Signature([request, *others])  # type: ignore[attr-defined]
    return operation
