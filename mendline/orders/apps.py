from django.apps import AppConfig


class OrdersConfig(AppConfig):
    name = "mendline.orders"
    label = "orders"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Join this package's guards, changes, effects and lookups to the engine."""
        from mendline.orders import changes, documents, effects, guards, lookups, request_guards  # noqa: F401
