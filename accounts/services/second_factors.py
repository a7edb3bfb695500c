"""An authenticator app as second factor: for signing in, and for money.

Six digits can be guessed, so wrong ones are counted in the database, with the person: after MAX_TRIES in a row they are
not looked at for a while, which doubles with each further one. Whoever guesses has shown the first factor before. They
cannot keep the owner out: tries from where the owner has signed in are counted apart from all others, the wait ends by
itself, a recovery code opens meanwhile, and another password takes the guesser's first factor away.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts.devices import UNKNOWN, Device
from accounts.enums import SecondFactorMethod, SessionEnd
from accounts.errors import (
    EmailNotVerified,
    PasswordIncorrect,
    SecondFactorActive,
    SecondFactorCodeInvalid,
    SecondFactorCodeUsed,
    SecondFactorNotActive,
    SecondFactorNotBegun,
    SecondFactorOwn,
    SecondFactorPaused,
)
from accounts.locks import second_factor_lock, user_lock
from accounts.models import SecondFactor, SecondFactorTries, Session, User
from accounts.selectors import network_is_known, recovery_codes_left, second_factor_active, second_factor_state
from accounts.services.identity import identity_confirm
from accounts.services.recovery_codes import recovery_code_use, recovery_codes_renew, recovery_codes_revoke
from accounts.services.sign_in_challenges import challenge_revoke_all
from accounts.services.sign_in_records import API, second_factor_refusal_record
from accounts.totp import DIGITS, totp_secret, totp_steps_of, totp_uri
from learning247.kit.clock import now
from learning247.kit.encryption import decrypt, encrypt
from learning247.kit.errors import DomainError
from learning247.kit.ids import new_id
from learning247.kit.transactions import require_transaction
from learning247.records.reasons import required_reason
from learning247.records.services.audit import audit_record
from learning247.records.services.mail import mail_queue

PURPOSE = "totp-secret"
# For how long what was begun can be confirmed: the secret was on a screen.
SETUP_LIFETIME = timedelta(hours=1)
MAX_TRIES = 5
FIRST_PAUSE = timedelta(minutes=15)
# Three codes in a million are right at a time. At one guess a day, even odds take six centuries; at one an hour, a
# generation, and that is only for who shares an address with the owner.
LONGEST_PAUSE = {True: timedelta(hours=1), False: timedelta(days=1)}


@dataclass(frozen=True, slots=True)
class TotpSetup:
    """What an authenticator app needs: `uri` as a QR code, or `secret` to type in (base32)."""

    secret: str
    uri: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """On a code that was tried. `method` says by what it was right; else `refusal` is to be raised, but only when the
    transaction that counted the try has committed."""

    method: SecondFactorMethod | None = None
    refusal: DomainError | None = None


def second_factor_begin(*, user: User, password: str, session_id: UUID | None) -> TotpSetup:
    """A secret for an authenticator app. Nothing is asked for at sign-in until a code of it has come.

    Beginning again gives another secret, and the one before is worth nothing. Whoever signed up with somebody else's
    email must not be able to shut its owner out for good, so the email has to be verified. Who has no password has
    signed in lately. Raises PasswordIncorrect, FreshSignInRequired, EmailNotVerified, SecondFactorActive.
    """
    identity_confirm(user=user, password=password, session_id=session_id)
    with transaction.atomic(durable=True):
        return second_factor_begun(user=user)[1]


def second_factor_begun(*, user: User) -> tuple[UUID, TotpSetup]:
    """The same for who has shown the password a moment ago, in the caller's transaction, which it asserts; and the id
    of what was begun, by which `second_factor_setup` finds it."""
    require_transaction("What is begun replaces what was begun before, or nothing does.")
    secret = totp_secret()
    locked = user_lock(user.id)
    if locked.password != user.password:  # it was changed while the hasher ran
        raise PasswordIncorrect(attr="password")
    if not locked.email_verified:
        raise EmailNotVerified
    factor = second_factor_lock(user.id)
    if factor is not None:
        if factor.confirmed_at is not None:
            raise SecondFactorActive
        factor.delete()
    begun = SecondFactor.objects.create(user=locked, secret=encrypt(secret, purpose=PURPOSE))
    return begun.id, TotpSetup(secret, totp_uri(secret=secret, account=locked.email))


def second_factor_setup(*, user: User, factor_id: UUID | str) -> TotpSetup:
    """What was begun under that id, to be shown again while it can be confirmed. Raises SecondFactorNotBegun."""
    begun = SecondFactor.objects.filter(
        id=factor_id, user=user, confirmed_at=None, created_at__gte=now() - SETUP_LIFETIME
    ).first()
    if begun is None:
        raise SecondFactorNotBegun
    secret = decrypt(begun.secret, purpose=PURPOSE)
    return TotpSetup(secret, totp_uri(secret=secret, account=user.email))


def second_factor_confirm(
    *, user: User, session_id: UUID | None, code: str, device: Device = UNKNOWN, door: str = API
) -> list[str]:
    """Switch it on by a first code; the recovery codes, to be shown this once.

    Every session but the one that asks (None: it is none of ours) ends, as does every sign-in that is under way by the
    first factor alone: they were opened without it. Raises SecondFactorNotBegun, SecondFactorActive,
    SecondFactorCodeInvalid, SecondFactorPaused.
    """
    with transaction.atomic(durable=True):
        locked = user_lock(user.id)
        factor = second_factor_lock(user.id)
        if factor is None or (factor.confirmed_at is None and factor.created_at < now() - SETUP_LIFETIME):
            raise SecondFactorNotBegun
        if factor.confirmed_at is not None:
            raise SecondFactorActive
        verdict = _try_totp(factor, code, device=device, door=door)
        if verdict.refusal is None:
            factor.confirmed_at = now()
            factor.save(update_fields=["confirmed_at"])
            codes = recovery_codes_renew(user=locked)
            others = Session.objects.filter(user=locked, ended_at=None)
            if session_id is not None:
                others = others.exclude(id=session_id)
            ended = others.update(ended_at=now(), end_reason=SessionEnd.SECOND_FACTOR)
            challenge_revoke_all(user=locked)
            _mail(locked, "second_factor_on", device)
            _record(locked, "user.second_factor_enabled", actor=locked, device=device, sessions_ended=ended)
            return codes
    raise verdict.refusal


def second_factor_disable(*, user: User, password: str, session_id: UUID, code: str, device: Device = UNKNOWN) -> None:
    """Switch it off, by the password and a code (of the app, or a recovery code) together.

    Sessions go on: each was opened by more than is asked for from now on. Raises PasswordIncorrect,
    FreshSignInRequired, SecondFactorNotActive, SecondFactorCodeInvalid, SecondFactorCodeUsed, SecondFactorPaused.
    """
    identity_confirm(user=user, password=password, session_id=session_id)
    with transaction.atomic(durable=True):
        locked = user_lock(user.id)
        if locked.password != user.password:
            raise PasswordIncorrect(attr="password")
        verdict = second_factor_try(user=locked, code=code, device=device)
        if verdict.refusal is None:
            _forget(locked)
            _mail(locked, "second_factor_off", device)
            _record(locked, "user.second_factor_disabled", actor=locked, device=device, method=verdict.method)
            return
    raise verdict.refusal


def second_factor_reset(*, user: User, actor: User | None, reason: str) -> None:
    """Staff switch off what `user` has lost, app and recovery codes, having made sure by other ways who asks.

    Every session ends, the owner is told by mail, and the reason is on record. `actor` None is an operator at the
    machine. One's own is switched off by a code: a console that was left open must not be enough. Raises
    ReasonRequired, SecondFactorOwn, SecondFactorNotActive.
    """
    reason = required_reason(reason)
    if actor is not None and actor.id == user.id:
        raise SecondFactorOwn
    with transaction.atomic(durable=True):
        locked = user_lock(user.id)
        if second_factor_active(locked) is None:
            raise SecondFactorNotActive("This person's second factor is not on.")
        before = {"second_factor_since": second_factor_state(locked).enabled_at}
        _forget(locked)
        sessions = Session.objects.filter(user=locked, ended_at=None)
        ended = sessions.update(ended_at=now(), end_reason=SessionEnd.SECOND_FACTOR)
        _mail(locked, "second_factor_reset", UNKNOWN)
        audit_record(
            actor=actor,
            action="user.second_factor_reset",
            subject_kind="user",
            subject_id=locked.pk,
            reason=reason,
            before=before,
            after={"second_factor_since": None, "sessions_ended": ended},
        )


def second_factor_end(*, user: User) -> bool:
    """Take away whatever second factor `user` has, one that was only begun included; whether it was on.

    In the caller's transaction, which holds `user_lock`, begins the account anew for its owner, tells them and puts it
    on record. Wrong codes are counted from the beginning: they were tried on what is gone.
    """
    require_transaction("A second factor ends in the transaction that begins the account anew.")
    was_on = second_factor_active(user) is not None
    _forget(user)
    SecondFactorTries.objects.filter(user=user).delete()
    return was_on


def second_factor_recovery_codes_renew(*, user: User, code: str, device: Device = UNKNOWN) -> list[str]:
    """A new set, by a code of the app; earlier ones open nothing any more.

    Not by a recovery code: whoever finds one would have ten. Raises as `second_factor_check` does.
    """
    with transaction.atomic(durable=True):
        locked = user_lock(user.id)
        verdict = second_factor_try(user=locked, code=code, device=device, recovery_codes=False)
        if verdict.refusal is None:
            codes = recovery_codes_renew(user=locked)
            _mail(locked, "recovery_codes_renewed", device)
            _record(locked, "user.recovery_codes_renewed", actor=locked, device=device)
            return codes
    raise verdict.refusal


def second_factor_check(*, user: User, code: str, device: Device = UNKNOWN) -> None:
    """That `code` is what their app shows, for something that moves money; where TOTP is on, in place of a mailed code.

    It is bound to nothing: a mailed code (`one_time_code_check`) confirms one amount to one account, and its mail names
    both; this one only shows that its owner is there, so the page has to say what it is for. What they share: a code is
    good once. This one is spent at once, with its time step; where what it confirmed then fails, the next one is asked
    for, at most half a minute later. Recovery codes do not count: they get somebody back in, who sets up another app.

    Not in a transaction: a wrong try stays counted whatever follows. Raises SecondFactorNotActive,
    SecondFactorCodeInvalid with the tries that are left, SecondFactorCodeUsed, SecondFactorPaused.
    """
    with transaction.atomic(durable=True):
        verdict = second_factor_try(user=user, code=code, device=device, recovery_codes=False)
    if verdict.refusal is not None:
        raise verdict.refusal


def second_factor_try(
    *, user: User, code: str, device: Device, door: str = API, recovery_codes: bool = True
) -> Verdict:
    """Look at `code`, count it, and use it up if it is right: in the caller's transaction, which commits either way and
    then raises the refusal. Raises SecondFactorNotActive."""
    require_transaction("A try is counted in a transaction that commits.")
    factor = second_factor_lock(user.id)
    if factor is None or factor.confirmed_at is None:
        raise SecondFactorNotActive
    if recovery_codes and not _looks_like_totp(code):
        return _try_recovery_code(user, code, device=device, door=door)
    return _try_totp(factor, code, device=device, door=door)


def _try_recovery_code(user: User, code: str, *, device: Device, door: str) -> Verdict:
    if not recovery_code_use(user=user, code=code):
        second_factor_refusal_record(user=user, device=device, door=door)
        return Verdict(refusal=SecondFactorCodeInvalid())
    left = recovery_codes_left(user)
    _mail(user, "recovery_code_used", device, left=left)
    _record(user, "user.recovery_code_used", actor=user, device=device, door=door, left=left)
    return Verdict(method=SecondFactorMethod.RECOVERY_CODE)


def _try_totp(factor: SecondFactor, code: str, *, device: Device, door: str) -> Verdict:
    user = factor.user
    known = network_is_known(user, network=device.network, since=factor.confirmed_at)
    tries = SecondFactorTries.objects.filter(user=user, known=known).first() or SecondFactorTries(
        user=user, known=known
    )
    if tries.paused_until is not None and tries.paused_until > now():
        return Verdict(refusal=_paused(tries))
    steps = totp_steps_of(_typed(code), secret=decrypt(factor.secret, purpose=PURPOSE), at=now())
    fresh = [step for step in steps if step > factor.used_step]
    if fresh:
        factor.used_step = fresh[0]
        factor.save(update_fields=["used_step"])
        if tries.wrong:
            tries.wrong, tries.paused_until = 0, None
            tries.save(update_fields=["wrong", "paused_until"])
        return Verdict(method=SecondFactorMethod.TOTP)
    if steps:
        return Verdict(refusal=SecondFactorCodeUsed(attr="code"))
    return Verdict(refusal=_wrong(tries, device=device, door=door))


def _wrong(tries: SecondFactorTries, *, device: Device, door: str) -> DomainError:
    tries.wrong += 1
    beyond = tries.wrong - MAX_TRIES
    if beyond >= 0:
        # 2**10 times a quarter of an hour is beyond the longest pause; more only grows the number.
        tries.paused_until = now() + min(FIRST_PAUSE * 2 ** min(beyond, 10), LONGEST_PAUSE[tries.known])
    tries.save()
    second_factor_refusal_record(user=tries.user, device=device, door=door)
    if beyond == 0:
        _mail(tries.user, "second_factor_paused", device)
    return SecondFactorCodeInvalid(tries_left=max(0, -beyond))


def _paused(tries: SecondFactorTries) -> SecondFactorPaused:
    assert tries.paused_until is not None
    return SecondFactorPaused(retry_after=int((tries.paused_until - now()).total_seconds()) + 1)


def _forget(user: User) -> None:
    SecondFactor.objects.filter(user=user).delete()
    recovery_codes_revoke(user=user)
    challenge_revoke_all(user=user)


def _typed(code: str) -> str:
    """Apps show `123 456`."""
    return code.replace(" ", "")


def _looks_like_totp(code: str) -> bool:
    typed = _typed(code)
    return len(typed) == DIGITS and typed.isdigit()


def _mail(user: User, template: str, device: Device, **context: object) -> None:
    mail_queue(
        key=f"{template}:{user.id}:{new_id()}",
        to=user.email,
        template=template,
        context={
            "first_name": user.name_for_mails,
            "ip": device.ip,
            "when": now(),
            "url": f"{settings.FRONTEND_URL}/forgot-password",
            "support": settings.SUPPORT_EMAIL,
            **context,
        },
    )


def _record(user: User, action: str, *, actor: User, device: Device, **details: object) -> None:
    audit_record(
        actor=actor,
        action=action,
        subject_kind="user",
        subject_id=user.pk,
        after={"ip": device.ip, "user_agent": device.user_agent, **details},
    )
