from django.apps import AppConfig


class PartsConfig(AppConfig):
    name = "mendline.parts"
    label = "parts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Join this package's guards, changes and effects to the engine."""
        from mendline.parts import effects  # noqa: F401
