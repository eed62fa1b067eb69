"""The page of every call, in two languages, made from the OpenAPI description.

The description knows addresses, parameters, bodies and answers; the file of words beside this one adds a Chinese
sentence and an example for each operation. An operation that has no entry there is an error, not a gap.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import yaml

from mendline.web.api.description import changes_something, described
from mendline.web.api.urls import api

WORDS = Path(__file__).with_name("reference_words.yaml")
_SHARED = "Idempotency-Key"  # told once, above all calls


class Undescribed(Exception):
    """An operation without words, or words without an operation; names them."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the description, with its words."""

    name: str
    method: str
    path: str
    tag: str
    about: Mapping[str, Any]  # as the description has it
    words: Mapping[str, Any]

    @property
    def success(self) -> tuple[str, Mapping[str, Any]]:
        """Return the status of the answer that is no error, and what the description says of it."""
        return next((status, answer) for status, answer in self.about["responses"].items() if status.startswith("2"))


def calls_page(language: str) -> str:
    """Return the page in `zh` or `en`.

    Raises Undescribed when the interface and the words disagree.
    """
    words = _words()
    page = words["page"][language]
    lines = [f"# {page['title']}", "", page["lead"], "", page["errors"], ""]
    tag = ""
    shapes: dict[str, None] = {}
    for operation in operations():
        if operation.tag != tag:
            tag = operation.tag
            lines += [f"## {words['tags'][tag][language]}", ""]
        lines += _call(operation, page, language, shapes)
    lines += [f"## {page['shapes']}", ""]
    schemas = _description()["components"]["schemas"]
    for name in _with_parts(shapes, schemas):
        lines += [f"### {name}", "", *_fields(schemas[name], page), ""]
    return "\n".join(lines)


def operations() -> list[Operation]:
    """Return every operation in the order of the words, which is the order its example can be sent in."""
    words = _words()["operations"]
    found = {
        about["operationId"]: (method, path, about)
        for path, methods in _description()["paths"].items()
        for method, about in methods.items()
    }
    if set(found) != set(words):
        without, idle = sorted(set(found) - set(words)), sorted(set(words) - set(found))
        raise Undescribed(f"{WORDS.name}: without words: {without or '-'}; words for nothing: {idle or '-'}")
    return [
        Operation(name, found[name][0], found[name][1], found[name][2]["tags"][0], found[name][2], entry)
        for name, entry in words.items()
    ]


def _call(operation: Operation, page: Mapping[str, Any], language: str, shapes: dict[str, None]) -> Iterator[str]:
    """Yield the lines of one call; the shape of its answer is added to `shapes`."""
    words = operation.words
    yield f"### {words['zh_name'] if language == 'zh' else words['en']}"
    yield ""
    yield f"`{operation.method.upper()} {operation.path}`"
    yield ""
    told = words["zh"] if language == "zh" else " ".join(str(operation.about["description"]).split())
    yield told
    yield ""
    yield from _parameters(operation, page)
    status, answer = operation.success
    content = answer.get("content", {})
    shape = next(iter(content.values()))["schema"] if content else None
    kind = _type(shape, page, shapes) if shape else page["types"]["file"]
    yield f"{page['answer']}: `{status}`, {kind}" if language == "en" else f"{page['answer']}：`{status}`，{kind}"
    yield ""
    others = {one.name: one for one in operations()} if "before" in words else {}
    for earlier in words.get("before", []):
        other = replace(others[earlier["operation"]], words=earlier)
        yield from _example(other, other.success[0], f"example-before-{operation.name}")
    yield from _example(operation, status, f"example-{operation.name}")


def _parameters(operation: Operation, page: Mapping[str, Any]) -> Iterator[str]:
    rows = [one for one in operation.about.get("parameters", []) if one["name"] != _SHARED]
    if rows:
        yield from _table_head(page["call"])
        for one in rows:
            must = page["required"] if one["required"] else ""
            yield f"| `{one['name']}` | {page['places'][one['in']]} | {_type(one['schema'], page)} | {must} |"
        yield ""
    content = operation.about.get("requestBody", {}).get("content", {})
    for media_type, body in content.items():
        head = page["body"]
        yield from _table_head([f"{head[0]} `{media_type}`", *head[1:]])
        for name, schema in body["schema"].get("properties", {}).items():
            must = page["required"] if name in body["schema"].get("required", []) else ""
            yield f"| `{name}` | {_type(schema, page)} | {must} |"
        yield ""


def _example(operation: Operation, status: str, key: str) -> Iterator[str]:
    """Yield the call as a command. The mark before it tells the test what to expect and which value to keep."""
    words = operation.words
    path = operation.path
    for name, value in words.get("path", {}).items():
        path = path.replace(f"{{{name}}}", value)
    query = f"?{urlencode(words['query'], safe='$')}" if "query" in words else ""
    verb = f" -X {operation.method.upper()}" if operation.method != "get" else ""
    parts = [f'curl -sS{verb} "$MENDLINE{path}{query}"', f'-H "Authorization: Bearer ${words["who"]}"']
    if changes_something(operation.method, operation.about):
        parts.append(f'-H "{_SHARED}: {key}"')
    if "body" in words:
        parts.append('-H "Content-Type: application/json"')
        body = json.dumps(words["body"], ensure_ascii=False)
        quoted = body.replace('"', '\\"')
        parts.append(f'-d "{quoted}"' if "$" in body else f"-d '{body}'")
    parts += [f'-F "{name}={value}"' for name, value in words.get("form", {}).items()]
    keep = f" {words['keep']}" if "keep" in words else ""
    yield f"<!-- tried: curl {status}{keep} -->"
    yield "```sh"
    yield " \\\n  ".join(parts)
    yield "```"
    yield ""


def _fields(schema: Mapping[str, Any], page: Mapping[str, Any]) -> Iterator[str]:
    yield from _table_head(page["fields"])
    for name, kind in schema.get("properties", {}).items():
        yield f"| `{name}` | {_type(kind, page)} |"


def _type(schema: Mapping[str, Any], page: Mapping[str, Any], shapes: dict[str, None] | None = None) -> str:
    """Return a schema in words; a named shape is a link to its fields, and is added to `shapes`."""
    types = page["types"]
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        if shapes is not None:
            shapes[name] = None
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " / ".join(_type(one, page, shapes) for one in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    kind = str(schema.get("type", "object"))
    if kind == "array":
        return f"{types['array']}{_type(schema.get('items', {}), page, shapes)}"
    limits = [
        f"{low}–{high}" for low, high in [(schema.get("minimum"), schema.get("maximum"))] if None not in (low, high)
    ]
    default = schema.get("default")
    if default not in (None, "", [], {}):
        limits.append(f"= `{json.dumps(default)}`")
    return " ".join([str(types.get(schema.get("format", ""), types[kind])), *limits])


def _with_parts(names: Mapping[str, None], schemas: Mapping[str, Any]) -> list[str]:
    """Return the shapes and those that they are made of, in the order they are met."""
    found: dict[str, None] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop(0)
        if name not in found:
            found[name] = None
            text = json.dumps(schemas[name])
            waiting += [other for other in schemas if f'schemas/{other}"' in text]
    return list(found)


def _table_head(names: list[str]) -> Iterator[str]:
    yield f"| {' | '.join(names)} |"
    yield f"| {' | '.join('---' for _ in names)} |"


@cache
def _description() -> dict[str, Any]:
    return described(api)


@cache
def _words() -> dict[str, Any]:
    found: dict[str, Any] = yaml.load(WORDS.read_text(encoding="utf-8"), yaml.SafeLoader)
    return found
