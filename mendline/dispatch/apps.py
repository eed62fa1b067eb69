from importlib import import_module

from django.apps import AppConfig


class DispatchConfig(AppConfig):
    name = "mendline.dispatch"
    label = "dispatch"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register what process files may name."""
        for module in ("lookups", "effects", "coverage_changes"):
            import_module(f"mendline.dispatch.{module}")
