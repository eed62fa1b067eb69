"""The documentation site as it is built: searched in Chinese, asking nobody else, switched page for page."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from mendline.cli import site
from tests.browser.conftest import PATIENCE

pytestmark = pytest.mark.browser


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: a test's output is for what went wrong."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    work = tmp_path_factory.mktemp("site")
    assert site.build(work / "site", work) == ""
    return work / "site"


@pytest.fixture
def reader(built: Path, browser: Browser) -> Iterator[Page]:
    """A window at the site's first page; a request to anybody else fails the test."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(built)))
    server.daemon_threads = True
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    address = f"http://127.0.0.1:{server.server_port}"
    context = browser.new_context(locale="zh-CN", viewport={"width": 1440, "height": 900}, base_url=address)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    yield page
    context.close()
    server.shutdown()
    serving.join()
    server.server_close()
    assert [url for url in asked if not url.startswith((address, "blob:", "data:"))] == []


def test_a_word_in_chinese_is_found(reader: Page) -> None:
    with reader.expect_response("**/search.json"):  # by then the page's own script runs
        reader.goto("/")
    reader.get_by_role("button", name=re.compile("查找")).first.click()
    reader.get_by_role("combobox", name="Search").fill("撤单")

    expect(reader.get_by_role("option", name=re.compile("从克隆到第一张撤单")).first).to_be_visible()


def test_the_switch_leads_to_the_same_page_in_the_other_language(reader: Page) -> None:
    reader.goto("/operations/tls/")
    english = reader.locator('a.md-select__link[hreflang="en"]').evaluate("link => link.href")
    reader.goto(english)

    expect(reader.locator("h1")).to_have_text(re.compile("TLS and the proxy"))
    assert reader.locator('a.md-select__link[hreflang="zh"]').evaluate("link => link.href").endswith("/operations/tls/")
    assert not reader.locator('a.md-select__link[hreflang="zh"]').evaluate("link => link.href.includes('/en/')")


def test_every_page_is_built_and_shows_its_pictures(built: Path) -> None:
    for language, root in (("zh", built), ("en", built / "en")):
        for source in (site.DOCS / language).rglob("*.md"):
            name = source.relative_to(site.DOCS / language).with_suffix("")
            page = root / ("" if name.name == "index" else name) / "index.html"
            drawn = page.read_text(encoding="utf-8")
            pictures = re.findall(r'<img [^>]*src="([^"]+)"', drawn)
            assert [one for one in pictures if not (page.parent / one).resolve().exists()] == [], page
            assert len(pictures) == len(re.findall(r"^!\[", source.read_text(encoding="utf-8"), re.M)), page
