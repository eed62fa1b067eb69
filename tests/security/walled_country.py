"""A network of its own, in which every address of the internet leads to a server that accepts.

Whoever is put into it (`unshare --net --mount`) reaches nothing else, and nothing of it touches the machine's network.
A name server answers as an attacker's would, servers answer as an attacker's would, and the kernel counts packets:
to the name server, to addresses that belong to the public servers below, and to all others, which is inside.
"""

from __future__ import annotations

import ipaddress
import json
import socket
import ssl
import struct
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

NAME_SERVER = "198.18.0.53"
# Public addresses, each by what the server there does; those that are mute take a packet and never answer.
FINE, FINE_6 = "9.9.9.9", "2606:4700::1"
MUTE = ("8.8.4.1", "8.8.4.2")
SECONDS_BETWEEN_DRIPS = 0.2
MANY = 10_000  # bytes that drip: more than anybody waits for
HUGE = 5 * 1024**3  # bytes of a body that is announced, and sent for as long as somebody reads
FOR_A_HANDSHAKE = 120.0

Addresses: TypeAlias = list[str]
Behaviour: TypeAlias = Callable[[socket.socket], None]


def _answered(line: socket.socket, *parts: str) -> None:
    line.sendall("\r\n".join(("HTTP/1.1 200 OK", *parts, "", "")).encode())


def fine(line: socket.socket) -> None:
    _answered(line, "Content-Length: 2")
    line.sendall(b"ok")


def silent(line: socket.socket) -> None:
    while line.recv(65536):
        pass


def drip_head(line: socket.socket) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    _drip(line, b"x" * MANY)


def drip_body(line: socket.socket) -> None:
    _answered(line, f"Content-Length: {MANY}")
    _drip(line, b"x" * MANY)


def _drip(line: socket.socket, all_of_it: bytes) -> None:
    for sign in all_of_it:
        line.sendall(bytes([sign]))
        time.sleep(SECONDS_BETWEEN_DRIPS)


def flood(line: socket.socket) -> None:
    _answered(line, f"Content-Length: {HUGE}")
    _again_and_again(line, b"x" * 65536)


def chunks(line: socket.socket) -> None:
    """One byte a piece, and sixty kilobytes of remarks beside each: what is read is not what is kept."""
    _answered(line, "Transfer-Encoding: chunked")
    _again_and_again(line, b"1;" + b"x" * 60_000 + b"\r\nx\r\n")


def heads(line: socket.socket) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: %s\r\n" % (n, b"x" * 60_000) for n in range(98)) + b"\r\n")


def continues(line: socket.socket) -> None:
    """An answer that only says that there will be one, without end."""
    _again_and_again(line, b"HTTP/1.1 100 Continue\r\n\r\n" * 2000)


def _again_and_again(line: socket.socket, part: bytes) -> None:
    for _ in range(HUGE // len(part)):
        line.sendall(part)


def leads_to(place: str) -> Behaviour:
    def there(line: socket.socket) -> None:
        line.sendall(f"HTTP/1.1 302 Found\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n".encode())

    return there


SERVERS: dict[str, Behaviour] = {
    FINE: fine,
    FINE_6: fine,
    "9.9.9.10": silent,
    "9.9.9.11": drip_head,
    "9.9.9.12": drip_body,
    "9.9.9.13": flood,
    "9.9.9.14": chunks,
    "9.9.9.15": heads,
    "9.9.9.16": continues,
    "9.9.9.20": leads_to("https://loop.example/"),
    "9.9.9.21": leads_to("https://10.0.0.1/"),
    "9.9.9.22": leads_to("http://169.254.169.254/latest/meta-data/"),
    "9.9.9.23": leads_to("//[::1]/"),
}
SLOW_HANDSHAKE = "9.9.9.17"
PUBLIC = (*SERVERS, SLOW_HANDSHAKE, *MUTE)
NAMES: dict[str, Addresses] = {
    "fine.example": [FINE],
    "fine6.example": [FINE_6],
    "silent.example": ["9.9.9.10"],
    "drip-head.example": ["9.9.9.11"],
    "drip-body.example": ["9.9.9.12"],
    "flood.example": ["9.9.9.13"],
    "chunks.example": ["9.9.9.14"],
    "heads.example": ["9.9.9.15"],
    "continues.example": ["9.9.9.16"],
    "handshake.example": [SLOW_HANDSHAKE],
    "loop.example": ["9.9.9.20"],
    "to-inside.example": ["9.9.9.21"],
    "to-metadata.example": ["9.9.9.22"],
    "to-itself.example": ["9.9.9.23"],
    "mute.example": [MUTE[0]],
    "mute-then-drip.example": [*MUTE, "9.9.9.11"],
}
NEVER_ANSWERED = "unanswered.example"


@dataclass(slots=True)
class Country:
    """What goes on in it: who was reached (by address, as the server saw it), and what names mean now."""

    reached: Counter[str] = field(default_factory=Counter)
    names: dict[str, Addresses] = field(default_factory=lambda: dict(NAMES))
    turns: dict[str, Sequence[Addresses]] = field(default_factory=dict)  # another answer for every question
    asked: Counter[tuple[str, int]] = field(default_factory=Counter)

    def addresses_of(self, name: str, version: int) -> Addresses:
        if name not in self.turns:
            return self.names.get(name, [])
        self.asked[name, version] += 1
        answers = self.turns[name]
        return answers[(self.asked[name, version] - 1) % len(answers)]


def build(folder: Path) -> Country:
    """Make the network that this process was put into such a country. Needs `folder/server.pem`, a key and its paper.

    Raises SystemExit: the kernel or a tool refuses; its words are in it.
    """
    _run("ip", "link", "set", "lo", "up")
    _run("ip", "route", "add", "local", "0.0.0.0/0", "dev", "lo")
    _run("ip", "-6", "route", "add", "local", "::/0", "dev", "lo")
    settings = folder / "resolv.conf"
    settings.write_text(f"nameserver {NAME_SERVER}\n", encoding="ascii")
    _run("mount", "--bind", str(settings), "/etc/resolv.conf")
    _run("nft", "-f", "-", given=_rules())
    country = Country()
    papers = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    papers.load_cert_chain(folder / "server.pem")
    _in_background(_answer_names, country)
    for port in (443, 80):
        listening = socket.create_server(("::", port), family=socket.AF_INET6, backlog=512, dualstack_ipv6=True)
        _in_background(_accept, listening, country, papers if port == 443 else None)
    return country


@dataclass(frozen=True, slots=True)
class Count:
    """Packets as the firewall counted them, and connections that the kernel began."""

    inside: int
    public: int
    opened: int

    def since(self, before: Count) -> Count:
        return Count(self.inside - before.inside, self.public - before.public, self.opened - before.opened)


def count() -> Count:
    names, numbers = (line.split() for line in _lines("/proc/net/snmp") if line.startswith("Tcp:"))
    opened = int(numbers[names.index("ActiveOpens")])
    listed = json.loads(_run("nft", "-j", "list", "counters"))["nftables"]
    packets = {one["counter"]["name"]: int(one["counter"]["packets"]) for one in listed if "counter" in one}
    return Count(packets["inside"], packets["public"], opened)


def _rules() -> str:
    """Everything is inside but the name server and the public servers, so no way of being inside can be forgotten."""
    old = ", ".join(one for one in PUBLIC if ":" not in one)
    new = ", ".join(one for one in PUBLIC if ":" in one)
    return f"""
    table inet watched {{
      counter names {{ }}
      counter public {{ }}
      counter inside {{ }}
      chain sent {{
        type filter hook output priority 0; policy accept;
        ip daddr {NAME_SERVER} counter name names accept
        ip daddr {{ {", ".join(MUTE)} }} counter name public drop
        ip daddr {{ {old} }} counter name public accept
        ip6 daddr {{ {new} }} counter name public accept
        ip6 saddr {{ {new} }} counter name public accept
        counter name inside
      }}
    }}
    """


def _accept(listening: socket.socket, country: Country, papers: ssl.SSLContext | None) -> None:
    while True:
        line, _ = listening.accept()
        address = ipaddress.IPv6Address(line.getsockname()[0].partition("%")[0])
        reached = str(address.ipv4_mapped or address)
        country.reached[reached] += 1
        _in_background(_serve, line, reached, papers)


def _serve(line: socket.socket, reached: str, papers: ssl.SSLContext | None) -> None:
    with suppress(OSError), line:
        if reached == SLOW_HANDSHAKE:
            _drip(line, b"\x16\x03\x03\x40\x00\x02" + b"\x00" * MANY)
        line.settimeout(FOR_A_HANDSHAKE)
        with papers.wrap_socket(line, server_side=True) if papers else line as talk:
            talk.recv(65536)
            SERVERS.get(reached, fine)(talk)
            with suppress(OSError):
                talk.shutdown(socket.SHUT_WR)


def _answer_names(country: Country) -> None:
    """Answer questions for A and AAAA, with nothing to be remembered (TTL 0)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        asked.bind((NAME_SERVER, 53))
        while True:
            question, who = asked.recvfrom(4096)
            name, end = _name(question)
            if name == NEVER_ANSWERED:
                continue
            kind = struct.unpack("!H", question[end : end + 2])[0]
            version = {1: 4, 28: 6}.get(kind, 0)
            found = [ipaddress.ip_address(one) for one in country.addresses_of(name, version)]
            fitting = [one.packed for one in found if one.version == version]
            head = question[:2] + struct.pack("!5H", 0x8180 if found else 0x8183, 1, len(fitting), 0, 0)
            rows = (b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 0, len(one)) + one for one in fitting)
            asked.sendto(head + question[12 : end + 4] + b"".join(rows), who)


def _name(question: bytes) -> tuple[str, int]:
    """Return the name that is asked for, and where its kind stands."""
    labels, at = [], 12
    while size := question[at]:
        labels.append(question[at + 1 : at + 1 + size].decode("ascii", "replace"))
        at += 1 + size
    return ".".join(labels).lower(), at + 1


def _in_background(what: Callable[..., None], *given: object) -> None:
    threading.Thread(target=what, args=given, daemon=True).start()


def _lines(path: str) -> list[str]:
    return Path(path).read_text(encoding="ascii").splitlines()


def _run(*words: str, given: str = "") -> str:
    done = subprocess.run(words, input=given, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(words)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout
