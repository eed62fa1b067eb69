"""Worlds: fixture networks with their people, loaded from `scenarios/worlds/` and written into an empty database."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction

from mendline.access.actors import OF_A_REGION, OF_A_STATION, THE_CLOCK, TIMER_ROLE, Actor
from mendline.access.models import Person
from mendline.network.models import Capacity, Coverage, No800Area, Product, ProductLine, Region, Station
from mendline.network.revision import look_again
from mendline.process import calendar_table, loading
from mendline.process.models import CalendarDay, ProcedureVersion
from mendline.sim.world_contents import WorldContents, WorldPerson
from mendline.sim.world_files import WorldFaults, read_world

__all__ = ["DEMO_PASSWORD", "NoSuchPerson", "World", "WorldFaults", "folder", "load"]

DEMO_PASSWORD = "mendline-demo"
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


class NoSuchPerson(LookupError):
    """The world has nobody of that user name, role, station or region."""


@dataclass(frozen=True)
class World:
    """A world file's contents, and after `build` the people's identities in the database."""

    contents: WorldContents
    person_ids: dict[str, int] = field(default_factory=dict, compare=False)

    def build(self) -> None:
        """Write everything into an empty database, in one transaction; everybody's password is `DEMO_PASSWORD`.

        Loads the process files and calendars first, as every database has them.

        Raises django.db.IntegrityError when the database has a network or people already.
        """
        with transaction.atomic():
            loading.load_all()
            self._write_network()
            self._write_people()
            self._write_days()
            self._put_procedures_in_force()
        look_again()
        loading.forget_in_force()
        calendar_table.forget()

    def people(self, role: str = "", *, station_no: str = "", region: str = "") -> list[WorldPerson]:
        """Return people in the order of the file, narrowed to a role, a station, a region."""
        return [
            person
            for person in self.contents.people.values()
            if (not role or person.role == role)
            and (not station_no or person.station_no == station_no)
            and (not region or person.region == region)
        ]

    def actor(self, who: str, *, via: str = "scenario") -> Actor:
        """Return who is meant by `wang`, `cc_agent`, `station_coordinator@000001`, `region_interface@north` or `timer`.

        A role alone means the first person of that role in the file.

        Raises NoSuchPerson.
        """
        if who == TIMER_ROLE:
            return THE_CLOCK
        person = self._person(who)
        return Actor(
            self.person_ids.get(person.username), person.name, person.role, person.region, person.station_no, via
        )

    def _person(self, who: str) -> WorldPerson:
        if who in self.contents.people:
            return self.contents.people[who]
        role, _, place = who.partition("@")
        station_no = place if role in OF_A_STATION else ""
        region = place if role in OF_A_REGION else ""
        bound = bool(station_no or region) or not place
        found = self.people(role, station_no=station_no, region=region) if role and bound else []
        if not found:
            known = sorted({person.role for person in self.contents.people.values()})
            raise NoSuchPerson(
                f"world {self.contents.name} has nobody called {who!r}; give a user name or one of {', '.join(known)},"
                " with @station or @region where the role is bound to one"
            )
        return found[0]

    def _write_network(self) -> None:
        world = self.contents
        Region.objects.bulk_create(
            Region(code=r.code, name=r.name, provinces=list(r.provinces)) for r in world.regions.values()
        )
        ProductLine.objects.bulk_create(
            ProductLine(code=line.code, name_zh=line.label.zh, name_en=line.label.en, channel=line.channel)
            for line in world.lines.values()
        )
        Product.objects.bulk_create(
            Product(code=product.code, line_id=product.line, name_zh=product.label.zh, name_en=product.label.en)
            for product in world.products.values()
        )
        Station.objects.bulk_create(
            Station(
                number=station.number, name=station.name, region_id=station.region, head_id=station.head or None,
                area=station.area, address=station.address, phone=station.phone, is_central=station.is_central,
                works_in_cc_web=station.works_in_cc_web, active_from=world.since,
                part_delivery_days=station.part_delivery_days,
            )
            for station in world.stations.values()
        )  # fmt: skip
        Coverage.objects.bulk_create(
            Coverage(station_id=station.number, area=area, product_line=line, effective_from=world.since)
            for station in world.stations.values()
            for area, line in station.coverage
        )
        Capacity.objects.bulk_create(
            Capacity(station_id=station.number, product_line=line, per_day=per_day, effective_from=world.since)
            for station in world.stations.values()
            for line, per_day in station.capacity.items()
        )
        No800Area.objects.bulk_create(
            No800Area(area=area, filed_on=world.since, effective_from=world.since) for area in world.no_800_areas
        )

    def _write_people(self) -> None:
        password = _hashed(DEMO_PASSWORD)
        written = Person.objects.bulk_create(
            Person(
                username=person.username, name=person.name, role=person.role, region=person.region,
                station_no=person.station_no, email=person.email, phone=person.phone, password=password,
                is_staff=person.role == "admin", is_superuser=person.role == "admin",
            )
            for person in self.contents.people.values()
        )  # fmt: skip
        self.person_ids.clear()
        self.person_ids.update({person.username: person.pk for person in written})

    def _write_days(self) -> None:
        CalendarDay.objects.bulk_create(
            [CalendarDay(day=day.day, works=day.works, name=day.name) for day in self.contents.days.values()],
            update_conflicts=True,
            unique_fields=["calendar", "day"],
            update_fields=["works", "name"],
        )

    def _put_procedures_in_force(self) -> None:
        """A procedure named without a line takes the place of the newest file, which `load_all` put in force."""
        for procedure in self.contents.procedures.values():
            ProcedureVersion.objects.update_or_create(
                process=procedure.process,
                product_line=procedure.product_line,
                ended_at=None,
                defaults={"version": procedure.version, "in_force_from": BEGINNING},
            )


def load(name_or_path: str | Path) -> World:
    """Return a world by its name in `scenarios/worlds/`, or by the path of its file.

    Raises WorldFaults with every fault of the file.
    """
    contents = read_world(path_of(name_or_path), path_of)
    return World(contents)


def path_of(name_or_path: str | Path) -> Path:
    """Return the file of a world: a bare word is a name, everything else a path."""
    path = Path(name_or_path)
    return path if path.suffix or len(path.parts) > 1 else folder() / f"{path}.yaml"


def folder() -> Path:
    return Path(settings.BASE_DIR) / "scenarios" / "worlds"


@lru_cache(maxsize=1)
def _hashed(password: str) -> str:
    """Hash the password all people of a world share, once per process: a strong hash takes half a second each."""
    return make_password(password)
