"""Choices of the accounts app."""

from django.db import models


class Role(models.TextChoices):
    USER = "user", "User"
    ADMIN = "admin", "Administrator"


class LinkPurpose(models.TextChoices):
    """What a mailed link allows."""

    PASSWORD_RESET = "password_reset", "Set a new password"


class SessionEnd(models.TextChoices):
    """Why a session is over."""

    SIGNED_OUT = "signed_out", "Signed out"
    TOKEN_REUSED = "token_reused", "A refresh token was used twice"  # a reason, not a password
    PASSWORD_CHANGED = "password_changed", "The password was changed"
    REVOKED = "revoked", "Ended from another device"
    DISABLED = "disabled", "The account was disabled"
