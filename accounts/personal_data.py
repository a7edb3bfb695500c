"""What accounts holds about people, what of Django's own tables is about them, and how it is forgotten."""

from collections.abc import Iterator

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.contrib.admin.models import LogEntry
from django.contrib.auth.hashers import make_password

from accounts.models import (
    Erasure,
    GoogleCode,
    OneTimeCode,
    RecoveryCode,
    RecoveryRequest,
    SecondFactor,
    SecondFactorTries,
    Session,
    SignInChallenge,
    SingleUseLink,
    User,
)
from learning247.records.models import AuditEntry
from learning247.records.personal_tables import (
    Address,
    ErasureSubject,
    PersonalTable,
    register_addresses,
    register_audit_subject,
    register_impersonal,
    register_mail_keys,
    register_personal_data,
)
from learning247.records.services.personal_data import console_forget

_DIGEST = "A digest that tells nobody anything."
_UNUSED = "A table of allauth's that nothing writes to."
_MAILS = (
    *("verify-email", "reset-password", "password-changed", "data-exported", "erasure", "google-linked"),
    *("second_factor_on", "second_factor_off", "second_factor_reset", "second_factor_paused"),
    *("recovery_codes_renewed", "recovery_code_used"),
)
_OTHERS = "May name other people: it is in their own audit."


def register_tables() -> None:
    """Called from `apps.ready()`."""
    register_personal_data(
        PersonalTable(
            "profile",
            User,
            lambda user: [User.objects.filter(id=user.id)],
            withheld={"password": "A hash that is of use to nobody but an attacker."},
            forget=profile_forget,
            kept="An account without name, email or password, by which nobody signs in: the books belong to it.",
        ),
        PersonalTable(
            "groups",
            User.groups.through,
            lambda user: [User.groups.through.objects.filter(user_id=user.id)],
            also=("group__name",),
            deleted=True,
        ),
        PersonalTable(
            "permissions",
            User.user_permissions.through,
            lambda user: [User.user_permissions.through.objects.filter(user_id=user.id)],
            also=("permission__codename",),
            deleted=True,
        ),
        PersonalTable(
            "sessions",
            Session,
            lambda user: [Session.objects.filter(user_id=user.id)],
            withheld={"refresh_id": "The name of the token by which this device is signed in."},
            deleted=True,
        ),
        PersonalTable(
            "mailed_links",
            SingleUseLink,
            lambda user: [SingleUseLink.objects.filter(user_id=user.id)],
            withheld={"digest": _DIGEST},
            deleted=True,
        ),
        PersonalTable(
            "recovery_requests",
            RecoveryRequest,
            lambda user: [RecoveryRequest.objects.filter(email=user.email)],
            deleted=True,
        ),
        PersonalTable(
            "one_time_codes",
            OneTimeCode,
            lambda user: [OneTimeCode.objects.filter(user_id=user.id)],
            withheld={"subject_digest": _DIGEST, "code_digest": _DIGEST},
            deleted=True,
        ),
        PersonalTable(
            "linked_accounts",
            SocialAccount,
            lambda user: [SocialAccount.objects.filter(user_id=user.id)],
            deleted=True,
        ),
        # Of allauth, and always empty.
        PersonalTable(
            "linked_emails", EmailAddress, lambda user: [EmailAddress.objects.filter(user_id=user.id)], deleted=True
        ),
        PersonalTable(
            "google_codes",
            GoogleCode,
            lambda user: [GoogleCode.objects.filter(user_id=user.id)],
            withheld={"digest": _DIGEST, "code_challenge": _DIGEST},
            deleted=True,
        ),
        PersonalTable(
            "second_factor",
            SecondFactor,
            lambda user: [SecondFactor.objects.filter(user_id=user.id)],
            withheld={"secret": "Whoever has it has the second factor. It is in the authenticator app."},
            deleted=True,
        ),
        PersonalTable(
            "second_factor_tries",
            SecondFactorTries,
            lambda user: [SecondFactorTries.objects.filter(user_id=user.id)],
            deleted=True,
        ),
        PersonalTable(
            "recovery_codes",
            RecoveryCode,
            lambda user: [RecoveryCode.objects.filter(user_id=user.id)],
            withheld={"digest": _DIGEST},
            deleted=True,
        ),
        PersonalTable(
            "sign_in_challenges",
            SignInChallenge,
            lambda user: [SignInChallenge.objects.filter(user_id=user.id)],
            withheld={"digest": _DIGEST},
            deleted=True,
        ),
        PersonalTable(
            "console",
            LogEntry,
            lambda user: [LogEntry.objects.filter(user_id=user.id)],
            withheld={"object_repr": _OTHERS, "change_message": _OTHERS},
            kept="What members of staff did in the console: the evidence of it.",
        ),
        PersonalTable(
            "erasures",
            Erasure,
            lambda user: [Erasure.objects.filter(user_id=user.id)],
            kept="That and when the account was deleted.",
        ),
    )
    register_audit_subject("user", lambda user: [user.id])
    register_audit_subject("session", lambda user: Session.objects.filter(user_id=user.id).values_list("id", flat=True))
    register_mail_keys(lambda user: [f"{kind}:{user.id}" for kind in _MAILS])
    register_mail_keys(
        lambda user: [
            f"session-reused:{pk}" for pk in Session.objects.filter(user_id=user.id).values_list("id", flat=True)
        ]
    )
    register_addresses(proved_addresses)
    register_impersonal(
        {
            "auth.Permission": "The list of rights.",
            "auth.Group": "The groups of staff, without who is in them.",
            "auth.Group_permissions": "What each group of staff may do.",
            "sessions.Session": "An id and a digest of the password hash, for staff in the console; or the way "
            "to Google of nobody known, for ten minutes.",
            "account.EmailConfirmation": _UNUSED,
            "socialaccount.SocialApp": _UNUSED,
            "socialaccount.SocialToken": _UNUSED,
        }
    )


def proved_addresses(user: User) -> Iterator[Address]:
    """The email of the account, once its owner has verified it; before, those that staff have changed, each for as long
    as it was the account's: it may be somebody else's by now."""
    since = user.created_at
    for entry in AuditEntry.objects.filter(
        subject_kind="user", subject_id=str(user.id), action="user.changed", before__has_key="email"
    ).order_by("id"):
        before, after = entry.before or {}, entry.after or {}
        if before["email"] != after.get("email"):
            if before.get("email_verified"):
                yield Address(before["email"], since=since, until=entry.created_at)
            since = entry.created_at
    if user.email_verified_at is not None:
        yield Address(user.email, since=user.email_verified_at)


def profile_forget(erasure: ErasureSubject) -> None:
    """The row stays, for the ledger's sake, and is nobody's: no name, no email, no password."""
    first_name, _, last_name = erasure.name.rpartition(" ")
    User.objects.filter(pk=erasure.user.pk).update(
        email=erasure.email,
        password=make_password(None),
        first_name=first_name,
        last_name=last_name,
        phone="",
        country="",
        bio="",
        avatar_url="",
        email_verified_at=None,
        last_login=None,
        is_active=False,
    )
    console_forget(User, [erasure.user.pk], erasure)
