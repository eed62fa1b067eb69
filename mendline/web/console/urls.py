"""Addresses of the console."""

from django.urls import path

from mendline.web.console import (
    account_pages,
    area_pages,
    callback_pages,
    intake,
    notice_pages,
    order_page,
    phone_page,
    procedure_pages,
    queue_actions,
    queue_page,
    record_page,
    region_pages,
    saved_views,
    search_page,
    station_pages,
    status_page,
    steps,
    verdict_page,
)
from mendline.web.live import pages as live_pages
from mendline.web.print import pages as print_pages

app_name = "console"

urlpatterns = [
    path("", account_pages.home, name="home"),
    path("intake/", intake.intake, name="intake"),
    path("intake/read/", intake.read, name="read_line"),
    path("intake/caller/", intake.caller, name="caller"),
    path("intake/proposal/", intake.proposal, name="proposal"),
    path("areas/", area_pages.find_area, name="areas"),
    path("areas/chosen/", area_pages.show_area, name="area"),
    path("queue/", queue_page.queue, name="queue"),
    path("queue/rows/", queue_actions.some_rows, name="queue_rows"),
    path("queue/many/", queue_actions.many, name="queue_many"),
    path("queue/engineers/", queue_actions.engineer_options, name="queue_engineers"),
    path("queue/<str:ref>/call/", queue_actions.call, name="queue_call"),
    path("queue/views/", saved_views.keep, name="keep_view"),
    path("queue/views/<int:view_id>/remove/", saved_views.remove, name="remove_view"),
    path("changes/", live_pages.changes, name="changes"),
    path("changes/ticket/", live_pages.ticket, name="ticket"),
    path("inbox/", region_pages.inbox, name="inbox"),
    path("inbox/<str:ref>/", verdict_page.verdict, name="verdict"),
    path("stations/", station_pages.stations, name="stations"),
    path("stations/<str:number>/", station_pages.station, name="station"),
    path("requests/", region_pages.requests, name="requests"),
    path("callbacks/", callback_pages.callbacks, name="callbacks"),
    path("callbacks/<str:ref>/", callback_pages.callback, name="callback"),
    path("notices/", notice_pages.notices, name="notices"),
    path("search/", search_page.search, name="search"),
    path("palette/", search_page.palette, name="palette"),
    path("orders/<str:ref>/", order_page.order, name="order"),
    path("orders/<str:ref>/phone/", phone_page.reveal, name="reveal"),
    path("orders/<str:ref>/print/", print_pages.order_pdf, name="print"),
    path("records/<str:ref>/", record_page.record, name="record"),
    path("go/<str:ref>/", record_page.subject, name="subject"),
    path("steps/<str:ref>/<str:name>/", steps.step, name="step"),
    path("begin/<str:code>/<str:name>/", steps.create, name="create"),
    path("procedures/", procedure_pages.procedures, name="procedures"),
    path("procedures/<str:code>/<int:version>/", procedure_pages.procedure, name="procedure"),
    path("procedures/<str:code>/<int:version>/replay/", procedure_pages.replay, name="replay"),
    path("status/", status_page.status, name="status"),
    path("rules/", procedure_pages.rule_list, name="rules"),
]
