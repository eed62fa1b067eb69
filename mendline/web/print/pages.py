"""The printed repair order (维修单): what the engineer takes along and the user signs."""

from __future__ import annotations

from pathlib import Path

import segno
from django.conf import settings
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.safestring import SafeString

from mendline.kernel.errors import Refused
from mendline.kernel.text import Text
from mendline.kernel.time import SHANGHAI
from mendline.network.models import Station
from mendline.orders import store
from mendline.orders.store import Loaded
from mendline.process.loading import process_for
from mendline.web.console.fact_words import moments_shown, product_name, words_of
from mendline.web.console.visit import Visit, screen
from mendline.web.print.paper import pdf_of

STYLES = Path(__file__).parent.parent / "static" / "dist" / "print.css"


@screen
def order_pdf(visit: Visit, ref: str) -> HttpResponse:
    """The paper, always in Chinese. It exists from the first printing on, because that is a step of the procedure."""
    order = store.load(ref, actor=visit.actor)
    if not order.facts.get("printed_at"):
        detail = Text(
            "先约定承诺服务时间，再由协调员“打印维修单”",
            "agree a service time first; the coordinator then prints the order",
        )
        raise Refused("not_printed", detail, "STN-50", rules=("STN-41",))
    page = html_of(order, visit.request.build_absolute_uri(reverse("console:order", args=[ref])))
    response = HttpResponse(pdf_of(page, STYLES), content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{ref}.pdf"'
    return response


def html_of(order: Loaded, address: str) -> str:
    """Return the paper as a page; `address` is where its QR code leads. The user reads it: its clock is Beijing's."""
    process = process_for(order.process, order.process_version)
    facts = process.facts
    known = order.facts
    with translation.override("zh-hans"), timezone.override(SHANGHAI):
        return render_to_string(
            "print/order.html",
            {
                "order": order,
                "facts": known,
                "process": process,
                "product": product_name(str(known.get("product", ""))).zh,
                "service_mode": words_of(facts["service_mode"], known.get("service_mode", "")).zh,
                "moments": moments_shown(known),
                "station": Station.objects.filter(number=order.station_no).first(),
                "qr": qr_code(address),
                "organisation": getattr(settings, "ORGANISATION", ""),
            },
        )


def qr_code(address: str) -> SafeString:
    """Return a QR code as SVG without inline styles; the error level stays fixed so that the size does too."""
    code = segno.make(address, error="m", boost_error=False)
    return SafeString(code.svg_inline(scale=4, border=1, omitsize=True))
