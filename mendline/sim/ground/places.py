"""The two networks that are simulated, in the plain words of the oracle."""

from __future__ import annotations

from mendline.network import areas
from mendline.process.loading import latest
from mendline.sim import worlds
from mendline.sim.demo_calls import PLACES, UNSERVED
from mendline.sim.ground.oracle.plain import Network, Person, Station
from mendline.sim.national_network import national
from mendline.sim.world_contents import WorldContents
from mendline.sim.worlds import World

NAMES = ("small", "tight", "national")


def world_named(name: str) -> World:
    """Return a world by its name. `tight` is `small` with one order per day, station and line."""
    return World(national()) if name == "national" else worlds.load(name)


def plain(contents: WorldContents) -> Network:
    """Return what the oracle may know of a world: who serves what, and who works where."""
    channels = latest("unified_repair").parameters["channels"]
    assert isinstance(channels, tuple)
    return Network(
        stations={
            s.number: Station(
                s.number, s.region, s.head, s.works_in_cc_web, s.part_delivery_days, tuple(s.coverage), dict(s.capacity)
            )
            for s in contents.stations.values()
        },
        people={
            p.username: Person(p.username, p.role, p.region, p.station_no) for p in contents.people.values()
        },
        lines={
            **{line: line for line in contents.lines},
            **{product.code: product.line for product in contents.products.values()},
        },
        served=frozenset(line.code for line in contents.lines.values() if line.channel in channels),
        region_of={province: r.code for r in contents.regions.values() for province in r.provinces},
        areas=_areas(contents),
        without_800=tuple(contents.no_800_areas),
    )  # fmt: skip


def _areas(contents: WorldContents) -> tuple[str, ...]:
    """Return the counties that reports come from: often those of the demo, or one in seven of the whole country."""
    if contents.name != "national":
        return (*(area for area, _, weight in PLACES for _ in range(weight)), *(area for area, _ in UNSERVED))
    counties = sorted(code for code in areas.table().places if len(code) == 6)
    return tuple(counties[::7])
