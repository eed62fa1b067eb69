"""Entry point of the web process."""

import gc
import os
import threading

from django.core.signals import request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, reset_queries
from django.urls import reverse

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()


def warm_up() -> None:
    """Read pages, process files, rules and areas before the first visitor, once instead of in every thread at once.

    A faulty process file stops the start: nothing is served on half a procedure.
    """
    from mendline.network import areas
    from mendline.process.loading import processes

    processes()
    areas.table()
    reverse("account_login")  # imports every page, which the first visitor of a new process would wait for
    # The end of each request looks after the connections already, and statements are collected in tests only.
    request_started.disconnect(close_old_connections)
    request_started.disconnect(reset_queries)
    # What was read stays for good; the collector need not look through it again and again (5 % of an order's time).
    gc.collect()
    gc.freeze()


def follow_the_calendar() -> None:
    """Learn within seconds of holidays that another process entered, without a question in any request."""
    from mendline.contact.loops import Loop
    from mendline.process import calendar_table

    loop = Loop("calendar", 15.0, calendar_table.follow)
    threading.Thread(target=loop.run, args=(threading.Event(),), name=loop.name, daemon=True).start()


warm_up()
follow_the_calendar()
