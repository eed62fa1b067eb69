"""Every page of every role, in Chinese: usable with a keyboard and a screen reader, and without an English label.

One walk. The rules are those of axe-core (WCAG 2.1 A and AA); what may stand in Latin letters on a Chinese page is
listed below, word by word. The policy of the pages is enforced throughout, and whatever it stops is a fault.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from playwright.sync_api import Browser, ConsoleMessage, Page, Route
from pytest_django.live_server_helper import LiveServer

from mendline.access.actors import Actor
from mendline.access.models import Person
from mendline.care.scorecards import refresh_scorecards
from mendline.figures import facts
from mendline.orders.documents import COMPONENTS
from mendline.orders.models import Record
from mendline.orders.store import Loaded
from mendline.orders.transitions import begin, perform
from tests.browser.conftest import EXPECTED, PATIENCE, signed_in_as
from tests.console.conftest import PLACES
from tests.make import REPORT, an_actor

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
RUN = """async () => {
    const found = await axe.run(document, {
        resultTypes: ["violations"],
        preload: {assets: ["media"]},  // style sheets are read by no rule of these
        runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"],
    })
    return found.violations.map(fault => `${fault.id}: ${fault.help} — ` +
        fault.nodes.slice(0, 3).map(node => node.html.slice(0, 160)).join(" | "))
}"""
# A page that is drawn of the same elements in the same order has the same faults: it is looked at once.
DRAWN_OF = """() => {
    const found = []
    for (const node of document.querySelectorAll("main, main *")) {
        const name = `${node.tagName}.${node.getAttribute("class") ?? ""}.${node.getAttribute("role") ?? ""}`
        if (!node.closest("svg") && found.at(-1) !== name) found.push(name)
    }
    return found.join(" ")
}"""
# What people read and hear: visible text, and the words that only some of them get to know.
WORDS = """() => {
    const found = []
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    while (walker.nextNode()) {
        const holder = walker.currentNode.parentElement
        if (!holder.closest("script, style, [lang=en], template")) found.push(walker.currentNode.textContent)
    }
    for (const node of document.querySelectorAll("[aria-label], [title], [placeholder], [alt]")) {
        if (node.closest("[lang=en]")) continue
        for (const name of ["aria-label", "title", "placeholder", "alt"]) found.push(node.getAttribute(name) ?? "")
    }
    return [document.title, ...found].map(text => text.trim()).filter(text => /[A-Za-z]{2}/.test(text))
}"""
# Put in by the browser's own protocol, like the rules: the policy of a page neither stops these nor is lifted for them.
LISTEN = """addEventListener("securitypolicyviolation", event => {
    const place = `${event.sourceFile || location.pathname}:${event.lineNumber}`
    globalThis.stopped = [...(globalThis.stopped ?? []), `${event.effectiveDirective} ${event.blockedURI} ${place}`]
}, true)"""
STOPPED = "() => { const found = globalThis.stopped ?? []; globalThis.stopped = []; return found }"
# What the console's own styles are asked for; the administration has others.
CLASSES = """() => document.querySelector('link[href*="dist/styles"]')
    ? [...new Set([...document.querySelectorAll("[class]")].flatMap(node => [...node.classList]))] : []"""
KIT = AXE.parents[1] / "@tabler" / "core" / "dist" / "css" / "tabler.min.css"
BUNDLE = Path(finders.find("dist/styles.css") or "missing")
ALLOWED = (
    r"[A-Z]{2}\d{6}-[0-9A-Z]+",  # numbers of orders and records
    r"[A-Z]{3}-\d\d",  # rules
    r"T(?:1|2|3|31|32|33|4)(?!\w)", r"V\d(?:\.\d)?",
    r"Mendline", r"English",  # the product, and the way to the other language
    r"CC-WEB", r"CC", r"PDF", r"Excel", r"SLA", r"QR", r"GB/T", r"WEB",
    r"XX", r"wxs",  # a place in a prescribed wording; initials, as an example of what can be looked for
    r"mendline worker", r"UTC",  # a command to look after, and what other zones are reckoned from
    r"Chrome", r"Linux",  # the browser that somebody is signed in with
    r"Ctrl", r"Cmd", r"Alt", r"Esc", r"Enter", r"Tab", r"Shift",
)  # fmt: skip
LATIN = re.compile(r"[A-Za-z]{2,}")
STRIPPED = re.compile("|".join(ALLOWED))


@pytest.fixture
def world(people: None) -> dict[str, str]:
    """Some of everything, in Chinese; returns the addresses of pages about one thing, by what they are."""
    Person.objects.update(name="李明")
    now = datetime.now(UTC)
    hour = timedelta(hours=1)
    late = report(now - 6 * hour)
    step(late, "download", now - 5 * hour)
    step(late, "log_contact", now - 4.5 * hour, contact_outcome="no_answer")
    promised = report(now - 30 * hour)
    step(promised, "promise", now - 29 * hour, promised_at=(now - 2 * hour).isoformat())
    solved = report(now - 8 * hour)
    step(solved, "resolve_remotely", now - 7 * hour, promise_reason="软件问题,电话解决")
    waiting = report(now - 3 * hour)
    step(waiting, "download", now - 2 * hour)
    step(waiting, "order_part", now - hour, part_code="10086", told_user_why="yes", borrowing="not_available")
    report(now - hour, area="120101")
    request = begin(
        "cancellation_request", "submit", actor=somebody("station_coordinator"), now=now - hour, order_ref=late.ref,
        given={"cancel_reason": "user_solved", "cancel_detail": "用户已自行解决"},
    )  # fmt: skip
    refresh_scorecards(now)
    while facts.catch_up(now):
        pass
    return {
        "order": f"/orders/{late.ref}/", "promised": f"/orders/{promised.ref}/", "part": f"/orders/{waiting.ref}/",
        "step": f"/steps/{late.ref}/promise/", "request": f"/records/{request.ref}/",
        "verdict": f"/inbox/{request.ref}/", "document": f"/reading/{_published(now)}/",
        "callback": f"/callbacks/{_callback_of(solved)}/",
    }  # fmt: skip


def _published(now: datetime) -> str:
    """A procedure document that everybody it concerns was told of."""
    given = {
        "document_number": "2026-001", "title": "关于执行统一报修的通知", "category": "通知",
        "drafted_on": "2026-03-01", "drafter": "孟林", "recipients": "维修站", "pages": 36,
        "recipient_departments": "客户服务支持部", "copies": "各部门经理以上", "change_list": "修改附件二",
        "publishes_process": "unified_repair", "publishes_version": 3, "components": "、".join(COMPONENTS),
    }  # fmt: skip
    draft = begin("procedure_document", "draft_document", actor=somebody("process_owner"), now=now, given=given)
    for role, name in (("process_owner", "review"), ("process_owner", "approve"), ("process_owner", "publish")):
        perform(draft.ref, name, actor=somebody(role), now=now)
    return draft.ref


def somebody(role: str) -> Actor:
    """Somebody of a role, with a Chinese name: the history shows it."""
    return replace(an_actor(role), name="李明")


def report(at: datetime, **changed: Any) -> Loaded:
    return begin("unified_repair", "report", actor=somebody("cc_agent"), now=at, given={**REPORT, **changed})


def step(order: Loaded, name: str, at: datetime, **given: Any) -> None:
    perform(order.ref, name, actor=somebody("station_coordinator"), now=at, given=given)


def _callback_of(order: Loaded) -> str:
    return str(Record.objects.unscoped("a test looks").get(order_ref=order.ref, process="callback").ref)


ABOUT = {
    "cc_agent": ("order", "callback"),
    "region_interface": ("order", "request", "verdict", "document"),
    "channel_management": ("document",),
    "station_coordinator": ("order", "promised", "part", "step"),
    "station_engineer": ("promised",),
}
EXTRA = {
    "region_interface": ("/inbox/?tab=late", "/inbox/?tab=undispatched", "/inbox/?tab=documents",
                         "/stations/000001/?show=contacts_late"),
    "station_coordinator": ("/search/?q=李明", "/search/?q=王先生", "/settings/", "/settings/signins/"),
    "admin": ("/settings/", "/admin/roles/station_coordinator/", "/admin/calendar/", "/admin/texts/"),
    "process_owner": ("/procedures/unified_repair/3/", "/rules/", "/procedures/unified_repair/3/limits/",
                      "/procedures/unified_repair/differences/?a=2&b=3", "/procedures/unified_repair/3/replay/"),
    "cc_agent": ("/no-such-page/",),
    "channel_management": ("/network/stations/000001/", "/network/map/?area=11", "/network/map/?area=110108",
                           "/network/gaps/", "/network/gaps/?show=overlaps", "/network/no800/", "/network/capacity/",
                           "/network/changes/", "/network/import/"),
    "hq_interface": ("/figures/cancellations/", "/figures/handovers/", "/figures/paths/", "/figures/load/",
                     "/figures/daily/", "/figures/orders/", "/figures/?from=x"),
}  # fmt: skip


@pytest.fixture
def walker(browser: Browser, live_server: LiveServer, world: dict[str, str]) -> Iterator[Page]:
    """One window, with the policy of the pages enforced."""
    context = browser.new_context(
        locale="zh-CN", timezone_id="Asia/Shanghai", viewport={"width": 1440, "height": 900}, base_url=live_server.url
    )
    context.set_default_timeout(PATIENCE)
    context.add_init_script(AXE.read_text("utf-8"))
    context.add_init_script(LISTEN)
    yield context.new_page()
    context.close()


class Walk:
    """What was found so far, and which pages were drawn like one that was looked at already."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.faults: list[str] = []
        self.opened = 0
        self.classes: set[str] = set()
        self._drawn: set[str] = set()
        self._complaints: list[str] = []
        page.on("console", self._note)
        page.on("pageerror", lambda error: self._complaints.append(str(error)))

    def _note(self, message: ConsoleMessage) -> None:
        """Keep what the browser complains of; of a page that is not there it says so, rightly."""
        if message.type == "error" and not any(word in message.text for word in (*EXPECTED, "404 (Not Found)")):
            self._complaints.append(f"{message.text} ({message.location})")

    def stopped(self) -> list[str]:
        """Return what the policy stopped since the last time, and what else the browser complained of."""
        found = [f"stopped by the policy: {one}" for one in self.page.evaluate(STOPPED)]
        found += [f"the browser complains: {one}" for one in self._complaints]
        self._complaints.clear()
        return found

    def visit(self, role: str, path: str) -> None:
        """Open one page and note what cannot be used there, and what is not said in Chinese."""
        self.page.goto(path)
        self.opened += 1
        found: list[str] = []
        drawn = str(self.page.evaluate(DRAWN_OF))
        if drawn not in self._drawn:
            self._drawn.add(drawn)
            found += self.page.evaluate(RUN)
            found += self._on_a_telephone()
        self.classes.update(self.page.evaluate(CLASSES))
        words = [text for text in self.page.evaluate(WORDS) if LATIN.search(STRIPPED.sub("", text))]
        found += [f"in Latin letters: {text[:120]}" for text in dict.fromkeys(words)]
        found += self.stopped()
        self.faults += [f"{role} {path}: {fault}" for fault in found]

    def _on_a_telephone(self) -> list[str]:
        """The same page, as narrow as a telephone: nothing may stick out."""
        self.page.set_viewport_size({"width": 390, "height": 844})
        wide = int(self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
        self.page.set_viewport_size({"width": 1440, "height": 900})
        return [f"{wide} px wider than a telephone"] if wide > 1 else []


def test_every_page_of_every_role_is_usable_and_in_chinese(
    walker: Page, live_server: LiveServer, world: dict[str, str]
) -> None:
    walk = Walk(walker)
    walk.visit("nobody", "/accounts/login/")
    for role in PLACES:
        signed_in_as(walker.context, role, live_server.url)
        walker.goto("/")
        places = walker.eval_on_selector_all(".navbar-vertical a.nav-link", "links => links.map(a => a.pathname)")
        assert places, role
        for path in [*dict.fromkeys(places), *(world[name] for name in ABOUT.get(role, ())), *EXTRA.get(role, ())]:
            walk.visit(role, path)

    assert walk.opened > 50
    assert not walk.faults, "\n".join(walk.faults)
    styled, kept = _classes_in(KIT), _classes_in(BUNDLE)
    assert len(kept) < len(styled) / 2
    assert walk.classes & styled <= kept, "left out of the bundle although a page uses them; see frontend/build.mjs"


def test_p16_control_what_the_policy_stops_is_heard(browser: Browser, live_server: LiveServer, db: None) -> None:
    context = browser.new_context(base_url=live_server.url)
    context.add_init_script(LISTEN)
    page = context.new_page()

    def with_more(route: Route) -> None:
        answer = route.fetch()
        more = "<script>globalThis.ran = 1</script><p style='color:red' onclick='a()'>x</p><img src='//a.example/x'>"
        route.fulfill(response=answer, body=answer.text().replace("</body>", f"{more}</body>"))

    page.route("**/accounts/login/", with_more)
    walk = Walk(page)
    page.goto("/accounts/login/")
    found = "\n".join(walk.stopped())
    ran = page.evaluate("globalThis.ran")
    context.close()

    assert ran is None, "the policy is enforced while somebody listens"
    for directive in ("script-src-elem", "style-src-attr", "script-src-attr", "img-src"):
        assert f"stopped by the policy: {directive}" in found
    assert "the browser complains" in found


def _classes_in(styles: Path) -> set[str]:
    """The classes that a style sheet has a rule for."""
    return set(re.findall(r"\.([a-zA-Z][\w-]*)", styles.read_text("utf-8")))
