"""Shapes of the accounts API."""

import unicodedata
from typing import Any

from django.core.validators import RegexValidator, URLValidator
from rest_framework import serializers

from accounts.countries import COUNTRY_CODES
from accounts.models import Session, User, normalised_email

# Longer than any password manager makes; bcrypt_sha256 uses all of it, and the hasher never sees megabytes.
PASSWORD_MAX_LENGTH = 256
_INVISIBLE = {"Cc", "Zl", "Zp"}  # control characters, line and paragraph separators
# What turns the direction of the text that follows, and can make a name read as something else (Unicode TR36, 2.8).
_TURNING = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class TextField(serializers.CharField):
    """A JSON string; DRF's own field would turn a number into text."""

    default_error_messages = {"not_one_line": "Leave out line breaks and control characters."}

    def __init__(self, *, one_line: bool = True, **kwargs: Any) -> None:
        self.one_line = one_line
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        text = super().to_internal_value(data)
        # A name goes into mail headers and subjects.
        if self.one_line and any(
            unicodedata.category(character) in _INVISIBLE or character in _TURNING for character in text
        ):
            self.fail("not_one_line")
        return str(text)


class EmailAddressField(serializers.EmailField):
    """An address in lower case. ASCII alone, so that Python and PostgreSQL agree on what lower case is."""

    default_error_messages = {"not_ascii": "Write the address in ASCII; an international domain as xn--…"}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=254, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        address = normalised_email(super().to_internal_value(data))
        if not address.isascii():
            self.fail("not_ascii")
        return address


class PasswordField(TextField):
    """Taken as typed: spaces at its ends belong to it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            one_line=False,
            max_length=PASSWORD_MAX_LENGTH,
            trim_whitespace=False,
            write_only=True,
            style={"input_type": "password"},
            **kwargs,
        )


class UserSerializer(serializers.ModelSerializer[User]):
    """A person as they see themselves."""

    email_verified = serializers.BooleanField(read_only=True)

    class Meta:
        model = User
        fields = (
            "id",
            "email",
            "first_name",
            "last_name",
            "role",
            "is_creator",
            "email_verified",
            "phone",
            "country",
            "bio",
            "avatar_url",
            "created_at",
        )
        read_only_fields = fields

    def to_representation(self, user: User) -> dict[str, Any]:
        """As the fields would, without building a dozen of them for every answer; the renderer does the rest."""
        return {name: getattr(user, name) for name in self.Meta.fields}


class ProfileSerializer(serializers.Serializer[User]):
    """What people may change about themselves. Any other field in the request changes nothing."""

    first_name = TextField(required=False, max_length=100)
    last_name = TextField(required=False, max_length=100)
    phone = TextField(
        required=False,
        allow_blank=True,
        max_length=32,
        validators=[
            RegexValidator(r"^\+?[0-9][0-9 ()./-]{4,30}\Z", "Write digits, such as +234 801 234 5678."),
        ],
    )
    country = serializers.ChoiceField(
        choices=COUNTRY_CODES, required=False, allow_blank=True, help_text="ISO 3166-1 alpha-2, such as NG."
    )
    bio = TextField(required=False, allow_blank=True, max_length=2000, one_line=False)
    avatar_url = TextField(
        required=False,
        allow_blank=True,
        max_length=500,
        validators=[URLValidator(schemes=["https"], message="Give an https:// address.")],
        help_text="An https:// address.",
    )


class RegistrationSerializer(serializers.Serializer[Any]):
    email = EmailAddressField()
    password = PasswordField(help_text="At least 10 characters, not a common word, not only digits.")
    first_name = TextField(max_length=100)
    last_name = TextField(max_length=100)


class CredentialsSerializer(serializers.Serializer[Any]):
    email = EmailAddressField()
    password = PasswordField()


class GoogleBeginningSerializer(serializers.Serializer[Any]):
    code_challenge = serializers.RegexField(
        r"^[A-Za-z0-9_-]{43}\Z",
        required=False,
        help_text="BASE64URL(SHA256(verifier)) without padding (RFC 7636, S256).",
    )


class GoogleCodeSerializer(serializers.Serializer[Any]):
    code = TextField(max_length=128, help_text="What follows `#code=` in the address.")
    code_verifier = TextField(
        required=False,
        max_length=128,
        help_text="Where the way began with a `code_challenge`, and only there: what it was made of.",
    )


class PasswordChangeSerializer(serializers.Serializer[Any]):
    current_password = PasswordField()
    new_password = PasswordField(help_text="At least 10 characters, not a common word, not only digits.")


class IdentitySerializer(serializers.Serializer[Any]):
    password = PasswordField(
        required=False, allow_blank=True, default="", help_text="One's own, again. Left out by who has none."
    )


class KeptSerializer(serializers.Serializer[Any]):
    what = serializers.CharField(read_only=True, help_text="The section of the export that it stands in.")
    why = serializers.CharField(read_only=True)


class ErasureRequestedSerializer(serializers.Serializer[Any]):
    detail = serializers.CharField(read_only=True)
    kept = KeptSerializer(many=True, read_only=True, help_text="What stays when the account is deleted.")


class ErasureSerializer(serializers.Serializer[Any]):
    token = TextField(max_length=1024, help_text="What follows `#token=` in the mailed link.")


class RecoverySerializer(serializers.Serializer[Any]):
    email = EmailAddressField()


class RecoveryRequestedSerializer(serializers.Serializer[Any]):
    detail = serializers.CharField(read_only=True)


class PasswordResetSerializer(serializers.Serializer[Any]):
    token = TextField(max_length=1024, help_text="What follows `#token=` in the mailed link.")
    password = PasswordField(help_text="At least 10 characters, not a common word, not only digits.")


class PasswordResetDoneSerializer(serializers.Serializer[Any]):
    email = serializers.EmailField(read_only=True, help_text="To sign in with.")


class RefreshSerializer(serializers.Serializer[Any]):
    """Without `refresh` the cookie counts."""

    refresh = TextField(required=False, max_length=4096, help_text="Left out: the refresh cookie is used.")


class TokensSerializer(serializers.Serializer[Any]):
    access = serializers.CharField(read_only=True, help_text="For `Authorization: Bearer …`; minutes.")
    refresh = serializers.CharField(read_only=True, help_text="Good for one refresh; days. Also set as a cookie.")


class SignedInSerializer(TokensSerializer):
    user = UserSerializer(read_only=True)


class SessionSerializer(serializers.ModelSerializer[Session]):
    """A device that is signed in. `current` in the context: the session that asks."""

    current = serializers.SerializerMethodField(help_text="Whether this is the session that asks.")

    class Meta:
        model = Session
        fields = ("id", "created_at", "refreshed_at", "expires_at", "user_agent", "ip", "current")
        read_only_fields = fields
        extra_kwargs = {
            "user_agent": {"help_text": "What the client calls itself, at most 200 characters."},
            "ip": {"help_text": "From where it was opened or refreshed last."},
        }

    def get_current(self, session: Session) -> bool:
        return bool(session.id == self.context["current"])


class EmailVerificationSerializer(serializers.Serializer[Any]):
    token = TextField(max_length=1024, help_text="What follows `#token=` in the mailed link.")


class EmailVerifiedSerializer(serializers.Serializer[Any]):
    email_verified = serializers.BooleanField(read_only=True)


class CodeField(TextField):
    """Longer than any code is, with its spaces and dashes."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=64, write_only=True, **kwargs)


class SecondFactorSignInSerializer(serializers.Serializer[Any]):
    challenge = TextField(max_length=100, write_only=True, help_text="From `extra` of `second_factor_required`.")
    code = CodeField(help_text="Six digits of the authenticator app, or a recovery code.")


class SecondFactorSerializer(serializers.Serializer[Any]):
    enabled = serializers.BooleanField(read_only=True)
    enabled_at = serializers.DateTimeField(read_only=True, allow_null=True)
    recovery_codes_left = serializers.IntegerField(read_only=True)


class TotpSetupSerializer(serializers.Serializer[Any]):
    uri = serializers.CharField(read_only=True, help_text="`otpauth://totp/…`: show it as a QR code.")
    secret = serializers.CharField(read_only=True, help_text="The same in base32, to type into an app.")


class TotpCodeSerializer(serializers.Serializer[Any]):
    code = CodeField(help_text="Six digits of the authenticator app.")


class TotpDisableSerializer(IdentitySerializer):
    code = CodeField(help_text="Six digits of the authenticator app, or a recovery code.")


class RecoveryCodesSerializer(serializers.Serializer[Any]):
    recovery_codes = serializers.ListField(
        child=serializers.CharField(), read_only=True, help_text="Ten, each good once. They are not shown again."
    )
