"""Changing the limits of a procedure between two editions: read, tried on the past, approved, in force, withdrawn.

The owner of a procedure need not write a new edition to give a station five hours instead of four. But what such a
change does is weighed like an edition (UDS-03): somebody reviews it, somebody else approves it, and what it
would have done with the last days stands beside it all the while.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from mendline.access.actors import THE_CLOCK, Actor
from mendline.kernel.text import Text
from mendline.orders import replay_report
from mendline.orders.models import Record
from mendline.orders.transitions import perform
from mendline.process import loading, overlays
from mendline.process.definition import Process, base_of, edition_of, version_of
from mendline.process.differences import differences
from mendline.process.models import Overlay, ProcedureVersion
from mendline.process.overlays import NotALimit
from mendline.process.registry import Facts, Happening, No, Parameters, change, effect, guard, lookup
from mendline.process.values import stored_moment

PROCESS = "parameter_change"
TRIED_DAYS = 30
TRIED_RECORDS = 1_000  # decided again while somebody waits; the page of the change leads to more
_BETWEEN = re.compile(r"[\n;；]+")


def read_settings(text: str) -> dict[str, str]:
    """Return what a list of limits says, `name=value` one a line.

    >>> read_settings("contact_limit = 3h\\nt3_max_writes=2")
    {'contact_limit': '3h', 't3_max_writes': '2'}

    Raises NotALimit for a line of another form and for a parameter that stands twice.
    """
    found: dict[str, str] = {}
    for line in filter(None, map(str.strip, _BETWEEN.split(text))):
        name, equals, value = (part.strip() for part in line.partition("="))
        if not equals or not name:
            raise NotALimit(Text(f"“{line}”应写成“参数名=新值”", f"{line!r} should be written name=value"))
        if name in found:
            raise NotALimit(Text(f"参数 {name} 写了两次", f"{name} stands twice"))
        found[name] = value
    return found


@lookup("limits_read", held=False)
def limits_read(facts: Facts, actor: Actor, now: datetime) -> dict[str, Any]:
    """The limits as they are meant, and everything that keeps them from coming into force."""
    base = _base(facts)
    if base is None:
        code, version = facts.get("changes_process"), facts.get("changes_version")
        said = Text(f"没有流程文件“{code}”第 {version} 版", f"there is no process file {code} version {version}")
        return {"settings": {}, "faults": [said.as_dict()], "field": "changes_version"}
    try:
        settings = read_settings(str(facts.get("new_limits") or ""))
    except NotALimit as problem:
        return {"settings": {}, "faults": [problem.text.as_dict()], "field": "new_limits"}
    faults = overlays.faults_of(base, settings)
    return {
        "settings": settings,
        "words": [{**text.as_dict(), "rules": list(rules)} for text, rules in _told(base, settings)],
        "faults": [fault.as_dict() for fault in faults],
        "field": "new_limits",
    }


@lookup("base_stands", held=False)
def base_stands(facts: Facts, actor: Actor, now: datetime) -> bool:
    """Whether new records of that line begin with the version that the change stands on, or an overlay of it."""
    code, line = str(facts.get("changes_process") or ""), str(facts.get("product_line") or "")
    base = _base(facts)
    return base is not None and base_of(loading.in_force_as_of_now(code, line, now)) == base.version


@lookup("effect_on_the_past", held=False)
def effect_on_the_past(facts: Facts, actor: Actor, now: datetime) -> dict[str, Any]:
    """What the limits would have done with the last days; empty where they cannot be read."""
    base = _base(facts)
    try:
        tried = overlays.with_settings(base, read_settings(str(facts.get("new_limits") or ""))) if base else None
    except NotALimit:
        return {}
    return effect_of(tried, now) if tried is not None else {}


def effect_of(tried: Process, now: datetime) -> dict[str, Any]:
    """Return what the past would have been under other limits, as it is kept beside a proposal."""
    found = replay_report.run(tried, days=TRIED_DAYS, now=now, most=TRIED_RECORDS)
    data = replay_report.as_data(found)
    for name, clock in data["clocks"].items():
        clock["label"] = tried.clocks[name].label.as_dict() if name in tried.clocks else {"zh": name, "en": name}
    return {
        "headline": replay_report.headline(found).as_dict(),
        "days": TRIED_DAYS,
        "since": stored_moment(now - timedelta(days=TRIED_DAYS)),
        **data,
    }


@lookup("next_edition")
def next_edition(facts: Facts, actor: Actor, now: datetime) -> str:
    version = overlays.next_version(str(facts["changes_process"]), int(facts["changes_version"]))
    return edition_of(version)


def _base(facts: Facts) -> Process | None:
    version = facts.get("changes_version")
    whole = int(version) if isinstance(version, (int, float)) and int(version) == version else 0
    return loading.processes().get((str(facts.get("changes_process") or ""), whole))


@guard("limits_read")
def limits_are_sound(facts: Facts, parameters: Parameters) -> No | None:
    """A changed limit is listed by its name and passes the checks that a file passes (UDS-06)."""
    faults = facts["limits_read"]["faults"]
    if not faults:
        return None
    zh, en = "；".join(fault["zh"] for fault in faults), "; ".join(fault["en"] for fault in faults)
    return No("UDS-06", zh, en, facts["limits_read"]["field"])


@guard("base_stands")
def base_is_in_force(facts: Facts, parameters: Parameters) -> No | None:
    """Limits are changed of what holds now; an edition that ended, or did not begin, gets none (UDS-01, UDS-07)."""
    if facts["base_stands"]:
        return None
    named = f"{facts.get('changes_process')} V{facts.get('changes_version')}"
    zh = f"{named} 不是该产品线现行的版本，请按现行版本重新提出"
    return No("UDS-01", zh, f"{named} is not in force for that line; propose it for what is", "changes_version")


@change("limits_read", "effect_on_the_past")
def record_limits(facts: Facts, parameters: Parameters) -> Mapping[str, Any]:
    """Keep what is meant and what it would have done, as reviewer and approver are to see it (UDS-06)."""
    read = facts["limits_read"]
    return {"limits": read["settings"], "limit_words": read["words"], "effect": facts["effect_on_the_past"]}


@change()
def record_beginning(facts: Facts, parameters: Parameters) -> Mapping[str, Any]:
    """A moment that has passed, or none, means: with the approval, for nothing holds from before it (UDS-03)."""
    wished = facts.get("takes_effect_at")
    later = wished and datetime.fromisoformat(str(wished)) > facts["now"]
    return {"takes_effect_at": wished if later else stored_moment(facts["now"])}


@change("next_edition")
def record_edition(facts: Facts, parameters: Parameters) -> Mapping[str, Any]:
    """The edition that orders will carry (UDS-01)."""
    return {"edition": facts["next_edition"]}


@effect
def publish_limits(happening: Happening) -> None:
    """Put the overlay in force for new records of its line, in place of what held there (UDS-01, UDS-07).

    The document that published the edition stays in force: its steps and rules still hold. An overlay
    before this one ends.
    """
    record = happening.subject
    code, line = str(record.facts["changes_process"]), str(record.facts.get("product_line") or "")
    version = version_of(str(record.facts["edition"]))
    replaces, underneath = False, ""
    for row in ProcedureVersion.objects.select_for_update().filter(process=code, product_line=line, ended_at=None):
        before = Overlay.objects.filter(document=row.document).first() if row.document else None
        replaces, underneath = (before.replaces, before.underneath) if before else (True, row.document)
        _end(row, happening.now)
        if before is not None:
            perform(before.document, "terminate", actor=THE_CLOCK, now=happening.now)
    Overlay.objects.create(
        process=code, version=version, base_version=base_of(version), settings=record.facts["limits"],
        document=record.ref, replaces=replaces, underneath=underneath, made_at=happening.now,
    )  # fmt: skip
    loading.allow_changes(loading.process_for(code, version))
    ProcedureVersion.objects.create(
        process=code, version=version, product_line=line, document=record.ref, in_force_from=happening.now
    )
    loading.forget_in_force()


@effect
def withdraw_limits(happening: Happening) -> None:
    """Let new records begin with the file's limits again; those under way keep what they began with (CAN-33).

    One person may do it: what comes back was reviewed and approved when its edition was published.
    """
    overlay = Overlay.objects.get(document=happening.subject.ref)
    overlays.hold(overlay.process)
    for row in ProcedureVersion.objects.select_for_update().filter(document=overlay.document, ended_at=None):
        _end(row, happening.now)
        if overlay.replaces:
            ProcedureVersion.objects.create(
                process=overlay.process,
                version=overlay.base_version,
                product_line=row.product_line,
                document=overlay.underneath,
                in_force_from=happening.now,
            )
    loading.forget_in_force()


def end_overlays(code: str, line: str, now: datetime) -> list[str]:
    """End overlays that a new edition for `line` leaves nothing to stand on; return the documents underneath them.

    Besides the line's own these are, where the edition is for every line, overlays of lines that have no
    edition of their own. What was approved and has not begun ends as well.
    """
    underneath: list[str] = []
    for row in ProcedureVersion.objects.select_for_update().filter(process=code, ended_at=None).exclude(document=""):
        overlay = Overlay.objects.filter(document=row.document).first()
        if overlay is None or not (row.product_line == line or (line == "" and not overlay.replaces)):
            continue
        _end(row, now)
        perform(overlay.document, "terminate", actor=THE_CLOCK, now=now)
        underneath += [overlay.underneath] if overlay.underneath else []
    return underneath


def end_what_waits(code: str, now: datetime) -> None:
    """End changes that were approved for an edition which does not hold any more."""
    waiting = Record.objects.unscoped("a new edition ends them").filter(process=PROCESS, state="approved")
    for record in waiting.filter(facts__changes_process=code):
        line = str(record.facts.get("product_line") or "")
        if base_of(loading.in_force_as_of_now(code, line, now)) != record.facts["changes_version"]:
            perform(record.ref, "terminate", actor=THE_CLOCK, now=now)


def words_of(base: Process, settings: Mapping[str, str]) -> list[Text]:
    """Return in words what an overlay changes; empty where it cannot be read any more."""
    return [text for text, _ in _told(base, settings)]


def _told(base: Process, settings: Mapping[str, str]) -> list[tuple[Text, tuple[str, ...]]]:
    try:
        return [(one.text, one.rules) for one in differences(base, overlays.with_settings(base, settings))]
    except NotALimit:
        return []


def lines_of(settings: Iterable[tuple[str, str]]) -> str:
    """Return limits as `read_settings` reads them."""
    return "\n".join(f"{name}={value}" for name, value in settings)


def _end(row: ProcedureVersion, now: datetime) -> None:
    row.ended_at = now
    row.save(update_fields=["ended_at"])
