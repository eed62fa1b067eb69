from django.apps import AppConfig


class OrdersConfig(AppConfig):
    name = "mendline.orders"
    label = "orders"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Join this package's guards, changes, effects and lookups to the engine."""
        from mendline.orders import (  # noqa: F401
            cancel_guards,
            changes,
            documents,
            effects,
            guards,
            lookups,
            parameter_changes,
            part_guards,
            request_guards,
        )
