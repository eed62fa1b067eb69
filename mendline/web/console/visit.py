"""Who visits a page, when, in which language; and how the domain's errors look on a screen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.vary import vary_on_headers

from mendline.access.actors import Actor
from mendline.access.models import Person
from mendline.kernel.errors import Conflict, NotVisible, Refused, TooOften
from mendline.kernel.text import Text

P = ParamSpec("P")
METHODS = ("GET", "HEAD", "POST")


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of one signed-in person. `now` is read once, here."""

    request: HttpRequest
    actor: Actor
    now: datetime

    @property
    def language(self) -> str:
        return get_language() or "zh-hans"

    @property
    def by_htmx(self) -> bool:
        """A part of the page is asked for, not a page."""
        return self.request.headers.get("HX-Request") == "true"

    @property
    def posted(self) -> Mapping[str, str]:
        return self.request.POST.dict()

    def asked(self, name: str, longest: int = 100) -> str:
        """Return a word of the address; longer ones are no search but an accident."""
        return self.request.GET.get(name, "").strip()[:longest].replace("\x00", "")

    def render(self, template: str, context: Mapping[str, Any], status: int = 200) -> HttpResponse:
        return render(self.request, template, {"visit": self, "actor": self.actor, **context}, status=status)

    def say(self, text: Text) -> str:
        return text.in_language(self.language)


def screen(view: Callable[Concatenate[Visit, P], HttpResponse]) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Make a function of a visit into a view: signed in, never cached, the domain's errors as pages."""

    @wraps(view)
    def wrapped(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        person = request.user
        assert isinstance(person, Person)  # login_required lets nobody else through
        visit = Visit(request, person.as_actor("console"), timezone.now())
        try:
            return view(visit, *args, **kwargs)
        except NotVisible:
            return visit.render("404.html", {}, status=404)
        except (Refused, Conflict) as problem:
            request.refused = problem  # type: ignore[attr-defined]  # for the line in the log, see `web.refusals`
            answer = visit.render("console/refused.html", {"problem": problem}, status=problem.status)
            if isinstance(problem, TooOften):
                answer["Retry-After"] = str(problem.seconds)
            return answer

    signed_in = login_required(wrapped)

    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if request.method not in METHODS:
            return HttpResponseNotAllowed(METHODS)
        if request.headers.get("HX-Request") == "true" and not request.user.is_authenticated:
            # The login page has no place inside another one; the browser keeps what was typed and goes there itself.
            return HttpResponse(status=401)
        return signed_in(request, *args, **kwargs)

    return never_cache(vary_on_headers("HX-Request", "Cookie", "Accept-Language")(guarded))


def go(visit: Visit, address: str, said: Text | None = None, undo: str = "") -> HttpResponse:
    """Send the browser to another page, in the way it asked; the sentence is shown there, with the slip to undo it."""
    if said is not None:
        messages.success(visit.request, visit.say(said), extra_tags=undo)
    if visit.by_htmx:
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return HttpResponseRedirect(address)
