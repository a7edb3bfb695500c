from django.apps import AppConfig


class RiskConfig(AppConfig):
    name = "learning247.risk"
    label = "risk"
