"""Reading what a machine sends: strict, so that nothing is guessed and nothing is silently dropped."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from django.http import HttpRequest
from django.http.request import RawPostDataException, UnreadablePostError

from mendline.kernel.errors import Invalid
from mendline.kernel.text import Text
from mendline.web.api.problems import EdgeError

MAX_BYTES = 256 * 1024
MAX_DEPTH = 16
MAX_INTEGER = 2**63 - 1  # what the database keeps

BROKEN_OFF = Text("请求内容不完整，请原样重发", "the body broke off: send it again as it was")
TOO_LARGE = Text("请求内容超过 256 kB", "the body is larger than 256 kB")


def raw_body(request: HttpRequest) -> bytes:
    """Return the body's bytes.

    Raises EdgeError: larger than MAX_BYTES (413), or broken off (400).
    """
    try:
        announced = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        announced = 0
    if announced > MAX_BYTES:
        raise EdgeError(413, "too_large", TOO_LARGE)
    try:
        body = request.body
    except (UnreadablePostError, RawPostDataException):
        raise EdgeError(400, "unreadable_body", BROKEN_OFF) from None
    if len(body) > MAX_BYTES:
        raise EdgeError(413, "too_large", TOO_LARGE)
    if len(body) < announced:  # the server hands on what it has: a line cut after the head looks like an empty body
        raise EdgeError(400, "unreadable_body", BROKEN_OFF)
    return body


def json_object(request: HttpRequest, raw: bytes) -> dict[str, Any]:
    """Return the JSON object in `raw`; an empty body is an empty object.

    Raises:
        EdgeError: not JSON, not UTF-8, nested too deeply, or `NaN` (400).
        Invalid: a name that occurs twice, a number or a character that cannot be kept; names the field.
    """
    if not raw.strip():
        return {}
    if (request.content_type or "").lower() != "application/json":
        raise EdgeError(
            400,
            "not_json",
            Text("请用 Content-Type: application/json 发送", "send it as Content-Type: application/json"),
        )
    try:
        value = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_float,
            parse_constant=_no_constant,
        )
    except Invalid:
        raise
    except RecursionError:
        raise _too_deep() from None
    except ValueError:  # also a text that is not UTF-8
        raise EdgeError(400, "not_json", Text("请求内容不是有效的 JSON", "the body is not valid JSON")) from None
    if not isinstance(value, dict):
        raise EdgeError(400, "not_json", Text("请求内容应为 JSON 对象", "the body must be a JSON object"))
    # Both checks walk the whole value, so they are made only where the bytes say that they could fail.
    if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        raise _too_deep()
    if b"\\u" in raw:
        _refuse_broken_characters(value)
    return value


def only(body: Mapping[str, Any], *known: str) -> None:
    """Refuse names that the call does not take, because a misspelt name must not be ignored."""
    unknown = {
        str(name)[:80]: Text(
            f"没有这一项，可用：{'、'.join(known)}", f"is not taken here; known are {', '.join(known)}"
        )
        for name in body
        if name not in known
    }
    if unknown:
        raise Invalid(unknown)


def given_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return `given`, the facts of a step, which may be missing where a step takes none."""
    given = body.get("given")
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise Invalid({"given": Text("应为 JSON 对象", "must be a JSON object of facts")})
    return given


def text_of(body: Mapping[str, Any], name: str, *, longest: int = 40, default: str = "") -> str:
    """Return a short text of the body."""
    value = body.get(name)
    if value is None:
        return default
    if not isinstance(value, str) or len(value) > longest:
        raise Invalid({name: Text(f"应为不超过 {longest} 个字的文字", f"must be text of at most {longest} characters")})
    return value


def revision_of(body: Mapping[str, Any]) -> int | None:
    """Return the revision that the caller last saw, if it says."""
    value = body.get("revision")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
        raise Invalid({"revision": Text("应为读到的修订号（整数）", "must be the whole number that was read")})
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Invalid({_safe(twice)[:80]: Text("出现了两次", "occurs twice")})
    return found


def _integer(text: str) -> int:
    if len(text) > 20 or abs(number := int(text)) > MAX_INTEGER:
        raise Invalid({text[:20] + "…": Text("整数太大", "is too large a whole number")})
    return number


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise Invalid({text[:20]: Text("数字太大", "is too large a number")})
    return number


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


def _too_deep() -> EdgeError:
    return EdgeError(400, "too_deep", Text(f"嵌套超过 {MAX_DEPTH} 层", f"nested more than {MAX_DEPTH} levels deep"))


def _depth(value: Any) -> int:
    deepest, todo = 0, [(value, 1)]
    while todo:
        item, level = todo.pop()
        if isinstance(item, (dict, list)):
            deepest = max(deepest, level)
            todo += [(inner, level + 1) for inner in (item.values() if isinstance(item, dict) else item)]
    return deepest


def _refuse_broken_characters(value: dict[str, Any]) -> None:
    """NUL and halves of a character pair can be written in JSON but not be kept anywhere."""
    wrong = {
        _safe(path)[:80]: Text("含有无效字符", "contains a character that cannot be kept")
        for path, text in _texts("", value)
        if _safe(text) != text
    }
    if wrong:
        raise Invalid(wrong)


def _texts(path: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield every name and text with where it stands. Depth was checked before, so this may call itself."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield path or name, name
            yield from _texts(f"{path}.{name}".lstrip("."), inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(path, inner)


def _safe(text: str) -> str:
    return text.replace("\x00", "�").encode("utf-8", "replace").decode("utf-8")
