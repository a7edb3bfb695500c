from django.apps import AppConfig


class WalletsConfig(AppConfig):
    name = "wallets"

    def ready(self) -> None:
        from wallets import deployment  # noqa: F401, PLC0415 - registers its check
        from wallets.personal_data import register_tables  # noqa: PLC0415 - models exist only now
        from wallets.proofs import register_checks  # noqa: PLC0415

        register_checks()
        register_tables()
