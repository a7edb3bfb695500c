"""Choices of the accounts app."""

from django.db import models


class Role(models.TextChoices):
    USER = "user", "User"
    ADMIN = "admin", "Administrator"


class LinkPurpose(models.TextChoices):
    """What a mailed link allows."""

    PASSWORD_RESET = "password_reset", "Set a new password"
    ERASURE = "erasure", "Delete the account"


class SessionEnd(models.TextChoices):
    """Why a session is over."""

    SIGNED_OUT = "signed_out", "Signed out"
    TOKEN_REUSED = "token_reused", "A refresh token was used twice"  # a reason, not a password
    PASSWORD_CHANGED = "password_changed", "The password was changed"
    REVOKED = "revoked", "Ended from another device"
    DISABLED = "disabled", "The account was disabled"
    SECOND_FACTOR = "second_factor", "The second factor was switched on, or reset by staff"


class SecondFactorMethod(models.TextChoices):
    """What proves the second factor."""

    TOTP = "totp", "A code of the authenticator app"
    RECOVERY_CODE = "recovery_code", "A recovery code"
