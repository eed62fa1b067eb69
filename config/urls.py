"""Addresses: the interface for machines, logging in, and the console."""

from django.urls import include, path

urlpatterns = [
    path("accounts/", include("allauth.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("api/v1/", include("mendline.web.api.urls")),
    path("", include("mendline.web.console.urls")),
]
