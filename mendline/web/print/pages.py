"""The printed repair order (维修单): what the engineer takes along and the user signs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import segno
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.safestring import SafeString

from mendline.kernel.errors import NotVisible, Refused
from mendline.kernel.ids import is_ref
from mendline.kernel.text import Text
from mendline.kernel.time import SHANGHAI
from mendline.network.models import Station
from mendline.orders import store
from mendline.orders.store import Loaded
from mendline.process.loading import process_for
from mendline.web.console.fact_words import moments_shown, product_name, words_of
from mendline.web.console.visit import Visit, screen
from mendline.web.print.paper import pdf_of

MOST = 30  # sheets of one document: the renderer takes under a second for each
STYLES = Path(__file__).parent.parent / "static" / "dist" / "print.css"


@screen
def order_pdf(visit: Visit, ref: str) -> HttpResponse:
    """The paper, always in Chinese. It exists from the first printing on, because that is a step of the procedure."""
    return _pdf([_printed(visit, ref)], visit, ref)


@screen
def many_pdf(visit: Visit) -> HttpResponse:
    """Several orders in one document, each on a sheet of its own, in the order in which they were asked for."""
    refs = [ref for ref in dict.fromkeys(visit.request.GET.getlist("ref")) if is_ref(ref)]
    if not refs:
        raise NotVisible
    if len(refs) > MOST:
        detail = Text(f"一次最多打印 {MOST} 张，请分几次", f"at most {MOST} are printed at once; take several turns")
        raise Refused("too_many", detail)
    return _pdf([_printed(visit, ref) for ref in refs], visit, f"{refs[0]}-{len(refs)}")


def _printed(visit: Visit, ref: str) -> Loaded:
    """Return an order of which there is a paper.

    Raises NotVisible, Refused.
    """
    order = store.load(ref, actor=visit.actor)
    if not order.facts.get("printed_at"):
        detail = Text(
            "先约定承诺服务时间，再由协调员“打印维修单”",
            "agree a service time first; the coordinator then prints the order",
        )
        raise Refused("not_printed", detail, "STN-50", rules=("STN-41",))
    return order


def _pdf(orders: Sequence[Loaded], visit: Visit, name: str) -> HttpResponse:
    here = visit.request.build_absolute_uri("/").rstrip("/")
    page = html_of(*orders, here=here)
    response = HttpResponse(pdf_of(page, STYLES), content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    return response


def html_of(*orders: Loaded, here: str) -> str:
    """Return the papers as a page; their QR codes lead to `here`. The user reads it: its clock is Beijing's."""
    with translation.override("zh-hans"), timezone.override(SHANGHAI):
        return render_to_string("print/order.html", {"sheets": [_sheet(order, here) for order in orders]})


def _sheet(order: Loaded, here: str) -> dict[str, Any]:
    process = process_for(order.process, order.process_version)
    facts = process.facts
    known = order.facts
    return {
        "order": order,
        "facts": known,
        "process": process,
        "product": product_name(str(known.get("product", ""))).zh,
        "service_mode": words_of(facts["service_mode"], known.get("service_mode", "")).zh,
        "moments": moments_shown(known),
        "station": Station.objects.filter(number=order.station_no).first(),
        "qr": qr_code(here + reverse("console:order", args=[order.ref])),
    }


def qr_code(address: str) -> SafeString:
    """Return a QR code as SVG without inline styles; the error level stays fixed so that the size does too."""
    code = segno.make(address, error="m", boost_error=False)
    return SafeString(code.svg_inline(scale=4, border=1, omitsize=True))
