"""I14: every answer holds only what its caller may see; looked at on every answer and not only where it is likely."""

from __future__ import annotations

from mendline.sim.ground.oracle.oracle import Oracle
from mendline.sim.ground.oracle.plain import Answer, Call, Finding

NAME = "name of "  # before the label of the user whose name stands in an answer


def leaks(oracle: Oracle, call: Call, answer: Answer) -> list[Finding]:
    """Return what an answer tells that its caller may not know: numbers, users' names, telephone numbers."""
    found = [
        Finding("phone_shown", "I14", f"{call.by} 看到完整电话", f"{call.by} was shown a whole telephone number",
                call.number)
        for _ in answer.phones
    ]  # fmt: skip
    for said in sorted(answer.named):
        label = said.removeprefix(NAME).partition(".")[0]
        if not _may_know(oracle, call.by, label, by_name=said.startswith(NAME)):
            zh = f"{call.by} 在 {call.verb} {call.about} 的答复中看到 {said}"
            en = f"{call.by} was told {said} by {call.verb} {call.name} {call.about}"
            found.append(Finding("foreign_named", "I14", zh, en, call.number))
    return found


def _may_know(oracle: Oracle, username: str, label: str, *, by_name: bool) -> bool:
    """An order and its replacement name each other (CAN-03); the user is the same in both."""
    order = oracle.orders.get(label)
    if order is None:
        return True  # just being made: the answer is the caller's own
    held = [label, order.replaces, order.replaced_by]
    if by_name:
        held += oracle.family(label)
    return any(other in oracle.orders and oracle.sees(username, oracle.orders[other]) for other in held)
