from django.apps import AppConfig


class WalletsConfig(AppConfig):
    name = "wallets"

    def ready(self) -> None:
        from wallets.proofs import register_checks  # noqa: PLC0415 - models exist only now

        register_checks()
