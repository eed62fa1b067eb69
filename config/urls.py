"""Addresses: the interface for machines, logging in, and the console."""

from django.urls import include, path

from mendline.web.console.accounts import not_for_people
from mendline.web.console.settings_pages import set_language

urlpatterns = [
    path("accounts/email/", not_for_people),
    path("accounts/", include("allauth.urls")),
    path("i18n/setlang/", set_language, name="set_language"),
    path("admin/", include("mendline.web.admin.urls")),
    path("api/v1/", include("mendline.web.api.urls")),
    path("", include("mendline.web.console.urls")),
]
