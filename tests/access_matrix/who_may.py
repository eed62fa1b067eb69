"""Who may open and send what: one line for each address, written by hand and read by people.

It is not derived from the program. Of everything here the caller is shown what is his own or at his own station, so
nothing is out of scope: whoever is not named is refused because of his role. The interface says 403. The console and
the administration say 404, as for an address that nobody knows: a page of another role is in nobody's navigation, and
that it is there is nothing to tell (where it is otherwise, the line says so). Whoever is named is answered: by a
page, by a redirection, or by what is wrong with the empty form (200, 201, 204, 302, 400, 422).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

EVERYBODY = frozenset(
    {
        "cc_agent",
        "region_interface",
        "region_channel_specialist",
        "station_coordinator",
        "station_engineer",
        "service_support_dept",
        "info_support_dept",
        "channel_management",
        "hq_interface",
        "process_owner",
        "admin",
    }
)
NOBODY: frozenset[str] = frozenset()
ADMIN = frozenset({"admin"})
STEWARDS = frozenset({"admin", "process_owner"})
REPORTS = frozenset({"cc_agent", "region_interface", "station_coordinator"})  # APL: who takes a report
URGES = frozenset({"cc_agent"})  # the user telephones the call centre
CALLS_BACK = frozenset({"cc_agent", "info_support_dept", "admin"})
REACHES = frozenset({"cc_agent", "info_support_dept"})  # who notes what came of a callback
JUDGES = frozenset(
    {
        "region_interface",
        "region_channel_specialist",
        "hq_interface",
        "channel_management",
        "service_support_dept",
        "admin",
    }
)
SEES_RECORDS_OF_STATIONS = JUDGES | {"station_coordinator", "station_engineer"}
# Stations compete: who else serves an area, and with how many seats, is not theirs to know.
OFF_STATION = EVERYBODY - {"station_coordinator", "station_engineer"}
KEEPS_THE_NETWORK = frozenset({"channel_management", "admin"})  # UDS-08
ASKS_FOR_COVERAGE = frozenset({"region_interface", "station_coordinator"})
FIGURES = EVERYBODY - {"cc_agent", "station_engineer"}
WRITES_PROCEDURES = frozenset({"channel_management", "hq_interface", "process_owner", "admin"})
PROPOSES = frozenset({"channel_management", "process_owner"})
FOLLOWS = WRITES_PROCEDURES | {"service_support_dept"}
TOLD = EVERYBODY - {"station_engineer"}  # the published document was sent to coordinators, not to engineers


@dataclass(frozen=True, slots=True)
class Rights:
    """Roles by method. A method that is not here nobody may use: 405. `refused` is what everybody else gets."""

    by: Mapping[str, frozenset[str]]
    refused: int = 0  # 0: as everywhere, see `refusal`

    def refusal(self, route: str) -> int:
        return self.refused or (403 if route.startswith("api/") else 404)


def both(roles: frozenset[str]) -> Rights:
    return Rights({"GET": roles, "POST": roles})


def reading(roles: frozenset[str]) -> Rights:
    return Rights({"GET": roles})


def sending(roles: frozenset[str]) -> Rights:
    return Rights({"POST": roles})


WHO_MAY: Mapping[str, Rights] = {
    "admin/": both(STEWARDS),
    "admin/people/": both(ADMIN),
    "admin/people/add/": both(ADMIN),
    "admin/people/<int:person_id>/": both(ADMIN),
    "admin/people/<int:person_id>/<str:name>/": sending(ADMIN),
    "admin/roles/": both(STEWARDS),
    "admin/roles/<str:code>/": both(STEWARDS),
    "admin/tokens/": both(ADMIN),
    "admin/tokens/issue/": both(ADMIN),
    "admin/tokens/<int:token_id>/revoke/": sending(ADMIN),
    "admin/calendar/": both(STEWARDS),
    "admin/calendar/add/": both(STEWARDS),
    "admin/calendar/<str:when>/": both(STEWARDS),
    "admin/calendar/<str:when>/remove/": sending(STEWARDS),
    "admin/products/": both(STEWARDS),
    "admin/products/lines/add/": both(STEWARDS),
    "admin/products/lines/<str:code>/": both(STEWARDS),
    "admin/products/add/": both(STEWARDS),
    "admin/products/<str:code>/": both(STEWARDS),
    "admin/texts/": both(STEWARDS),
    "admin/webhooks/": both(ADMIN),
    "admin/webhooks/add/": both(ADMIN),
    "admin/webhooks/<int:webhook_id>/": both(ADMIN),
    "admin/webhooks/<int:webhook_id>/stop/": sending(ADMIN),
    "admin/outbox/": both(ADMIN),
    "admin/outbox/<int:outgoing_id>/again/": sending(ADMIN),
    "admin/audit/": both(STEWARDS),
    "api/v1/orders": Rights({"GET": EVERYBODY, "POST": REPORTS}),
    "api/v1/orders/<ref>": reading(EVERYBODY),
    "api/v1/orders/<ref>/history": reading(EVERYBODY),
    "api/v1/orders/<ref>/transitions/<name>": sending(URGES),
    "api/v1/orders/<ref>/reveal": sending(EVERYBODY),
    # It is read by a number and begun by the name of a process; a number begins nothing, whoever sends it.
    "api/v1/records/<name>": Rights({"GET": EVERYBODY, "POST": NOBODY}, refused=404),
    "api/v1/records": reading(EVERYBODY),
    "api/v1/records/<ref>/history": reading(EVERYBODY),
    "api/v1/records/<ref>/transitions/<name>": sending(REACHES),
    "api/v1/orders/<ref>/attachments": both(EVERYBODY),
    "api/v1/records/<ref>/attachments": sending(EVERYBODY),
    "api/v1/attachments/<path:stored_as>": Rights({"GET": NOBODY}, refused=404),  # here its row has no bytes
    "api/v1/processes": reading(EVERYBODY),
    "api/v1/processes/<code>": reading(EVERYBODY),
    "api/v1/rules/<rule_id>": reading(EVERYBODY),
    "api/v1/me": reading(EVERYBODY),
    "api/v1/notices": reading(EVERYBODY),
    "api/v1/notices/seen": sending(EVERYBODY),
    "api/v1/stations/proposed": reading(EVERYBODY),
    "api/v1/duplicates": sending(EVERYBODY),
    "api/v1/coverage-changes/<ref>/effect": reading(EVERYBODY),
    "api/v1/figures": reading(FIGURES),
    "api/v1/figures/cancellations": reading(FIGURES),
    "api/v1/figures/handovers": reading(FIGURES),
    "api/v1/figures/paths": reading(FIGURES),
    "api/v1/figures/load": reading(FIGURES),
    "api/v1/figures/orders": reading(FIGURES),
    "api/v1/webhooks": both(STEWARDS),
    "api/v1/webhooks/<int:number>": Rights({"GET": STEWARDS, "DELETE": STEWARDS}),
    "api/v1/": Rights(dict.fromkeys(("GET", "POST", "PUT", "PATCH", "DELETE"), NOBODY), refused=404),  # nothing there
    "": both(EVERYBODY),
    "intake/": both(REPORTS),
    "intake/read/": both(REPORTS),
    "intake/caller/": both(REPORTS),
    "intake/proposal/": both(REPORTS),
    "areas/": both(EVERYBODY),
    # Four that are asked about something by their query or form; without it there is nothing, whoever asks.
    "areas/chosen/": both(NOBODY),
    "queue/": both(EVERYBODY),
    "queue/rows/": both(EVERYBODY),
    "queue/many/": sending(NOBODY),
    "queue/engineers/": both(EVERYBODY),
    "queue/<str:ref>/call/": sending(EVERYBODY),
    "queue/print/": both(NOBODY),
    "queue/views/": sending(EVERYBODY),
    "queue/views/<int:view_id>/remove/": sending(EVERYBODY),
    "changes/": both(EVERYBODY),
    "changes/ticket/": both(EVERYBODY),
    "inbox/": both(JUDGES),
    "inbox/<str:ref>/": both(JUDGES),
    "stations/": both(SEES_RECORDS_OF_STATIONS),
    "stations/<str:number>/": both(SEES_RECORDS_OF_STATIONS),
    "network/": both(EVERYBODY),
    "network/stations.xlsx": both(OFF_STATION),
    "network/stations/<str:number>/": both(EVERYBODY),
    "network/stations/<str:number>/coverage.xlsx": both(EVERYBODY),
    "network/stations/<str:number>/coverage.pdf": both(EVERYBODY),
    "network/map/": both(OFF_STATION),
    "network/gaps/": both(OFF_STATION),
    "network/gaps.xlsx": both(OFF_STATION),
    "network/no800/": both(OFF_STATION),
    "network/no800.xlsx": both(OFF_STATION),
    "network/capacity/": both(EVERYBODY),
    "network/capacity/<str:number>/<str:line>/": both(ASKS_FOR_COVERAGE),
    "network/changes/": both(EVERYBODY),
    "network/changes/<str:ref>/": both(EVERYBODY),
    "network/import/": both(KEEPS_THE_NETWORK),
    "network/import/<int:upload_id>/": both(KEEPS_THE_NETWORK),
    "network/import/<int:upload_id>/faults.xlsx": both(KEEPS_THE_NETWORK),
    "network/export.xlsx": both(KEEPS_THE_NETWORK),
    "network/template.xlsx": both(KEEPS_THE_NETWORK),
    "figures/": both(FIGURES),
    "figures/cancellations/": both(FIGURES),
    "figures/handovers/": both(FIGURES),
    "figures/paths/": both(FIGURES),
    "figures/load/": both(FIGURES),
    "figures/daily/": both(FIGURES),
    "figures/daily/report.pdf": both(FIGURES),
    "figures/orders/": both(FIGURES),
    "figures/<str:name>.xlsx": both(FIGURES),
    "requests/": both(EVERYBODY),
    "callbacks/": both(CALLS_BACK),
    "callbacks/<str:ref>/": both(CALLS_BACK),
    "notices/": both(EVERYBODY),
    "search/": both(EVERYBODY),
    "palette/": both(EVERYBODY),
    "orders/<str:ref>/": both(EVERYBODY),
    "orders/<str:ref>/phone/": both(EVERYBODY),
    "orders/<str:ref>/print/": both(EVERYBODY),
    "records/<str:ref>/": both(EVERYBODY),
    "go/<str:ref>/": both(EVERYBODY),
    # The form of a step says to everybody in scope whose it is; sent, it comes back with the refusal on it.
    "steps/<str:ref>/<str:name>/": Rights({"GET": EVERYBODY, "POST": URGES}, refused=403),
    "begin/<str:code>/<str:name>/": both(ASKS_FOR_COVERAGE),
    "procedures/": both(EVERYBODY),
    "procedures/<str:code>/<int:version>/": both(EVERYBODY),
    "procedures/<str:code>/differences/": Rights({"GET": EVERYBODY, "POST": WRITES_PROCEDURES}),
    "procedures/<str:code>/<int:version>/replay/": both(WRITES_PROCEDURES),
    "procedures/<str:code>/<int:version>/limits/": both(PROPOSES),
    "reading/": both(EVERYBODY),
    "reading/<str:ref>/": both(TOLD),
    "reading/<str:ref>/read/": sending(TOLD),
    "reading/<str:ref>/remind/": sending(FOLLOWS),
    "settings/": both(EVERYBODY),
    "settings/signins/": both(EVERYBODY),
    "settings/theme/": sending(EVERYBODY),
    "tour/": both(EVERYBODY),
    "tour/ended/": sending(EVERYBODY),
    "undo/": sending(NOBODY),
    "rules/": both(EVERYBODY),
}
