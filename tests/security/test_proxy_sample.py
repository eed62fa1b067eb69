"""P18 and the requests' origin: what the sample for nginx tells Mendline of whoever asks."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from config.home import ROOT

SAMPLE = (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")
TOLD = {"Host": "$host", "X-Forwarded-Proto": "$scheme", "X-Forwarded-For": "$remote_addr"}
SET = re.compile(r"^\s*proxy_set_header (\S+) (\S+);", re.MULTILINE)


def told_by_location(sample: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each place that passes requests on, with the headers that it sets.

    As nginx reads it: a location that sets any header itself takes none over from the server around it.
    """
    for server in re.findall(r"^server \{\n(.*?)^\}", sample, re.DOTALL | re.MULTILINE):
        locations = re.findall(r"^    location (\S+) \{\n(.*?)^    \}", server, re.DOTALL | re.MULTILINE)
        around = dict(SET.findall(re.sub(r"^    location .*?^    \}", "", server, flags=re.DOTALL | re.MULTILINE)))
        for path, inner in locations:
            if "proxy_pass" in inner:
                yield path, dict(SET.findall(inner)) or around


def test_every_place_that_passes_requests_on_says_for_whom_and_from_where() -> None:
    """Otherwise every page is refused for its host, and whoever asks writes himself from which address he comes."""
    found = list(told_by_location(SAMPLE))

    assert [path for path, _ in found] == ["/api/", "/", "/live/"]
    assert [path for path, told in found if not TOLD.items() <= told.items()] == []


@pytest.mark.parametrize(
    "said", ["proxy_request_buffering on;", "client_header_timeout 15s;", "client_body_timeout 15s;"]
)
def test_slow_heads_and_bodies_are_the_proxys_to_wait_for(said: str) -> None:
    assert said in SAMPLE and "proxy_request_buffering off" not in SAMPLE


def test_control_a_location_with_a_header_of_its_own_is_found() -> None:
    passed = "        proxy_pass http://mendline_live;"
    broken = SAMPLE.replace(passed, f'        proxy_set_header Connection "";\n{passed}')

    assert [path for path, told in told_by_location(broken) if not TOLD.items() <= told.items()] == ["/live/"]
