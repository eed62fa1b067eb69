"""Who asks, and the things that are somebody's: at the own station, at the neighbour's, in another region."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from mendline.access import tokens
from mendline.access.models import Person, Token
from mendline.channels.models import Webhook
from mendline.channels.webhook.adapter import PREFIX
from mendline.journal.models import Outgoing
from mendline.kernel.ids import PREFIXES
from mendline.network.models import Upload
from mendline.orders.models import Attachment, Record
from mendline.orders.transitions import begin
from mendline.process.loading import latest
from mendline.web.models import SavedView
from tests.console.conftest import PLACES
from tests.make import a_network, a_report, an_actor, do

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)  # Monday 09:00 in Shanghai
# Station → its region, and an area that it serves.
STATIONS = {"000001": ("north", "110108"), "000002": ("north", "110105"), "000003": ("east", "310115")}
BOUND_TO_A_STATION = ("station_coordinator", "station_engineer")
BOUND_TO_A_REGION = ("region_interface", "region_channel_specialist")
NOT_SYNTHETIC = ("unified_repair",)
LIKE_NO_OTHER = 912345678  # a number that nothing else in an answer looks like
SOMEBODYS_OWN = ("view", "upload")  # seen by whoever made it, whatever the role
# What has no station and lies in the administration: who may know that it is there. (Of webhooks the process owner
# knows by the interface; that the page of them is not his, `who_may.py` says.)
SEEN_ONLY_BY = {
    "person": ("admin",),
    "token": ("admin",),
    "outgoing": ("admin",),
    "webhook": ("admin", "process_owner"),
}


def sees(role: str, station: str) -> bool:
    """Tell whether somebody of a role, placed as in PLACES, may know of what lies at a station. Written down here
    once more, and not asked of the program."""
    if role in BOUND_TO_A_STATION:
        return station == "000001"
    if role in BOUND_TO_A_REGION:
        return STATIONS[station][0] == "north"
    return True


@dataclass(slots=True)
class Cast:
    """Keys and sessions by role, and numbers of things by kind and station."""

    people: dict[str, Person] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    things: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    mine: dict[str, str] = field(default_factory=dict)
    """Real ones at the own station that every role with a right to them can open: `order`, `cancellation_request` …"""

    def foreign(self, kind: str, role: str) -> list[str]:
        """Return what of a kind lies outside the scope of a role."""
        kinds = MADE_OF.get(kind, (kind,))
        return [
            thing
            for (known, station), found in self.things.items()
            if known in kinds and not self._knows(role, kind, station)
            for thing in found
        ]

    def _knows(self, role: str, kind: str, station: str) -> bool:
        if kind in SOMEBODYS_OWN:
            return False
        return role in SEEN_ONLY_BY[kind] if kind in SEEN_ONLY_BY else sees(role, station)


SYNTHETIC = tuple(code for code in PREFIXES if code not in NOT_SYNTHETIC)
# Kinds of an address that are several kinds of things.
MADE_OF = {"subject": ("order", *SYNTHETIC), "record": SYNTHETIC, "document": ("procedure_document",)}


def absent(thing: str) -> str:
    """Return what looks like a thing and is nowhere."""
    if thing[:2] in PREFIXES.values():
        return f"{thing[:2]}990101-222222222"
    return {"000003": "000009", "000002": "000009"}.get(thing, "f" * 32 if len(thing) == 32 else "987654321")


def the_cast() -> Cast:
    a_network(per_day=1000)
    cast = Cast()
    for role, place in PLACES.items():
        cast.people[role] = Person.objects.create_user(role, name="李明", role=role, **place)
        cast.secrets[role] = tokens.issue(cast.people[role], "matrix")
    stranger = Person.objects.create_user(
        "stranger", pk=LIKE_NO_OTHER, name="刘洋", role="station_coordinator", station_no="000003"
    )
    for number, station in enumerate(STATIONS):
        _fill(cast, station, number, stranger)
    view = SavedView.objects.create(pk=LIKE_NO_OTHER, person=stranger, name="他的视图", query="")
    # Nobody's scope holds these but their owner's; they are listed at the station farthest away.
    cast.things["view", "000003"] = [str(view.pk)]
    upload = Upload.objects.create(
        pk=LIKE_NO_OTHER, name="他的表.xlsx", content=b"", uploaded_by=stranger.pk, uploaded_at=NOW
    )
    cast.things["upload", "000003"] = [str(upload.pk)]
    _fill_the_office(cast, stranger)
    cast.mine = _mine()
    return cast


def _fill(cast: Cast, station: str, number: int, stranger: Person) -> None:
    region, area = STATIONS[station]
    order = a_report(now=NOW, area=area, customer={"name": "王先生", "phone": f"1380000000{number}"})
    assert order.station_no == station
    cast.things["order", station] = [order.ref]
    cast.things["station", station] = [station]
    for code in SYNTHETIC:
        process = latest(code)
        record = Record.objects.create(
            ref=f"{PREFIXES[code]}260302-2222{number}2222", process=code, process_version=process.version,
            state=next(iter(process.creating[0].to.values())), category="open", region=region, station_no=station,
            order_ref=order.ref, created_at=NOW, updated_at=NOW, created_by=stranger.pk,
        )  # fmt: skip
        cast.things[code, station] = [record.ref]
    file = Attachment.objects.create(
        order_ref=order.ref, name="照片.jpg", stored_as=f"{number}" * 32, media_type="image/jpeg", size=3,
        sha256="0" * 64, uploaded_by=stranger.pk, uploaded_at=NOW,
    )  # fmt: skip
    cast.things["file", station] = [file.stored_as]


def _fill_the_office(cast: Cast, stranger: Person) -> None:
    """What administrators look after: somebody, his key, a webhook, and a message to it that failed."""
    Token.objects.create(pk=LIKE_NO_OTHER, person=stranger, name="他的密钥", digest="0" * 64, scopes=["read"])
    hook = Webhook.objects.create(
        pk=LIKE_NO_OTHER, url="https://example.com/mendline", events=["order.none"], created_at=NOW
    )
    Outgoing.objects.create(
        pk=LIKE_NO_OTHER, key="matrix", at=NOW, subject="", notice="order.none", channel="webhook",
        address=f"{PREFIX}{hook.pk}", state="failed", error="400",
    )  # fmt: skip
    for kind in SEEN_ONLY_BY:
        cast.things[kind, "000003"] = [str(LIKE_NO_OTHER)]


def _mine() -> dict[str, str]:
    """Orders and records as they come about, at station 000001."""
    order = a_report(now=NOW, fault="打印机卡纸")
    solved = a_report(now=NOW, fault="软件问题")
    do(solved, "resolve_remotely", now=NOW + timedelta(hours=1), promise_reason="软件问题,电话解决")
    wish = begin(
        "cancellation_request", "submit", actor=an_actor("station_coordinator"), now=NOW, order_ref=order.ref,
        given={"cancel_reason": "user_solved", "cancel_detail": "用户已自行解决"},
    )  # fmt: skip
    callback = Record.objects.unscoped("a test looks").get(order_ref=solved.ref, process="callback")
    return {"order": order.ref, "cancellation_request": wish.ref, "callback": callback.ref}
