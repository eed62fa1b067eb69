"""The tour of five steps that each role is offered once, and can take again from the list of keys."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpResponse
from django.views.decorators.http import require_POST

from mendline.access.actors import OF_A_REGION
from mendline.access.models import Person
from mendline.kernel.text import Text
from mendline.web.console.shell import home_of
from mendline.web.console.visit import Visit, screen
from mendline.web.models import TourTaken

SEEN = "tour_seen"  # in the session, so that a home page asks the database once


@dataclass(frozen=True, slots=True)
class Stop:
    """One step: what it points at (a selector; where it is not on the page, nothing is marked), and what is said."""

    at: str
    title: Text
    words: Text


SEARCH = Stop(
    "#search", Text("找任何东西", "Find anything"),
    Text(
        "按 / 或 Ctrl+K：单号、电话后四位、姓名、拼音首字母或地址里的两个字都能找到维修单，也能直接打开页面。",
        "Press / or Ctrl+K: the end of a number or telephone, a name, initials or two characters of an address. Pages"
        " open from there as well.",
    ),
)  # fmt: skip
NOTICES = Stop(
    'a[href="/notices/"]', Text("该您知道的事", "What you should know"),
    Text(
        "新派单、将到期、超时和结果都通知到铃铛这里；数字是您还没看过的。",
        "New work, near deadlines, breaches and verdicts come to the bell. The number is what you have not seen.",
    ),
)  # fmt: skip
KEYS = Stop(
    ".navbar-brand", Text("随时再看", "Whenever you want it again"),
    Text(
        "按 ? 打开键盘快捷键，导览也在那里，可以随时从头看一遍。",
        "Press ? for the keyboard shortcuts. This tour is there as well, to be taken again.",
    ),
)  # fmt: skip
RULES = Stop(
    'a[href="/procedures/"]', Text("为什么不能办", "Why something is refused"),
    Text(
        "办不了的步骤会写明规则编号；每条规则的原文都在“流程与规则”里。",
        "A step that is refused names its rule. The sentence of every rule stands under “Procedure”.",
    ),
)  # fmt: skip
QUEUE = Stop(
    'a[href="/queue/"]', Text("全部维修单", "All orders"),
    Text(
        "最先到期的排在最前；筛选写在地址里，可以存成自己的视图。",
        "What is due first comes first. Filters stand in the address and can be kept as views of your own.",
    ),
)  # fmt: skip

OF_AN_AGENT = (
    Stop(
        "#line", Text("贴一行，自动填表", "Paste a line, and it fills the form"),
        Text(
            "把用户说的或微信里的一整行贴进来，电话、姓名、区县、故障和时间会自己填好。标着“推测”的请看一眼。",
            "Paste what was written or said: telephone, name, district, fault and time fill in by themselves. Look at"
            " whatever is marked as a guess.",
        ),
    ),
    Stop(
        "#caller", Text("老用户", "A known caller"),
        Text(
            "电话一输完，这里就有他报修过的单和机器，一键沿用姓名和地址。",
            "Once the telephone number stands there, what this caller reported before appears. One key takes name and"
            " address over.",
        ),
    ),
    Stop(
        "#proposal", Text("派给谁，为什么", "Which station, and why"),
        Text(
            "边填边看将派给哪个站；已经报修过的会提醒您催原单，不用再建一张。",
            "The station it would go to appears as you type. If it is reported already, urge the old order instead.",
        ),
    ),
    SEARCH,
    KEYS,
)  # fmt: skip
OF_A_COORDINATOR = (
    Stop(
        "#tiles", Text("今天的情况", "How today stands"),
        Text(
            "每一格是一个数，点一下就只看这些单；红的是已经超时的。",
            "Each tile counts orders; click it to see only those. Red ones are past their limit.",
        ),
    ),
    Stop(
        "#list", Text("先办最急的", "The most urgent first"),
        Text(
            "单号后面的牌子是剩余时间：橙色快到期，红色已超时，蓝色在等。点一行，详情在旁边打开。",
            "The chip after the number is the time left: orange is due, red is late, blue waits. A click opens the"
            " order beside the list.",
        ),
    ),
    Stop(
        "#list .calls", Text("联系一次，点一下", "One tap for each call"),
        Text(
            "未接、占线、关机、接通：点一下就记进历史；旁边是今天第几次，一天至少六次。",
            "No reply, busy, off or reached: one tap writes it down. Beside it stands which call of today that was, of"
            " at least six.",
        ),
    ),
    Stop(
        ".bulk", Text("一次办多张", "Many at once"),
        Text(
            "勾选几张单，一起下载、指派工程师或打印；哪张没办成、为什么，会逐张告诉您。",
            "Tick several orders to download, assign or print them together. You are told for each what became of it.",
        ),
    ),
    KEYS,
)  # fmt: skip
OF_AN_ENGINEER = (
    Stop(
        "#list", Text("您的维修单", "Your orders"),
        Text(
            "先到期的在最前；点开一张，最大的按钮就是下一步该办的。",
            "What is due first comes first. Open one: the largest button is what comes next.",
        ),
    ),
    Stop(
        'a[href="?mine=1"]', Text("只看自己的", "Only your own"),
        Text("点“我的”，只留下指派给您的单。", "“Mine” leaves the orders that are assigned to you."),
    ),
    RULES,
    NOTICES,
    KEYS,
)  # fmt: skip
OF_THE_REGION = (
    Stop(
        ".nav-tabs", Text("等您判断的", "What waits for you"),
        Text(
            "撤单请求、超时、待派单、特殊情况各在一页，数字是件数。",
            "Requests, breaches, undispatched orders and special situations each have a tab with its count.",
        ),
    ),
    Stop(
        ".split", Text("一页看全，一键判断", "Everything on one page, one click"),
        Text(
            "点开一件，请求、经过和维修站的成绩都在一起；判断后会通知维修站，不能撤销。",
            "Open one: the request, its history and the station's record stand together. A verdict is told to the"
            " station and cannot be undone.",
        ),
    ),
    Stop(
        'a[href="/stations/"]', Text("维修站成绩", "The stations' records"),
        Text(
            "各站的时限、承诺、回访成绩；每个数都能点开看是哪些单。",
            "How each station does; every figure opens its orders.",
        ),
    ),
    QUEUE,
    KEYS,
)  # fmt: skip
OF_THE_OTHERS = (SEARCH, QUEUE, RULES, NOTICES, KEYS)

STOPS = {
    "cc_agent": OF_AN_AGENT, "station_coordinator": OF_A_COORDINATOR, "station_engineer": OF_AN_ENGINEER,
    **{role: OF_THE_REGION for role in OF_A_REGION},
}  # fmt: skip


def stops_for(role: str) -> tuple[Stop, ...]:
    """Return the five steps of a role."""
    return STOPS.get(role, OF_THE_OTHERS)


@screen
def tour(visit: Visit) -> HttpResponse:
    """The steps, as a part of the page on which this role begins its day."""
    return visit.render("console/tour/steps.html", {"stops": stops_for(visit.actor.role)})


@require_POST
@screen
def ended(visit: Visit) -> HttpResponse:
    """It was seen to the end, left, or not wanted: it is not offered again."""
    assert visit.actor.person_id is not None  # whoever visits a page has signed in
    TourTaken.objects.get_or_create(person_id=visit.actor.person_id, role=visit.actor.role)
    visit.request.session[SEEN] = visit.actor.role
    return HttpResponse(status=204)


def is_offered(person: Person, path: str, session: dict[str, str]) -> bool:
    """Tell whether this page offers the tour: where the role begins its day, until it was taken or refused."""
    if path != home_of(person.as_actor()) or session.get(SEEN) == person.role:
        return False
    if TourTaken.objects.filter(person_id=person.pk, role=person.role).exists():
        session[SEEN] = person.role
        return False
    return True
