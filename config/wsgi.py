"""Entry point of the web process."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()


def warm_up() -> None:
    """Read process files, rules and areas before the first visitor, once instead of in every thread at once.

    A faulty process file stops the start: nothing is served on half a procedure.
    """
    from mendline.network import areas
    from mendline.process.loading import processes

    processes()
    areas.table()
    # What was read stays for good; the collector need not look through it again and again (5 % of an order's time).
    gc.collect()
    gc.freeze()


warm_up()
