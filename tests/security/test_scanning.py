"""5.4.3: where a virus scanner is set, every upload is shown to it before it is kept; no answer is no permission.

The scanner here is a stub that speaks clamd's protocol and takes a made-up word for a virus.
"""

from __future__ import annotations

import io
import logging
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pytest_django import Settings

from mendline.access.models import Person
from mendline.cli import doctor
from mendline.kernel.errors import Invalid
from mendline.kernel.scanning import Scanner, ScannerAway, Scanning, WhenAway, scanner_at
from mendline.network import uploads
from mendline.network.models import Upload
from mendline.network.sheets import Unreadable
from mendline.orders import attachments
from mendline.orders.models import Attachment
from tests.make import MONDAY_NINE, a_network, a_report, an_actor

BAD = b"not-really-a-virus"
PDF = b"%PDF-1.7\n%%EOF\n"


@dataclass
class Stub:
    """What the stub heard, and what it answers to a file."""

    answer: bytes = b""  # empty: it looks for the word
    most: int = 2**40  # bytes; like clamd it hangs up on a longer file and says why
    heard: list[bytes] = field(default_factory=list)

    def reply_to(self, connection: socket.socket) -> None:
        stream = connection.makefile("rb")
        command = b""
        while not command.endswith(b"\0"):
            command += stream.read(1)
        if command == b"zVERSION\0":
            connection.sendall(b"ClamAV 1.0.7/27000\0")
            return
        assert command == b"zINSTREAM\0"
        content = b""
        while length := int.from_bytes(stream.read(4), "big"):
            content += stream.read(length)
            if len(content) > self.most:
                connection.sendall(b"INSTREAM size limit exceeded. ERROR\0")
                return
        self.heard.append(content)
        found = b"stream: Made.Up-1 FOUND\0" if BAD in content else b"stream: OK\0"
        connection.sendall(self.answer or found)


@contextmanager
def listening(stub: Stub, server: socket.socket) -> Iterator[None]:
    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                stub.reply_to(connection)

    server.listen()
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(10)


@pytest.fixture
def clamd(tmp_path: Path, settings: Settings) -> Iterator[Stub]:
    stub, server = Stub(), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    here = Path.cwd()
    os.chdir(tmp_path)  # the path of a socket has 107 bytes at most, and a folder's may be longer
    try:
        server.bind("clamd.ctl")
        settings.SCANNING = Scanning(Scanner("clamd.ctl"))
        with listening(stub, server):
            yield stub
    finally:
        os.chdir(here)


def send_pdf(content: bytes) -> Attachment:
    a_network()
    ref = a_report().ref
    return attachments.keep(ref, content, name="a.pdf", actor=an_actor("cc_agent"), now=MONDAY_NINE)


def kept_files(settings: Settings) -> list[Path]:
    return [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


def test_a_clean_file_is_shown_whole_and_kept(db: None, clamd: Stub) -> None:
    large = PDF + bytes(3 * 64 * 1024 + 5)

    assert send_pdf(large).size == len(large)
    assert clamd.heard == [large]


def test_an_infected_file_is_refused_in_a_sentence_and_nowhere_kept(
    db: None, clamd: Stub, settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings.MEDIA_ROOT = tmp_path / "files"
    with pytest.raises(Invalid) as refused:
        send_pdf(PDF + BAD)

    assert "带有病毒" in refused.value.fields["file"].zh and "infected" in refused.value.fields["file"].en
    assert not Attachment.objects.exists() and kept_files(settings) == []
    assert "Made.Up-1" in caplog.text


def test_what_was_hidden_behind_a_picture_is_found_before_the_picture_is_drawn_anew(db: None, clamd: Stub) -> None:
    from PIL import Image

    drawn = io.BytesIO()
    Image.new("RGB", (8, 8)).save(drawn, "PNG")
    a_network()
    ref = a_report().ref

    with pytest.raises(Invalid, match="病毒"):
        attachments.keep(ref, drawn.getvalue() + BAD, name="a.png", actor=an_actor("cc_agent"), now=MONDAY_NINE)


def test_an_infected_table_is_refused_before_it_is_kept(db: None, clamd: Stub) -> None:
    chief = Person.objects.create_user("chief", "x", name="周敏", role="admin")

    with pytest.raises(Unreadable, match="病毒"):
        uploads.keep(b"a,b\n" + BAD, name="t.csv", actor=chief.as_actor(), now=MONDAY_NINE)
    assert not Upload.objects.exists()
    uploads.keep(b"a,b\n", name="t.csv", actor=chief.as_actor(), now=MONDAY_NINE)
    assert Upload.objects.count() == 1


@pytest.mark.parametrize(("when_away", "kept"), [("refuse", 0), ("accept", 1)])
def test_while_the_scanner_is_away_the_setting_decides(
    db: None, settings: Settings, caplog: pytest.LogCaptureFixture, when_away: WhenAway, kept: int
) -> None:
    settings.SCANNING = Scanning(Scanner("/nowhere/clamd.ctl"), when_away)
    caplog.set_level(logging.ERROR)
    if when_away == "refuse":
        with pytest.raises(Invalid, match="查毒程序暂时不可用"):
            send_pdf(PDF)
    else:
        send_pdf(PDF)

    assert Attachment.objects.count() == kept
    assert "was not scanned" in caplog.text


@pytest.mark.parametrize("answer", [b"INSTREAM size limit exceeded. ERROR\0", b"\0", b"UNKNOWN COMMAND\0", b"OK\0"])
def test_an_answer_that_is_neither_is_no_permission(clamd: Stub, answer: bytes) -> None:
    clamd.answer = answer

    with pytest.raises(ScannerAway):
        Scanner("clamd.ctl").found_in(PDF)


def test_a_scanner_that_hangs_up_on_a_long_file_is_heard_all_the_same(clamd: Stub) -> None:
    clamd.most = 1_000_000

    with pytest.raises(ScannerAway, match="size limit exceeded"):
        Scanner("clamd.ctl").found_in(PDF + bytes(8_000_000))


def test_over_a_loopback_port_it_is_the_same() -> None:
    stub, server = Stub(), socket.socket()
    server.bind(("127.0.0.1", 0))
    scanner = scanner_at(f"127.0.0.1:{server.getsockname()[1]}")
    with listening(stub, server):
        assert (scanner.found_in(PDF), scanner.found_in(BAD)) == (None, "Made.Up-1")


def test_without_a_scanner_nothing_is_asked(db: None, settings: Settings) -> None:
    assert settings.SCANNING is None

    assert send_pdf(PDF + BAD).size


@pytest.mark.parametrize("address", ["192.0.2.1:3310", "scanner.example.org:3310", "3310", "127.0.0.1:99999", "clamd"])
def test_no_file_goes_to_another_machine_in_clear(address: str) -> None:
    with pytest.raises(ValueError, match=address):
        scanner_at(address)


def test_the_doctor_says_how_it_stands(clamd: Stub, settings: Settings) -> None:
    settings.CLAMD = "clamd.ctl"
    assert doctor._scanner() == doctor.Finding("查毒 virus scanner", True, "ClamAV 1.0.7/27000, clamd.ctl")

    clamd.most = attachments.MAX_BYTES - 1
    short = doctor._scanner()
    assert not short.ok and "size limit exceeded" in short.detail and "StreamMaxLength" in short.detail

    settings.SCANNING = Scanning(Scanner("/nowhere/clamd.ctl"), "accept")
    away = doctor._scanner()
    assert not away.ok and "unscanned" in away.detail
    settings.SCANNING = None
    assert doctor._scanner().ok and "不查毒" in doctor._scanner().detail


def test_a_setting_that_is_wrong_stops_the_start() -> None:
    from tests.security.test_production import started

    for changed in ({"CLAMD": "192.0.2.1:3310"}, {"CLAMD": "/x", "CLAMD_WHEN_AWAY": "perhaps"}):
        done = started(**changed)
        assert done.returncode != 0 and "CLAMD" in done.stderr
