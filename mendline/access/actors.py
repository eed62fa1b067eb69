"""Who acts: a person in a role, a machine with a token, or the clock."""

from __future__ import annotations

from dataclasses import dataclass

# Roles that see every order of the network.
EVERYWHERE = frozenset(
    {
        "cc_agent",
        "hq_interface",
        "service_support_dept",
        "info_support_dept",
        "channel_management",
        "process_owner",
        "admin",
    }
)
# Roles bound to one region, and to one station.
OF_A_REGION = frozenset({"region_interface", "region_channel_specialist"})
OF_A_STATION = frozenset({"station_coordinator", "station_engineer"})
TIMER_ROLE = "timer"


def subject_of(person_id: int) -> str:
    """Return what the history calls this person."""
    return f"person:{person_id}"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who carries something out, with the scope that goes with the role.

    `station_no` and `region` are empty where the role is not bound to one. `via` says by which
    edge the request came (`console`, `api`, `worker`, `scenario`).
    """

    person_id: int | None
    name: str
    role: str
    region: str = ""
    station_no: str = ""
    via: str = "console"

    @property
    def sees_everything(self) -> bool:
        return self.role in EVERYWHERE or self.role == TIMER_ROLE

    def sees(self, *, region: str, station_no: str) -> bool:
        """Tell whether something of that region and station lies in this actor's scope."""
        if self.sees_everything:
            return True
        if self.role in OF_A_REGION:
            return bool(self.region) and region == self.region
        if self.role in OF_A_STATION:
            return bool(self.station_no) and station_no == self.station_no
        return False


THE_CLOCK = Actor(None, "时钟 clock", TIMER_ROLE, via="worker")
COMMAND_LINE = Actor(None, "命令行 command line", "admin", via="cli")
