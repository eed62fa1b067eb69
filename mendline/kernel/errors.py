"""Everything Mendline says no with.

MendlineError
├── NotVisible          404  absent, or outside the actor's scope: the two look alike
├── Conflict            409  somebody else was faster
├── ScopeMissing        500  a programming fault: a read that names no scope
└── Refused             422  an answer, not an incident
    ├── Forbidden       403  visible, but not for this role
    ├── TooOften        429  allowed, but not so many times; says when again
    └── Invalid         422  what was given cannot be understood; names every field
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mendline.kernel.text import Text


class MendlineError(Exception):
    """Base of all errors that an edge turns into an answer."""

    code = "error"
    status = 500


class NotVisible(MendlineError):
    """The record does not exist, or not for this actor. Carries nothing, so that it tells nothing."""

    code = "not_found"
    status = 404


class ScopeMissing(MendlineError):
    """A query was run without saying for whom. Always a fault of the caller's code."""

    code = "scope_missing"


class Conflict(MendlineError):
    """The record moved on, or the same request is still under way."""

    status = 409

    def __init__(self, code: str, detail: Text) -> None:
        super().__init__(detail.zh)
        self.code = code
        self.detail = detail


class Refused(MendlineError):
    """The procedure says no.

    `rule` is the rule that forbids it; `rules` adds those that forbid it as well, so that a
    refusal for two reasons can be looked up under either. `field` is the fact to mend, where it is one.
    """

    status = 422

    def __init__(self, code: str, detail: Text, rule: str = "", *, rules: Sequence[str] = (), field: str = "") -> None:
        super().__init__(f"{rule} {detail.zh} / {detail.en}".strip())
        self.code = code
        self.detail = detail
        self.rule = rule
        self.field = field
        self.rules: tuple[str, ...] = tuple(dict.fromkeys([*([rule] if rule else []), *rules]))


class Forbidden(Refused):
    """The actor may see the record but the procedure gives this step to another role."""

    status = 403


class TooOften(Refused):
    """The actor has done this as often as is allowed; it is possible again after `seconds`."""

    status = 429

    def __init__(self, detail: Text, seconds: int) -> None:
        super().__init__("too_many", detail)
        self.seconds = seconds


class Invalid(Refused):
    """What was given is incomplete or not understood; `fields` maps each field to what to do about it."""

    def __init__(self, fields: Mapping[str, Text], rule: str = "", *, rules: Sequence[str] = ()) -> None:
        zh = "；".join(f"{name}：{text.zh}" for name, text in fields.items())
        en = "; ".join(f"{name}: {text.en}" for name, text in fields.items())
        super().__init__("invalid", Text(zh, en), rule, rules=rules)
        self.fields = dict(fields)
