"""The one door for money out: asked for, confirmed by a code, then on its way.

`withdrawal_start` looks whether it could be paid and mails the code; nothing is taken yet. `withdrawal_confirm` looks
again, under the lock of the wallet, and sets the money aside: from then on it goes out exactly once or comes back, by
`transfers`. A code is bound to this withdrawal, its amount and its account; whoever has an authenticator app confirms
by that instead.
"""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts.devices import UNKNOWN, Device
from accounts.errors import CodeInvalid, CodeTriesUsedUp, CodeUsed, EmailNotVerified
from accounts.locks import user_hold
from accounts.models import User
from accounts.selectors import second_factor_active
from accounts.services.one_time_codes import (
    LIFETIME,
    RightCode,
    one_time_code_check,
    one_time_code_issue,
    one_time_code_use,
)
from accounts.services.second_factors import second_factor_check
from learning247.kit.clock import now
from learning247.kit.ids import new_id
from learning247.kit.money import Money
from learning247.records.services.audit import audit_record
from learning247.records.services.mail import mail_queue
from wallets.enums import PayoutMethod, WithdrawalReason, WithdrawalStatus
from wallets.errors import (
    BankAccountNotFound,
    CodeComesFromApp,
    WithdrawalConfirmed,
    WithdrawalKeyReused,
    WithdrawalNotCancellable,
    WithdrawalNotFound,
    WithdrawalOver,
)
from wallets.locks import wallet_lock, withdrawal_lock
from wallets.models import PayoutAccount, Withdrawal
from wallets.references import new_reference
from wallets.selectors import balances_by_kind
from wallets.services.withdrawal_checks import doubt_of, withdrawal_check
from wallets.services.withdrawal_releases import withdrawal_release
from wallets.services.withdrawal_reviews import withdrawal_review_close, withdrawal_review_open
from wallets.services.withdrawal_states import mail_context, withdrawal_move

CODE_PURPOSE = "withdrawal"


@transaction.atomic(durable=True)
def withdrawal_start(
    *, owner: User, account_id: UUID, amount: Money, operation: str, idempotency_key: str
) -> Withdrawal:
    """A withdrawal that waits for its code, which is mailed to its owner unless they have an authenticator app.

    Nothing is set aside yet, and several may wait at a time. The same (person, operation, key) finds the same one
    again. Raises EmailNotVerified, BankAccountNotFound, WithdrawalKeyReused, and what `withdrawal_check` raises.
    """
    user_hold(owner.pk)
    if not owner.email_verified:
        raise EmailNotVerified
    mine = Withdrawal.objects.filter(owner=owner, operation=operation, idempotency_key=idempotency_key)
    if earlier := mine.select_related("account", "owner").first():
        if (earlier.account_id, earlier.money) != (account_id, amount):
            raise WithdrawalKeyReused
        return earlier
    account = PayoutAccount.objects.filter(pk=account_id, owner=owner, removed_at__isnull=True).first()
    if account is None:
        raise BankAccountNotFound(attr="bank_account_id")
    withdrawal = Withdrawal(
        reference=new_reference(),
        owner=owner,
        account=account,
        method=account.method,
        currency=amount.currency,
        amount_minor=amount.minor,
        fee_minor=_fee_of(amount, account.method),
        operation=operation,
        idempotency_key=idempotency_key,
        expires_at=now() + timedelta(minutes=settings.WITHDRAWAL_CODE_MINUTES),
    )
    withdrawal.due_at = withdrawal.expires_at
    withdrawal_check(withdrawal, balances=balances_by_kind(owner_id=owner.pk, currency=amount.currency))
    withdrawal.save(force_insert=True)
    if second_factor_active(owner) is None:
        _mail_code(withdrawal)
    audit_record(
        actor=owner,
        action="withdrawal.requested",
        subject_kind="withdrawal",
        subject_id=withdrawal.pk,
        after={"amount_minor": amount.minor, "currency": amount.currency, "account": account.pk},
    )
    return withdrawal


def withdrawal_code_resend(*, owner: User, withdrawal_id: UUID) -> Withdrawal:
    """Mail another code; the one before is worth nothing any more, wrong tries stay counted.

    Raises WithdrawalNotFound, WithdrawalOver, WithdrawalConfirmed, CodeComesFromApp, CodeTooSoon, CodeTriesUsedUp.
    """
    with transaction.atomic(durable=True):
        user_hold(owner.pk)
        withdrawal = _own(withdrawal_lock(withdrawal_id), owner)
        _refuse_unless_waiting(withdrawal)
        if second_factor_active(owner) is not None:
            raise CodeComesFromApp
        _mail_code(withdrawal)
    return withdrawal


def withdrawal_confirm(*, owner: User, withdrawal_id: UUID, code: str, device: Device = UNKNOWN) -> Withdrawal:
    """Set the money aside and send it on its way, or to people who look at it first. One that is confirmed already
    stays as it is, quietly.

    Five wrong codes end it. Where balance, limits or account do not allow it (any more) it goes on waiting, and its
    code stays good. Raises WithdrawalNotFound, WithdrawalOver, CodeInvalid, CodeTriesUsedUp, SecondFactorCodeInvalid,
    SecondFactorCodeUsed, SecondFactorPaused, and what `withdrawal_check` raises.
    """
    withdrawal = _own(_found(withdrawal_id), owner)
    if withdrawal.confirmed_at is not None:
        return withdrawal
    _refuse_unless_waiting(withdrawal)
    try:
        right = _checked(withdrawal, code, device)
    except CodeUsed:  # by this very request's twin, a moment ago
        return _confirmed_meanwhile(withdrawal)
    return _confirm(withdrawal_id, right, device)


@transaction.atomic(durable=True)
def _confirm(withdrawal_id: UUID, right: RightCode | None, device: Device) -> Withdrawal:
    withdrawal = _found(withdrawal_id)
    user_hold(withdrawal.owner_id)
    withdrawal = withdrawal_lock(withdrawal_id)
    if withdrawal.confirmed_at is not None:
        return withdrawal
    _refuse_unless_waiting(withdrawal)
    if right is not None:
        one_time_code_use(right)
    balances = wallet_lock(owner_id=withdrawal.owner_id, currency=withdrawal.currency)
    withdrawal_check(withdrawal, balances=balances)
    doubt = doubt_of(withdrawal, device=device)
    if doubt is not None:
        withdrawal.due_at = None
        withdrawal_review_open(withdrawal=withdrawal, doubt=doubt)
        withdrawal_move(
            withdrawal,
            WithdrawalStatus.IN_REVIEW,
            reason=WithdrawalReason.REVIEW,
            actor=withdrawal.owner,
            note=" ".join(doubt.told),
        )
        return withdrawal
    withdrawal_release(withdrawal, actor=withdrawal.owner)
    return withdrawal


def withdrawal_cancel(*, owner: User, withdrawal_id: UUID) -> Withdrawal:
    """Stop one that waits for its code or for people; what was set aside is available again. Quiet for one that was
    cancelled already. Raises WithdrawalNotFound, WithdrawalNotCancellable, WithdrawalOver."""
    with transaction.atomic(durable=True):
        withdrawal = _own(withdrawal_lock(withdrawal_id), owner)
        if withdrawal.status == WithdrawalStatus.CANCELLED:
            return withdrawal
        if withdrawal.status in (WithdrawalStatus.PROCESSING, WithdrawalStatus.PAID):
            raise WithdrawalNotCancellable
        if withdrawal.status not in (WithdrawalStatus.OTP_REQUIRED, WithdrawalStatus.IN_REVIEW):
            raise WithdrawalOver
        withdrawal_review_close(withdrawal=withdrawal, reason="Cancelled by its owner.")
        withdrawal_move(withdrawal, WithdrawalStatus.CANCELLED, reason=WithdrawalReason.BY_OWNER, actor=owner)
    return withdrawal


def withdrawal_expire(*, withdrawal_id: UUID, reason: WithdrawalReason) -> None:
    """End one that waits for its code; quiet for any other."""
    with transaction.atomic(durable=True):
        withdrawal = withdrawal_lock(withdrawal_id)
        if withdrawal.status == WithdrawalStatus.OTP_REQUIRED:
            withdrawal_move(withdrawal, WithdrawalStatus.EXPIRED, reason=reason)


def code_subject(withdrawal: Withdrawal) -> dict[str, str | int]:
    """What a code confirms, and nothing else."""
    return {
        "withdrawal": str(withdrawal.pk),
        "amount_minor": withdrawal.amount_minor,
        "currency": withdrawal.currency,
        "account": str(withdrawal.account_id),
        "number": withdrawal.account.number_digest,
        "destination": withdrawal.account.gateway_account_id,
    }


def _checked(withdrawal: Withdrawal, code: str, device: Device) -> RightCode | None:
    """The mailed code, to be used; None where an app's code was spent on it."""
    owner = withdrawal.owner
    if second_factor_active(owner) is not None:
        second_factor_check(user=owner, code=code, device=device)
        return None
    try:
        return one_time_code_check(user=owner, purpose=CODE_PURPOSE, subject=code_subject(withdrawal), code=code)
    except CodeInvalid as error:
        if error.tries_left == 0:
            withdrawal_expire(withdrawal_id=withdrawal.pk, reason=WithdrawalReason.WRONG_CODES)
        raise
    except CodeTriesUsedUp:
        withdrawal_expire(withdrawal_id=withdrawal.pk, reason=WithdrawalReason.WRONG_CODES)
        raise


def _confirmed_meanwhile(withdrawal: Withdrawal) -> Withdrawal:
    current = _found(withdrawal.pk)
    if current.confirmed_at is None:
        raise CodeUsed
    return current


def _mail_code(withdrawal: Withdrawal) -> None:
    code = one_time_code_issue(user=withdrawal.owner, purpose=CODE_PURPOSE, subject=code_subject(withdrawal))
    mail_queue(
        key=f"withdrawal:{withdrawal.pk}:code:{new_id()}",
        to=withdrawal.owner.email,
        template="withdrawal_code",
        context={**mail_context(withdrawal), "code": code, "minutes": int(LIFETIME.total_seconds() // 60)},
        secret_until=now() + LIFETIME,
    )


def _refuse_unless_waiting(withdrawal: Withdrawal) -> None:
    if withdrawal.status == WithdrawalStatus.OTP_REQUIRED and withdrawal.expires_at > now():
        return
    if withdrawal.confirmed_at is not None and withdrawal.ended_at is None:
        raise WithdrawalConfirmed
    raise WithdrawalOver


def _found(withdrawal_id: UUID) -> Withdrawal:
    withdrawal = Withdrawal.objects.select_related("owner", "account").filter(pk=withdrawal_id).first()
    if withdrawal is None:
        raise WithdrawalNotFound
    return withdrawal


def _own(withdrawal: Withdrawal, owner: User) -> Withdrawal:
    if withdrawal.owner_id != owner.pk:
        raise WithdrawalNotFound
    return withdrawal


def _fee_of(amount: Money, method: str) -> int:
    """What the creator bears of the transfer, minor units."""
    if settings.WITHDRAWAL_FEE_BEARER != "creator" or method != PayoutMethod.PAYSTACK:
        return 0
    for upper, fee in settings.WITHDRAWAL_FEES.get(amount.currency, ()):
        if upper is None or amount.minor <= upper:
            return int(fee)
    return 0
