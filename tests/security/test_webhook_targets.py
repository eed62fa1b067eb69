"""P14: a hundred and more ways to write an address that is not on the public internet, and none of them is reached."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import itertools
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from mendline.channels.webhook import guard
from mendline.channels.webhook.adapter import signature
from mendline.channels.webhook.guard import AddressRefused, NoAnswer, Policy, is_public, post, resolve, target_of

CLOSED, OPEN = Policy(), Policy(http=True, private=True)
# Networks that are nobody's public server, each by a first, a last or a telling address.
INSIDE = (
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.0",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.254",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.254",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "192.168.255.254",
    "198.18.0.1",
    "198.19.255.254",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "febf::1",
    "fec0::1",
    "fc00::1",
    "fd12:3456::1",
    "fdff::1",
    "ff02::1",
    "ff0e::1",
    "100::1",
    "2001::1",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "3fff::1",
    "5f00::1",
    "64:ff9b:1::1",
    "4000::1",
    "8000::1",
)
V4_INSIDE = ("127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.1.1", "100.100.100.200", "172.16.0.1", "0.0.0.0")
PUBLIC = (
    "9.9.9.9",
    "1.1.1.1",
    "223.5.5.5",
    "172.15.255.255",
    "172.32.0.1",
    "100.63.255.255",
    "100.128.0.1",
    "192.167.255.255",
    "2606:4700::1",
    "240e::1",
    "2a00:1450::1",
    "::ffff:9.9.9.9",
    "64:ff9b::909:909",
    "2002:909:909::1",
)


def wrapped(v4: str) -> list[str]:
    """Return the IPv6 addresses that mean an IPv4 address: mapped, compatible, translated, NAT64, 6to4."""
    number = int(ipaddress.IPv4Address(v4))
    high, low = number >> 16, number & 0xFFFF
    tail = f"{high:x}:{low:x}"
    return [
        f"::ffff:{v4}",
        f"::ffff:{tail}",
        f"::{tail}",
        f"::ffff:0:{tail}",
        f"64:ff9b::{tail}",
        f"64:ff9b:1::{tail}",
        f"2002:{tail}::",
        f"2002:{tail}::1",
        f"2001:0:{tail}::",
    ]


def spelled(v4: str) -> list[str]:
    """Return the ways in which a resolver takes an IPv4 address: as one number, in other bases, short, with zeros."""
    a, b, c, d = (int(part) for part in v4.split("."))
    number = int(ipaddress.IPv4Address(v4))
    return [
        str(number),
        hex(number),
        hex(number).upper().replace("0X", "0x"),
        f"0{number:o}",
        f"{a}.{(b << 16) + (c << 8) + d}",
        f"{a}.{b}.{(c << 8) + d}",
        f"0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}",
        f"0{a:o}.0{b:o}.0{c:o}.0{d:o}",
        f"{a}.0x{b:x}.0{c:o}.{d}",
    ]


ODD = (
    "http://example.com/",
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:25/x",
    "dict://127.0.0.1:11211/",
    "ldap://127.0.0.1/",
    "data:text/plain,x",
    "javascript:alert(1)",
    "//example.com/",
    "/etc/passwd",
    "",
    "https://",
    "https:///x",
    "https:example.com",
    "HTTPS://user@example.com/",
    "https://user:pass@example.com/",
    "https://example.com@127.0.0.1/",
    "https://127.0.0.1#@example.com/",
    "https://example.com#x",
    "https://example.com:22/",
    "https://example.com:25/",
    "https://example.com:80/",
    "https://example.com:8443/",
    "https://example.com:65536/",
    "https://example.com:-1/",
    "https://example.com:443:22/",
    "https://example.com :443/",
    "https://exam ple.com/",
    "https://example.com\t.evil/",
    "https://example.com\r\nHost: x",
    "https://example.com/\r\n\r\nGET /",
    "https://example.com\\@evil.example/",
    "https://例子.测试/",
    "https://example。com/",
    "https://①②⑦.⓪.⓪.①/",
    "https://[::1",
    "https://::1]/",
    "https://example.com/\x00",
    "https://[fe80::1%25eth0]:22/",
)


def by_number(host: str, port: object, *args: object, **kwargs: object) -> list[Any]:
    """A resolver that knows no names, so that nothing leaves this machine; numbers it reads as the real one does."""
    try:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (socket.inet_ntoa(socket.inet_aton(host)), port))]
    except OSError:
        try:
            plain = str(ipaddress.IPv6Address(host.partition("%")[0]))
        except ValueError:
            raise socket.gaierror from None
        return [(socket.AF_INET6, socket.SOCK_STREAM, 6, "", (plain, port, 0, 0))]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whom a connection was tried to; none is made."""
    tried: list[str] = []

    def connect(address: tuple[str, int], **_: object) -> socket.socket:
        tried.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", by_number)
    monkeypatch.setattr(socket, "create_connection", connect)
    return tried


def forms() -> Iterator[str]:
    for address in INSIDE:
        yield f"[{address}]" if ":" in address else address
    for address in V4_INSIDE:
        yield from spelled(address)
        yield from (f"[{one}]" for one in wrapped(address))
        yield f"{address}."
    yield from ("localhost", "localhost.", "ip6-localhost", "a.localhost", "127.0.0.1.nip.example", "[fe80::1%25eth0]")


def test_no_way_of_writing_an_inside_address_gets_a_packet(lines: list[str]) -> None:
    found = list(forms())
    reached = []
    for form in found:
        try:
            post(f"https://{form}/hook", b"{}", {}, CLOSED)
            reached.append(form)
        except (AddressRefused, NoAnswer) as problem:
            told = problem.text.en if isinstance(problem, AddressRefused) else str(problem)
            assert form.strip("[]") not in told, "the answer tells nothing about the inside"

    assert (reached, lines) == ([], [])
    assert len(found) + len(ODD) >= 120


@pytest.mark.parametrize("url", ODD)
def test_what_is_no_address_of_a_receiver_is_refused_before_any_name_is_asked_for(url: str, lines: list[str]) -> None:
    with pytest.raises(AddressRefused):
        post(url, b"{}", {}, CLOSED)

    assert lines == []


@pytest.mark.parametrize("address", PUBLIC)
def test_control_a_public_address_is_connected_to(address: str, lines: list[str]) -> None:
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(NoAnswer):
        post(f"https://{host}/", b"{}", {}, CLOSED)

    assert [ipaddress.ip_address(one) for one in lines] == [ipaddress.ip_address(address)]


@pytest.mark.parametrize("address", [*INSIDE, *(one for v4 in V4_INSIDE for one in wrapped(v4))])
def test_an_inside_address_is_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


def test_a_name_server_that_changes_its_mind_a_hundred_times_gains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it answers, the line goes to an address that was in the answer that was looked at."""
    tried: list[str] = []
    turns = itertools.cycle(
        [["9.9.9.9"], ["127.0.0.1"], ["9.9.9.9", "10.0.0.1"], ["169.254.169.254"], ["1.1.1.1", "9.9.9.9"]]
    )

    def resolver(host: str, *_: object, **__: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 443)) for one in next(turns)]

    def connect(address: tuple[str, int], **_: object) -> socket.socket:
        tried.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    monkeypatch.setattr(socket, "create_connection", connect)
    for _ in range(100):
        with pytest.raises((AddressRefused, NoAnswer)):
            post("https://rebind.example/", b"{}", {}, CLOSED)

    assert set(tried) == {"9.9.9.9", "1.1.1.1"}


def test_control_whoever_asks_twice_is_led_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = iter([["9.9.9.9"], ["127.0.0.1"]])
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 443)) for one in next(turns)],
    )
    resolve(target_of("https://rebind.example/", CLOSED), CLOSED)

    assert socket.getaddrinfo("rebind.example", 443)[0][4][0] == "127.0.0.1"


@contextmanager
def a_server(answer: bytes, heard: list[bytes]) -> Iterator[int]:
    """A server for one connection, on a port of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(20)

        def serve() -> None:
            try:
                line, _ = listening.accept()
            except OSError:
                return
            with line, suppress(OSError):  # whoever had enough hangs up
                heard.append(line.recv(65536))
                line.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_is_not_followed(status: int) -> None:
    inside: list[bytes] = []
    heard: list[bytes] = []
    with a_server(b"HTTP/1.1 200 OK\r\n\r\n", inside) as within:
        there = f"HTTP/1.1 {status} Moved\r\nLocation: http://127.0.0.1:{within}/\r\nContent-Length: 0\r\n\r\n"
        with a_server(there.encode(), heard) as port:
            assert post(f"http://127.0.0.1:{port}/", b"{}", {}, OPEN) == status

    assert len(heard) == 1 and inside == []


def test_a_header_of_ours_holds_no_line_break(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[bytes] = []
    with a_server(b"HTTP/1.1 200 OK\r\n\r\n", heard) as port, pytest.raises(NoAnswer):
        post(f"http://127.0.0.1:{port}/", b"{}", {"X-Mendline-Event": "1\r\nX-Other: 2"}, OPEN)

    assert not any(b"X-Other" in one for one in heard)


def test_an_answer_to_us_costs_ten_seconds_and_64_kilobytes_at_most() -> None:
    assert (guard.SECONDS, guard.MOST_BYTES) == (10.0, 64 * 1024)


LONG: dict[str, bytes] = {
    "body": b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n" + b"x" * 9_000_000,
    "head": b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: %s\r\n" % (n, b"x" * 60_000) for n in range(98)) + b"\r\n",
    "remarks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + (b"1;" + b"x" * 60_000 + b"\r\nx\r\n") * 100,
    "nothing yet": b"HTTP/1.1 100 Continue\r\n\r\n" * 100_000,
}


@pytest.mark.parametrize("sort", LONG)
def test_of_an_answer_64_kilobytes_are_read_whatever_they_are(sort: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library limits how long a line of the answer is, and neither their number nor what stands beside a piece."""
    read: list[int] = []
    plainly = socket.SocketIO.readinto

    def counted(self: socket.SocketIO, buffer: bytearray) -> int | None:
        read.append(plainly(self, buffer) or 0)
        return read[-1]

    monkeypatch.setattr(socket.SocketIO, "readinto", counted)
    with a_server(LONG[sort], []) as port, suppress(NoAnswer):
        assert post(f"http://127.0.0.1:{port}/", b"{}", {}, OPEN) == 200

    assert 0 < sum(read) <= 64 * 1024


def test_looking_a_name_up_takes_from_the_ten_seconds(lines: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    moments = itertools.count(0.0, guard.SECONDS + 1)
    monkeypatch.setattr(guard, "time", SimpleNamespace(monotonic=lambda: next(moments)))

    with pytest.raises(NoAnswer):
        post("https://9.9.9.9/", b"{}", {}, CLOSED)

    assert lines == []


def test_a_name_that_is_inside_and_one_that_is_not_there_are_told_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or whoever may enter an address finds out, one after the other, what the machines inside are called."""
    told = []
    monkeypatch.setattr(socket, "getaddrinfo", by_number)
    for host in ("https://10.0.0.1/", "https://absent.example/"):
        with pytest.raises(AddressRefused) as refused:
            post(host, b"{}", {}, CLOSED)
        told.append(refused.value.text)

    assert told[0] == told[1]


Receiver = Callable[[str, bytes, datetime], bool]


def receives(header: str, body: bytes, now: datetime, secret: str = "s3cret") -> bool:
    """What a receiver does as the page for integrators tells him."""
    parts = dict(part.split("=", 1) for part in header.split(","))
    moment = int(parts["t"])
    expected = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, parts["v1"]) and abs(now.timestamp() - moment) <= 300


def test_a_receiver_tells_ours_from_a_forged_a_changed_and_an_old_one() -> None:
    now, body = datetime(2026, 3, 2, 9, tzinfo=UTC), b'{"event_id": 7}'
    header = signature("s3cret", body, now)

    assert receives(header, body, now) and receives(header, body, now + timedelta(minutes=5))
    assert not receives(header, body, now + timedelta(minutes=5, seconds=1)), "sent once more by somebody who kept it"
    assert not receives(header, body + b" ", now)
    assert not receives(header.replace("t=17", "t=18"), body, now)
    assert not receives(signature("another", body, now), body, now)
