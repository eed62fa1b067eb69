"""What the keys of groups are called."""

from __future__ import annotations

from collections.abc import Iterable

from mendline.access.models import Person
from mendline.figures.asking import DIMENSIONS, NONE, Question
from mendline.figures.reckoning import rows_of
from mendline.kernel.numbers import whole_number
from mendline.kernel.text import Text
from mendline.network.models import Product, Region, Station
from mendline.process.loading import latest

PROCESS = "unified_repair"
_OCCURS = "SELECT 1 FROM figures_orderfact f WHERE {narrowed} LIMIT 1"
NOBODY = {
    "station": Text("未派到站", "No station"),
    "person": Text("未指派工程师", "No engineer"),
    "canceller": Text("系统", "The system"),
    "reason": Text("未写明原因", "No reason stated"),
}


def names_of(dimension: str, keys: Iterable[str]) -> dict[str, Text]:
    """Return a name for each key; one that nobody knows any more stands for itself."""
    wanted = list(dict.fromkeys(keys))
    known = _known(dimension, [key for key in wanted if key])
    nobody = NOBODY.get(dimension, Text("未填写", "Not stated"))
    return {key: known.get(key, Text(key, key)) if key else nobody for key in wanted}


def name_asked_for(question: Question, dimension: str) -> Text:
    """Return the name of what a question is narrowed to. A person of whom nothing is counted in the asker's scope stays
    a number: whoever tries numbers in the address learns no names by it.
    """
    value = question.only[dimension]
    key = "" if value == NONE else value
    if key and DIMENSIONS[dimension].is_number and not question.actor.sees_everything:
        if not rows_of(_OCCURS, question.but(only={dimension: value}, paths=None)):
            return Text(key, key)
    return names_of(dimension, [key])[key]


def _known(dimension: str, keys: list[str]) -> dict[str, Text]:
    if dimension == "region":
        return _same(Region.objects.filter(code__in=keys).values_list("code", "name"))
    if dimension == "station":
        found = Station.objects.filter(number__in=keys).values_list("number", "name")
        return _same((number, f"{number} {name}") for number, name in found)
    if dimension == "product":
        named = Product.objects.filter(code__in=keys).values_list("code", "name_zh", "name_en")
        return {code: Text(zh, en) for code, zh, en in named}
    if dimension in ("person", "canceller"):
        numbers = [number for key in keys if (number := whole_number(key)) is not None]
        return _same((str(pk), name) for pk, name in Person.objects.filter(pk__in=numbers).values_list("pk", "name"))
    return dict(latest(PROCESS).facts["cancel_reason"].of) if dimension == "reason" else {}


def _same(pairs: Iterable[tuple[str, str]]) -> dict[str, Text]:
    return {key: Text(name, name) for key, name in pairs}
