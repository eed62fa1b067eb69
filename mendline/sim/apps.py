from django.apps import AppConfig


class SimConfig(AppConfig):
    name = "mendline.sim"
    label = "sim"
    default_auto_field = "django.db.models.BigAutoField"
