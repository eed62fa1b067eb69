"""The process files of this installation: read once, checked, generated into the database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import yaml
from django.conf import settings
from django.db import transaction

from mendline.kernel import plain_yaml
from mendline.kernel.calendars import chinese_holidays
from mendline.kernel.errors import Refused
from mendline.kernel.text import Text
from mendline.process import calendar_table, overlays
from mendline.process.definition import Process, base_of, edition_of
from mendline.process.models import AllowedChange, CalendarDay, Overlay, ProcedureVersion
from mendline.process.reading import MOST_VERSION, Fault, read_document, read_process
from mendline.process.rules import rules
from mendline.process.soundness import check

IN_FORCE_FOR_SECONDS = 1.0
DEEPEST = 20  # levels of such a text; files of processes need seven, and the parser's stack is no bottomless one
MOST_CHARACTERS = 200_000  # of a process that somebody sends; the largest file has a fifth of that


class Unsound(Exception):
    """Process files with faults; lists all of them."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = sorted(faults)
        super().__init__("\n".join(map(str, self.faults)))


def read_folder(folder: Path) -> tuple[dict[tuple[str, int], Process], list[Fault]]:
    """Read every process file of a folder and return what could be read, and every fault of every file."""
    return read_files(sorted(folder.glob("*.yaml")))


def read_files(paths: Iterable[Path]) -> tuple[dict[tuple[str, int], Process], list[Fault]]:
    found: dict[tuple[str, int], Process] = {}
    faults: list[Fault] = []
    for path in paths:
        process, problems, reader = read_process(path)
        faults += problems
        if process is None:
            continue
        faults += check(process, reader, rules())
        if (process.code, process.version) in found:
            faults.append(Fault(path.name, 1, f"{process.code} version {process.version} is defined twice"))
        found[process.code, process.version] = process
    return found, faults


def read_text(name: str, text: str) -> tuple[Process | None, list[Fault]]:
    """Read a process that somebody typed or sent; `name` is what its faults call it.

    Files of the installation are trusted; this is not: too long a text and YAML's aliases, with which a short text
    unfolds into a long one, are faults.
    """
    if len(text) > MOST_CHARACTERS:
        return None, [Fault(name, 1, f"longer than {MOST_CHARACTERS:,} characters")]
    fault = _unfit(text)
    if fault is not None:
        return None, [Fault(name, *fault)]
    document = plain_yaml.parse(text)
    process, faults, reader = read_document(name, document)
    if process is not None:
        faults += check(process, reader, rules())
    return process, faults


def _unfit(text: str) -> tuple[int, str] | None:
    """Return line and reason for what must not be built up: the parser's events come one by one, whatever they mean."""
    depth = 0
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            line = event.start_mark.line + 1 if event.start_mark else 1
            if isinstance(event, yaml.AliasEvent):
                return line, "YAML aliases (*) cannot be used"
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            if depth > DEEPEST:
                return line, f"nested more than {DEEPEST} levels deep"
    except yaml.YAMLError as error:
        return 1, f"not YAML: {error}".splitlines()[0]
    return None


@lru_cache(maxsize=1)
def processes() -> Mapping[tuple[str, int], Process]:
    """Return all processes by code and version.

    Raises Unsound when any file has a fault: nothing starts on half a procedure.
    """
    found, faults = read_folder(settings.PROCESS_FOLDER)
    if faults:
        raise Unsound(faults)
    return found


def process_for(code: str, version: int) -> Process:
    """Return one process version: a file's, or an overlay of one.

    Raises Refused for a code or version that does not exist.
    """
    known = processes()
    found = known.get((code, version))
    if found is not None:
        return found
    base = known.get((code, base_of(version))) if version > MOST_VERSION else None
    found = overlays.overlay_of(base, version) if base is not None else None
    if found is None:
        detail = Text(f"没有流程“{code}”第 {edition_of(version)} 版", f"there is no process {code!r} version {version}")
        raise Refused("unknown_process", detail)
    return found


def latest(code: str) -> Process:
    """Return the highest version of a process there is a file for.

    Raises Refused for an unknown code.
    """
    versions = [version for known, version in processes() if known == code]
    if not versions:
        raise Refused("unknown_process", Text(f"没有流程“{code}”", f"there is no process {code!r}"))
    return processes()[code, max(versions)]


class _InForce:
    """The versions in force, read from the database at most once a second in each process."""

    def __init__(self) -> None:
        self._read_at: datetime | None = None
        self._rows: list[ProcedureVersion] = []

    def rows(self, now: datetime) -> list[ProcedureVersion]:
        stale = self._read_at is None or abs((now - self._read_at).total_seconds()) >= IN_FORCE_FOR_SECONDS
        if stale:
            self._rows = list(ProcedureVersion.objects.order_by("in_force_from", "id"))
            self._read_at = now
        return self._rows

    def forget(self) -> None:
        self._read_at = None


_in_force = _InForce()


def forget_in_force() -> None:
    """Have what is in force read again; overlays that were never committed are forgotten with it."""
    _in_force.forget()
    overlays.forget()


def in_force(code: str, product_line: str, now: datetime) -> int:
    """Return the version of `code` in force for a product line at `now` (UDS-07).

    A version published for that very line wins over the general one; where nothing was ever
    published, the newest file counts.
    """
    return _chosen(_in_force.rows(now), code, product_line, now)


def in_force_as_of_now(code: str, product_line: str, now: datetime) -> int:
    """The same as this transaction sees it, for a step that depends on it."""
    return _chosen(
        ProcedureVersion.objects.filter(process=code).order_by("in_force_from", "id"), code, product_line, now
    )


def _chosen(rows: Iterable[ProcedureVersion], code: str, product_line: str, now: datetime) -> int:
    holding = [
        row
        for row in rows
        if row.process == code and row.in_force_from <= now and (row.ended_at is None or now < row.ended_at)
    ]
    for line in (product_line, ""):
        for row in holding:
            if row.product_line == line:
                return row.version
    return latest(code).version


def allow_changes(process: Process) -> None:
    """List the state changes of a version that is new in the database, so that its records may take them."""
    AllowedChange.objects.bulk_create(
        AllowedChange(process=process.code, version=process.version, from_state=source, to_state=target)
        for source, target in sorted(process.allowed_changes)
    )


def load_all() -> None:
    """Generate the tables that mirror the files: allowed changes and calendar days; publish what is new.

    Idempotent. A change of a file that is already in force is taken over; allowed changes that no
    file lists any more stay as long as the version's number exists, for orders may stand there.
    """
    files = processes()
    with transaction.atomic():
        rows = list(Overlay.objects.all())
        faults = overlays.unfit(files, rows)
        if faults:
            raise Unsound(faults)
        standing_on = {key: [key[1]] for key in files}
        for row in rows:
            standing_on[row.process, row.base_version].append(row.version)
        wanted = {
            (process.code, version, source, target)
            for key, process in files.items()
            for version in standing_on[key]
            for source, target in process.allowed_changes
        }
        present = set(AllowedChange.objects.values_list("process", "version", "from_state", "to_state"))
        AllowedChange.objects.bulk_create(
            AllowedChange(process=code, version=version, from_state=source, to_state=target)
            for code, version, source, target in sorted(wanted - present)
        )
        for code, version, source, target in present - wanted:
            AllowedChange.objects.filter(process=code, version=version, from_state=source, to_state=target).delete()
        _load_calendar()
        _publish_first_versions()
    forget_in_force()


def _load_calendar() -> None:
    """Copy the holiday file into the table; days that an operator entered by hand stay as they are."""
    known = set(CalendarDay.objects.values_list("day", flat=True))
    table = chinese_holidays()
    entries = [(day, False, name.zh) for day, name in table.names.items()]
    entries += [(day, True, "调休上班") for day in table.make_up]
    CalendarDay.objects.bulk_create(
        CalendarDay(day=day, works=works, name=name, provisional=day.year in table.provisional)
        for day, works, name in sorted(entries)
        if day not in known
    )
    calendar_table.forget()


def _publish_first_versions() -> None:
    """The newest version of every process is in force from the beginning, until a document publishes another."""
    published = set(ProcedureVersion.objects.filter(product_line="").values_list("process", flat=True))
    codes = sorted({code for code, _ in processes()} - published)
    beginning = datetime(2000, 1, 1, tzinfo=UTC)
    ProcedureVersion.objects.bulk_create(
        ProcedureVersion(process=code, version=latest(code).version, in_force_from=beginning) for code in codes
    )
