"""Publishing a procedure version as a controlled document (UDS-01 to UDS-08)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mendline.access.actors import THE_CLOCK, Actor
from mendline.orders.transitions import perform
from mendline.process.loading import forget_in_force, processes
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
    nobody have two versions in force for one line.
    """
    facts = happening.subject.facts
    code, line = facts["publishes_process"], str(facts.get("product_line") or "")
    standing = ProcedureVersion.objects.select_for_update().filter(process=code, product_line=line, ended_at=None)
    for row in standing:
        row.ended_at = happening.now
        row.save(update_fields=["ended_at"])
        if row.document:
            perform(row.document, "terminate", actor=THE_CLOCK, now=happening.now)
    ProcedureVersion.objects.create(
        process=code,
        version=facts["publishes_version"],
        product_line=line,
        document=happening.subject.ref,
        in_force_from=happening.now,
    )
    forget_in_force()
