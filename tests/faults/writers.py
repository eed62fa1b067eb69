"""Agents who take reports while the database is being killed: what runs in their processes.

Each is the web process without its socket: the whole application with its middleware, called with a
request, answering with a response. A caller without an answer asks again until there is one.
"""

from __future__ import annotations

import os
from http import HTTPStatus
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any

import orjson
from django.core.wsgi import get_wsgi_application
from django.db import connections, transaction

from mendline.access import tokens
from mendline.access.models import Person
from mendline.cli.migrate import bring_up_to_date
from mendline.sim.faults.journals import Journal
from mendline.sim.faults.patience import pause
from tests.make import REPORT, a_network

CUT_EVERY = 7  # of so many answers one is lost on its way, as if the network had been cut
RETRY_SECONDS = 0.1
SEATS = 1_000_000


def prepare() -> str:
    """Make tables, a network that never fills up and a call-centre agent; return the agent's key. Is the owner."""
    bring_up_to_date()
    with transaction.atomic():
        a_network(per_day=SEATS)
        person = Person.objects.create_user("cc", name="cc", role="cc_agent", region="", station_no="")
        return tokens.issue(person, "fault test")


def write_reports(*, folder: str, secret: str, writers: int, same_key: bool) -> int:
    """Take reports in `writers` processes until the file `stop` appears in `folder`; return how many failed.

    `same_key`: a try of the same report bears the same idempotency key; otherwise each try has a new one.
    """
    application = get_wsgi_application()
    ask(application, secret, "warm-up", {})  # imports everything once, before the processes part
    connections.close_all()
    children = []
    for writer in range(writers):
        pid = os.fork()
        if pid == 0:
            _write_until_stopped(application, Path(folder), secret, writer, same_key)
        children.append(pid)
    return sum(os.waitpid(pid, 0)[1] != 0 for pid in children)


def _write_until_stopped(application: Any, folder: Path, secret: str, writer: int, same_key: bool) -> None:
    """Be one writer; the process ends here. Whatever was begun is asked for until there is an answer."""
    failed = 1
    try:
        journal, stop, parent = Journal(folder, writer), folder / "stop", os.getppid()
        for number in count():
            if stop.exists() or os.getppid() != parent:
                break
            _report(application, journal, secret, f"{writer}-{number}", same_key, parent)
        failed = 0
    finally:
        os._exit(failed)


def _report(application: Any, journal: Journal, secret: str, wanted: str, same_key: bool, parent: int) -> None:
    writer, number = map(int, wanted.split("-"))
    given = {
        **REPORT,
        "fault": wanted,  # tells in the database what was wanted, whatever key it came under
        "customer": {"name": "王先生", "phone": f"138{writer:02d}{number:06d}"},
    }
    for attempt in count():
        journal.note("sent", wanted)
        status, answer = ask(application, secret, wanted if same_key else f"{wanted}.{attempt}", given)
        if status == HTTPStatus.CREATED:
            ref = str(orjson.loads(answer)["ref"])
            if attempt > 0 or number % CUT_EVERY:
                journal.note("acknowledged", wanted, ref)
                return
            journal.note("cut", wanted, ref)
        elif status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.CONFLICT):
            journal.note("unanswered", wanted, str(status))
            pause(RETRY_SECONDS)
        else:
            journal.note("odd", wanted, f"{status} {answer.decode(errors='replace')}")
            return
        if os.getppid() != parent:
            return


def ask(application: Any, secret: str, key: str, given: dict[str, Any]) -> tuple[int, bytes]:
    """Send one report through the application and return status and body of the answer."""
    body = orjson.dumps({"given": given})
    statuses: list[str] = []
    response = application(
        {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": "/api/v1/orders",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "localhost",
            "HTTP_AUTHORIZATION": f"Bearer {secret}",
            "HTTP_IDEMPOTENCY_KEY": key,
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(body),
            "wsgi.errors": BytesIO(),
        },
        lambda status, headers, fault=None: statuses.append(status),
    )
    try:
        return int(statuses[0].split()[0]), b"".join(response)
    finally:
        response.close()
