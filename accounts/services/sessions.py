"""Signing in, staying signed in, signing out."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import authenticate
from django.db import transaction

from accounts.devices import UNKNOWN, Device
from accounts.enums import SecondFactorMethod, SessionEnd
from accounts.errors import (
    ChallengeInvalid,
    GoogleCodeInvalid,
    InvalidCredentials,
    SecondFactorCodeInvalid,
    SecondFactorRequired,
    SessionNotFound,
    SignInCodeInvalid,
    TokenNotValid,
    TokenReused,
)
from accounts.hashers import hashing_for
from accounts.locks import session_lock, user_lock
from accounts.models import Session, User, normalised_email
from accounts.selectors import recovery_codes_left, second_factor_active, sign_in_is_known
from accounts.services.google_codes import google_code_revoke_all, google_code_use
from accounts.services.second_factors import second_factor_try
from accounts.services.sign_in_challenges import challenge_find, challenge_issue, challenge_use
from accounts.services.sign_in_records import API, sign_in_record, sign_in_refusal_record, sign_out_record
from accounts.services.users import user_insert, user_prepare
from accounts.services.verification import verification_mail_queue
from accounts.tokens import RefreshClaims, issue_tokens
from learning247.kit.clock import now
from learning247.kit.ids import new_id
from learning247.kit.transactions import require_transaction
from learning247.records.services.audit import audit_record
from learning247.records.services.mail import mail_queue


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person and the pair of tokens that speaks for them."""

    user: User
    session_id: UUID
    access: str
    refresh: str


def session_open(user: User, *, device: Device = UNKNOWN) -> SignedIn:
    """Begin a session of `user`, whose identity the caller has established."""
    session_id = new_id()
    tokens = issue_tokens(user=user, session_id=session_id)
    Session.objects.create(
        id=session_id,
        user=user,
        refresh_id=tokens.refresh_id,
        expires_at=tokens.expires_at,
        user_agent=device.user_agent,
        ip=device.ip,
    )
    return SignedIn(user, session_id, tokens.access, tokens.refresh)


def session_open_for_newcomer(
    *, email: str, password: str, first_name: str, last_name: str, device: Device = UNKNOWN
) -> SignedIn:
    """Register, mail the link that verifies the email, and sign in: all or nothing.

    Raises EmailTaken, PasswordTooWeak, PasswordsBusy.
    """
    with hashing_for(device.network, known=False):
        user = user_prepare(email=email, password=password, first_name=first_name, last_name=last_name)
    with transaction.atomic(durable=True):
        user_insert(user)
        verification_mail_queue(user)
        return _opened(user, device, signed_up=True)


def session_open_with_password(*, email: str, password: str, device: Device = UNKNOWN) -> SignedIn:
    """Sign in by email and password.

    Raises InvalidCredentials for a wrong password, an unknown email and a disabled account alike; Django's backend
    runs the hasher in each case, so the time taken does not tell them apart either. SecondFactorRequired with a
    challenge where the password was right and is not enough. PasswordsBusy where too many sign in; from where somebody
    signed in before, that takes many more of those who are known too.
    """
    known = sign_in_is_known(email=email, network=device.network)
    with hashing_for(normalised_email(email) if known else device.network, known=known):
        user = authenticate(username=email, password=password)
    if user is None:
        sign_in_refusal_record(email=email, device=device, door=API)
        raise InvalidCredentials
    assert isinstance(user, User)
    with transaction.atomic(durable=True):
        # The hasher takes its time. Whoever changes the password meanwhile ends the sessions that there are then: one
        # opened by the old password afterwards would outlive it.
        current = user_lock(user.id)
        if current.password != user.password or not current.is_active:
            raise InvalidCredentials
        shown = session_open_or_challenge(current, device=device)
    return signed_in_or_raise(shown)


def session_open_or_challenge(user: User, *, device: Device, **details: Any) -> SignedIn | SecondFactorRequired:
    """What the first factor, whichever it was, gets `user`: a session, or the question for the second factor.

    In the caller's transaction, which holds `user_lock` and has looked under it at whatever the first factor was; the
    caller raises the question (`signed_in_or_raise`) when that has committed. `details` (plain data) go on record.
    """
    require_transaction("A session is opened in the transaction that has looked at the first factor.")
    if second_factor_active(user) is None:
        return _opened(user, device, **details)
    challenge, expires_at = challenge_issue(user=user)
    methods = [SecondFactorMethod.TOTP.value]
    if recovery_codes_left(user):
        methods.append(SecondFactorMethod.RECOVERY_CODE.value)
    return SecondFactorRequired(challenge=challenge, expires_at=expires_at, methods=methods)


def signed_in_or_raise(shown: SignedIn | SecondFactorRequired) -> SignedIn:
    """After the transaction: raises SecondFactorRequired where that is the answer."""
    if isinstance(shown, SecondFactorRequired):
        raise shown
    return shown


def session_open_with_second_factor(*, challenge: str, code: str, device: Device = UNKNOWN) -> SignedIn:
    """Finish a sign-in whose first factor was shown, by a code of the app or a recovery code.

    Raises ChallengeInvalid (expired, used, or the password was replaced meanwhile), SignInCodeInvalid with the tries
    that are left, SecondFactorCodeUsed, SecondFactorPaused.
    """
    found = challenge_find(challenge)
    if found is None:
        raise ChallengeInvalid
    with transaction.atomic(durable=True):
        user = user_lock(found.user_id)
        # Again, now that nobody else signs this person in: it may have been used or taken back since.
        found = challenge_find(challenge)
        if found is None:
            raise ChallengeInvalid
        verdict = second_factor_try(user=user, code=code, device=device)
        if verdict.refusal is None:
            challenge_use(found)
            return _opened(user, device, second_factor=verdict.method)
    # Only now, so that the try is committed.
    if isinstance(verdict.refusal, SecondFactorCodeInvalid):
        raise SignInCodeInvalid(tries_left=verdict.refusal.tries_left)
    raise verdict.refusal


def session_open_with_google(*, code: str, code_verifier: str = "", device: Device = UNKNOWN) -> SignedIn:
    """Sign in by the one-time code with which somebody came back from Google; of many at once, one succeeds.

    A code is gone once it was shown, also with a wrong verifier. Raises GoogleCodeInvalid; SecondFactorRequired where
    the person has a second factor, which Google does not stand in for.
    """
    shown: SignedIn | SecondFactorRequired | None = None
    with transaction.atomic(durable=True):
        user_id = google_code_use(code=code, code_verifier=code_verifier)
        user = user_lock(user_id) if user_id else None
        if user is not None and user.is_active:
            shown = session_open_or_challenge(user, device=device, by="google")
    # Only now, so that the code is gone whatever becomes of the refusal.
    if shown is None:
        raise GoogleCodeInvalid(attr="code")
    return signed_in_or_raise(shown)


def session_refresh(*, refresh: str, device: Device = UNKNOWN) -> SignedIn:
    """Trade the session's latest refresh token for a new pair; the one handed in is worth nothing afterwards.

    A token that was traded before ends the session for everybody who holds a part of it: there is no telling the
    owner from a thief (RFC 9700, 4.14.2). The owner is told by mail, once. Raises TokenNotValid, TokenReused.
    """
    claims = RefreshClaims.read(refresh)
    with transaction.atomic(durable=True):
        session = session_lock(claims.session_id)
        reused = session is not None and session.refresh_id != claims.refresh_id
        if session is not None and reused:
            if _end(session, SessionEnd.TOKEN_REUSED):
                _reuse_mail_queue(session, device)
                _record(session, "session.token_reused", actor=None, device=device)
        elif session is not None and session.ended_at is None and session.user.is_active:
            return _rotate(session, device)
    # Only now, so that the end of the session is committed whatever becomes of the refusal.
    if reused:
        raise TokenReused
    raise TokenNotValid


def session_close(*, refresh: str, device: Device = UNKNOWN) -> None:
    """Sign out. Any refresh token of the session will do, and twice is as good as once. Raises TokenNotValid."""
    claims = RefreshClaims.read(refresh)
    with transaction.atomic(durable=True):
        session = session_lock(claims.session_id)
        if session is not None and _end(session, SessionEnd.SIGNED_OUT):
            sign_out_record(user=session.user, device=device, door=API, session=session.id)


def session_revoke(*, user: User, session_id: UUID, device: Device = UNKNOWN) -> None:
    """End a running session of `user`, such as the one on a lost phone. Raises SessionNotFound."""
    with transaction.atomic(durable=True):
        session = session_lock(session_id)
        if session is None or session.user_id != user.id or not _end(session, SessionEnd.REVOKED):
            raise SessionNotFound
        _record(session, "session.revoked", actor=user, device=device)


def session_end_all(*, user: User, reason: SessionEnd) -> int:
    """End every running session of `user`, on all devices, and what was about to become one; how many there were."""
    google_code_revoke_all(user=user)
    return Session.objects.filter(user=user, ended_at=None).update(ended_at=now(), end_reason=reason)


def _opened(user: User, device: Device, **details: Any) -> SignedIn:
    """A session that goes on record, because its owner asked for it at a door."""
    signed_in = session_open(user, device=device)
    sign_in_record(user=user, device=device, door=API, session=signed_in.session_id, **details)
    return signed_in


def _record(session: Session, action: str, *, actor: User | None, device: Device) -> None:
    audit_record(
        actor=actor,
        action=action,
        subject_kind="session",
        subject_id=session.id,
        after={"user": session.user_id, "ip": device.ip, "user_agent": device.user_agent},
    )


def _rotate(session: Session, device: Device) -> SignedIn:
    tokens = issue_tokens(user=session.user, session_id=session.id)
    session.refresh_id = tokens.refresh_id
    session.refreshed_at = now()
    session.expires_at = tokens.expires_at
    session.user_agent = device.user_agent
    session.ip = device.ip
    session.save(update_fields=["refresh_id", "refreshed_at", "expires_at", "user_agent", "ip"])
    return SignedIn(session.user, session.id, tokens.access, tokens.refresh)


def _end(session: Session, reason: SessionEnd) -> bool:
    """Whether it was still running."""
    if session.ended_at is not None:
        return False
    session.ended_at = now()
    session.end_reason = reason
    session.save(update_fields=["ended_at", "end_reason"])
    return True


def _reuse_mail_queue(session: Session, device: Device) -> None:
    mail_queue(
        key=f"session-reused:{session.id}",
        to=session.user.email,
        template="session_reused",
        context={
            "first_name": session.user.name_for_mails,
            "session": session,
            "device": device,
            "when": now(),
            "url": settings.FRONTEND_URL,
        },
    )
