"""Choices of the accounts app."""

from django.db import models


class Role(models.TextChoices):
    USER = "user", "User"
    ADMIN = "admin", "Administrator"
