"""Whether money may leave: asked when a withdrawal is begun, and again under the lock of the wallet when it is
confirmed.

Each check refuses with its own error, in the order in which they stand in `withdrawal_check`. What is only doubtful is
no refusal: `doubt_of` names it, and people decide.
"""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import Sum

from accounts.devices import Device
from learning247.kit.clock import now
from learning247.kit.money import Money
from learning247.risk.enums import Outcome, Purpose
from learning247.risk.facts import Facts, Subject
from learning247.risk.models import Decision
from learning247.risk.services.decisions import risk_check
from wallets.enums import WITHDRAWAL_COUNTED, AccountKind, WithdrawalDoubt
from wallets.errors import (
    BankAccountCooling,
    BankAccountNotFound,
    BankAccountNotReady,
    CurrencyMismatch,
    InsufficientBalance,
    PayoutsPaused,
    WithdrawalTooSmall,
)
from wallets.models import PayoutAccount, Withdrawal
from wallets.selectors import currencies_of, payouts_frozen
from wallets.services.payout_limits import limits_check, limits_of, suspension_check


def withdrawal_check(withdrawal: Withdrawal, *, balances: dict[AccountKind, int]) -> None:
    """That this withdrawal, not yet confirmed, may be: `balances` in minor units of its currency, locked where it
    counts.

    Raises BankAccountNotFound, BankAccountNotReady, CurrencyMismatch, WithdrawalTooSmall, InsufficientBalance,
    BankAccountCooling, WithdrawalLimitExceeded, WithdrawalsSuspended, PayoutsPaused.
    """
    account, amount = withdrawal.account, withdrawal.money
    suspension_check(owner_id=withdrawal.owner_id)
    if payouts_frozen(amount.currency):
        raise PayoutsPaused
    _refuse_account(account, amount.currency)
    least = Money(settings.WITHDRAWAL_MINIMUMS.get(amount.currency, 1), amount.currency)
    if amount.minor < least.minor:
        raise WithdrawalTooSmall(
            f"The least that can be withdrawn is {least.grouped}.",
            extra={"minimum": least.amount, "currency": least.currency},
        )
    available = Money(max(balances.get(AccountKind.AVAILABLE, 0), 0), amount.currency)
    if amount.minor > available.minor:
        raise InsufficientBalance(
            f"You have {available.grouped} available, which is less than {amount.grouped}.",
            extra={"available": available.amount, "currency": amount.currency},
        )
    _refuse_cooling(account, amount)
    limits_check(owner_id=withdrawal.owner_id, amount=amount)


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why people should look at a withdrawal before it goes out; `told` is what its owner may read."""

    reason: WithdrawalDoubt
    told: tuple[str, ...]
    approvals_needed: int = 1


def doubt_of(withdrawal: Withdrawal, *, device: Device) -> Doubt | None:
    """None: it goes out by itself. Asked once, when it is confirmed, in that transaction."""
    decision = _risk(withdrawal, device)
    told = tuple(decision.reasons)
    threshold = settings.WITHDRAWAL_TWO_PEOPLE_FROM.get(withdrawal.currency)
    if threshold is not None and withdrawal.amount_minor >= threshold:
        return Doubt(WithdrawalDoubt.LARGE, ("Large withdrawals are looked at by two people.", *told), 2)
    if limits_of(owner_id=withdrawal.owner_id, currency=withdrawal.currency) is None:
        currency = f"Every withdrawal in {withdrawal.currency} is looked at by a person."
        return Doubt(WithdrawalDoubt.NO_LIMITS, (currency, *told))
    if decision.outcome != Outcome.ALLOW:
        return Doubt(WithdrawalDoubt.RISK, told or ("It is looked at by a person.",))
    return None


def _risk(withdrawal: Withdrawal, device: Device) -> Decision:
    """What the checker of fraud says; in the confirming transaction, with which its decision is gone if that fails."""
    owner, account = withdrawal.owner, withdrawal.account
    return risk_check(
        purpose=Purpose.WITHDRAWAL,
        subject=Subject("withdrawal", withdrawal.pk),
        facts=Facts(
            person=owner.pk,
            account_opened_at=owner.created_at,
            account_country=owner.country,
            amount_minor=withdrawal.amount_minor,
            currency=withdrawal.currency,
            ip=device.network or "",
            device=f"{device.user_agent} at {device.network}" if device.user_agent and device.network else "",
            bank=f"{account.method} {account.bank_code} {account.number_digest or account.gateway_account_id}",
        ),
    )


def _refuse_account(account: PayoutAccount, currency: str) -> None:
    if account.removed_at is not None:
        raise BankAccountNotFound
    if currency not in currencies_of(account):
        raise CurrencyMismatch(attr="currency")
    if account.ready_at is None:
        raise BankAccountNotReady(account.not_ready_reason or None)


def _refuse_cooling(account: PayoutAccount, amount: Money) -> None:
    """While the account is new, all that goes there together stays below the threshold: in small parts, a thief who has
    somebody's session and mailbox would get as much."""
    threshold = settings.PAYOUT_COOLING_ABOVE.get(amount.currency)
    until = account.new_since + timedelta(hours=settings.PAYOUT_COOLING_HOURS)
    if threshold is None or until <= now():
        return
    gone = Withdrawal.objects.filter(
        account=account, currency=amount.currency, status__in=WITHDRAWAL_COUNTED, confirmed_at__isnull=False
    ).aggregate(total=Sum("amount_minor", default=0))["total"]
    if gone + amount.minor > threshold:
        most, left = Money(threshold, amount.currency), Money(max(threshold - gone, 0), amount.currency)
        raise BankAccountCooling(
            f"This bank account is new: until {until:%-d %B %Y, %H:%M} UTC no more than {most.grouped} goes to it, "
            f"of which"
            f" {left.grouped} is left. Withdraw less, or wait.",
            extra={"until": until, "limit": most.amount, "left": left.amount, "currency": amount.currency},
        )
