"""Choices of the outbound webhooks."""

from django.db import models


class EndpointStatus(models.TextChoices):
    """The diagram is above `WebhookEndpoint`."""

    ACTIVE = "active", "Active"
    DISABLED = "disabled", "Disabled"


class DeliveryStatus(models.TextChoices):
    """The diagram is above `WebhookDelivery`."""

    PENDING = "pending", "Pending"
    DELIVERED = "delivered", "Delivered"
    FAILED = "failed", "Failed"
