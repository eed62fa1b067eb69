"""The OpenAPI description: what the router knows, and what holds for every operation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ninja import NinjaAPI

from mendline.web.api.problems import MEDIA_TYPE, TITLES
from mendline.web.api.schemas import Problem

COMMON = (400, 401, 403, 404, 409, 413, 422, 429, 503)
UNSAFE = ("post", "put", "patch", "delete")
ONLY_LOOK = frozenset({"find_duplicates"})  # sent by POST because what they look for belongs into no address
INTRODUCTION = """\
统修系统接口。Interface of the Mendline system of record for repair service.

Keys are sent as `Authorization: Bearer ml_…`; browsers use their session and `X-CSRFToken`.

Every unsafe call carries an `Idempotency-Key`. The same key with the same request gets the stored answer
(`Idempotency-Replayed: true`), with another request 422, while the first is under way 409. Answers are kept for at
least 24 hours. Only successful answers are stored: a refusal wrote nothing, so mend the request and send it again.

Errors are problem documents. `code` is stable, `rule` names the rule that forbids it (`GET /rules/{id}`), `fields`
what to mend. What does not exist and what is not yours give the same 404. Moments are ISO 8601 with an offset, money
is whole fen.
"""
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "New for every operation, the same when it is tried again.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 80, "pattern": "^[\\x21-\\x7e]{1,80}$"},
}
_SECURITY = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "A key (`mendline token issue`)."},
    "session": {"type": "apiKey", "in": "cookie", "name": "__Host-sessionid", "description": "A signed-in browser."},
}


def described(api: NinjaAPI) -> dict[str, Any]:
    """Return the whole description as plain data."""
    found: dict[str, Any] = dict(api.get_openapi_schema(path_prefix="/api/v1/"))
    components = found.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= schema.pop("$defs", {})
    schemas["Problem"] = schema
    components["securitySchemes"] = _SECURITY
    found["security"] = [{"bearer": []}, {"session": []}]
    found["info"]["description"] = INTRODUCTION
    for operations in found["paths"].values():
        for method, operation in operations.items():
            _complete(operation, unsafe=changes_something(method, operation))
    return found


def changes_something(method: str, operation: Mapping[str, Any]) -> bool:
    """Say whether a call needs an idempotency key."""
    return method in UNSAFE and operation["operationId"] not in ONLY_LOOK


def _complete(operation: dict[str, Any], *, unsafe: bool) -> None:
    responses = {str(status): response for status, response in operation["responses"].items()}
    for status in COMMON:
        responses.setdefault(
            str(status),
            {
                "description": TITLES[status].en,
                "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
            },
        )
    operation["responses"] = responses
    if unsafe:
        operation["parameters"] = [*operation.get("parameters", []), _KEY]
