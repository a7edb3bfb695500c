from django.apps import AppConfig


class RiskConfig(AppConfig):
    name = "learning247.risk"
    label = "risk"

    def ready(self) -> None:
        from learning247.risk.personal_data import register_tables  # noqa: PLC0415 - models exist only now

        register_tables()
