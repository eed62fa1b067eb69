"""People: who there is, what each may do, and letting somebody in anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from mendline.access import people
from mendline.access.actors import subject_of
from mendline.access.models import Person
from mendline.access.people import PersonData
from mendline.access.traces import PROCESS
from mendline.journal.models import Entry
from mendline.kernel.errors import NotVisible, Refused
from mendline.kernel.phones import NotAPhone, parse_phone
from mendline.kernel.text import Text
from mendline.network.models import Region, Station
from mendline.web.admin import letting_in
from mendline.web.admin.entries import entry_rows
from mendline.web.admin.forms import OfficeForm, choice, line, options
from mendline.web.admin.office import ADMIN, room, show
from mendline.web.admin.tables import isolated, link, page_of, table, tag
from mendline.web.admin.words import both
from mendline.web.console.visit import Visit, go
from mendline.web.console.words import ROLES, role_name
from mendline.web.templatetags.console import say

HEADING = Text("人员", "People")
ACTIVE, OFF = Text("在用", "active"), Text("已停用", "switched off")
PERSON_ROLES = {code: text for code, text in ROLES.items() if code not in ("timer", "customer")}


class PersonForm(OfficeForm):
    """What is entered about somebody."""

    username = line(
        both("用户名", "User name"), longest=40,
        help_text=both("用于登录；字母、数字、点、横线、下划线", "for signing in: letters, digits, . - _"),
    )  # fmt: skip
    name = line(both("姓名", "Name"), longest=40)
    role = choice(both("角色", "Role"))
    region = choice(
        both("大区", "Region"), required=False, help_text=both("仅大区角色填写", "for a region's roles only")
    )
    station_no = line(
        both("维修站编号", "Station number"), required=False, longest=12,
        help_text=both("仅维修站角色填写，例如 000001", "for a station's roles only, e.g. 000001"), inputmode="numeric",
    )  # fmt: skip
    phone = line(both("电话", "Telephone"), required=False, longest=30)
    email = line(
        both("邮箱", "E-mail"), required=False, longest=254,
        help_text=both("用于首次设密链接与通知", "for the first-password link and for notices"),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = options(PERSON_ROLES, Text("请选择", "choose"))  # type: ignore[attr-defined]
        regions = [(code, name) for code, name in Region.objects.order_by("code").values_list("code", "name")]
        self.fields["region"].choices = [("", say(Text("无", "none"))), *regions]  # type: ignore[attr-defined]

    def clean_station_no(self) -> str:
        number = str(self.cleaned_data["station_no"]).strip()
        if number and not Station.objects.filter(pk=number).exists():
            self.add_error(
                "station_no", say(Text("没有这个编号的维修站，请核对", "there is no such station: check the number"))
            )
        return number

    def clean_phone(self) -> str:
        typed = str(self.cleaned_data["phone"]).strip()
        try:
            return parse_phone(typed) if typed else ""
        except NotAPhone as fault:
            self.add_error("phone", say(fault.text))
            return ""

    def data_given(self) -> PersonData:
        return PersonData(**{name: str(self.cleaned_data[name]).strip() for name in self.fields})


@room(ADMIN)
def people_list(visit: Visit) -> HttpResponse:
    """Everybody, found by name, role, place and whether they are active."""
    form = _filters(visit)
    page = page_of(_narrowed(visit), visit, newest_first=False)
    regions = dict(Region.objects.values_list("code", "name"))
    rows = [
        [
            link(reverse("admin:person", args=[person.pk]), person.name), isolated(person.username),
            say(role_name(person.role)), person.station_no or regions.get(person.region, "—"),
            tag(ACTIVE, "success") if person.is_active else tag(OFF, "danger"),
            tag(Text("已开启", "on"), "success") if factors else tag(Text("未开启", "off")),
        ]
        for person, factors in letting_in.with_factors(page.rows)
    ]  # fmt: skip
    headers = [
        Text("姓名", "Name"), Text("用户名", "User name"), Text("角色", "Role"),
        Text("大区或维修站", "Region or station"),
        Text("状态", "State"), Text("双重验证", "Second factor"),
    ]  # fmt: skip
    part = {
        "table": table(headers, rows), "empty": Text("没有符合条件的人员", "Nobody fits"),
        "todo": Text("放宽筛选条件，或新增人员", "Widen the filter, or add somebody"),
    }  # fmt: skip
    context = {
        "heading": HEADING, "filters": form, "parts": [part], "next_after": page.next_after,
        "buttons": [{"href": reverse("admin:add_person"), "icon": "plus", "label": Text("新增人员", "Add somebody")}],
    }  # fmt: skip
    return show(visit, "list.html", context)


class PeopleFilter(OfficeForm):
    q = line(both("姓名、用户名或维修站", "Name, user name or station"), required=False, longest=40)
    role = choice(both("角色", "Role"), required=False)
    state = choice(both("状态", "State"), required=False)


def _filters(visit: Visit) -> PeopleFilter:
    form = PeopleFilter(visit.request.GET, auto_id="filter-%s", label_suffix="")
    every = Text("全部", "all")
    form.fields["role"].choices = options(PERSON_ROLES, every)  # type: ignore[attr-defined]
    form.fields["state"].choices = options({"on": ACTIVE, "off": OFF}, every)  # type: ignore[attr-defined]
    return form


def _narrowed(visit: Visit) -> QuerySet[Person]:
    found = Person.objects.all()
    words, role, state = visit.asked("q", 40), visit.asked("role"), visit.asked("state")
    if words:
        found = found.filter(Q(name__icontains=words) | Q(username__icontains=words) | Q(station_no__startswith=words))
    if role:
        found = found.filter(role=role)
    if state in ("on", "off"):
        found = found.filter(is_active=state == "on")
    return found


@room(ADMIN)
def add(visit: Visit) -> HttpResponse:
    """Enter somebody; the next page hands over the first-password link."""
    form = PersonForm(visit.request.POST or None, label_suffix="")
    if visit.request.method == "POST" and form.is_valid():
        try:
            person = people.add_person(form.data_given(), actor=visit.actor, now=visit.now)
        except Refused as refused:
            form.refuse(refused)
        else:
            said = Text("已新增。请发送首次设密链接。", "Added. Now send the first-password link.")
            return go(visit, reverse("admin:person", args=[person.pk]), said)
    context = {
        "heading": Text("新增人员", "Add somebody"), "form": form, "submit": Text("新增", "Add"), "back": _back(),
        "intro": Text("一个人一个账号，一个角色。首次登录的密码由本人通过链接设置。",
                      "One account and one role for each person. The first password is chosen by that person."),
    }  # fmt: skip
    return show(visit, "form.html", context, status=422 if form.errors else 200)


@room(ADMIN)
def person(visit: Visit, person_id: int) -> HttpResponse:
    """One person: data, ways in, and what was changed by whom."""
    somebody = _person(person_id)
    form = PersonForm(visit.request.POST or None, initial=_initial(somebody), label_suffix="")
    if visit.request.method == "POST" and form.is_valid():
        try:
            people.change_person(person_id, form.data_given(), actor=visit.actor, now=visit.now)
        except Refused as refused:
            form.refuse(refused)
        else:
            return go(visit, visit.request.path, Text("已保存", "Saved"))
    return _person_page(visit, somebody, form, status=422 if form.errors else 200)


@require_POST
@room(ADMIN)
def step(visit: Visit, person_id: int, name: str) -> HttpResponse:
    """One of the buttons below the form."""
    somebody = _person(person_id)
    if name == "link":
        secret = letting_in.password_link(somebody, visit)
        if secret is not None:
            return _person_page(visit, somebody, PersonForm(initial=_initial(somebody), label_suffix=""), secret=secret)
        said = Text("链接已发送到邮箱", "The link was sent by e-mail")
    else:
        said = _carry_out(visit, person_id, name)
    return go(visit, reverse("admin:person", args=[person_id]), said)


def _carry_out(visit: Visit, person_id: int, name: str) -> Text:
    by = {"actor": visit.actor, "now": visit.now}
    match name:
        case "off":
            people.switch_off(person_id, **by)  # type: ignore[arg-type]
            return Text("已停用，立即生效", "Switched off, at once")
        case "on":
            people.switch_on(person_id, **by)  # type: ignore[arg-type]
            return Text("已启用", "Switched on")
        case "factor":
            count = people.reset_second_factor(person_id, **by)  # type: ignore[arg-type]
            return (
                Text("已重置双重验证", "The second factor is reset")
                if count
                else Text("没有双重验证", "There was none")
            )
        case "signins":
            count = people.end_signins(person_id, **by)  # type: ignore[arg-type]
            return Text(f"已结束 {count} 处登录", f"Signed out of {count} browser{'' if count == 1 else 's'}")
        case "unlock":
            letting_in.unlock(_person(person_id), visit)
            return Text("已解除登录锁定", "Signing in is unlocked")
    raise NotVisible


def _person_page(
    visit: Visit, somebody: Person, form: PersonForm, *, secret: Mapping[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    entries = Entry.objects.filter(subject=subject_of(somebody.pk), process=PROCESS).order_by("-id")[:20]
    part = {
        "title": Text("最近的变更", "Latest changes"), "table": entry_rows(entries),
        "empty": Text("还没有变更记录", "Nothing was changed yet"),
    }  # fmt: skip
    context = {
        "heading": Text(somebody.name, somebody.name), "form": form, "submit": Text("保存", "Save"), "back": _back(),
        "secret": secret, "steps": _steps(somebody), "parts": [part],
    }  # fmt: skip
    return show(visit, "form.html", context, status=status)


def _steps(somebody: Person) -> list[dict[str, Any]]:
    """Return the buttons below the form, with what each does."""
    name = somebody.name
    by_mail = Text("发送到邮箱；三天内有效", "sent by e-mail; good for three days")
    shown = Text("没有邮箱：链接显示一次，请当面转交", "no e-mail address: shown once, to be handed over")
    found = [
        ("link", "mail", Text("首次设密链接", "First-password link"), by_mail if somebody.email else shown, None),
        ("factor", "shield-check", Text("重置双重验证", "Reset the second factor"),
         Text("手机丢失时使用，并立即退出所有登录；必须使用双重验证的角色要重新设置",
              "when the phone is lost, and out of every browser; roles that must have one set it up anew"),
         Text(f"确定重置 {name} 的双重验证？", f"Reset the second factor of {name}?")),
        ("unlock", "lock", Text("解除登录锁定", "Unlock signing in"),
         Text("多次输错密码后使用", "after too many wrong passwords"), None),
    ]  # fmt: skip
    if somebody.is_active:
        found.append(
            ("signins", "logout", Text("结束全部登录", "Sign out everywhere"),
             Text("立即退出所有浏览器，密码不变", "out of every browser at once; the password stays"),
             Text(f"确定结束 {name} 的全部登录？", f"Sign {name} out everywhere?"))
        )  # fmt: skip
        found.append(
            ("off", "ban", Text("停用", "Switch off"), Text("立即失去访问，密钥同时失效", "at once, with all keys"),
             Text(f"确定停用 {name}？", f"Switch {name} off?"))
        )  # fmt: skip
    else:
        found.append(("on", "check", Text("启用", "Switch on"), Text("恢复登录", "may sign in again"), None))
    return [
        {
            "href": reverse("admin:person_step", args=[somebody.pk, step]), "icon": icon, "label": label,
            "does": does, "asks": asks, "danger": step == "off",
        }
        for step, icon, label, does, asks in found
    ]  # fmt: skip


def _initial(somebody: Person) -> dict[str, str]:
    return {name: str(getattr(somebody, name)) for name in PersonForm.base_fields}


def _person(person_id: int) -> Person:
    found = Person.objects.filter(pk=person_id).first()
    if found is None:
        raise NotVisible
    return found


def _back() -> tuple[str, Text]:
    return reverse("admin:people"), HEADING
