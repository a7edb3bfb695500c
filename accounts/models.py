"""People. One table: a learner, a creator and a member of staff are the same kind of person with other rights."""

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower

from accounts.enums import LinkPurpose, Role, SessionEnd
from learning247.kit.clock import now
from learning247.kit.ids import new_id

USER_AGENT_LENGTH = 200


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: object) -> "User":
        """A person with a hashed password (or none that works). The email is stored in lower case."""
        user = self.model(email=normalised_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: object) -> "User":
        """An administrator who may do everything. Nothing goes on record here: `admin_seed` is the door."""
        return self.create_user(email, password, role=Role.ADMIN, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=normalised_email(username or ""))


def normalised_email(email: str) -> str:
    """Emails compare without case here: two accounts that differ by case alone would be one person's two wallets."""
    return email.strip().lower()


class User(AbstractBaseUser, PermissionsMixin):
    """Signs in by email. `is_creator` is set when the first item is created (a verified email is needed for that)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    email = models.EmailField(max_length=254, unique=True)
    first_name = models.CharField(max_length=100)
    last_name = models.CharField(max_length=100)
    role = models.CharField(max_length=10, choices=Role, default=Role.USER)
    is_creator = models.BooleanField(default=False)
    email_verified_at = models.DateTimeField(null=True, blank=True)
    phone = models.CharField(max_length=32, blank=True)
    country = models.CharField(max_length=2, blank=True, help_text="ISO 3166-1 alpha-2, such as NG.")
    bio = models.TextField(max_length=2000, blank=True)
    avatar_url = models.URLField(max_length=500, blank=True)
    # The platform's share of this creator's sales, where it differs from PLATFORM_FEE_BPS.
    platform_fee_bps = models.PositiveIntegerField(null=True, blank=True, help_text="Basis points: 1500 is 15 %.")
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False, help_text="May sign in to the admin.")
    created_at = models.DateTimeField(default=now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["first_name", "last_name"]

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="accounts_user_email_is_lower_case"),
            models.CheckConstraint(
                condition=models.Q(platform_fee_bps__isnull=True) | models.Q(platform_fee_bps__lte=10_000),
                name="accounts_user_platform_fee_at_most_all",
            ),
        )

    def __str__(self) -> str:
        return self.email

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip() or self.email

    @property
    def email_verified(self) -> bool:
        return self.email_verified_at is not None

    def check_password(self, raw_password: str | None) -> bool:
        """As Django's; a hash of an older cost is renewed only where nobody has changed the password meanwhile."""

        def renew(password: str | None) -> None:
            renewed = make_password(password)
            if User.objects.filter(pk=self.pk, password=self.password).update(password=renewed):
                self.password = renewed

        return check_password(raw_password, self.password, renew)

    def clean(self) -> None:
        """For forms: before the constraint on lower case is looked at."""
        super().clean()
        self.email = normalised_email(self.email)

    @property
    def name_for_mails(self) -> str:
        """The first name once the email is proved. Until then it may be a stranger's text, which we would mail for
        them to whoever the address belongs to."""
        return self.first_name if self.email_verified else ""

    def get_full_name(self) -> str:
        return self.full_name

    def get_short_name(self) -> str:
        return self.first_name or self.email


class Session(models.Model):
    """A sign-in on one device: a family of refresh tokens of which only the latest, `refresh_id`, is good.

        opened --refresh: the next token takes over--> opened
          |  |
          |  +--signed out--------------------------> ended (signed_out)
          +-----a token other than the latest comes--> ended (token_reused)
          +-----another password--------------------> ended (password_changed)
          +-----ended in the list of devices--------> ended (revoked)
          +-----the account is disabled-------------> ended (disabled)
          +-----a second factor was switched on,
          |     or reset by staff-------------------> ended (second_factor)
          +-----the account is deleted--------------> gone

    Tokens themselves are never stored: whoever reads this table can sign in as nobody.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    # What opened it or refreshed it last.
    user_agent = models.CharField(max_length=USER_AGENT_LENGTH, blank=True)
    ip = models.GenericIPAddressField(null=True, blank=True)
    refresh_id = models.CharField(max_length=32, help_text="The `jti` of the one refresh token that is still good.")
    created_at = models.DateTimeField(default=now, editable=False)
    refreshed_at = models.DateTimeField(default=now)
    expires_at = models.DateTimeField(help_text="When the latest refresh token expires.")
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=20, choices=SessionEnd, blank=True)

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(ended_at__isnull=True, end_reason="")
                | (models.Q(ended_at__isnull=False) & ~models.Q(end_reason="")),
                name="accounts_session_end_has_a_reason",
            ),
        )

    def __str__(self) -> str:
        return f"{self.user_id} since {self.created_at:%Y-%m-%d %H:%M}"


class SingleUseLink(models.Model):
    """A mailed link that is still good for something. Asking for another leaves it so.

    issued --it or another for the same purpose was used, the password was changed, or it expired--> deleted
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    purpose = models.CharField(max_length=20, choices=LinkPurpose)
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the token, which is not stored.")
    email = models.EmailField(max_length=254, help_text="Where it was mailed: good as long as that is the address.")
    expires_at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=("user", "purpose"), name="accounts_link_of_user"),)

    def __str__(self) -> str:
        return f"{self.purpose} for {self.user_id}"


class RecoveryRequest(models.Model):
    """Somebody asked for a link to this address, which need be nobody's; deleted when a job has looked at it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    email = models.EmailField(max_length=254, unique=True)
    created_at = models.DateTimeField(default=now, editable=False)

    def __str__(self) -> str:
        return self.email


class OneTimeCode(models.Model):
    """A mailed code for one subject (what exactly it confirms) of one person. Neither stands here in clear.

    issued --asked again: another code, the same tries--> issued
      |  +----right, and what it confirms commits-------> used
      +-------five wrong tries--------------------------> over for this subject
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    purpose = models.CharField(max_length=40)
    subject_digest = models.CharField(max_length=64, help_text="SHA-256 of what is confirmed.")
    code_digest = models.CharField(max_length=64, help_text="Keyed digest of the code, bound to all of the above.")
    tries = models.PositiveSmallIntegerField(default=0, help_text="Wrong ones, over all codes for this subject.")
    sent_at = models.DateTimeField(default=now)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("user", "purpose", "subject_digest"), name="accounts_code_one_per_subject"),
            models.CheckConstraint(condition=models.Q(tries__lte=5), name="accounts_code_at_most_five_tries"),
        )
        indexes = (models.Index(fields=("sent_at",), name="accounts_code_age"),)

    def __str__(self) -> str:
        return f"{self.purpose} for {self.user_id}"


class SecondFactor(models.Model):
    """The authenticator app of one person (TOTP, RFC 6238). The secret stands here sealed: whoever copies the table has
    no codes.

    begun --a code of it comes--> active --switched off, or reset by staff--> deleted
      |  +--begun again---------> deleted, and another one begun
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="+")
    secret = models.TextField(help_text="Sealed with FIELD_ENCRYPTION_KEY.")
    # Codes of this time step and of earlier ones open nothing any more.
    used_step = models.BigIntegerField(default=-1)
    created_at = models.DateTimeField(default=now, editable=False)
    confirmed_at = models.DateTimeField(null=True, blank=True, help_text="Since when it is active.")

    def __str__(self) -> str:
        return f"TOTP of {self.user_id}"


class SecondFactorTries(models.Model):
    """Wrong codes of one person since the last right one, from where they signed in before and from elsewhere apart.

        counted --five in a row--> paused --time is over, a right one--> none
                                    |  ^
                                    +--+ time is over, a wrong one: for twice as long

    Of the person and not of the authenticator: setting it up anew brings no try back.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    known = models.BooleanField(help_text="Tries from an address from which this person signed in.")
    wrong = models.PositiveIntegerField(default=0)
    paused_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("user", "known"), name="accounts_tries_one_per_user_and_known"),)

    def __str__(self) -> str:
        return f"{self.wrong} wrong codes of {self.user_id}"


class RecoveryCode(models.Model):
    """One of the codes that stand in for a lost authenticator; each opens once.

    made --used------------------------------> used
      |  +--a new set, or the factor is off--> deleted
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of person and code.")
    created_at = models.DateTimeField(default=now, editable=False)
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"recovery code of {self.user_id}"


class SignInChallenge(models.Model):
    """Somebody has shown the first factor of this person, and has a few minutes for the second.

    issued --a right code, another password, or the second factor changed--> deleted
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the challenge, which is not stored.")
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"challenge for {self.user_id}"


class GoogleCode(models.Model):
    """Stands for a person who has come back from Google until their client trades it for a session, within a minute.

    issued --used, expired, or every session of the person was ended--> deleted
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the code, which is not stored.")
    code_challenge = models.CharField(max_length=43, blank=True, help_text="RFC 7636, S256: of the client that began.")
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"for {self.user_id}"


class Erasure(models.Model):
    """An account that was deleted: its person is forgotten, the row that the ledger points to stays.

    erased --what providers still tell of the person's payments is forgotten too, for a week--> finished
    """

    user = models.OneToOneField(User, on_delete=models.PROTECT, primary_key=True, related_name="erasure")
    erased_at = models.DateTimeField(default=now, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (
            models.Index(
                fields=("erased_at",), condition=models.Q(finished_at__isnull=True), name="accounts_erasure_unfinished"
            ),
        )

    def __str__(self) -> str:
        return str(self.user_id)
