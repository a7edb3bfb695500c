"""Whether money may leave: asked when a withdrawal is begun, and again under the lock of the wallet when it is
confirmed.

Each check refuses with its own error, in the order in which they stand in `withdrawal_check`. What is only doubtful is
no refusal: `doubts_of` names it, and people decide.
"""

from datetime import timedelta

from django.conf import settings
from django.db.models import Sum

from learning247.kit.clock import now
from learning247.kit.money import Money
from wallets.enums import WITHDRAWAL_COUNTED, AccountKind
from wallets.errors import (
    BankAccountCooling,
    BankAccountNotFound,
    BankAccountNotReady,
    CurrencyMismatch,
    InsufficientBalance,
    WithdrawalTooSmall,
)
from wallets.models import PayoutAccount, Withdrawal
from wallets.selectors import currencies_of


def withdrawal_check(withdrawal: Withdrawal, *, balances: dict[AccountKind, int]) -> None:
    """That this withdrawal, not yet confirmed, may be: `balances` in minor units of its currency, locked where it
    counts.

    Raises BankAccountNotFound, BankAccountNotReady, CurrencyMismatch, WithdrawalTooSmall, InsufficientBalance,
    BankAccountCooling.
    """
    account, amount = withdrawal.account, withdrawal.money
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


def doubts_of(withdrawal: Withdrawal) -> list[str]:
    """Why people should look at it before it goes out, one code each; none: it goes out by itself."""
    return []


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
    until = account.created_at + timedelta(hours=settings.PAYOUT_COOLING_HOURS)
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
