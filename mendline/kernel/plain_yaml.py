"""YAML without surprises: `4:00` stays text, `yes` stays a word, keys may not repeat, every value knows its line."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import yaml

Plain: TypeAlias = "None | bool | int | float | str | list[Plain] | dict[str, Plain]"
Where: TypeAlias = "tuple[str | int, ...]"


class _PlainLoader(yaml.CSafeLoader):
    """The safe loader with four implicit types only: null, true/false, integers and decimals."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, object]]] = {}


def _plain_type(tag: str, pattern: str, first: str) -> None:
    import re

    _PlainLoader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), list(first))


_plain_type("null", r"^(?:~|null|)$", "~n\0")
_PlainLoader.yaml_implicit_resolvers.setdefault("", []).extend(_PlainLoader.yaml_implicit_resolvers.get("\0", []))
_plain_type("bool", r"^(?:true|false)$", "tf")
_plain_type("int", r"^-?(?:0|[1-9][0-9]*)$", "-0123456789")
_plain_type("float", r"^-?[0-9]+\.[0-9]+$", "-0123456789")


@dataclass(slots=True)
class Document:
    """A parsed file: its plain value, the line of every key and item, and what is wrong with its form."""

    value: Plain
    lines: dict[Where, int] = field(default_factory=dict)
    faults: list[tuple[int, str]] = field(default_factory=list)

    def line(self, *where: str | int) -> int:
        """Return the line of the value at `where`, or of its nearest parent."""
        for end in range(len(where), -1, -1):
            if where[:end] in self.lines:
                return self.lines[where[:end]]
        return 1


def read(path: Path) -> Document:
    """Read one file; one that cannot be read, is not UTF-8 or not YAML is a fault, not an exception."""
    try:
        return parse(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        return Document(None, faults=[(1, "the file is not UTF-8 text")])
    except OSError as problem:
        return Document(None, faults=[(1, f"the file cannot be read: {problem.strerror}")])


def parse(text: str) -> Document:
    """Parse one YAML document.

    >>> parse("limit: 4:00\\non: yes\\nzeros: 000001\\nn: 6").value
    {'limit': '4:00', 'on': 'yes', 'zeros': '000001', 'n': 6}
    """
    document = Document(None)
    loader = _PlainLoader(text)
    try:
        node = loader.get_single_node()
        if node is not None:
            document.value = _build(loader, node, (), document)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        document.faults.append((mark.line + 1 if mark else 1, f"not YAML: {error.problem or error.context}"))
    except yaml.YAMLError as error:
        document.faults.append((1, f"not YAML: {error}"))
    finally:
        loader.dispose()
    return document


def _build(loader: _PlainLoader, node: yaml.Node, where: Where, document: Document) -> Plain:
    document.lines[where] = node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        return [_build(loader, item, (*where, index), document) for index, item in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        mapping: dict[str, Plain] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            if key in mapping:
                document.faults.append((key_node.start_mark.line + 1, f"the key {key} stands twice"))
            mapping[key] = _build(loader, value_node, (*where, key), document)
            document.lines[(*where, key)] = key_node.start_mark.line + 1
        return mapping
    value = loader.construct_object(node, deep=True)
    return value if isinstance(value, (bool, int, float, str)) or value is None else str(node.value)
