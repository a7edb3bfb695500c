"""Google's part of signing in: sending somebody there, and reading who comes back (OpenID Connect, code flow).

The protocol is django-allauth's: state in the browser's session, PKCE (S256), the token endpoint, the ID token's
issuer, audience and expiry. What it would do afterwards (accounts by its own rules, a Django session, pages) is not
used: nobody gets into the staff console through Google. The browser brings the state back in the session cookie, on a
page that Google opens, which needs SESSION_COOKIE_SAMESITE to be Lax.
"""

import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import structlog
from allauth.socialaccount.internal import jwtkit
from allauth.socialaccount.internal.statekit import STATE_TTL, STATES_SESSION_KEY
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.google.provider import GoogleProvider
from allauth.socialaccount.providers.google.views import GoogleOAuth2Adapter
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.validators import validate_email
from django.http import HttpRequest, HttpResponseBase
from django.utils.crypto import constant_time_compare
from requests import RequestException

from accounts.errors import GoogleCancelled, GoogleNotConfigured, GoogleRefused, GoogleStateInvalid, GoogleUnavailable
from accounts.models import normalised_email

logger = structlog.get_logger(__name__)

PROVIDER: Final = GoogleProvider.id
SCOPE: Final = ("openid", "email", "profile")
_LONGEST_SUBJECT: Final = 191  # the column's; Google's are 21 digits
_LONGEST_EMAIL: Final = 254
_LONGEST_NAME: Final = 100
_EXPIRY: Final = "_session_expiry"
# Line breaks would end a mail's header, NUL and half a surrogate pair fit no column.
_UNPRINTABLE: Final = {"Cc", "Cs", "Zl", "Zp"}


@dataclass(frozen=True, slots=True)
class GoogleIdentity:
    """Who Google says somebody is. `subject` is theirs for ever; the email may change hands."""

    subject: str
    email: str
    email_verified: bool
    first_name: str
    last_name: str


@dataclass(frozen=True, slots=True)
class GoogleReturn:
    """Somebody back from Google, and the challenge with which their client began ("" for none)."""

    identity: GoogleIdentity
    code_challenge: str


class _Adapter(GoogleOAuth2Adapter):
    """allauth's, with the addresses of the settings of now: it reads its own when it is imported."""

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request)
        self.authorize_url = settings.GOOGLE_AUTHORIZE_URL
        self.access_token_url = settings.GOOGLE_TOKEN_URL

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        return str(settings.GOOGLE_CALLBACK_URL)


class _Provider(GoogleProvider):
    oauth2_adapter_class = _Adapter


def google_redirect(request: HttpRequest, *, code_challenge: str) -> HttpResponseBase:
    """The way to Google. Nothing of the request's query goes along. Raises GoogleNotConfigured."""
    provider = _provider(request)
    if request.session.is_empty():
        request.session.set_expiry(STATE_TTL)  # whoever does not come back leaves nothing behind
    nonce = secrets.token_urlsafe(32)
    response: HttpResponseBase = provider.redirect(
        request,
        AuthProcess.LOGIN,
        data={"nonce": nonce, "code_challenge": code_challenge},
        scope=list(SCOPE),
        auth_params={"nonce": nonce, "prompt": "select_account"},
    )
    return response


def google_return(request: HttpRequest) -> GoogleReturn:
    """Who comes back, by the query of the callback. Asks Google: not in a transaction.

    Raises GoogleNotConfigured; GoogleStateInvalid for a way that did not begin in this browser within ten minutes, or
    has ended; GoogleCancelled; GoogleUnavailable; GoogleRefused for whatever else Google says, or does not say rightly.
    """
    provider = _provider(request)
    state = _state_of(request, provider)
    if request.GET.get("error") == "access_denied":
        raise GoogleCancelled
    claims = _claims(request, provider.app, state["pkce_code_verifier"])
    if not constant_time_compare(str(claims.get("nonce", "")), state["data"]["nonce"]):
        raise _refused("The ID token has another nonce.")
    return GoogleReturn(_identity(claims), state["data"]["code_challenge"])


def _provider(request: HttpRequest) -> _Provider:
    if not settings.GOOGLE_CLIENT_ID:
        raise GoogleNotConfigured
    app = SocialApp(
        provider=PROVIDER,
        client_id=settings.GOOGLE_CLIENT_ID,
        secret=settings.GOOGLE_CLIENT_SECRET,
        settings={"oauth_pkce_enabled": True},
    )
    return _Provider(request, app=app)


def _state_of(request: HttpRequest, provider: _Provider) -> dict[str, Any]:
    try:
        state: dict[str, Any] = provider.unstash_redirect_state(request, request.GET.get("state", ""))
    except PermissionDenied:
        raise GoogleStateInvalid from None
    session = request.session
    if not session.get(STATES_SESSION_KEY) and set(session.keys()) <= {STATES_SESSION_KEY, _EXPIRY}:
        session.flush()
    return state


def _claims(request: HttpRequest, app: SocialApp, code_verifier: str) -> Mapping[str, Any]:
    """The ID token's, which comes straight from Google over TLS, so that its signature need not be checked (OpenID
    Connect Core, 3.1.3.7, 6)."""
    code = request.GET.get("code")
    if not code:
        raise _refused(f"No code, but error {request.GET.get('error', '')[:100]!r}.")
    try:
        answer = _Adapter(request).get_client(request, app).get_access_token(code, pkce_code_verifier=code_verifier)
        claims: Mapping[str, Any] = jwtkit.verify_and_decode(
            credential=answer["id_token"],
            keys_url=None,
            issuer=settings.GOOGLE_ISSUER,
            audience=app.client_id,
            lookup_kid=None,
            verify_signature=False,
        )
    except RequestException as error:
        logger.warning("google_unavailable", reason=type(error).__name__)
        raise GoogleUnavailable from None
    except (OAuth2Error, LookupError, TypeError) as error:  # the last two: an answer of another shape
        raise _refused(f"{type(error).__name__}: {str(error)[:200]}") from None
    # allauth checks an expiry that is there; and a token for several parties is for the one that asked (3.1.3.7, 5).
    if "exp" not in claims or claims.get("azp", app.client_id) != app.client_id:
        raise _refused("The ID token has no expiry, or is for another party.")
    return claims


def _identity(claims: Mapping[str, Any]) -> GoogleIdentity:
    subject, email = claims.get("sub"), normalised_email(_text(claims.get("email")))
    if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT or not subject.isascii():
        raise _refused("The ID token names nobody.")
    if not subject.isprintable() or len(email) > _LONGEST_EMAIL or not email.isascii():
        raise _refused("The ID token's subject or email does not fit.")
    try:
        validate_email(email)
    except ValidationError:
        raise _refused("The ID token's email is none.") from None
    first_name = _text(claims.get("given_name")) or _text(claims.get("name")) or email.partition("@")[0]
    return GoogleIdentity(
        subject=subject,
        email=email,
        email_verified=claims.get("email_verified") is True,
        first_name=first_name[:_LONGEST_NAME],
        last_name=_text(claims.get("family_name"))[:_LONGEST_NAME],
    )


def _text(value: object) -> str:
    """One line, as what people type is one line everywhere else."""
    if not isinstance(value, str):
        return ""
    plain = "".join(" " if unicodedata.category(character) in _UNPRINTABLE else character for character in value)
    return " ".join(plain.split())


def _refused(reason: str) -> GoogleRefused:
    """The log has the reason; whoever signs in can do nothing with it."""
    logger.warning("google_refused", reason=reason)
    return GoogleRefused()
