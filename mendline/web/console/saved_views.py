"""Views of the queue that a person keeps under names. What they narrow to stays in the address, for all to see."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet
from django.http import HttpResponse, QueryDict
from django.urls import reverse
from django.views.decorators.http import require_POST

from mendline.kernel.text import Text
from mendline.web.console.queue_address import QueueAddress, read_address
from mendline.web.console.undo import Offer, after_removing
from mendline.web.console.visit import Visit, go, screen
from mendline.web.models import SavedView

MOST = 12


@dataclass(frozen=True, slots=True)
class ViewTab:
    """One kept view above the queue."""

    id: int
    name: str
    href: str
    active: bool


def tabs_of(visit: Visit, address: QueueAddress) -> list[ViewTab]:
    """Return this person's views in the order in which they were kept."""
    kept = _of(visit).order_by("id").values_list("id", "name", "query")
    return [ViewTab(view_id, name, f"?{query}", query == address.query) for view_id, name, query in kept]


@require_POST
@screen
def keep(visit: Visit) -> HttpResponse:
    """Keep the filters of the form's address under a name; the same name again replaces it."""
    name = " ".join(visit.posted.get("name", "").replace("\x00", "").split())[:30]
    query = _checked(visit.posted.get("query", ""))
    if not name:
        return _back(visit, query, Text("请先给这个视图起个名字", "Give the view a name first"))
    mine = _of(visit)
    if mine.exclude(name=name).count() >= MOST:
        said = Text(f"最多保存 {MOST} 个视图，请先删除一个", f"At most {MOST} views are kept: remove one first")
        return _back(visit, query, said)
    mine.update_or_create(person_id=_person(visit), name=name, defaults={"query": query})
    return _back(visit, query, Text(f"已保存视图“{name}”", f"View “{name}” is kept"))


@require_POST
@screen
def remove(visit: Visit, view_id: int) -> HttpResponse:
    """Forget one of this person's own views; anybody else's is as if it were not there."""
    query = _checked(visit.posted.get("query", ""))
    view = _of(visit).filter(pk=view_id).first()
    if view is None:  # already gone, or somebody else's: the same answer
        return _back(visit, query, Text("已删除视图", "The view is removed"))
    view.delete()
    said = Text(f"已删除视图“{view.name}”", f"View “{view.name}” is removed")
    return _back(visit, query, said, after_removing(visit, view))


def _of(visit: Visit) -> QuerySet[SavedView]:
    return SavedView.objects.filter(person_id=_person(visit))


def _person(visit: Visit) -> int:
    assert visit.actor.person_id is not None  # whoever visits a page has signed in
    return visit.actor.person_id


def _checked(query: str) -> str:
    """Return the filters that a query spells right, in our own spelling."""
    return read_address(QueryDict(query[:400]).dict()).query


def _back(visit: Visit, query: str, said: Text, offer: Offer | None = None) -> HttpResponse:
    return go(visit, reverse("console:queue") + (f"?{query}" if query else ""), said, offer.slip if offer else "")
