"""The file that names the peers: which product, at which address, with which key, how many tickets it holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mendline.sim.bench.peers.django_helpdesk import DjangoHelpdesk
from mendline.sim.bench.peers.product import Address, Product
from mendline.sim.bench.peers.request_tracker import RequestTracker
from mendline.sim.bench.scratch import BenchFailed

PRODUCTS = ("rt", "helpdesk")
NEEDED = {"rt": ("address", "level", "user", "password"), "helpdesk": ("address", "level", "token", "user", "password")}


@dataclass(frozen=True, slots=True)
class Site:
    """One running peer: what it is asked through, how many tickets it began with, and how it was set up in words."""

    product: Product
    level: int
    setup: str


def read_sites(path: Path) -> list[Site]:
    """Return the peers that `path` names.

    Raises BenchFailed when it cannot be read or lacks something, naming the entry and the field.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as trouble:
        raise BenchFailed(
            f"同类产品清单 {path} 无法读取：{trouble}；写法见 docs/benchmarks.md。"
            f" The list of peers {path} cannot be read: {trouble}; docs/benchmarks.md says what it holds."
        ) from trouble
    entries = document.get("peers") if isinstance(document, dict) else None
    if not isinstance(entries, list) or not entries:
        raise BenchFailed(f"{path} 中没有 peers。 {path} names no `peers`; docs/benchmarks.md shows one.")
    return [site_of(entry, place) for place, entry in enumerate(entries, 1)]


def site_of(entry: Any, place: int) -> Site:
    """Return what one entry names; `place` counts from 1. Raises BenchFailed naming the field."""
    product = entry.get("product") if isinstance(entry, dict) else None
    if product not in PRODUCTS:
        raise _wrong(place, "product", f"应为 {'、'.join(PRODUCTS)}", f"must be one of {', '.join(PRODUCTS)}")
    for field in NEEDED[product]:
        if not entry.get(field):
            raise _wrong(place, field, "必须填写", "is needed")
    if not isinstance(entry["level"], int) or entry["level"] < 1:
        raise _wrong(place, "level", "应为工单数", "must be a number of tickets")
    try:
        address = Address.read(str(entry["address"]))
    except ValueError as wrong:
        raise _wrong(place, "address", "应形如 http://主机:端口", str(wrong)) from wrong
    return Site(_product(product, address, entry), entry["level"], str(entry.get("setup", "")))


def _product(product: str, address: Address, entry: Mapping[str, Any]) -> Product:
    if product == "rt":
        return RequestTracker(address, str(entry["user"]), str(entry["password"]), entry["level"], started_as=entry)
    return DjangoHelpdesk(
        address, str(entry["token"]), str(entry["user"]), str(entry["password"]), entry["level"],
        int(entry.get("queue", 1)), started_as=entry,
    )  # fmt: skip


def _wrong(place: int, field: str, zh: str, en: str) -> BenchFailed:
    return BenchFailed(f"第 {place} 个 peer 的 {field} {zh}。 {field!r} of peer {place} {en}.")
