"""Where somebody is signed in: seen by that person, ended one by one or all but this one."""

from __future__ import annotations

from dataclasses import dataclass

from allauth.account.internal.flows.reauthentication import did_recently_reauthenticate
from allauth.core.exceptions import ReauthenticationRequired
from django.http import HttpResponse
from django.urls import reverse

from mendline.access import people, signins
from mendline.access.models import SignIn
from mendline.kernel.errors import NotVisible
from mendline.kernel.text import Text
from mendline.web.console.visit import Visit, go, screen

UNKNOWN = Text("其他程序", "Another program")


@dataclass(frozen=True, slots=True)
class SignInRow:
    """One sign-in as the page shows it; `name` chooses it without telling the key of its session."""

    name: str
    browser: Text
    address: str
    kept: SignIn
    is_this_one: bool


@screen
def own_signins(visit: Visit) -> HttpResponse:
    """Show where this person is signed in, or end what the form says, after the password once more (7.5.2)."""
    if visit.actor.person_id is None:
        raise NotVisible
    if visit.request.method == "POST":
        if not did_recently_reauthenticate(visit.request):
            raise ReauthenticationRequired  # asks for it, and then goes on with this very form
        return _ended(visit)
    rows = [_row(kept, visit) for kept in signins.of_person(visit.actor.person_id)]
    rows.sort(key=lambda row: not row.is_this_one)
    return visit.render("console/signins.html", {"rows": rows, "others": sum(not row.is_this_one for row in rows)})


def _row(kept: SignIn, visit: Visit) -> SignInRow:
    return SignInRow(
        signins.public_name(kept.session_key),
        _words(kept.browser),
        kept.address,
        kept,
        kept.session_key == visit.request.session.session_key,
    )


def _words(browser: str) -> Text:
    """Return what a page calls a browser; those that have a Chinese name under it."""
    chinese = browser.replace("WeChat", "微信").replace("DingTalk", "钉钉")
    return Text(chinese, browser) if browser else UNKNOWN


def _ended(visit: Visit) -> HttpResponse:
    own_key, chosen = visit.request.session.session_key, visit.posted.get("signin", "")
    if chosen == "others":
        ended = people.end_own_signins(visit.actor, now=visit.now, but=own_key)
    elif own_key is not None and chosen == signins.public_name(own_key):
        said = Text("这是您正在用的登录，请用“退出”", "this is the one you use: sign out instead")
        return go(visit, reverse("console:signins"), said)
    else:
        ended = people.end_own_signins(visit.actor, now=visit.now, but=own_key, only=chosen)
    said = (
        Text(f"已结束 {ended} 处登录", f"{ended} sign-in{'' if ended == 1 else 's'} ended")
        if ended
        else Text("这处登录已经不在了", "it had ended already")
    )
    return go(visit, reverse("console:signins"), said)
