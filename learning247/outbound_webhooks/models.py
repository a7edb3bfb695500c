"""Events that we tell others of: where to, what, and what became of each delivery."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from learning247.kit.clock import now
from learning247.kit.ids import new_id
from learning247.outbound_webhooks.enums import DeliveryStatus, EndpointStatus

LONGEST_URL = 500


class WebhookEndpoint(models.Model):
    """An address that is told of events: a creator's of their own, an operator's (no owner) of everybody's.

    active --410 Gone, or nothing delivered for days--> disabled --its owner--> active
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="webhook_endpoints",
        help_text="None: the platform's operators, who are told of everybody's events.",
    )
    url = models.URLField(max_length=LONGEST_URL)
    description = models.CharField(max_length=200, blank=True)
    event_types = ArrayField(
        models.CharField(max_length=60), default=list, blank=True, help_text="Which to send. None: all of them."
    )
    sealed_secret = models.TextField(editable=False)
    sealed_old_secret = models.TextField(blank=True, editable=False, help_text="Signs too until the time below.")
    old_secret_until = models.DateTimeField(null=True, blank=True)
    status = models.CharField(max_length=10, choices=EndpointStatus, default=EndpointStatus.ACTIVE)
    disabled_reason = models.CharField(max_length=200, blank=True)
    failing_since = models.DateTimeField(
        null=True, blank=True, help_text="The first failure after the last success. None: the last one worked."
    )
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(status=EndpointStatus.ACTIVE, disabled_reason="")
                | (Q(status=EndpointStatus.DISABLED) & ~Q(disabled_reason="")),
                name="outbound_webhooks_endpoint_disabled_for_a_reason",
            ),
        )

    def __str__(self) -> str:
        return self.url


class OutboundEvent(models.Model):
    """Something that happened, as it was then. Never changes; its id is the message's in every delivery."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    key = models.CharField(max_length=200, unique=True, help_text="One event per key, however often its cause runs.")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        help_text="Whose business it is. None: the platform's own.",
    )
    event_type = models.CharField(max_length=60)
    data = models.JSONField()
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ("-id",)
        indexes = (models.Index(fields=("owner", "-id"), name="outbound_webhooks_by_owner"),)

    def __str__(self) -> str:
        return f"{self.event_type} {self.id}"


class WebhookDelivery(models.Model):
    """One event on its way to one endpoint.

        pending --2xx--> delivered
           |  ^--\\\\--anything else: due again, ever later
           \\\\--tries used up, or the endpoint is disabled--> failed --by hand--> pending

    At least once, in no order: the receiver knows repeats by `webhook-id`.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    event = models.ForeignKey(OutboundEvent, on_delete=models.CASCADE, related_name="deliveries")
    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries")
    status = models.CharField(max_length=10, choices=DeliveryStatus, default=DeliveryStatus.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(default=now)
    lease_until = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ("-id",)
        verbose_name_plural = "webhook deliveries"
        constraints = (
            models.UniqueConstraint(fields=("event", "endpoint"), name="outbound_webhooks_delivery_once"),
            models.CheckConstraint(
                condition=Q(status=DeliveryStatus.DELIVERED, delivered_at__isnull=False)
                | (~Q(status=DeliveryStatus.DELIVERED) & Q(delivered_at__isnull=True)),
                name="outbound_webhooks_delivered_at_a_time",
            ),
        )
        indexes = (
            models.Index(fields=("endpoint", "-id"), name="outbound_webhooks_log"),
            models.Index(fields=("due_at",), condition=Q(status=DeliveryStatus.PENDING), name="outbound_webhooks_due"),
        )

    def __str__(self) -> str:
        return f"{self.event_id} -> {self.endpoint_id}"


class DeliveryAttempt(models.Model):
    """One try of a delivery, and what came of it."""

    id = models.BigAutoField(primary_key=True)
    delivery = models.ForeignKey(WebhookDelivery, on_delete=models.CASCADE, related_name="log")
    attempted_at = models.DateTimeField(default=now, editable=False)
    milliseconds = models.PositiveIntegerField()
    status_code = models.PositiveSmallIntegerField(null=True, blank=True, help_text="None: no answer.")
    failure = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ("-id",)
        indexes = (models.Index(fields=("delivery", "-id"), name="outbound_webhooks_attempts"),)

    def __str__(self) -> str:
        return f"{self.delivery_id}: {self.status_code or self.failure}"
