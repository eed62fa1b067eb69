"""Addresses: the console, the interface for machines, and logging in."""

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("accounts/", include("allauth.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
]
# Each edge keeps its own addresses; an edge that is not there yet is left out.
for prefix, module in (("api/v1/", "mendline.web.api.urls"), ("", "mendline.web.console.urls")):
    if find_spec("mendline.web") and find_spec(module.rpartition(".")[0]) and find_spec(module):
        urlpatterns.append(path(prefix, include(module)))
