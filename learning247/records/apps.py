from django.apps import AppConfig


class RecordsConfig(AppConfig):
    name = "learning247.records"
    label = "records"
