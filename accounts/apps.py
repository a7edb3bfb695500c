from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts.personal_data import register_tables  # noqa: PLC0415 - models exist only now

        register_tables()
