"""What the accounts app refuses, and what the person can do next."""

from collections.abc import Sequence
from datetime import datetime

from learning247.kit.errors import Conflict, DomainError, Forbidden, Malformed, NotFound, Unavailable, Unprocessable
from learning247.records.personal_tables import Obstacle


class Unauthenticated(DomainError):
    """401: who is asking is not known (any more)."""

    status = 401
    code = "not_authenticated"
    detail = "Sign in first."


class InvalidCredentials(Unauthenticated):
    """The same for an unknown email, a wrong password and a disabled account: it does not say who has an account."""

    code = "invalid_credentials"
    detail = "This email and password do not match an account."


class TokenNotValid(Unauthenticated):
    code = "token_not_valid"
    detail = "This token is malformed, expired, or its session has ended. Sign in again."


class TokenReused(Unauthenticated):
    """A rotated refresh token came back: either its owner or a thief holds a stale copy, so the session is over."""

    code = "token_reused"
    detail = "This token was used before, so the session was ended to be safe. Sign in again."


class SessionNotFound(NotFound):
    code = "session_not_found"
    detail = "You have no such session: it has ended, or was never yours. GET /auth/sessions lists those that run."


class EmailTaken(Malformed):
    code = "email_taken"
    detail = "There is already an account with this email. Sign in instead."


class PasswordTooWeak(Malformed):
    code = "password_too_weak"


class PasswordIncorrect(Malformed):
    code = "password_incorrect"
    detail = "This is not your current password. If you have forgotten it: POST /auth/forgot-password."


class FreshSignInRequired(Forbidden):
    """For who has no password that could be asked for again."""

    code = "fresh_sign_in_required"
    detail = "To be sure that it is you: sign in again, then repeat this within 15 minutes."


class StaffNotErasable(Conflict):
    code = "staff_account"
    detail = "Accounts of staff cannot be deleted. Have an administrator take your rights away first."


class AccountNotSettled(Conflict):
    """`obstacles` is all that is in the way, each with what to do about it."""

    code = "account_not_settled"

    def __init__(self, obstacles: Sequence[Obstacle]) -> None:
        named = [{"code": obstacle.code, "detail": obstacle.detail} for obstacle in obstacles]
        super().__init__(
            "Your account cannot be deleted yet. " + " ".join(obstacle.detail for obstacle in obstacles),
            extra={"obstacles": named},
        )


class ErasureTokenInvalid(Malformed):
    """The same for a link that never was, was used, was replaced, or has expired: it tells nobody which."""

    code = "erasure_token_invalid"
    detail = "This link is not good any more: it works once, for 15 minutes. Ask again: POST /auth/me/delete."


class ResetTokenInvalid(Malformed):
    """The same for a link that never was, was used, was replaced, or has expired: it tells nobody which."""

    code = "reset_token_invalid"
    detail = "This link is not good any more: it works once, for 15 minutes. Ask again: POST /auth/forgot-password."


class VerificationTokenInvalid(Malformed):
    code = "verification_token_invalid"
    detail = "This link is not valid. Sign in and ask for a new mail: POST /auth/verify-email/resend."


class VerificationTokenExpired(Malformed):
    code = "verification_token_expired"
    detail = (
        "This link has expired: it is good for three days. "
        "Sign in and ask for a new mail: POST /auth/verify-email/resend."
    )


class EmailNotVerified(Forbidden):
    code = "email_not_verified"
    detail = "Verify your email first: open the mailed link, or ask for a new one: POST /auth/verify-email/resend."


class EmailAlreadyVerified(Conflict):
    code = "email_already_verified"
    detail = "Your email is verified already; there is nothing left to do."


class CodeInvalid(Unprocessable):
    """`tries_left` None: nothing was counted, as there is no code for this subject, or it was a recovery code."""

    code = "code_invalid"
    detail = "This code is not right, or not any more. Look at the newest mail, or ask for another code."

    def __init__(self, detail: str | None = None, *, tries_left: int | None = None) -> None:
        self.tries_left = tries_left
        super().__init__(detail, attr="code", extra=None if tries_left is None else {"attempts_left": tries_left})


class CodeTriesUsedUp(Unprocessable):
    code = "code_attempts_used_up"
    detail = "Too many wrong codes. Nothing was done; begin anew."


class CodeUsed(Conflict):
    code = "code_used"
    detail = "This was confirmed already."


class CodeTooSoon(DomainError):
    status = 429
    code = "code_too_soon"
    detail = "A code was mailed less than a minute ago. Look for it, or ask again shortly."


class SecondFactorRequired(Unauthenticated):
    """The first factor was right, and this person has a second one. Said to nobody else."""

    code = "second_factor_required"
    detail = "Enter a code of your authenticator app, or a recovery code: POST /auth/login/second-factor."

    def __init__(self, *, challenge: str, expires_at: datetime, methods: Sequence[str]) -> None:
        super().__init__(extra={"challenge": challenge, "expires_at": expires_at, "methods": list(methods)})


class ChallengeInvalid(Unauthenticated):
    code = "challenge_invalid"
    detail = "This sign-in took too long, or was completed already. Sign in again."


class SecondFactorCodeInvalid(CodeInvalid):
    detail = (
        "This code is not right, or not any more. Look at your authenticator app, and whether its clock is right; "
        "a recovery code works once."
    )


class SignInCodeInvalid(SecondFactorCodeInvalid):
    """401: who is asking is still not known."""

    status = 401


class SecondFactorCodeUsed(Conflict):
    code = "code_used"
    detail = "This code, or a later one, was used already. Wait for the next: there is another one every 30 seconds."


class SecondFactorPaused(DomainError):
    status = 429
    code = "second_factor_paused"
    detail = (
        "Too many wrong codes. Wait; a recovery code signs you in meanwhile. If it was not you, change your password."
    )


class SecondFactorCodeMissing(Unauthenticated):
    """In the console, whose form has a field for it."""

    code = "second_factor_required"
    detail = "Enter your password again, and with it a code of your authenticator app or a recovery code."


class SecondFactorSetupRequired(Forbidden):
    """For staff, where STAFF_SECOND_FACTOR_REQUIRED says so."""

    code = "second_factor_setup_required"
    detail = "Staff need a second factor. Sign in at the API and set it up: POST /auth/second-factor/totp."


class SecondFactorOwn(Forbidden):
    code = "second_factor_own"
    detail = "Your own second factor is switched off by a code: DELETE /auth/second-factor/totp."


class SecondFactorActive(Conflict):
    code = "second_factor_active"
    detail = "Your second factor is on already. To use another app, switch it off first."


class SecondFactorNotActive(Conflict):
    code = "second_factor_not_active"
    detail = "Your second factor is not on. Set it up: POST /auth/second-factor/totp."


class SecondFactorNotBegun(Conflict):
    code = "second_factor_not_begun"
    detail = "There is nothing to confirm, or it was begun too long ago. Begin: POST /auth/second-factor/totp."


class GoogleNotConfigured(NotFound):
    code = "google_not_configured"
    detail = "Signing in with Google is not offered here. Sign in by password: POST /auth/login."


class GoogleStateInvalid(Malformed):
    """Begun in another browser, more than ten minutes ago, ended already, or never: nobody is signed in by a link."""

    code = "google_state_invalid"
    detail = "This sign-in was not begun in this browser, or is over. Begin again: GET /auth/google."


class GoogleCancelled(Malformed):
    code = "google_cancelled"
    detail = "You cancelled at Google. Nothing has changed. Begin again: GET /auth/google, or sign in by password."


class GoogleRefused(Malformed):
    code = "google_refused"
    detail = "Google did not confirm who you are. Begin again: GET /auth/google."


class GoogleUnavailable(Unavailable):
    code = "google_unavailable"
    detail = "Google does not answer right now. Try again shortly, or sign in by password."


class GoogleEmailNotVerified(Forbidden):
    code = "google_email_not_verified"
    detail = "Google has not verified this email. Verify it there, or sign up by password: POST /auth/register."


class GoogleEmailUnproven(Conflict):
    """There is an account with this email, made by password, whose owner nobody knows yet."""

    code = "google_email_unproven"
    detail = (
        "There is an account with this email that nobody has verified. Set a new password: POST /auth/forgot-password. "
        "Its mailed link proves the email is yours, and Google works from then on."
    )


class GoogleAccountDiffers(Conflict):
    code = "google_account_differs"
    detail = "The account with this email signs in with another Google account. Choose that one, or use the password."


class AccountDisabled(Forbidden):
    """Only for whoever has proved to be its owner."""

    code = "account_disabled"
    detail = "This account is disabled. Write to support."


class GoogleCodeInvalid(Unauthenticated):
    """The same for a code that never was, was used, has expired, or was asked for by another client."""

    code = "google_code_invalid"
    detail = "This code is not good any more: it works once, for a minute, where it was asked for. Begin again."


class AdminEmailTaken(Conflict):
    code = "admin_email_taken"
    detail = (
        "There is an account with this email that is no administrator's, and nothing was changed. Making it one "
        "replaces its password and ends its sessions."
    )
