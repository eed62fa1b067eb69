"""Publishing a procedure version as a controlled document (UDS-01 to UDS-08)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mendline.access.actors import THE_CLOCK, Actor
from mendline.journal.models import Outgoing
from mendline.orders import messages, parameter_changes
from mendline.orders.copy_list import read_copies
from mendline.orders.transitions import perform
from mendline.process import overlays
from mendline.process.loading import forget_in_force, process_for, processes
from mendline.process.models import ProcedureVersion
from mendline.process.registry import Facts, Happening, No, Parameters, change, effect, guard, lookup
from mendline.process.values import stored_moment

# The components of the set, word for word as the notice lists them (UDS-05).
COMPONENTS = (
    "站端接CC派单", "站端自行生成维修单", "撤单", "特殊情况处理", "渠道产能及区域覆盖信息变更", "站端操作规范",
    "T1-T4填写规范", "未开通800地区备案表", "渠道覆盖区域变更申请表",
)  # fmt: skip


@lookup("process_versions")
def process_versions(facts: Facts, actor: Actor, now: datetime) -> list[tuple[str, int]]:
    return list(processes())


@lookup("copies_read")
def copies_read(facts: Facts, actor: Actor, now: datetime) -> dict[str, Any]:
    """The copy list as it is meant, and the entries that mean nobody."""
    copies = read_copies(str(facts.get("copies") or ""))
    return {"to": list(copies.to), "unknown": list(copies.unknown)}


@guard("process_versions")
def published_version_exists(facts: Facts, parameters: Parameters) -> No | None:
    wanted = (facts.get("publishes_process"), facts.get("publishes_version"))
    if wanted not in facts["process_versions"]:
        zh = f"没有流程文件“{wanted[0]}”第 {wanted[1]} 版"
        return No("UDS-07", zh, f"there is no process file {wanted[0]} version {wanted[1]}", "publishes_version")
    return None


@guard("line_known")
def product_line_is_known(facts: Facts, parameters: Parameters) -> No | None:
    """A version published for a line nobody has would never be looked up (UDS-07)."""
    if facts.get("product_line") and not facts["line_known"]:
        zh = f"没有产品线“{facts['product_line']}”；留空表示适用全部产品线"
        en = f"there is no product line {facts['product_line']}; leave it empty to publish for all"
        return No("UDS-07", zh, en, "product_line")
    return None


@guard("copies_read")
def copies_are_known(facts: Facts, parameters: Parameters) -> No | None:
    """Everybody on the copy list is told, so everybody on it must be somebody (UDS-04)."""
    unknown = facts["copies_read"]["unknown"] if "copies" in facts["given_names"] else []
    if not unknown:
        return None
    names = "、".join(unknown)
    zh = f"抄送中的“{names}”不是部门、维修站编号、登录名、姓名或邮箱；同名者请写登录名，各项用“、”分开"
    en = f"no department, station number, login name, name or e-mail address: {names}; divide the entries by commas"
    return No("UDS-04", zh, en, "copies")


@guard()
def components_are_complete(facts: Facts, parameters: Parameters) -> No | None:
    listed = str(facts.get("components", ""))
    missing = [name for name in COMPONENTS if name not in listed]
    if facts.get("publishes_process") == "unified_repair" and missing:
        zh = f"组成文件缺少：{'、'.join(missing)}"
        return No("UDS-05", zh, f"components missing: {', '.join(missing)}", "components")
    return None


@guard()
def reviewer_is_not_the_drafter(facts: Facts, parameters: Parameters) -> No | None:
    if facts.get("actor_id") is not None and facts.get("actor_id") == facts.get("drafted_by"):
        return No("UDS-03", "审核人不能是拟文人", "the reviewer must be another person than the drafter")
    return None


@guard()
def approver_is_another_person(facts: Facts, parameters: Parameters) -> No | None:
    if facts.get("actor_id") is not None and facts.get("actor_id") in (
        facts.get("drafted_by"),
        facts.get("reviewed_by_id"),
    ):
        return No(
            "UDS-03", "批准人不能是拟文人或审核人", "the approver must be another person than drafter and reviewer"
        )
    return None


@change()
def record_draft(facts: Facts, parameters: Parameters) -> Mapping[str, Any]:
    return {"drafted_by": facts.get("actor_id"), "reviewer": None, "approver": None}


@change("copies_read")
def record_copies(facts: Facts, parameters: Parameters) -> Mapping[str, Any]:
    """Keep who is meant beside the words, which stay as they were written (UDS-04)."""
    return {"copies_to": facts["copies_read"]["to"]} if "copies" in facts["given_names"] else {}


@change()
def record_review(facts: Facts, parameters: Parameters) -> Mapping[str, Any]:
    return {
        "reviewer": facts.get("actor_name", ""), "reviewed_by_id": facts.get("actor_id"),
        "reviewed_at": stored_moment(facts["now"]),
    }  # fmt: skip


@change()
def record_approval(facts: Facts, parameters: Parameters) -> Mapping[str, Any]:
    return {"approver": facts.get("actor_name", ""), "approved_at": stored_moment(facts["now"])}


@change()
def record_publication(facts: Facts, parameters: Parameters) -> Mapping[str, Any]:
    return {"in_force_from": stored_moment(facts["now"])}


@effect
def publish_version(happening: Happening) -> None:
    """Put the version in force and end the one before it at the same moment (UDS-01).

    Orders under way keep the version they began with (CAN-33); the unique key on open rows lets
    nobody have two versions in force for one line. Changes of limits end with the edition that they stood on.
    """
    facts = happening.subject.facts
    code, line = facts["publishes_process"], str(facts.get("product_line") or "")
    overlays.hold(code)
    ended = parameter_changes.end_overlays(code, line, happening.now)
    standing = ProcedureVersion.objects.select_for_update().filter(process=code, product_line=line, ended_at=None)
    for row in standing:
        row.ended_at = happening.now
        row.save(update_fields=["ended_at"])
        ended.append(row.document)
    for document in filter(None, ended):
        perform(document, "terminate", actor=THE_CLOCK, now=happening.now)
    ProcedureVersion.objects.create(
        process=code,
        version=facts["publishes_version"],
        product_line=line,
        document=happening.subject.ref,
        in_force_from=happening.now,
    )
    parameter_changes.end_what_waits(code, happening.now)
    forget_in_force()


@effect
def tell_copies(happening: Happening) -> None:
    """Tell everybody on the copy list whom the notice itself does not reach already (UDS-04).

    A document that was drafted when the list was free text is read now; what it names and nobody
    knows stays to be read, and is told nobody.
    """
    document = happening.subject
    kept = document.facts.get("copies_to")
    to = kept if kept is not None else read_copies(str(document.facts.get("copies") or "")).to
    process = process_for(document.process, document.process_version)
    rows = messages.copied(process, "version_published", document, to, happening.now)
    Outgoing.objects.bulk_create(rows, ignore_conflicts=True)
