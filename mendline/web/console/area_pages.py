"""Finding an area by what people call it."""

from __future__ import annotations

from django.http import HttpResponse

from mendline.intake.line import Line
from mendline.intake.place_names import place_names
from mendline.intake.places import find_place
from mendline.kernel.errors import NotVisible
from mendline.kernel.text import Text
from mendline.network import areas
from mendline.process.definition import Fact
from mendline.web.console.fields import Field
from mendline.web.console.intake_reading import named_place
from mendline.web.console.visit import Visit, screen

SHOWN = 12
AREA_LABEL = Text("行政区划", "Area")


@screen
def find_area(visit: Visit) -> HttpResponse:
    """Places that the words may mean; below a found province or city, its parts."""
    field_name = visit.asked("for", 40)
    words = visit.asked(f"{field_name}.search", 60)
    places = (areas.find(words, SHOWN) or _by_other_names(words)) if words else []
    if len(places) == 1 and len(places[0].code) < 6:
        places = [*places, *areas.children(places[0].code)]
    return visit.render(
        "console/areas_found.html",
        {"places": [named_place(place.code) for place in places], "searched": words, "field_name": field_name},
    )


@screen
def show_area(visit: Visit) -> HttpResponse:
    """The field again, with this area chosen."""
    name, code = visit.asked("for", 40), visit.asked("code", 6)
    if not areas.exists(code):
        raise NotVisible
    field = Field(
        name, Fact(name, "area", AREA_LABEL), required=True, value=code, shown=areas.name_of(code, visit.language)
    )
    response = visit.render(field.template, {"field": field})
    response["HX-Trigger-After-Swap"] = "areaChosen"
    return response


def _by_other_names(words: str) -> list[areas.Place]:
    """Former names (闸北区), common ones (郑州高新区) and those with a kind they no longer have (密云县)."""
    found = find_place(Line(words), place_names())
    if found is None:
        return []
    return [areas.table().places[code] for code in ((found.code,) if found.code else found.candidates)]
