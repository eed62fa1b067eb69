"""Which rule is enforced where, and what proves it: read off the project's own files.

A rule counts as done when running code or a process file cites it *and* a test or scenario carries its id:

- enforced: a line of `processes/*.yaml` (not a line of comment alone), of a module (not its introduction) or of a
  template of the product;
- proved: a test's name (`test_stn_19_…`, `test_can_18_to_21_…`), its docstring, its parameters or what it asserts;
  a scenario's `rules:` or `refused:`. A test marked skip or xfail proves nothing.

The demonstration world and the command line enforce nothing, so `sim` and `cli` are left out.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mendline.kernel import plain_yaml
from mendline.kernel.text import Text

RULE_ID = re.compile(r"\b[A-Z]{3}-\d{2,3}\b")
NOT_THE_PRODUCT = frozenset({"sim", "cli", "tests"})
SHARE_FILE = "share.txt"
_IN_NAME = re.compile(r"(?<![a-z0-9])([a-z]{3})_(\d{2,3}(?:_(?:to_|and_)?\d{2,3})*)(?![0-9])")
_RULE_IN_TEST_NAME = re.compile(rf"\bdef test_\w*?{_IN_NAME.pattern}")
_KEPT = re.compile(r"^(?P<section>[A-Z]{3}) (?P<done>\d+)/(?P<total>\d+)$")


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A line that cites a rule, and what it belongs to (a transition, a function, a test, a scenario)."""

    file: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.what}".rstrip()


Citations = tuple[tuple[str, Place], ...]
"""What one file says: rule and place."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """One rule, where it is enforced and what proves that."""

    rule: str
    text: Text
    inferred: bool
    enforced: tuple[Place, ...]
    proved: tuple[Place, ...]

    @property
    def done(self) -> bool:
        return bool(self.enforced and self.proved)


@dataclass(frozen=True, slots=True)
class Section:
    """The rules of one section of the catalogue, by number."""

    prefix: str
    title: str
    rules: tuple[Coverage, ...]

    @property
    def done(self) -> int:
        return sum(rule.done for rule in self.rules)

    @property
    def share_percent(self) -> int:
        """Whole percent, rounded down: 100 only when every rule is done."""
        return 100 * self.done // len(self.rules) if self.rules else 100


def sections(root: Path) -> list[Section]:
    """Return every section that has texts under `root/processes/rules`, with what covers each rule.

    What each file cites is remembered for as long as its text stays the same: asking again costs the reading alone.

    Raises SyntaxError for a test file that carries a rule and is not Python.
    """
    enforced, proved = _by_rule(_enforcing(root)), _by_rule(_proving(root))
    return [_section(path, enforced, proved) for path in sorted((root / "processes" / "rules").glob("*.yaml"))]


def kept_share(root: Path) -> dict[str, tuple[int, int]]:
    """Return the numbers of done and of all rules that each section had when `share.txt` was last written.

    Raises ValueError for a line that is not of the form `STN 47/51`.
    """
    path = root / "processes" / "rules" / SHARE_FILE
    kept: dict[str, tuple[int, int]] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines() if path.exists() else [], start=1):
        if line and not line.startswith("#"):
            found = _KEPT.match(line)
            if found is None:
                raise ValueError(f"{path.name}:{number}: {line!r} should look like STN 47/51")
            kept[found["section"]] = (int(found["done"]), int(found["total"]))
    return kept


def fallen(found: list[Section], kept: Mapping[str, tuple[int, int]]) -> list[str]:
    """Return a sentence for every section whose share of done rules is lower than it was, or that is gone."""
    now = {section.prefix: (section.done, len(section.rules)) for section in found}
    return [
        f"{prefix}: {now.get(prefix, (0, 0))[0]}/{now.get(prefix, (0, 0))[1]} done, it was {done}/{total}"
        for prefix, (done, total) in kept.items()
        if prefix not in now or now[prefix][0] * total < done * now[prefix][1]
    ]


def _section(path: Path, enforced: Mapping[str, list[Place]], proved: Mapping[str, list[Place]]) -> Section:
    text = path.read_text(encoding="utf-8")
    value = plain_yaml.read(path).value
    rules: list[Coverage] = []
    for rule, kept in (value if isinstance(value, dict) else {}).items():
        words = kept if isinstance(kept, dict) else {}
        rules.append(
            Coverage(
                rule,
                Text(str(words.get("zh", "")), str(words.get("en", ""))),
                words.get("inferred") is True,
                tuple(sorted(set(enforced.get(rule, ())))),
                tuple(sorted(set(proved.get(rule, ())))),
            )
        )
    title = text.splitlines()[0].lstrip("# ") if text.startswith("#") else ""
    return Section(path.stem, title, tuple(rules))


def _by_rule(citations: Iterator[tuple[str, Place]]) -> dict[str, list[Place]]:
    places: dict[str, list[Place]] = defaultdict(list)
    for rule, place in citations:
        places[rule].append(place)
    return places


def _enforcing(root: Path) -> Iterator[tuple[str, Place]]:
    yield from _read(root, sorted((root / "processes").glob("*.yaml")), _in_process_file)
    yield from _read(root, _product_files(root, "*.py"), _in_module)
    yield from _read(root, _product_files(root, "*.html"), _in_template)


def _read(root: Path, paths: Iterable[Path], reader: Callable[[str, str], Citations]) -> Iterator[tuple[str, Place]]:
    """Yield what `reader` finds. Most files carry no rule, and looking for that is quicker than taking them apart."""
    for path in paths:
        text = path.read_text(encoding="utf-8")
        if RULE_ID.search(text) or (reader is _in_tests and _RULE_IN_TEST_NAME.search(text)):
            yield from reader(text, path.relative_to(root).as_posix())


def _product_files(root: Path, pattern: str) -> Iterator[Path]:
    folder = root / "mendline"
    for path in sorted(folder.rglob(pattern)):
        if not NOT_THE_PRODUCT & set(path.relative_to(folder).parts):
            yield path


@cache
def _in_process_file(text: str, name: str) -> Citations:
    """Return the citations with the entry they stand in, e.g. `clocks.contact`."""
    block = entry = ""
    found: list[tuple[str, Place]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        key = re.match(r"( *)([a-z_0-9]+):", line)
        if key and not key[1]:
            block, entry = key[2], ""
        elif key and len(key[1]) == 2:
            entry = key[2]
        if not line.lstrip().startswith("#"):
            place = Place(name, number, ".".join(filter(None, (block, entry))))
            found += [(rule, place) for rule in RULE_ID.findall(line)]
    return tuple(found)


@cache
def _in_template(text: str, name: str) -> Citations:
    return tuple(
        (rule, Place(name, number, ""))
        for number, line in enumerate(text.splitlines(), start=1)
        for rule in RULE_ID.findall(line)
    )


@cache
def _in_module(text: str, name: str) -> Citations:
    """Return the citations with the function or class they stand in; a table of the module has none."""
    within = ""
    found: list[tuple[str, Place]] = []
    introduction = _end_of_introduction(text)
    for number, line in enumerate(text.splitlines(), start=1):
        if number <= introduction:
            continue
        definition = re.match(r"(?:async def|def|class) (\w+)", line)
        if definition:
            within = definition[1]
        elif line[:1] not in ("", " ", ")", "]", "}"):
            within = ""
        found += [(rule, Place(name, number, within)) for rule in RULE_ID.findall(line)]
    return tuple(found)


def _end_of_introduction(text: str) -> int:
    """Return the last line of a module's docstring: it tells what the module is about, and enforces nothing."""
    end = 0
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.STRING:
            end = token.end[0]
        elif token.type == tokenize.NEWLINE:
            return end
        elif token.type not in (tokenize.COMMENT, tokenize.NL):
            return 0
    return 0


def _proving(root: Path) -> Iterator[tuple[str, Place]]:
    tests = sorted([*(root / "tests").rglob("test_*.py"), *(root / "mendline").glob("**/tests/test_*.py")])
    yield from _read(root, tests, _in_tests)
    folder = root / "scenarios"
    played = (path for path in sorted(folder.rglob("*.yaml")) if "worlds" not in path.relative_to(folder).parts)
    yield from _read(root, played, _in_scenario)


@cache
def _in_tests(text: str, name: str) -> Citations:
    module, lines = ast.parse(text, filename=name), text.split("\n")
    tables: dict[str, ast.AST] = {
        target.id: node.value
        for node in module.body
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None and _mentions(node, lines)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    found: list[tuple[str, Place]] = []
    for test in _tests_among(module.body):
        if not _is_switched_off(test):
            place = Place(name, test.lineno, test.name)
            looked_into = tables or any(_mentions(node, lines) for node in (test, *test.decorator_list))
            rules = _carried_by(test, tables) if looked_into else set(rules_in_name(test.name))
            found += [(rule, place) for rule in rules]
    return tuple(found)


def _tests_among(body: Iterable[ast.AST]) -> Iterator[ast.FunctionDef]:
    """Yield the test functions of a module, however deep: only statements hold them, so no expression is walked."""
    for node in body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node
        for part in ("body", "orelse", "finalbody", "handlers", "cases"):
            inner = getattr(node, part, None)
            if isinstance(inner, list):
                yield from _tests_among(inner)


def _mentions(node: ast.AST, lines: Sequence[str]) -> bool:
    assert isinstance(node, (ast.stmt, ast.expr))
    return any(RULE_ID.search(line) for line in lines[node.lineno - 1 : node.end_lineno])


def _carried_by(test: ast.FunctionDef, tables: Mapping[str, ast.AST]) -> set[str]:
    """Return the rules in a test's name, docstring, parameters (also in tables they name) and assertions."""
    carried = {*rules_in_name(test.name), *RULE_ID.findall(ast.get_docstring(test) or "")}
    for decorator in test.decorator_list:
        carried.update(_rules_leading(decorator))
        for node in ast.walk(decorator):
            if isinstance(node, ast.Name) and node.id in tables:
                carried.update(_rules_leading(tables[node.id]))
    for node in ast.walk(test):
        if isinstance(node, ast.Assert) or (isinstance(node, ast.Call) and _name_of(node.func).endswith("raises")):
            carried.update(_rules_leading(node))
    return carried


def _name_of(called: ast.expr) -> str:
    return called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""


def _rules_leading(tree: ast.AST) -> Iterator[str]:
    """Yield the rules with which a text of `tree` begins; one in the middle of some text is only mentioned."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found = RULE_ID.match(node.value)
            if found:
                yield found[0]


def rules_in_name(name: str) -> list[str]:
    """Return the rule ids that a test's name carries.

    >>> rules_in_name("test_can_08_a_station_cannot_drop_it")
    ['CAN-08']
    >>> rules_in_name("test_can_18_to_21_and_stn_05_06_no_door_is_open")
    ['CAN-18', 'CAN-19', 'CAN-20', 'CAN-21', 'STN-05', 'STN-06']
    """
    found: list[str] = []
    for prefix, numbers in _IN_NAME.findall(name):
        before = 0
        for joint, digits in re.findall(r"(to_)?(\d+)", numbers):
            first = before + 1 if joint and before else int(digits)
            found += [f"{prefix.upper()}-{number:02}" for number in range(first, int(digits) + 1)]
            before = int(digits)
    return found


def _is_switched_off(test: ast.FunctionDef) -> bool:
    return any(
        isinstance(node, ast.Attribute) and node.attr in ("skip", "xfail")
        for decorator in test.decorator_list
        for node in ast.walk(decorator)
    )


@cache
def _in_scenario(text: str, name: str) -> Citations:
    document = plain_yaml.parse(text)
    top = document.value if isinstance(document.value, dict) else {}
    rules, steps = top.get("rules"), top.get("steps")
    named = Place(name, document.line("rules"), str(top.get("scenario", "")))
    found = [(str(rule), named) for rule in (rules if isinstance(rules, list) else [])]
    for place, step in enumerate(steps if isinstance(steps, list) else []):
        if isinstance(step, dict) and RULE_ID.fullmatch(str(step.get("refused", ""))):
            refused = str(step["refused"])
            found.append((refused, Place(name, document.line("steps", place), f"refused {refused}")))
    return tuple(found)
