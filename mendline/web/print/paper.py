"""From a page to PDF, in a process of its own: the renderer takes close to 300 MB, which web workers must not keep."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SECONDS = 40


class NotRendered(RuntimeError):
    """The page could not be made into a PDF; the renderer's last words are the message."""


def pdf_of(page: str, styles: Path) -> bytes:
    """Return the PDF of an HTML page.

    Raises:
        NotRendered: the renderer failed or took longer than `SECONDS`.
    """
    command = [sys.executable, "-m", "mendline.web.print.paper", str(styles)]
    try:
        done = subprocess.run(command, input=page.encode(), capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired as late:
        raise NotRendered(f"not ready after {SECONDS} s") from late
    if done.returncode or not done.stdout.startswith(b"%PDF"):
        raise NotRendered(done.stderr.decode(errors="replace")[-400:])
    return done.stdout


def main() -> None:
    """Read HTML from standard input, write PDF to standard output. Nothing is fetched from anywhere."""
    import weasyprint

    def nothing(url: str, *_: object, **__: object) -> dict[str, object]:
        raise ValueError(f"the page may not load {url}")

    page = sys.stdin.buffer.read().decode()
    styles = weasyprint.CSS(filename=sys.argv[1], url_fetcher=nothing)
    weasyprint.HTML(string=page, url_fetcher=nothing).write_pdf(sys.stdout.buffer, stylesheets=[styles])


if __name__ == "__main__":
    main()
