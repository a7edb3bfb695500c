"""Choices of the records."""

from django.db import models


class EventStatus(models.TextChoices):
    """Where an inbound event stands; the diagram is above the model."""

    PENDING = "pending", "Pending"
    DONE = "done", "Done"
    PARKED = "parked", "Parked"


class MailStatus(models.TextChoices):
    PENDING = "pending", "Pending"
    SENT = "sent", "Sent"
    PARKED = "parked", "Parked"
