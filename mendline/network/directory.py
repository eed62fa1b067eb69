"""The small tables of the network, kept in memory: regions, product lines and products, areas without 800."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from mendline.network.models import No800Area, Product, ProductLine, Region
from mendline.network.revision import Kept


@dataclass(frozen=True, slots=True)
class ProductEntry:
    """A product with the line it belongs to and the channel whose procedure that line follows (CAN-34)."""

    product: str
    line: str
    channel: str


@dataclass(frozen=True, slots=True)
class Filing:
    """One filing of an area as being without the 800 number; `until` is the first day it no longer holds."""

    since: date
    until: date | None

    def holds_on(self, day: date) -> bool:
        return self.since <= day and (self.until is None or day < self.until)


@dataclass(frozen=True, slots=True)
class Directory:
    """What a step asks about an area or a product. Immutable; `current_directory()` replaces it as a whole."""

    region_by_province: Mapping[str, str]
    products: Mapping[str, ProductEntry]
    without_800: Mapping[str, tuple[Filing, ...]]

    def region_of(self, area: str) -> str:
        """Return the region responsible for the area's province; empty when none is."""
        return self.region_by_province.get(area[:2], "")

    def product(self, code: str) -> ProductEntry | None:
        return self.products.get(code)

    def has_800(self, area: str, day: date) -> bool:
        """Tell whether the 800 number works there (COM-04). A filing of a city or province holds for all below it."""
        filed = (filing for length in (2, 4, 6) for filing in self.without_800.get(area[:length], ()))
        return not any(filing.holds_on(day) for filing in filed)


def read_directory() -> Directory:
    """Read the three tables. Every line is also a product of the same code."""
    regions = {province: region.code for region in Region.objects.order_by("-code") for province in region.provinces}
    lines = {line.code: line.channel for line in ProductLine.objects.all()}
    products = {code: ProductEntry(code, code, channel) for code, channel in lines.items()}
    for code, line in Product.objects.values_list("code", "line_id"):
        products[code] = ProductEntry(code, line, lines[line])
    filed: dict[str, list[Filing]] = {}
    for area, since, until in No800Area.objects.values_list("area", "effective_from", "effective_until"):
        filed.setdefault(area, []).append(Filing(since, until))
    return Directory(regions, products, {area: tuple(filings) for area, filings in filed.items()})


_kept: Kept[Directory] = Kept(lambda old, old_revision: read_directory())


def current_directory() -> Directory:
    """Return the directory, at most a second behind the database."""
    return _kept.get()


def region_of_area(area: str) -> str:
    """Return the code of the region responsible for an area; empty when none is."""
    return current_directory().region_of(area)


def product_entry(code: str) -> ProductEntry | None:
    """Return a product's entry; one that is not known is looked for once more, for it may just have been added."""
    return current_directory().product(code) or _kept.get_fresh().product(code)


def forget_directory() -> None:
    """Drop the directory of this process; the next step reads it anew."""
    _kept.forget()
