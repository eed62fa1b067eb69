"""What a person waits for, in a real Chromium on a simulated 4G line. Jobs for `member.py`.

The line is that of Chromium's own preset for 4G: 9 Mbit/s down, 1.5 up, 165 ms there and back. The browser
is new for each page: nothing is kept of a page before.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from mendline.cli import packages

FOUR_G = {
    "offline": False, "latency": 165, "downloadThroughput": 9_000_000 / 8, "uploadThroughput": 1_500_000 / 8,
}  # fmt: skip
LISTEN = """
    window.slowest = 0
    new PerformanceObserver(list => {
        for (const entry of list.getEntries()) {
            // The pointer that a page finds above itself when it appears is nobody's doing.
            if (entry.interactionId) window.slowest = Math.max(window.slowest, entry.duration)
        }
    }).observe({type: "event", durationThreshold: 16, buffered: true})
"""
LOADED = "() => { const [entry] = performance.getEntriesByType('navigation'); return entry.loadEventEnd }"
PATIENCE_MS = 30_000
LOOK_MS, KEY_MS = 1000, 120  # a person sees the page before the hands move; eight keys a second is a fast typist
NEW_CALLER = "13912345678"


@contextmanager
def _chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    path = packages.browser()
    if path is None:
        raise RuntimeError("there is no Chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


def can_look() -> bool:
    """Tell whether there is a browser and what drives it; an installation needs neither."""
    try:
        import playwright  # noqa: F401
    except ImportError:
        return False
    return packages.browser() is not None


def look_at_pages(port: int, who: Mapping[str, str], pages: Mapping[str, str]) -> dict[str, dict[str, float]]:
    """Open each page on the simulated line: kB over the wire, seconds until loaded, slowest interaction in ms."""
    found: dict[str, dict[str, float]] = {}
    with _chromium() as browser:
        for name, address in pages.items():
            context = _signed_in(browser, port, who)
            page = context.new_page()
            session = context.new_cdp_session(page)
            session.send("Network.enable")
            session.send("Network.emulateNetworkConditions", FOUR_G)
            sent = {"bytes": 0.0}
            session.on("Network.loadingFinished", lambda one, sent=sent: _add(sent, one["encodedDataLength"]))
            page.add_init_script(LISTEN)
            try:
                page.goto(f"http://127.0.0.1:{port}{address}", wait_until="load", timeout=PATIENCE_MS)
            except Exception as problem:  # a document that is downloaded, or an answer that never ends
                found[name] = {"failed": 1.0, "said": str(problem)[:80]}  # type: ignore[dict-item]
                context.close()
                continue
            loaded = float(page.evaluate(LOADED)) / 1000
            found[name] = {
                "kb": sent["bytes"] / 1000, "seconds": loaded, "interaction_ms": _interact(page),
            }  # fmt: skip
            context.close()
    return found


def _add(sent: dict[str, float], more: float) -> None:
    sent["bytes"] += more


def _signed_in(browser: Any, port: int, who: Mapping[str, str]) -> Any:
    context = browser.new_context(locale="zh-CN", timezone_id="Asia/Shanghai", viewport={"width": 1440, "height": 900})
    address = f"http://127.0.0.1:{port}"
    context.add_cookies([{"name": "sessionid", "value": who["session"], "url": address}])
    return context


def _interact(page: Any) -> float:
    """Move on by key, open the box for everything and type into it: what every page offers."""
    page.wait_for_timeout(LOOK_MS)
    for key in ("Tab", "Tab", "Control+k", "1", "3", "Escape"):
        page.keyboard.press(key)
        page.wait_for_timeout(KEY_MS)
    page.wait_for_timeout(300)  # the browser tells of an event once it was painted
    return float(page.evaluate("() => window.slowest"))


def take_reports(port: int, who: Mapping[str, str], known_phone: str) -> dict[str, dict[str, float]]:
    """Take a report of a new and of a known caller by keyboard: fields, keys, seconds and requests of the server."""
    with _chromium() as browser:
        return {
            "new caller": _report(browser, port, who, NEW_CALLER, is_known=False),
            "known caller": _report(browser, port, who, known_phone, is_known=True),
        }


def _report(browser: Any, port: int, who: Mapping[str, str], phone: str, *, is_known: bool) -> dict[str, float]:
    context = _signed_in(browser, port, who)
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{port}/intake/", wait_until="networkidle")
    asked: list[float] = []
    page.on("requestfinished", lambda request: asked.append(max(0.0, request.timing["responseEnd"])))
    hands = _Hands(page)
    page.locator('#report [name="customer.phone"]').focus()  # the offer of a tour to a newcomer may have it
    begun = time.perf_counter()
    hands.type("customer.phone", phone)
    if is_known:
        page.wait_for_function("() => document.querySelector('#report [name=\"customer.name\"]').value")
    else:
        hands.press("Enter")
        hands.type("customer.name", "李女士")
        hands.press("Enter")
        hands.type("area.search", "海淀")
        page.locator("[data-place]").first.wait_for()
        hands.press("Enter")
        hands.type("address", "上地信息路2号")
    hands.go_to("product")
    hands.fields.add("product")
    hands.press("ArrowDown")
    hands.go_to("fault")
    hands.type("fault", "开机黑屏，风扇不转")
    hands.go_to("service_mode")
    hands.fields.add("service_mode")
    hands.press("Space")
    page.locator("#proposal").get_by_text("维修站").first.wait_for()
    hands.press("Control+Enter")
    page.wait_for_url("**/orders/WX*/")
    took = time.perf_counter() - begun
    context.close()
    return {
        "fields": len(hands.fields), "keys": hands.keys, "characters": hands.characters, "requests": len(asked),
        "server_seconds": sum(asked) / 1000, "script_seconds": took,
    }  # fmt: skip


class _Hands:
    """Types on the keyboard alone and counts."""

    def __init__(self, page: Any) -> None:
        self.page, self.keys, self.characters = page, 0, 0
        self.fields: set[str] = set()

    def press(self, key: str) -> None:
        self.keys += 1
        self.page.keyboard.press(key)

    def type(self, name: str, text: str) -> None:
        self.page.locator(f'#report [name="{name}"]:focus').wait_for()
        self.fields.add(name)
        if text.isascii():
            self.keys += len(text)
            self.page.keyboard.type(text)
        else:
            self.characters += len(text)
            self.page.keyboard.insert_text(text)

    def go_to(self, name: str) -> None:
        for _ in range(20):
            if self.page.locator(f'#report [name="{name}"]:focus').count():
                return
            self.press("Tab")
        raise RuntimeError(f"no way to {name} by keyboard")
