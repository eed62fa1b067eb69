"""Every step: whose it is, from where, what it must be given. What stands in its way is in `objections`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

ALL_OPEN = (
    "undispatched", "dispatched", "downloaded", "contacting", "promised", "awaiting_part", "printed", "in_service",
    "multi_visit",
)  # fmt: skip
AT_A_STATION = ALL_OPEN[1:]
NOT_IN_SERVICE = tuple(state for state in AT_A_STATION if state != "in_service")
BEFORE_CONTACT = ("dispatched", "downloaded", "contacting")
COORDINATOR, ENGINEER, AGENT = "station_coordinator", "station_engineer", "cc_agent"
REGION, SPECIALIST, PARTS, INFO = (
    "region_interface", "region_channel_specialist", "service_support_dept", "info_support_dept",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """`to` is where it leads, empty where it depends or stays; the part after `needs` must be given."""

    by: tuple[str, ...]
    sources: tuple[str, ...]
    to: str = ""
    needs: tuple[str, ...] = ()


OF_ORDERS: Mapping[str, Step] = {
    "dispatch": Step((REGION, AGENT), ("undispatched",), "dispatched"),
    "download": Step((COORDINATOR,), ("dispatched",), "downloaded"),
    "log_contact": Step((COORDINATOR, ENGINEER), NOT_IN_SERVICE, "", ("contact_outcome",)),
    "mark_unreachable": Step((COORDINATOR,), BEFORE_CONTACT, "contacting"),
    "report_wrong_number": Step((COORDINATOR,), BEFORE_CONTACT, "", ("contact_note",)),
    "promise": Step((COORDINATOR,), NOT_IN_SERVICE, "promised", ("promised_at",)),
    "resolve_remotely": Step(
        (COORDINATOR, ENGINEER), tuple(s for s in NOT_IN_SERVICE if s != "printed"), "resolved", ("promise_reason",)
    ),
    "order_part": Step(
        (COORDINATOR,), ("downloaded", "contacting", "promised", "awaiting_part", "in_service", "multi_visit"),
        "awaiting_part", ("part_code", "told_user_why", "borrowing"),
    ),
    "borrow_part": Step(
        (COORDINATOR,), ("downloaded", "contacting", "promised", "awaiting_part", "multi_visit"), "",
        ("part_code", "lender"),
    ),
    "assign_engineer": Step((COORDINATOR,), NOT_IN_SERVICE, "", ("engineer",)),
    "print_order": Step((COORDINATOR,), ("promised", "multi_visit"), "printed"),
    "start_service": Step((ENGINEER, COORDINATOR), ("printed", "promised", "multi_visit"), "in_service"),
    "write_back": Step((ENGINEER,), ("in_service", "multi_visit")),
    "leave_unresolved": Step((ENGINEER, COORDINATOR), ("in_service",), "multi_visit", ("findings",)),
    "resolve": Step((ENGINEER, COORDINATOR), ("in_service",), "resolved", ("user_signature", "work_done")),
    "reopen": Step((AGENT, INFO), ("resolved", "called_back"), "contacting", ("reopen_reason",)),
    "urge": Step((AGENT,), ALL_OPEN),
    "correct": Step((AGENT, COORDINATOR), ALL_OPEN),
    "cancel": Step((AGENT, REGION, COORDINATOR), ALL_OPEN, "cancelled", ("cancel_reason", "requested_by")),
    "cancel_and_reassign": Step(
        (AGENT, REGION), ALL_OPEN, "cancelled_and_reassigned", ("cancel_reason", "requested_by")
    ),
}  # fmt: skip
OF_RECORDS: Mapping[str, Mapping[str, Step]] = {
    "cancellation_request": {
        "approve": Step((REGION, SPECIALIST), ("submitted",), "approved"),
        "cancel_order": Step((REGION,), ("submitted", "approved"), "executed"),
        "reassign_order": Step((REGION,), ("submitted", "approved"), "executed"),
        "refuse": Step((REGION, SPECIALIST), ("submitted",), "refused", ("verdict_note",)),
        "withdraw": Step((COORDINATOR,), ("submitted",), "lapsed"),
    },
    "special_situation": {
        "agree": Step((REGION,), ("submitted",), "agreed"),
        "agree_and_cancel": Step((REGION,), ("submitted",), "agreed"),
        "refuse": Step((REGION,), ("submitted",), "refused", ("verdict_note",)),
    },
    "part_order": {
        "ship": Step((PARTS,), ("ordered",), "shipped"),
        "reject": Step((PARTS,), ("ordered",), "rejected", ("refusal",)),
        "receive": Step((COORDINATOR,), ("ordered", "shipped"), "arrived"),
        "take_back": Step((PARTS,), ("arrived",), "returned", ("return_condition",)),
    },
    "callback": {
        "log_attempt": Step((AGENT, INFO), ("due",), "due"),
        "complete": Step((AGENT, INFO), ("due",), "done", ("callback_outcome", "solved")),
        "reopen_order": Step((AGENT, INFO), ("due",), "reopened", ("reopen_reason",)),
        "give_up": Step((AGENT, INFO), ("due",), "not_reached"),
    },
}
CREATING: Mapping[str, Step] = {
    "report": Step((AGENT, REGION), ("new",), "dispatched"),
    "self_order": Step((COORDINATOR,), ("new",), "dispatched"),
}
REPORT_NEEDS = ("customer", "product", "area", "address", "fault", "service_mode")
BESIDE_AN_ORDER: Mapping[str, Step] = {
    "cancellation_request": Step((COORDINATOR,), ("new",), "submitted", ("cancel_reason",)),
    "special_situation": Step((COORDINATOR,), ("new",), "submitted", ("situation_kind", "situation")),
}
SEES_ALL = frozenset(
    ("cc_agent", "hq_interface", "service_support_dept", "info_support_dept", "channel_management", "process_owner",
     "admin")
)  # fmt: skip


def offered(role: str, state: str) -> frozenset[str]:
    """Return the steps of an order that this role has from this state."""
    return frozenset(name for name, step in OF_ORDERS.items() if role in step.by and state in step.sources)
