"""What is not yours looks exactly like what is not there; what is yours but not for your role says so."""

from __future__ import annotations

import pytest

from mendline.journal.models import Entry
from tests.api.conftest import Machines

pytestmark = pytest.mark.django_db
ABSENT = "WX990101-222222222"


@pytest.mark.parametrize("stranger", ["station2", "east"])
@pytest.mark.parametrize("rest", ["", "/history", "/attachments"])
def test_a_neighbours_order_and_an_absent_one_are_the_same_bytes(machine: Machines, stranger: str, rest: str) -> None:
    ref = machine("cc").report().json()["ref"]
    other = machine(stranger)

    theirs, absent = other.get(f"/orders/{ref}{rest}"), other.get(f"/orders/{ABSENT}{rest}")

    assert theirs.status_code == absent.status_code == 404
    assert theirs.content == absent.content
    assert set(theirs.headers) == set(absent.headers)
    assert ref not in theirs.content.decode() and ABSENT not in absent.content.decode()


@pytest.mark.parametrize("stranger", ["station2", "east"])
@pytest.mark.parametrize("rest", ["transitions/download", "transitions/no_such_step", "reveal"])
def test_nothing_can_be_done_to_a_neighbours_order(machine: Machines, stranger: str, rest: str) -> None:
    ref = machine("cc").report().json()["ref"]
    body: dict[str, object] = {"reason": "call_user"} if rest == "reveal" else {"given": {}}

    theirs = machine(stranger).post(f"/orders/{ref}/{rest}", body)
    absent = machine(stranger).post(f"/orders/{ABSENT}/{rest}", body)

    assert theirs.status_code == absent.status_code == 404
    assert theirs.content == absent.content
    assert Entry.objects.filter(subject=ref).count() == 1


def test_lists_hold_what_is_in_scope(machine: Machines) -> None:
    ref = machine("cc").report().json()["ref"]

    seen = {name: machine(name).get("/orders").json()["items"] for name in ("cc", "north", "station1", "engineer1")}
    assert all([row["ref"] for row in rows] == [ref] for rows in seen.values())
    for name in ("station2", "east"):
        assert machine(name).get("/orders").json()["items"] == []
        assert machine(name).get("/orders", {"station": "000001"}).json()["items"] == []
        assert machine(name).post("/duplicates", {"phone": "13800000001"}).json()["items"] == []


def test_a_record_of_a_neighbour_is_absent(machine: Machines) -> None:
    ref = machine("cc").report().json()["ref"]
    request = machine("station1").post(
        "/records/cancellation_request", {"order_ref": ref, "given": {"cancel_reason": "user_postponed"}}
    )
    number = request.json()["ref"]

    assert request.status_code == 201
    assert machine("north").get(f"/records/{number}").status_code == 200
    assert machine("station2").get(f"/records/{number}").status_code == 404
    assert machine("east").step(number, "cancel_order").status_code == 404
    assert machine("station2").get("/records").json()["items"] == []


def test_another_role_gets_403_and_the_rule(machine: Machines) -> None:
    ref = machine("cc").report().json()["ref"]

    answer = machine("engineer1").step(ref, "download")

    assert (answer.status_code, answer.json()["code"]) == (403, "wrong_role")
    assert answer.json()["rules"]


def test_can_08_a_station_is_sent_to_its_region(machine: Machines) -> None:
    ref = machine("cc").report().json()["ref"]

    answer = machine("station1").step(ref, "cancel", cancel_reason="user_postponed", requested_by="station")

    assert (answer.status_code, answer.json()["rule"]) == (422, "CAN-08")


def test_a_stale_screen_is_a_conflict(machine: Machines) -> None:
    ref = machine("cc").report().json()["ref"]
    station = machine("station1")
    assert station.step(ref, "download", revision=0).status_code == 200

    stale = station.step(ref, "log_contact", revision=0, contact_outcome="no_answer")

    assert (stale.status_code, stale.json()["code"]) == (409, "changed")
    assert machine("cc").get(f"/orders/{ref}").json()["revision"] == 1


def test_telephone_numbers_are_masked_everywhere_until_revealed(machine: Machines) -> None:
    ref = machine("cc").report().json()["ref"]
    for name in ("cc", "north", "station1", "engineer1", "admin"):
        caller = machine(name)
        for path in (
            "/orders",
            f"/orders/{ref}",
            f"/orders/{ref}/history",
            "/notices",
        ):
            answer = caller.get(path)
            assert answer.status_code == 200, path
            assert "13800000001" not in answer.content.decode(), (name, path)
        found = caller.post("/duplicates", {"phone": "13800000001"})
        assert found.status_code == 200 and "13800000001" not in found.content.decode(), name

    machine("engineer1").post(f"/orders/{ref}/reveal", {"reason": "call_user"})

    kept = Entry.objects.get(subject=ref, kind="order.reveal_phone")
    assert kept.actor_name == "engineer1" and "13800000001" not in str(kept.data)


def test_stations_do_not_see_what_their_neighbours_have_left(machine: Machines) -> None:
    wanted = {"area": "110108", "product": "desktop"}
    station, agent = machine("station1"), machine("cc")
    written = Entry.objects.count()

    assert station.get("/stations/proposed", wanted).status_code == 403
    shown = agent.get("/stations/proposed", wanted).json()["stations"]
    assert (shown[0]["station"], shown[0]["chosen"]) == ("000001", True)
    assert Entry.objects.count() == written
