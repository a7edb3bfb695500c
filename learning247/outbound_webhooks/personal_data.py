"""What the outbound webhooks hold about people: where they are told of what happens in their business."""

from learning247.outbound_webhooks.models import DeliveryAttempt, OutboundEvent, WebhookDelivery, WebhookEndpoint
from learning247.records.personal_tables import PersonalTable, register_audit_subject, register_personal_data

_SECRET = "It signs what is sent; it was shown when it was made."  # noqa: S105 - says why none is shown


def register_tables() -> None:
    """Called from `apps.ready()`."""
    register_personal_data(
        PersonalTable(
            "webhook_attempts",
            DeliveryAttempt,
            lambda user: [DeliveryAttempt.objects.filter(delivery__endpoint__owner_id=user.pk)],
            deleted=True,
        ),
        PersonalTable(
            "webhook_deliveries",
            WebhookDelivery,
            lambda user: [WebhookDelivery.objects.filter(endpoint__owner_id=user.pk)],
            deleted=True,
        ),
        PersonalTable(
            "webhook_endpoints",
            WebhookEndpoint,
            lambda user: [WebhookEndpoint.objects.filter(owner_id=user.pk)],
            withheld={"sealed_secret": _SECRET, "sealed_old_secret": _SECRET},
            deleted=True,
        ),
        PersonalTable(
            "webhook_events",
            OutboundEvent,
            lambda user: [OutboundEvent.objects.filter(owner_id=user.pk)],
            deleted=True,
        ),
    )
    register_audit_subject(
        "webhook_endpoint", lambda user: WebhookEndpoint.objects.filter(owner_id=user.pk).values_list("id", flat=True)
    )
