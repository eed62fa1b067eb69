"""The tables of the channels; each is defined in its channel's folder."""

from mendline.channels.webhook.models import Webhook

__all__ = ["Webhook"]
