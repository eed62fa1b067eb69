"""A process file that somebody sends or pastes, to be compared or tried; it is read and never kept."""

from __future__ import annotations

from dataclasses import dataclass

from mendline.process.definition import Process
from mendline.process.loading import MOST_CHARACTERS, read_text
from mendline.process.reading import Fault
from mendline.web.console.visit import Visit


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent: the process, or why it is none. `text` goes back into the form."""

    process: Process | None
    faults: tuple[Fault, ...]
    text: str


def read_sent(visit: Visit, code: str) -> Sent:
    """Read the file that came with the form, or the text pasted into it; it must be of the process `code`."""
    name, text = "pasted.yaml", visit.request.POST.get("text", "")
    file = visit.request.FILES.get("file")
    if file is not None:
        # A character takes at most four bytes; whatever is longer is refused by its length below.
        name = str(file.name)[:80]
        text = file.read(4 * MOST_CHARACTERS + 1).decode("utf-8", errors="replace")
    process, faults = read_text(name, text.replace("\r\n", "\n").replace("\x00", ""))
    if process is not None and process.code != code:
        faults.append(Fault(name, 1, f"it is the process {process.code}, not {code}"))
    return Sent(None if faults else process, tuple(sorted(faults)), text)
