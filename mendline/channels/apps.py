from django.apps import AppConfig


class ChannelsConfig(AppConfig):
    name = "mendline.channels"
    label = "channels"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Join the channels to the outbox."""
        from mendline.channels.email.adapter import Email
        from mendline.channels.webhook.adapter import WebhookChannel
        from mendline.contact.ports import join

        join("email", Email())
        join("webhook", WebhookChannel())
