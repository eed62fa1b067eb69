from django.apps import AppConfig


class CareConfig(AppConfig):
    name = "mendline.care"
    label = "care"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Join this package's guards, changes and effects to the engine."""
        from mendline.care import effects  # noqa: F401
