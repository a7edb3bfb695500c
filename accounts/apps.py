from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        # Models exist only now.
        from accounts.models import SecondFactor  # noqa: PLC0415
        from accounts.personal_data import register_tables  # noqa: PLC0415
        from accounts.services.second_factors import PURPOSE  # noqa: PLC0415
        from learning247.records.sealed_columns import SealedColumn, register_sealed_columns  # noqa: PLC0415

        register_tables()
        register_sealed_columns(SealedColumn(SecondFactor, "secret", PURPOSE))
