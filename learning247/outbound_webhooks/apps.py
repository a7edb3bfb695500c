from django.apps import AppConfig


class OutboundWebhooksConfig(AppConfig):
    name = "learning247.outbound_webhooks"
    label = "outbound_webhooks"

    def ready(self) -> None:
        # The models are loaded only by now.
        from learning247.outbound_webhooks.models import WebhookEndpoint  # noqa: PLC0415
        from learning247.outbound_webhooks.personal_data import register_tables  # noqa: PLC0415
        from learning247.outbound_webhooks.services.endpoints import PURPOSE  # noqa: PLC0415
        from learning247.records.sealed_columns import SealedColumn, register_sealed_columns  # noqa: PLC0415

        register_tables()
        register_sealed_columns(
            SealedColumn(WebhookEndpoint, "sealed_secret", PURPOSE),
            SealedColumn(WebhookEndpoint, "sealed_old_secret", PURPOSE),
        )
