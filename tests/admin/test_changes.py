"""What is changed in the administration works, leaves its line in the history, and is refused with its field."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from mendline.access import tokens
from mendline.access.models import Person, Token
from mendline.channels.webhook.models import Webhook
from mendline.journal.models import Entry, Outgoing
from mendline.network.models import Product, ProductLine
from mendline.process.models import CalendarDay
from tests.console.conftest import SignIn
from tests.make import a_report

pytestmark = pytest.mark.django_db

ZHAO = {"username": "zhao", "name": "赵敏", "role": "region_interface", "region": "north", "email": "zhao@example.com"}


@pytest.fixture
def chief(signed_in: SignIn) -> Client:
    return signed_in("admin")


def kinds() -> list[str]:
    return list(Entry.objects.filter(process="administration").order_by("id").values_list("kind", flat=True))


def added(chief: Client, **changed: str) -> Person:
    chief.post("/admin/people/add/", {**ZHAO, **changed})
    return Person.objects.get(username=changed.get("username", "zhao"))


def test_somebody_is_added_gets_a_link_and_chooses_a_password(chief: Client) -> None:
    person = added(chief)

    chief.post(f"/admin/people/{person.pk}/link/")

    assert mail.outbox[0].to == ["zhao@example.com"]
    address = next(line for line in str(mail.outbox[0].body).splitlines() if "/accounts/" in line)
    newcomer = Client()
    form = newcomer.get(address.partition("testserver")[2], follow=True)
    chosen = {"password1": "a-long-enough-one", "password2": "a-long-enough-one"}
    newcomer.post(form.request["PATH_INFO"], chosen)
    signed = newcomer.post("/accounts/login/", {"login": "zhao", "password": "a-long-enough-one"})
    assert (signed.status_code, signed["Location"]) == (302, "/")
    assert kinds() == ["person.add", "person.password_link"]


def test_without_an_address_the_link_is_shown_once(chief: Client) -> None:
    person = added(chief, email="")

    answer = chief.post(f"/admin/people/{person.pk}/link/")

    assert "/accounts/password/reset/key/" in answer.content.decode()
    assert "/accounts/password/reset/key/" not in chief.get(f"/admin/people/{person.pk}/").content.decode()
    assert not mail.outbox
    assert "key" not in str(Entry.objects.latest("id").data)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"username": "赵敏"}, "username"), ({"name": ""}, "name"), ({"role": "king"}, "role"),
        ({"region": ""}, "region"), ({"region": "nowhere"}, "region"), ({"email": "zhao"}, "email"),
        ({"phone": "12"}, "phone"), ({"role": "station_engineer", "region": "", "station_no": "9"}, "station_no"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named_and_nothing_is_kept(chief: Client, changed: dict[str, str], field: str) -> None:
    answer = chief.post("/admin/people/add/", {**ZHAO, **changed})

    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert not Person.objects.filter(name="赵敏").exists() and not kinds()


def test_a_role_is_changed_and_counts_from_the_next_request(chief: Client, signed_in: SignIn) -> None:
    agent = signed_in("cc_agent")
    person = Person.objects.get(role="cc_agent")
    assert agent.get("/intake/").status_code == 200

    data = {"username": person.username, "name": "李明", "role": "station_engineer", "station_no": "000002"}
    assert chief.post(f"/admin/people/{person.pk}/", data).status_code == 302

    assert agent.get("/intake/").status_code != 200
    said = chief.get(f"/admin/people/{person.pk}/").content.decode()
    assert "CC座席 → 维修站工程师" in said


def test_whoever_is_switched_off_is_out_at_once_with_all_keys(chief: Client, signed_in: SignIn) -> None:
    agent = signed_in("cc_agent")
    person = Person.objects.get(role="cc_agent")
    secret = tokens.issue(person, "bridge")
    machine = {"Authorization": f"Bearer {secret}"}
    assert Client(headers=machine).get("/api/v1/orders").status_code == 200

    chief.post(f"/admin/people/{person.pk}/off/")

    assert agent.get("/queue/").status_code == 302
    assert Client(headers=machine).get("/api/v1/orders").status_code == 401
    chief.post(f"/admin/people/{person.pk}/on/")
    assert Client(headers=machine).get("/api/v1/orders").status_code == 200


def test_the_use_of_a_key_shows_in_the_list(chief: Client) -> None:
    secret = tokens.issue(Person.objects.get(role="admin"), "bridge")
    assert Token.objects.get().last_used_at is None

    Client(headers={"Authorization": f"Bearer {secret}"}).get("/api/v1/orders")
    Client(headers={"Authorization": "Bearer ml_wrong"}).get("/api/v1/orders")

    assert Token.objects.get().last_used_at is not None


def test_nobody_switches_off_themselves(chief: Client) -> None:
    own = Person.objects.get(role="admin")
    answer = chief.post(f"/admin/people/{own.pk}/off/")
    assert answer.status_code == 422 and "不能停用自己" in answer.content.decode()
    assert Person.objects.get(pk=own.pk).is_active


def test_a_key_is_shown_once_and_can_be_revoked(chief: Client) -> None:
    person = added(chief)
    answer = chief.post("/admin/tokens/issue/", {"name": "接口", "username": "zhao", "scopes": ["read"], "days": "30"})
    secret = answer.context["secret"]["value"]

    assert tokens.digest_of(secret) == Token.objects.get().digest
    assert secret not in chief.get("/admin/tokens/").content.decode()
    assert Client(headers={"Authorization": f"Bearer {secret}"}).get("/api/v1/orders").status_code == 200
    chief.post(f"/admin/tokens/{Token.objects.get().pk}/revoke/")
    assert Client(headers={"Authorization": f"Bearer {secret}"}).get("/api/v1/orders").status_code == 401
    assert kinds() == ["person.add", "token.issue", "token.revoke"]
    assert person.pk == Token.objects.get().person_id


@pytest.mark.parametrize(
    ("changed", "field"), [({"scopes": []}, "scopes"), ({"username": "nobody"}, "username"), ({"name": ""}, "name")]
)
def test_a_key_without_what_it_needs_is_refused(chief: Client, changed: dict[str, Any], field: str) -> None:
    added(chief)
    given = {"name": "接口", "username": "zhao", "scopes": ["read"], "days": "30", **changed}

    answer = chief.post("/admin/tokens/issue/", given)

    assert answer.status_code == 422 and field in answer.context["form"].errors
    assert not Token.objects.exists()


def test_a_holiday_is_entered_and_removed(chief: Client) -> None:
    given = {"day": "2027-12-30", "works": "off", "name": "公司年会", "provisional": "on"}
    assert chief.post("/admin/calendar/add/", given).status_code == 302
    kept = CalendarDay.objects.get(day=date(2027, 12, 30))
    assert (kept.works, kept.provisional) == (False, True)
    assert "公司年会" in chief.get("/admin/calendar/?year=2027").content.decode()

    chief.post("/admin/calendar/2027-12-30/remove/")

    assert not CalendarDay.objects.filter(day=date(2027, 12, 30)).exists()
    assert kinds() == ["calendar.set", "calendar.remove"]
    assert chief.post("/admin/calendar/2026-10-01/remove/").status_code == 422
    assert chief.get("/admin/calendar/yesterday/").status_code == 404


def test_a_product_line_and_its_products_are_entered_and_renamed(chief: Client) -> None:
    line = {"code": "notebook", "name_zh": "笔记本", "name_en": "Notebook", "channel": "desktop_repair"}
    product = {"code": "t14", "name_zh": "小黑", "name_en": "T14", "line": "notebook"}
    chief.post("/admin/products/lines/add/", line)
    chief.post("/admin/products/add/", product)
    chief.post("/admin/products/lines/notebook/", {**line, "name_zh": "笔记本电脑"})
    chief.post("/admin/products/t14/", {"name_zh": "小黑本", "name_en": "T14"})

    assert ProductLine.objects.get(pk="notebook").name_zh == "笔记本电脑"
    assert (Product.objects.get(pk="t14").name_zh, Product.objects.get(pk="t14").line_id) == ("小黑本", "notebook")
    assert kinds() == ["line.add", "product.add", "line.change", "product.change"]
    assert chief.post("/admin/products/lines/add/", line).status_code == 422  # the code is taken


def test_a_webhook_is_entered_its_delivery_sent_again_and_switched_off(chief: Client) -> None:
    answer = chief.post("/admin/webhooks/add/", {"url": "https://example.com/hook", "events": "order.report"})
    hook = Webhook.objects.get()
    assert answer.context["secret"]["value"] == hook.secret
    a_report()
    row = Outgoing.objects.get(channel="webhook")
    Outgoing.objects.filter(pk=row.pk).update(state="failed", attempts=9, error="对方没有应答", next_try_at=None)
    assert "对方没有应答" in chief.get(f"/admin/webhooks/{hook.pk}/").content.decode()

    chief.post(f"/admin/outbox/{row.pk}/again/")

    row.refresh_from_db()
    assert (row.state, row.attempts, row.error) == ("pending", 0, "")
    assert row.next_try_at is not None
    assert chief.post(f"/admin/outbox/{row.pk}/again/").status_code == 422  # it waits already
    chief.post(f"/admin/webhooks/{hook.pk}/stop/")
    assert not Webhook.objects.get().active
    assert kinds() == ["webhook.add", "outgoing.resend", "webhook.stop"]


def test_a_webhook_is_not_told_of_the_administration(chief: Client) -> None:
    chief.post("/admin/webhooks/add/", {"url": "https://example.com/hook", "events": ""})
    added(chief)
    assert not Outgoing.objects.filter(channel="webhook").exists()


def test_an_address_inside_the_house_is_refused_for_a_webhook(chief: Client) -> None:
    answer = chief.post("/admin/webhooks/add/", {"url": "http://127.0.0.1/", "events": ""})
    assert answer.status_code == 422 and "url" in answer.context["form"].errors


def test_an_inbox_row_cannot_be_sent_again(chief: Client) -> None:
    a_report()
    row = Outgoing.objects.filter(channel="inbox").first()
    assert row is not None
    assert chief.post(f"/admin/outbox/{row.pk}/again/").status_code == 404


def test_what_was_sent_is_found_and_can_be_sent_again(chief: Client) -> None:
    a_report()
    row = Outgoing.objects.filter(channel="inbox").first()
    assert row is not None
    fields = {"channel": "email", "state": "sent", "address": "li@example.com", "data": {"zh": "已派单", "en": "sent"}}
    sent = Outgoing.objects.create(key="mail", at=row.at, subject=row.subject, notice="n", attempts=1, **fields)

    assert "li@example.com" in chief.get("/admin/outbox/?state=sent").content.decode()
    assert "li@example.com" not in chief.get("/admin/outbox/?state=sent&channel=webhook").content.decode()
    chief.post(f"/admin/outbox/{sent.pk}/again/")

    assert "li@example.com" in chief.get("/admin/outbox/?state=pending").content.decode()
