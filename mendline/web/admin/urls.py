"""Addresses of the administration."""

from django.urls import path

from mendline.web.admin import (
    audit_pages,
    calendar_pages,
    outbox_pages,
    overview,
    people_pages,
    product_pages,
    role_pages,
    text_pages,
    token_pages,
    webhook_pages,
)

app_name = "admin"

urlpatterns = [
    path("", overview.overview, name="index"),
    path("people/", people_pages.people_list, name="people"),
    path("people/add/", people_pages.add, name="add_person"),
    path("people/<int:person_id>/", people_pages.person, name="person"),
    path("people/<int:person_id>/<str:name>/", people_pages.step, name="person_step"),
    path("roles/", role_pages.roles, name="roles"),
    path("roles/<str:code>/", role_pages.role, name="role"),
    path("tokens/", token_pages.token_list, name="tokens"),
    path("tokens/issue/", token_pages.issue, name="issue_token"),
    path("tokens/<int:token_id>/revoke/", token_pages.revoke, name="revoke_token"),
    path("calendar/", calendar_pages.calendar, name="calendar"),
    path("calendar/add/", calendar_pages.edit_day, name="add_day"),
    path("calendar/<str:when>/", calendar_pages.edit_day, name="day"),
    path("calendar/<str:when>/remove/", calendar_pages.remove, name="remove_day"),
    path("products/", product_pages.products, name="products"),
    path("products/lines/add/", product_pages.edit_line, name="add_line"),
    path("products/lines/<str:code>/", product_pages.edit_line, name="line"),
    path("products/add/", product_pages.edit_product, name="add_product"),
    path("products/<str:code>/", product_pages.edit_product, name="product"),
    path("texts/", text_pages.texts, name="texts"),
    path("webhooks/", webhook_pages.webhooks, name="webhooks"),
    path("webhooks/add/", webhook_pages.add, name="add_webhook"),
    path("webhooks/<int:webhook_id>/", webhook_pages.webhook, name="webhook"),
    path("webhooks/<int:webhook_id>/stop/", webhook_pages.stop, name="stop_webhook"),
    path("outbox/", outbox_pages.outbox, name="outbox"),
    path("outbox/<int:outgoing_id>/again/", outbox_pages.again, name="send_again"),
    path("audit/", audit_pages.audit, name="audit"),
]
