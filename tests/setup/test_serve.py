"""The web server's command line."""

from __future__ import annotations

from mendline.cli.serve import web_command


def test_no_line_is_written_for_each_request() -> None:
    """Addresses hold what people search for, telephone numbers among it; the history says who looked at what."""
    command = web_command("127.0.0.1", 8000, workers=2, threads=4)

    assert not [word for word in command if "access-log" in word]
    assert command[command.index("--log-level") + 1] == "warning"
