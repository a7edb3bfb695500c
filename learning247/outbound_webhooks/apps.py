from django.apps import AppConfig


class OutboundWebhooksConfig(AppConfig):
    name = "learning247.outbound_webhooks"
    label = "outbound_webhooks"

    def ready(self) -> None:
        # The models are loaded only by now.
        from learning247.outbound_webhooks.personal_data import register_tables  # noqa: PLC0415

        register_tables()
