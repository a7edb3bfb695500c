"""What accounts holds about people, and what of Django's own tables is about them."""

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.contrib.admin.models import LogEntry

from accounts.models import (
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
from learning247.records.personal_tables import (
    PersonalTable,
    register_audit_subject,
    register_impersonal,
    register_personal_data,
)

_DIGEST = "A digest that tells nobody anything."
_UNUSED = "A table of allauth's that nothing writes to."
_OTHERS = "May name other people: it is in their own audit."


def register_tables() -> None:
    """Called from `apps.ready()`."""
    register_personal_data(
        PersonalTable(
            "profile",
            User,
            lambda user: [User.objects.filter(id=user.id)],
            withheld={"password": "A hash that is of use to nobody but an attacker."},
        ),
        PersonalTable(
            "groups",
            User.groups.through,
            lambda user: [User.groups.through.objects.filter(user_id=user.id)],
            also=("group__name",),
        ),
        PersonalTable(
            "permissions",
            User.user_permissions.through,
            lambda user: [User.user_permissions.through.objects.filter(user_id=user.id)],
            also=("permission__codename",),
        ),
        PersonalTable(
            "sessions",
            Session,
            lambda user: [Session.objects.filter(user_id=user.id)],
            withheld={"refresh_id": "The name of the token by which this device is signed in."},
        ),
        PersonalTable(
            "mailed_links",
            SingleUseLink,
            lambda user: [SingleUseLink.objects.filter(user_id=user.id)],
            withheld={"digest": _DIGEST},
        ),
        PersonalTable(
            "recovery_requests", RecoveryRequest, lambda user: [RecoveryRequest.objects.filter(email=user.email)]
        ),
        PersonalTable(
            "one_time_codes",
            OneTimeCode,
            lambda user: [OneTimeCode.objects.filter(user_id=user.id)],
            withheld={"subject_digest": _DIGEST, "code_digest": _DIGEST},
        ),
        PersonalTable("linked_accounts", SocialAccount, lambda user: [SocialAccount.objects.filter(user_id=user.id)]),
        # Of allauth, and always empty.
        PersonalTable("linked_emails", EmailAddress, lambda user: [EmailAddress.objects.filter(user_id=user.id)]),
        PersonalTable(
            "google_codes",
            GoogleCode,
            lambda user: [GoogleCode.objects.filter(user_id=user.id)],
            withheld={"digest": _DIGEST, "code_challenge": _DIGEST},
        ),
        PersonalTable(
            "second_factor",
            SecondFactor,
            lambda user: [SecondFactor.objects.filter(user_id=user.id)],
            withheld={"secret": "Whoever has it has the second factor. It is in the authenticator app."},
        ),
        PersonalTable(
            "second_factor_tries",
            SecondFactorTries,
            lambda user: [SecondFactorTries.objects.filter(user_id=user.id)],
        ),
        PersonalTable(
            "recovery_codes",
            RecoveryCode,
            lambda user: [RecoveryCode.objects.filter(user_id=user.id)],
            withheld={"digest": _DIGEST},
        ),
        PersonalTable(
            "sign_in_challenges",
            SignInChallenge,
            lambda user: [SignInChallenge.objects.filter(user_id=user.id)],
            withheld={"digest": _DIGEST},
        ),
        PersonalTable(
            "console",
            LogEntry,
            lambda user: [LogEntry.objects.filter(user_id=user.id)],
            withheld={"object_repr": _OTHERS, "change_message": _OTHERS},
        ),
    )
    register_audit_subject("user", lambda user: [user.id])
    register_audit_subject("session", lambda user: Session.objects.filter(user_id=user.id).values_list("id", flat=True))
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
