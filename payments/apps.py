from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "payments"

    def ready(self) -> None:
        from learning247.outbound_webhooks.event_types import register_event_types  # noqa: PLC0415
        from payments.personal_data import register_tables  # noqa: PLC0415 - models exist only now
        from payments.proofs import register_checks  # noqa: PLC0415
        from payments.services.published import EVENT_TYPES  # noqa: PLC0415
        from payments.webhooks import register_handlers  # noqa: PLC0415

        register_checks()
        register_handlers()
        register_tables()
        register_event_types(EVENT_TYPES)
