"""What opens something by being known, without a sign-in or beside it: another's, a changed, a stale one are alike.

Users have no accounts here and get no links: nothing of theirs is opened by an address (no page to follow a repair, to
sign, to rate it, to cancel). The code on a printed order leads staff to the order's page, which asks them to sign in.
What remains is this. Without a sign-in: the link to a new password, and the ticket by which a page hears of changes.
With one: the slip that takes a step back, and the ticket of a form that begins something, both of one person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core import signing
from django.utils import timezone

from mendline.access.models import Person
from mendline.orders.models import Record
from mendline.web.console import creating, undo
from mendline.web.live import tickets
from tests.access_matrix.cast import Cast
from tests.access_matrix.conftest import Asker, Heard
from tests.access_matrix.test_matrix import difference_of

pytestmark = pytest.mark.django_db
COORDINATOR = "station_coordinator"


def changed(slip: str) -> str:
    """Return a slip in which one sign is another one."""
    return ("A" if slip[5] != "A" else "B").join((slip[:5], slip[6:]))


def alike(heard: Mapping[str, Heard]) -> list[str]:
    """Return what is answered in another way than the last one, which is nowhere."""
    *others, nowhere = heard.items()
    return [f"{name}: {difference_of(said, nowhere[1])}" for name, said in others if said != nowhere[1]]


def test_a_link_to_a_new_password_opens_nothing_but_for_whom_it_was_made(cast: Cast) -> None:
    """The link of another person, a changed one and a stale one are answered as one of nobody."""
    person, other = cast.people["cc_agent"], cast.people["admin"]
    key, mine = default_token_generator.make_token(person), user_pk_to_url_str(person)
    generator = default_token_generator
    made_at = generator._num_seconds(generator._now()) - settings.PASSWORD_RESET_TIMEOUT - 60
    stale_key = generator._make_token_with_timestamp(person, made_at, generator.secret)
    links = {
        "another's": f"{user_pk_to_url_str(other)}-{key}",
        "changed": f"{mine}-{changed(key)}",
        "stale": f"{mine}-{stale_key}",
        "nowhere": f"{user_pk_to_url_str(Person(pk=987654321))}-{key}",
    }
    asker = Asker(cast, "")
    # Of a person there is, the package asks for the addresses as well: one statement more, and no number is a secret.
    heard = {
        name: replace(asker.ask("GET", f"/accounts/password/reset/key/{link}/", about=link), statements=())
        for name, link in links.items()
    }

    assert alike(heard) == []
    assert asker.ask("GET", f"/accounts/password/reset/key/{mine}-{key}/").status == 302 != heard["nowhere"].status


def test_a_slip_that_takes_a_step_back_is_one_persons(cast: Cast) -> None:
    """Another's is answered as a changed one, also when its time is over; one's own says that it is too late."""
    wish = Record.objects.unscoped("a test looks").get(ref=cast.mine["cancellation_request"])
    coordinator, engineer = cast.people[COORDINATOR].pk, cast.people["station_engineer"].pk
    given = ["step", [wish.ref, "withdraw", wish.revision, {}]]
    own, others = (signing.dumps([person, *given], salt=undo.SALT) for person in (coordinator, engineer))
    late, late_others = (stale(slip) for slip in (own, others))
    slips = {"another's": others, "changed": changed(own), "another's, stale": late_others, "nowhere": "made:up:slip"}
    asker = Asker(cast, COORDINATOR)
    heard = {name: asker.ask("POST", "/undo/", about=slip, body={"slip": slip}) for name, slip in slips.items()}

    assert alike(heard) == []
    assert heard["nowhere"].status == 404
    assert asker.ask("POST", "/undo/", body={"slip": own}).status == 302
    assert asker.ask("POST", "/undo/", body={"slip": late}).status == 422


def stale(slip: str) -> str:
    """Return the same slip as it would have been signed a day ago."""
    value, _, _ = slip.rsplit(":", 2)
    signer = signing.TimestampSigner(salt=undo.SALT)
    moment = signing.b62_encode(int((timezone.now() - timedelta(days=1)).timestamp()))
    return f"{value}:{moment}:{signer.signature(f'{value}:{moment}')}"


@pytest.mark.parametrize("kind", ["another's", "changed", "of something else", "none"])
def test_the_ticket_of_a_form_is_one_persons(cast: Cast, kind: str) -> None:
    me, other = (cast.people[role].as_actor() for role in (COORDINATOR, "station_engineer"))
    own = creating.ticket_for("CD260302-222222229", me)
    ticket = {
        "another's": creating.ticket_for("CD260302-222222229", other),
        "changed": changed(own),
        "of something else": tickets.ticket_for(me),
        "none": "",
    }[kind]

    assert creating.ref_of_ticket(own, me) and creating.ref_of_ticket(ticket, me) == ""


@pytest.mark.parametrize("kind", ["changed", "of something else", "none"])
def test_the_ticket_of_a_page_that_listens_is_none_when_we_did_not_write_it(cast: Cast, kind: str) -> None:
    """Without a sign-in: whoever holds one hears what its scope says, for a quarter of an hour."""
    actor = cast.people[COORDINATOR].as_actor()
    own = tickets.ticket_for(actor)
    ticket = {"changed": changed(own), "of something else": creating.ticket_for("CD260302-2", actor), "none": ""}[kind]

    assert tickets.read_ticket(own) is not None and tickets.read_ticket(ticket) is None
