"""A person's own settings: language, light or dark, the clock, and what to be told by which channel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_POST
from django.views.i18n import set_language as set_for_browser

from mendline.access.choices import ZONES, NoticeChoices, choices_of, zone_of
from mendline.access.models import Person
from mendline.contact.notice_kinds import NoticeKind, allowed, kinds_for
from mendline.kernel.text import Text
from mendline.kernel.time import moment_text
from mendline.web.console.visit import Visit, go, screen
from mendline.web.shown_zone import offset_text, zone_name

THEMES = {"": Text("跟随系统", "As the machine is set"), "light": Text("浅色", "Light"), "dark": Text("深色", "Dark")}
LANGUAGES = {
    "": Text("跟随浏览器", "As the browser asks"), "zh-hans": Text("中文", "中文"), "en": Text("English", "English"),
}  # fmt: skip
NOT_A_TIME = Text("请写成 22:00 的样子", "write it like 22:00")
BOTH_TIMES = Text("请同时填写开始和结束，或都留空", "fill in both, or leave both empty")
NO_ADDRESS = Text(
    "您的账号没有邮箱，邮件不会发出；请系统管理员填写",
    "Your account has no e-mail address: ask an administrator to enter one",
)


@dataclass(frozen=True, slots=True)
class KindRow:
    """One notice in the table of choices."""

    kind: NoticeKind
    shown: bool
    mailed: bool


@screen
def own_settings(visit: Visit) -> HttpResponse:
    """Show the settings, or keep those of the form that was sent."""
    person = _person(visit)
    wrong: dict[str, Text] = {}
    if visit.request.method == "POST":
        if visit.posted.get("part") == "notices":
            wrong = _keep_notices(visit, person)
        else:
            _keep_looks(visit, person)
        if not wrong:
            return go(visit, reverse("console:settings"), Text("已保存", "Saved"))
    return visit.render("console/settings.html", _context(visit, person, wrong), status=422 if wrong else 200)


def _context(visit: Visit, person: Person, wrong: Mapping[str, Text]) -> dict[str, Any]:
    chosen = allowed(person.role, choices_of(person.notice_choices))
    return {
        "person": person,
        "languages": list(LANGUAGES.items()),
        "themes": list(THEMES.items()),
        "zones": [(key, _zone_words(key, visit.now)) for key in ("", *ZONES)],
        "kinds": [
            KindRow(kind, kind.name not in chosen.hidden, _is_mailed(kind, chosen)) for kind in kinds_for(person.role)
        ],
        "times": _times(person, visit, wrong),
        "wrong": wrong,
        "no_address": None if person.email else NO_ADDRESS,
        "server_now": moment_text(visit.now, zone=zone_of(person)),
    }


def _zone_words(key: str, now: datetime) -> Text:
    if not key:
        return Text("北京时间（默认）", "Beijing time (default)")
    name, offset = zone_name(key), offset_text(key, now)
    return Text(f"{name.zh}（{offset}）", name.en if name.en == offset else f"{name.en} ({offset})")


def _is_mailed(kind: NoticeKind, chosen: NoticeChoices) -> bool:
    return kind.name not in chosen.unmailed if kind.mailed else kind.name in chosen.mailed


def _times(person: Person, visit: Visit, wrong: Mapping[str, Text]) -> dict[str, str]:
    """Return the times of the form: as they are kept, or as they were just typed wrongly."""
    names = ("quiet_from", "quiet_until", "digest_at")
    if wrong:
        return {name: visit.posted.get(name, "") for name in names}
    kept = {name: getattr(person, name) for name in names}
    return {name: f"{value:%H:%M}" if value else "" for name, value in kept.items()}


def _keep_looks(visit: Visit, person: Person) -> None:
    """Keep language, theme and zone; a value that no form of ours offers is left out."""
    language, theme, zone = (visit.posted.get(name, "") for name in ("language", "theme", "zone"))
    person.language = language if language in LANGUAGES else person.language
    person.theme = theme if theme in THEMES else person.theme
    person.zone = zone if zone in ("", *ZONES) else person.zone
    person.save(update_fields=["language", "theme", "zone"])


def _keep_notices(visit: Visit, person: Person) -> dict[str, Text]:
    """Keep the choice of notices and the times; return what is wrong with them, and keep nothing then."""
    times, wrong = _read_times(visit.posted)
    if wrong:
        return wrong
    shown, mailed = set(visit.request.POST.getlist("shown")), set(visit.request.POST.getlist("mailed"))
    kinds = kinds_for(person.role)
    chosen = NoticeChoices(
        hidden=frozenset(kind.name for kind in kinds if kind.name not in shown),
        mailed=frozenset(kind.name for kind in kinds if kind.name in mailed),
        unmailed=frozenset(kind.name for kind in kinds if kind.name not in mailed),
    )
    person.notice_choices = allowed(person.role, chosen).as_json()
    person.quiet_from, person.quiet_until, digest_at = times["quiet_from"], times["quiet_until"], times["digest_at"]
    if digest_at != person.digest_at and digest_at is not None:
        local = visit.now.astimezone(zone_of(person))
        # A first summary comes at the next such hour, not at once for an hour that has passed today.
        person.digest_sent_on = local.date() if local.time() >= digest_at else None
    person.digest_at = digest_at
    person.save(update_fields=["notice_choices", "quiet_from", "quiet_until", "digest_at", "digest_sent_on"])
    return {}


def _read_times(posted: Mapping[str, str]) -> tuple[dict[str, time | None], dict[str, Text]]:
    found: dict[str, time | None] = {}
    wrong: dict[str, Text] = {}
    for name in ("quiet_from", "quiet_until", "digest_at"):
        text = posted.get(name, "").strip()
        try:
            found[name] = time.fromisoformat(text).replace(second=0, microsecond=0, tzinfo=None) if text else None
        except ValueError:
            wrong[name] = NOT_A_TIME
    if not wrong and (found["quiet_from"] is None) != (found["quiet_until"] is None):
        wrong["quiet_from"] = BOTH_TIMES
    return found, wrong


@require_POST
@screen
def keep_theme(visit: Visit) -> HttpResponse:
    """Keep what the switch between light and dark was just set to."""
    theme = visit.posted.get("theme", "")
    if theme in THEMES:
        Person.objects.filter(pk=_person(visit).pk).update(theme=theme)
    return HttpResponse(status=204)


@require_POST
def set_language(request: HttpRequest) -> HttpResponseBase:
    """Switch the language of this browser, and of whoever is signed in at it."""
    language = request.POST.get("language", "")
    if isinstance(request.user, Person) and language in dict(settings.LANGUAGES):
        Person.objects.filter(pk=request.user.pk).update(language=language)
    return set_for_browser(request)


def _person(visit: Visit) -> Person:
    person = visit.request.user
    assert isinstance(person, Person)  # whoever visits a page has signed in
    return person
