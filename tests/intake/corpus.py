"""Lines written by hand with what they say, and the measure of how well they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mendline.intake.products import ProductName
from mendline.intake.reading import Reading, read
from mendline.kernel.time import SHANGHAI

HERE = Path(__file__).parent
NOW = datetime(2026, 3, 4, 10, 0, tzinfo=SHANGHAI)  # a Wednesday
DIRECTORY = tuple(
    ProductName(code, code.split("-")[0], (zh, en))
    for code, zh, en in (
        ("desktop", "台式机", "Desktop"),
        ("desktop-office", "商用台式机", "Office desktop"),
        ("desktop-home", "家用台式机", "Home desktop"),
        ("desktop-aio", "一体机", "All-in-one desktop"),
        ("notebook", "笔记本", "Notebook"),
        ("notebook-thin", "轻薄笔记本", "Thin notebook"),
        ("notebook-game", "游戏笔记本", "Gaming notebook"),
        ("server", "服务器", "Server"),
        ("server-rack", "机架式服务器", "Rack server"),
        ("server-tower", "塔式服务器", "Tower server"),
        ("printer", "打印机", "Printer"),
        ("printer-laser", "激光打印机", "Laser printer"),
        ("printer-inkjet", "喷墨打印机", "Inkjet printer"),
        ("television", "电视机", "Television"),
    )
)


@dataclass(frozen=True)
class Expected:
    """One line of a corpus file."""

    where: str
    line: str
    phone: str
    name: str
    area: str
    address: str
    product: str
    window: str
    fault: str


def expected_lines(*names: str) -> Iterator[Expected]:
    for name in names:
        for number, row in enumerate((HERE / name).read_text(encoding="utf-8").splitlines(), start=1):
            if row and not row.startswith("#"):
                line, *said = row.split("\t")
                yield Expected(f"{name}:{number}", line, *("" if part == "-" else part for part in said))


def read_expected(expected: Expected) -> Reading:
    return read(expected.line, now=NOW, products=DIRECTORY)


def phone_is_right(expected: Expected, found: Reading) -> bool:
    return found.phone == (f"+86{expected.phone.removeprefix('0')}" if expected.phone else "")


def area_is_right(expected: Expected, found: Reading) -> bool:
    code, candidates = (found.area.code, found.area.candidates) if found.area else ("", ())
    if not expected.area.startswith("?"):
        return code == expected.area and (bool(code) or not candidates)
    if expected.area.endswith("*"):
        above = expected.area[1:-1]
        return not code and bool(candidates) and all(choice.startswith(above) for choice in candidates)
    return not code and set(expected.area[1:].split(",")) <= set(candidates)


def area_is_silently_wrong(expected: Expected, found: Reading) -> bool:
    """An area was filled in that is not the caller's: the one fault that sends somebody to another city."""
    return found.area is not None and found.area.code not in ("", expected.area)


def window_of(found: Reading) -> str:
    """The window in the notation of the corpus files."""
    if found.window is None:
        return ""
    since = found.window.since.astimezone(SHANGHAI)
    until = found.window.until.astimezone(SHANGHAI) if found.window.until else None
    first = "." if since == NOW else f"{since:%m-%d %H:%M}" if since.year == NOW.year else f"{since:%Y-%m-%d %H:%M}"
    if until is None:
        return f"{first}/*"
    return f"{first}/{until:%H:%M}" if until.date() == since.date() else f"{first}/{until:%m-%d %H:%M}"


MEASURES: dict[str, Callable[[Expected, Reading], bool]] = {
    "phone": phone_is_right,
    "name": lambda expected, found: found.name == expected.name,
    "area": area_is_right,
    "address": lambda expected, found: found.address == expected.address,
    "product": lambda expected, found: found.product == expected.product,
    "window": lambda expected, found: window_of(found) == expected.window,
    "fault": lambda expected, found: expected.fault in found.fault and (bool(expected.fault) or not found.fault),
}


@dataclass(frozen=True)
class Quality:
    """How many lines were read right, part by part, and which were not."""

    lines: int
    wrong: dict[str, list[str]]
    silently_wrong: list[str]

    def share(self, part: str) -> float:
        """The share read right, in percent."""
        return 100 * (self.lines - len(self.wrong[part])) / self.lines

    def __str__(self) -> str:
        parts = ", ".join(f"{part} {self.share(part):.1f} %" for part in self.wrong)
        return f"{self.lines} lines: {parts}; area silently wrong: {len(self.silently_wrong)}"


def quality_of(*names: str) -> Quality:
    wrong: dict[str, list[str]] = {part: [] for part in MEASURES}
    silently: list[str] = []
    count = 0
    for expected in expected_lines(*names):
        count += 1
        found = read_expected(expected)
        for part, is_right in MEASURES.items():
            if not is_right(expected, found):
                got = {"window": window_of(found), "area": str(found.area)}.get(part) or getattr(found, part, "")
                wrong[part].append(
                    f"{expected.where} {part}: {got!r} for {getattr(expected, part)!r} in {expected.line}"
                )
        if area_is_silently_wrong(expected, found):
            silently.append(f"{expected.where}: {found.area} for {expected.area!r} in {expected.line}")
    return Quality(count, wrong, silently)
