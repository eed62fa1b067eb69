"""Every step of every process, by one form and one door."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction
from django.http import HttpResponse
from django.urls import reverse

from mendline.kernel.errors import Conflict, Invalid, NotVisible, Refused
from mendline.kernel.ids import is_ref, new_ref
from mendline.kernel.numbers import whole_number
from mendline.kernel.text import Text
from mendline.orders import store
from mendline.orders.store import LAST_REVISION, Loaded, table_of
from mendline.orders.transitions import begin, perform
from mendline.process.decide import permitted
from mendline.process.definition import Process, Transition
from mendline.process.loading import process_for
from mendline.web.console.choices import options_for
from mendline.web.console.creating import Creation, creation, ref_of_ticket, ticket_for
from mendline.web.console.fields import Field, fields_of
from mendline.web.console.given import given_from
from mendline.web.console.meanwhile import events_since
from mendline.web.console.once import already_done
from mendline.web.console.order_page import body_of
from mendline.web.console.record_page import record_body_of
from mendline.web.console.timeline import Event
from mendline.web.console.undo import Offer, after_begin, after_step, told_by
from mendline.web.console.uploads import with_uploads
from mendline.web.console.visit import Visit, go, screen

# Lists that people work off one by one: after a step they go back there.
THEN = {"inbox": "console:inbox", "callbacks": "console:callbacks"}


@dataclass(frozen=True, slots=True)
class StepForm:
    """What `step_form.html` draws."""

    process: Process
    step: Transition
    action: str
    ref: str  # what it is about; empty for something that does not exist yet
    within: str  # the number of the page it stands on
    revision: int | None
    fields: list[Field]
    title: Text
    ticket: str = ""
    then: str = ""  # the list to go back to afterwards, a key of `THEN`
    problem: Text | None = None
    rules: tuple[str, ...] = ()
    tone: str = "danger"
    events: tuple[Event, ...] = ()  # what somebody else did meanwhile
    possible: bool = True
    posted: bool = False  # the fields hold what was sent, not what the order knows

    @property
    def back(self) -> str:
        return address_of(self.within) if self.within else "/"

    @property
    def tells(self) -> Text | None:
        """Who is told of it: that cannot be undone."""
        return told_by(self.process, self.step)

    @property
    def uploads(self) -> bool:
        return any(field.fact.type in ("photo", "file", "signature") for field in self.fields)


@screen
def step(visit: Visit, ref: str, name: str) -> HttpResponse:
    """Draw the form of a step (GET), or carry the step out (POST)."""
    subject = store.load(ref, actor=visit.actor)
    process = process_for(subject.process, subject.process_version)
    transition = process.transitions.get(name)
    if transition is None or transition.creates:
        raise NotVisible
    within = _place(visit.request.POST.get("within") or visit.asked("within", 32)) or subject.order_ref or ref
    then = visit.request.POST.get("then") or visit.asked("then", 20)
    form = step_form(visit, subject, process, transition, within=within, then=then)
    if visit.request.method != "POST":
        return _draw(visit, _refused_already(visit, form, subject))
    try:
        with transaction.atomic():  # a file whose step is refused is not kept either
            if already_done(visit, f"{ref}.{name}"):
                return _done(visit, within, said_after(process, transition, store.load(ref, actor=visit.actor)), then)
            given = given_from(visit.posted, process, transition)
            given = with_uploads(visit, process, transition, given, subject.order_ref or ref)
            after = perform(
                ref, name, actor=visit.actor, now=visit.now, given=given, expected_revision=_revision(visit)
            )
    except Conflict:
        return _redraw_after_conflict(visit, form)
    except Refused as refusal:
        return _redraw(visit, form, refusal, _fields(visit, process, transition, subject, refusal))
    offer = after_step(visit, process, transition, before=subject, after=after)
    return _done(visit, within, said_after(process, transition, after), then, offer)


def step_form(
    visit: Visit, subject: Loaded, process: Process, transition: Transition, *, within: str, then: str = ""
) -> StepForm:
    """Return the form of one step of `subject`, as it stands on the page of `within`."""
    return StepForm(
        process=process, step=transition, action=reverse("console:step", args=[subject.ref, transition.name]),
        ref=subject.ref, within=within, revision=subject.revision,
        fields=_fields(visit, process, transition, subject), title=transition.label, then=then if then in THEN else "",
    )  # fmt: skip


@screen
def create(visit: Visit, code: str, name: str) -> HttpResponse:
    """Begin a record: a request beside an order, or one that stands alone."""
    made = creation(visit.actor, code, name)
    order_ref = visit.request.POST.get("order") or visit.asked("order", 32)
    order = store.load(order_ref, actor=visit.actor) if order_ref else None
    if (order is None or order.table != "order") if made.needs_order else order is not None:
        raise NotVisible  # an address put together by hand: a request without its order, a report about another one
    address = reverse("console:create", args=[code, name]) + (f"?order={order_ref}" if order_ref else "")
    form = StepForm(
        made.process, made.step, address, "", order_ref, None, _fields(visit, made.process, made.step, order),
        Text(f"{made.process.label.zh}：{made.step.label.zh}", f"{made.process.label.en}: {made.step.label.en}"),
        ticket=ticket_for(new_ref(code, visit.now), visit.actor),
    )  # fmt: skip
    if visit.request.method != "POST":
        return _draw(visit, form)
    try:
        with transaction.atomic():
            given = given_from(visit.posted, made.process, made.step)
            after = begin_once(visit, made, with_uploads(visit, made.process, made.step, given, order_ref), order_ref)
    except Refused as refusal:
        return _redraw(visit, form, refusal, _fields(visit, made.process, made.step, order, refusal))
    offer = after_begin(visit, made.process, made.step, after)
    return _done(visit, order_ref or after.ref, said_after(made.process, made.step, after), offer=offer)


def begin_once(visit: Visit, made: Creation, given: Mapping[str, Any], order_ref: str = "") -> Loaded:
    """Create what the form's ticket numbers; when it exists already, the form was sent twice, and that is fine.

    Raises Refused, Invalid, Forbidden.
    """
    ref = ref_of_ticket(visit.request.POST.get("ticket", ""), visit.actor)
    if not ref:
        raise Refused(
            "stale_form", Text("表单放置过久，请重新提交一次", "the form was open for too long; send it once more")
        )
    try:
        return store.load(ref, actor=visit.actor)
    except NotVisible:
        pass
    try:
        return begin(
            made.process.code,
            made.step.name,
            actor=visit.actor,
            now=visit.now,
            given=given,
            order_ref=order_ref,
            ref=ref,
        )
    except Conflict:
        return store.load(ref, actor=visit.actor)  # its twin was faster


def said_after(process: Process, transition: Transition, after: Loaded) -> Text:
    state = process.states[after.state].label
    return Text(
        f"{transition.label.zh}已完成：{after.ref}，{state.zh}", f"{transition.label.en}: done. {after.ref}, {state.en}"
    )


def address_of(ref: str) -> str:
    return reverse("console:order" if table_of(ref) == "order" else "console:record", args=[ref])


def _fields(
    visit: Visit, process: Process, transition: Transition, subject: Loaded | None, refusal: Refused | None = None
) -> list[Field]:
    posted = visit.posted if refusal is not None else None
    return fields_of(
        process,
        transition,
        options=options_for(subject.station_no if subject else visit.actor.station_no),
        facts=subject.facts if subject else None,
        posted=posted,
        errors=refusal.fields if isinstance(refusal, Invalid) else None,
    )


def _place(given: str) -> str:
    """The number of the page that a form stands on; what is no number is no place."""
    return given if is_ref(given) else ""


def _refused_already(visit: Visit, form: StepForm, subject: Loaded) -> StepForm:
    """Whoever comes back to a form by an old address is told at once that its time is over."""
    try:
        permitted(form.process, form.step.name, state=subject.state, role=visit.actor.role)
    except Refused as refusal:
        return replace(form, problem=refusal.detail, rules=refusal.rules, tone="warning", possible=False, fields=[])
    return form


def _draw(visit: Visit, form: StepForm, status: int = 200) -> HttpResponse:
    template = "console/step_form.html" if visit.by_htmx else "console/step_page.html"
    return visit.render(template, {"form": form}, status=status)


def _redraw(visit: Visit, form: StepForm, refusal: Refused, fields: list[Field]) -> HttpResponse:
    """The form again, with what was typed, and what to mend beside the field or on top.

    A step of another role is 403 and everything else that is refused 422, as over the interface.
    """
    problem = Text("请更正标出的项目", "Mend the marked fields") if isinstance(refusal, Invalid) else refusal.detail
    rules = () if isinstance(refusal, Invalid) else refusal.rules
    response = _draw(visit, replace(form, fields=fields, problem=problem, rules=rules, posted=True), refusal.status)
    visit.request.refused = refusal  # type: ignore[attr-defined]  # for the line in the log, see `web.refusals`
    return _into_step(response, form)


def _redraw_after_conflict(visit: Visit, form: StepForm) -> HttpResponse:
    """Somebody was faster. What was typed stays, beside how the order stands now; sending again is a decision."""
    subject = store.load(form.ref, actor=visit.actor)
    state = form.process.states[subject.state].label
    possible = form.step in form.process.steps_from(subject.state)
    problem = Text(
        f"在您填写期间，他人已更新此单，现在的状态是“{state.zh}”。",
        f"Somebody changed this while you were writing. It now stands at {state.en}. ",
    )
    then = Text("您填写的内容还在，请核对后再提交。", "What you typed is still here: check it, then send again.")
    if not possible:
        then = Text(
            "这一步现在不能再办；您填写的内容还在，可以复制。",
            "This step is no longer possible; what you typed can still be copied.",
        )
    problem = Text(problem.zh + then.zh, problem.en + then.en)
    fields = fields_of(
        form.process, form.step, options=options_for(subject.station_no), facts=subject.facts, posted=visit.posted
    )
    seen = _revision(visit)
    fresh = replace(
        form, revision=subject.revision, fields=fields, problem=problem, tone="warning", possible=possible, posted=True,
        events=tuple(events_since(subject, form.process, seen)) if seen is not None else (),
    )  # fmt: skip
    return _into_step(_draw(visit, fresh, 409), form)


def _into_step(response: HttpResponse, form: StepForm) -> HttpResponse:
    response["HX-Retarget"] = f"#step-{form.within}"
    response["HX-Reswap"] = "innerHTML show:top"
    return response


def _done(visit: Visit, within: str, said: Text, then: str = "", offer: Offer | None = None) -> HttpResponse:
    """The page it stood on, as it is now; or, without script, a redirect there; or the list it was taken from."""
    if then in THEN:
        return go(visit, reverse(THEN[then]), said, offer.slip if offer else "")
    try:
        if not visit.by_htmx:
            store.load(within, actor=visit.actor)
            return go(visit, address_of(within), said, offer.slip if offer else "")
        body = body_of(visit, within) if table_of(within) == "order" else record_body_of(visit, within)
    except NotVisible:
        return go(visit, "/", said)  # the step moved it out of this person's scope
    template = "console/order/body.html" if table_of(within) == "order" else "console/order/record_body.html"
    beside = visit.request.headers.get("X-Beside") == "1"
    return visit.render(template, {**body, "said_now": said, "undo": offer, "beside": beside})


def _revision(visit: Visit) -> int | None:
    return whole_number(visit.request.POST.get("revision", ""), most=LAST_REVISION)
