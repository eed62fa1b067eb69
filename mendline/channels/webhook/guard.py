"""Posts to addresses that somebody else typed, without reaching into our own network (P14).

The name is resolved once and every address it has must be public; the connection goes to one of
exactly those, so a name server that answers differently the second time gains nothing. No
redirects, no proxies from the environment, ten seconds and 64 KB for everything: the name, the
line, and the answer with its head. What is told of a name does not depend on what is inside.
"""

from __future__ import annotations

import http.client
import io
import ipaddress
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread, Timer
from typing import TypeAlias
from urllib.parse import urlsplit

from mendline.kernel.text import Text

Ip: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
SECONDS = 10.0
MOST_BYTES = 64 * 1024
PORTS = {"https": 443, "http": 80}
NAT64 = ipaddress.ip_network("64:ff9b::/96")
SIX_TO_FOUR = ipaddress.ip_network("2002::/16")
V4_COMPATIBLE = ipaddress.ip_network("::/96")
GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")  # all of IPv6 that is given out to the public
# Reserved for special purposes, but called global by some versions of Python.
NEVER = tuple(
    ipaddress.ip_network(block)
    for block in (
        "100.64.0.0/10",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "64:ff9b:1::/48",
        "2001::/23",
        "3fff::/20",
        "5f00::/16",
    )
)


class AddressRefused(Exception):
    """The address is not one we post to. `text` says why and what to enter instead."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.text = Text(zh, en)


class NoAnswer(Exception):
    """The other side could not be reached or did not answer in time. Tells nothing about it."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What an installation allows: unencrypted http, and addresses that are not public (for tests and development)."""

    http: bool = False
    private: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """An address taken apart: what is connected to and what is asked for there."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def host_header(self) -> str:
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == PORTS[self.scheme] else f"{name}:{self.port}"


def target_of(url: str, policy: Policy) -> Target:
    """Take an address apart.

    Raises:
        AddressRefused: not https (or http where allowed), an odd port, or parts that do not belong there.
    """
    schemes = ("https", "http") if policy.http or policy.private else ("https",)
    if not url.isascii() or any(sign <= " " or sign == "\\" for sign in url):
        raise AddressRefused("网址只能用普通字符", "an address has plain characters only")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise AddressRefused("网址无法识别", "the address cannot be understood") from None
    if parts.scheme not in schemes or not host:
        raise AddressRefused(f"网址须以 {schemes[0]}:// 开头", f"the address must begin with {schemes[0]}://")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise AddressRefused("网址不能含用户名、密码或 #", "no user name, password or # in the address")
    if port not in (None, PORTS[parts.scheme]) and not policy.private:
        raise AddressRefused("端口只能是 443（或 80）", "the port can only be 443 (or 80)")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host.rstrip("."), port or PORTS[parts.scheme], path)


def is_public(address: Ip) -> bool:
    """Say whether the address, and the IPv4 address it may wrap, is reachable from the whole internet.

    >>> is_public(ipaddress.ip_address("::ffff:10.0.0.1")), is_public(ipaddress.ip_address("9.9.9.9"))
    (False, True)
    """
    if isinstance(address, ipaddress.IPv6Address):
        inner = _wrapped(address)
        if inner is not None:
            return is_public(inner)
        if address not in GLOBAL_UNICAST:
            return False
    if any(address in block for block in NEVER if block.version == address.version):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _wrapped(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in NAT64 or address in V4_COMPATIBLE:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.sixtofour if address in SIX_TO_FOUR else None


def resolve(target: Target, policy: Policy) -> list[str]:
    """Return the addresses of the target, every one of them allowed.

    Raises AddressRefused: it has none, or one of them is not public. Both are told alike, or whoever may enter an
    address could find out which names there are inside.
    """
    addresses = _addresses_of(target)
    public = (is_public(ipaddress.ip_address(address.partition("%")[0])) for address in addresses)
    if not addresses or not (policy.private or all(public)):
        raise AddressRefused(
            "在公网上找不到这个地址（不发往内部网络）",
            "the address is not found on the public internet (nothing is posted to internal networks)",
        )
    return addresses


def _addresses_of(target: Target) -> list[str]:
    """Return what the name means; nothing when that is not known in time, as only a thread can be left waiting."""
    answers = SimpleQueue[list[str]]()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
        except (OSError, UnicodeError):
            found = []
        answers.put(list(dict.fromkeys(str(entry[4][0]) for entry in found)))

    Thread(target=ask, daemon=True).start()
    try:
        return answers.get(timeout=SECONDS)
    except Empty:
        return []


def post(url: str, body: bytes, headers: Mapping[str, str], policy: Policy) -> int:
    """Post and return the status of the answer; its body is read to at most 64 KB and thrown away.

    Raises:
        AddressRefused, NoAnswer: see there.
    """
    target = target_of(url, policy)
    ends_at = time.monotonic() + SECONDS
    addresses = resolve(target, policy)
    try:
        with closing(_connect(target, addresses, ends_at)) as plain, _ended_at(plain, ends_at):
            connection = http.client.HTTPConnection(target.host, target.port, timeout=SECONDS)
            connection.response_class = _Answer
            connection.sock = _encrypted(plain, target)
            with closing(connection):
                sent = {"Host": target.host_header, **headers, "Connection": "close"}
                connection.request("POST", target.path, body=body, headers=sent)
                answer = connection.getresponse()
                with suppress(http.client.IncompleteRead):
                    answer.read(MOST_BYTES)
                return answer.status
    except (OSError, http.client.HTTPException, ValueError):
        raise NoAnswer from None


def _connect(target: Target, addresses: list[str], ends_at: float) -> socket.socket:
    tried = addresses[:3]
    for left in range(len(tried), 0, -1):
        seconds = (ends_at - time.monotonic()) / left
        if seconds > 0:
            with suppress(OSError):
                return socket.create_connection((tried[-left], target.port), timeout=seconds)
    raise NoAnswer


def _encrypted(plain: socket.socket, target: Target) -> socket.socket:
    plain.settimeout(SECONDS)
    if target.scheme == "http":
        return plain
    return ssl.create_default_context().wrap_socket(plain, server_hostname=target.host)


@contextmanager
def _ended_at(plain: socket.socket, ends_at: float) -> Iterator[None]:
    """Cut the line when the time is over: a timeout of the socket begins anew with every byte that drips in."""

    def cut() -> None:
        with suppress(OSError):
            cutter.shutdown(socket.SHUT_RDWR)

    # A second handle on the same line, because TLS takes the first one over.
    with closing(socket.fromfd(plain.fileno(), plain.family, plain.type)) as cutter:
        timer = Timer(max(0.0, ends_at - time.monotonic()), cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


class _Answer(http.client.HTTPResponse):
    """An answer of which no more is read than is allowed: the library limits each line of it, and not how many."""

    def __init__(self, sock: socket.socket, debuglevel: int = 0, method: str | None = None, url: str | None = None):
        super().__init__(sock, debuglevel, method, url)
        self.fp = io.BufferedReader(_FirstBytes(self.fp.detach(), MOST_BYTES))


class _FirstBytes(io.RawIOBase):
    """The beginning of what comes in; after `most` bytes it is as if the other side had ended."""

    def __init__(self, line: io.RawIOBase, most: int) -> None:
        super().__init__()
        self._line, self._left = line, most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int | None:  # type: ignore[override]
        count = self._line.readinto(memoryview(buffer)[: self._left])
        self._left -= count or 0
        return count

    def close(self) -> None:
        self._line.close()
        super().close()
