from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "payments"

    def ready(self) -> None:
        from payments.personal_data import register_tables  # noqa: PLC0415 - models exist only now
        from payments.proofs import register_checks  # noqa: PLC0415
        from payments.webhooks import register_handlers  # noqa: PLC0415

        register_checks()
        register_handlers()
        register_tables()
