"""Asking a virus scanner (clamd) about a file before it is kept. Plain sockets: the protocol is one command.

clamd answers `INSTREAM` with one line: `stream: OK`, `stream: <name> FOUND`, or an error. It runs on the same machine,
at a socket file or a loopback port; what is sent is not encrypted, so no other address is taken.
"""

from __future__ import annotations

import logging
import re
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, TypeAlias

from mendline.kernel.text import Text

CHUNK = 64 * 1024
LONGEST_ANSWER = 4096
SECONDS = 20.0  # of the clock, for the whole of 10 MB; a scanner that loads its signatures takes longer and is away
_LOOPBACK = re.compile(r"(127(?:\.\d{1,3}){3}|localhost|\[::1\]):(\d{1,5})")
_FOUND = re.compile(r"stream: (.{1,200}) FOUND")

WhenAway: TypeAlias = Literal["refuse", "accept"]
_AWAY: Mapping[WhenAway, str] = {"refuse": "was refused", "accept": "was taken all the same"}
REFUSALS: Mapping[str, Text] = {
    "infected": Text(
        "文件带有病毒，没有保存；请用杀毒软件检查这台电脑", "the file is infected and was not kept; check this computer"
    ),
    "scanner_away": Text(
        "查毒程序暂时不可用，文件没有保存；请过几分钟再传，或告诉系统管理员",
        "the virus scanner is away and the file was not kept; send it again in some minutes, or tell an administrator",
    ),
}

log = logging.getLogger("mendline.scanning")


class ScannerAway(Exception):
    """The scanner does not answer, or not as one; the message is for the operator."""


@dataclass(frozen=True, slots=True)
class Scanner:
    """Where clamd listens: the path of its socket file, or a host and a port of this machine."""

    place: str | tuple[str, int]

    def found_in(self, content: bytes) -> str | None:
        """Return the name of what a file is infected with, or None when it is clean.

        Raises ScannerAway: nobody there, or an answer that is neither (such as a limit of clamd below our 10 MB).
        """
        length = range(0, len(content), CHUNK)
        chunks = (content[start : start + CHUNK] for start in length)
        framed = b"".join(len(chunk).to_bytes(4, "big") + chunk for chunk in chunks)
        answer = self._ask(b"zINSTREAM\0" + framed + bytes(4))
        if answer == "stream: OK":
            return None
        if match := _FOUND.fullmatch(answer):
            return match[1]
        raise ScannerAway(f"clamd: {answer[:200]!r}")

    def version(self) -> str:
        """Return what clamd says of itself. Raises ScannerAway."""
        return self._ask(b"zVERSION\0")

    def _ask(self, command: bytes) -> str:
        try:
            with self._connected() as connection:
                # It hangs up on a file that is too long for it, but not without a word.
                with suppress(BrokenPipeError, ConnectionResetError):
                    connection.sendall(command)
                answer = _line_from(connection)
        except OSError as problem:
            raise ScannerAway(f"clamd: {problem}") from problem
        return answer.rstrip(b"\0\n").decode("utf-8", "replace")

    def _connected(self) -> socket.socket:
        if isinstance(self.place, tuple):
            return socket.create_connection(self.place, timeout=SECONDS)
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(SECONDS)
        try:
            connection.connect(self.place)
        except OSError:
            connection.close()
            raise
        return connection


def _line_from(connection: socket.socket) -> bytes:
    answer = b""
    while len(answer) < LONGEST_ANSWER and not answer.endswith(b"\0"):
        if not (part := connection.recv(LONGEST_ANSWER)):
            break
        answer += part
    return answer


def scanner_at(address: str) -> Scanner:
    """Read the address of a scanner: `/run/clamav/clamd.ctl`, or `127.0.0.1:3310`.

    Raises ValueError: another machine, or no address at all.

    >>> scanner_at("127.0.0.1:3310").place, scanner_at("/run/clamav/clamd.ctl").place
    (('127.0.0.1', 3310), '/run/clamav/clamd.ctl')
    """
    if address.startswith("/"):
        return Scanner(address)
    match = _LOOPBACK.fullmatch(address)
    if match is None or int(match[2]) > 65535:
        raise ValueError(address)
    return Scanner((match[1].strip("[]"), int(match[2])))


@dataclass(frozen=True, slots=True)
class Scanning:
    """A scanner, and what becomes of uploads while it is away."""

    scanner: Scanner
    when_away: WhenAway = "refuse"

    def refusal(self, content: bytes) -> str | None:
        """Return why a file is not taken, as a key of `REFUSALS`; None when it is."""
        try:
            found = self.scanner.found_in(content)
        except ScannerAway as problem:
            log.error("an upload was not scanned and %s: %s", _AWAY[self.when_away], problem)
            return "scanner_away" if self.when_away == "refuse" else None
        if found is None:
            return None
        log.warning("an upload was refused: %s", found)
        return "infected"
