"""The editions of procedures as pages list them: files and overlays, which holds for whom, and what waits."""

from __future__ import annotations

from dataclasses import dataclass

from mendline.kernel.errors import NotVisible, Refused
from mendline.kernel.text import Text
from mendline.orders import parameter_changes, queries
from mendline.process.definition import Process, edition_of
from mendline.process.loading import process_for, processes
from mendline.process.models import Overlay, ProcedureVersion
from mendline.process.parameter_words import label_of, rules_of, value_words
from mendline.web.console.fact_words import product_name
from mendline.web.console.rows import RecordRow, record_rows
from mendline.web.console.visit import Visit

WRITES_PROCEDURES = frozenset({"process_owner", "channel_management", "hq_interface", "admin"})
PROPOSES = frozenset({"process_owner", "channel_management"})
DECIDES = WRITES_PROCEDURES | {"service_support_dept"}
DOCUMENTS = ("parameter_change", "procedure_document")
EVERY_LINE = Text("全部产品线", "every product line")


@dataclass(frozen=True, slots=True)
class Edition:
    """One version of a process: a file's, or an overlay of one with what it changes in words."""

    version: int
    process: Process
    holds_for: tuple[Text, ...]  # product lines whose new records begin with it
    changes: tuple[Text, ...]
    document: str  # the document that published it last, where there is one

    @property
    def name(self) -> str:
        return edition_of(self.version)


@dataclass(frozen=True, slots=True)
class Family:
    """A process with all its editions, the newest first."""

    process: Process
    editions: tuple[Edition, ...]


@dataclass(frozen=True, slots=True)
class Limit:
    """One parameter of an edition in words, and what its file says where that is another."""

    name: str
    label: Text
    value: Text
    rules: tuple[str, ...]
    in_file: Text | None


def process_or_absent(code: str, version: int) -> Process:
    """Return the version, or raise NotVisible."""
    try:
        return process_for(code, version)
    except Refused:
        raise NotVisible from None


def families(visit: Visit) -> list[Family]:
    """Return every process; those that orders follow first."""
    codes = sorted({code for code, _ in processes()})
    found = [Family(editions[0].process, editions) for code in codes if (editions := tuple(editions_of(code)))]
    return sorted(found, key=lambda family: (family.process.kind != "repair", family.process.code))


def editions_of(code: str) -> list[Edition]:
    """Return the editions of a process, the newest first: each file below its overlays."""
    holding = list(ProcedureVersion.objects.filter(process=code, ended_at=None).order_by("product_line"))
    published = dict(
        ProcedureVersion.objects.filter(process=code)
        .exclude(document="")
        .order_by("id")
        .values_list("version", "document")
    )
    standing: dict[int, list[Overlay]] = {}
    for row in Overlay.objects.filter(process=code).order_by("-version"):
        standing.setdefault(row.base_version, []).append(row)
    found: list[Edition] = []
    for (known, version), base in sorted(processes().items(), key=lambda item: -item[0][1]):
        if known != code:
            continue
        for row in standing.get(version, ()):
            changes = tuple(parameter_changes.words_of(base, row.settings))
            process = process_for(code, row.version)
            found.append(Edition(row.version, process, _lines(holding, row.version), changes, row.document))
        found.append(Edition(version, base, _lines(holding, version), (), published.get(version, "")))
    return found


def _lines(holding: list[ProcedureVersion], version: int) -> tuple[Text, ...]:
    return tuple(
        product_name(row.product_line) if row.product_line else EVERY_LINE for row in holding if row.version == version
    )


def limits_of(process: Process, base: Process) -> list[Limit]:
    """Return the parameters of an edition, each with what its file says where the edition says otherwise."""
    return [
        Limit(
            name,
            label_of(name),
            value_words(process, value),
            rules_of(process, name),
            value_words(base, base.parameters[name]) if base.parameters.get(name) != value else None,
        )
        for name, value in process.parameters.items()
    ]


def waiting_for(visit: Visit) -> list[RecordRow]:
    """Return documents and changes of limits that wait to be reviewed, approved or published; for who decides."""
    if visit.actor.role not in DECIDES:
        return []
    return record_rows(queries.inbox_of_records(visit.actor, DOCUMENTS), visit.now)
