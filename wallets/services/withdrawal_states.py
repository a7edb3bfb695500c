"""What a withdrawal may become, and what each step books. Nothing else changes a withdrawal's status.

    otp_required --code is right--------------------> processing --the gateway paid it--> paid
        |    \\                                       ^    |                                |
        |     \\--code is right, but people look--> in_review |--a conclusive no, or it      |--it came back--> reversed
        |                                          |   |     |  came back unpaid--> failed
        |--cancelled by its owner--> cancelled <---|   |--rejected--> rejected
        |--no code in time, or five wrong ones--> expired

    what happens              books (w = amount, f = fee that the creator bears, c = fee of the gateway)
    confirmed                 available −w · held +w
    paid                      held −w · gateway +(w−f) · gateway_costs +f,  and  gateway_costs −c · gateway +c
    failed, rejected,
    cancelled after its hold  held −w · available +w
    reversed                  gateway −(w−f) · gateway_costs −f · available +w,  and the gateway's fee back

So `held` is at every moment the sum of those that are processing or in review (I6). An unknown outcome is no state:
the withdrawal stays `processing`, its `reason` says so, and its money stays held until the gateway has said what
happened. Each entry's key is the withdrawal's id and the step, so no step is booked twice (I5).
"""

from collections.abc import Callable
from typing import Any, Final

import structlog
from django.conf import settings

from accounts.models import User
from learning247.kit.clock import now
from learning247.kit.money import Money
from learning247.kit.transactions import require_transaction
from learning247.records.services.audit import audit_record
from learning247.records.services.mail import mail_queue
from wallets.enums import AccountKind, EntryKind, PayoutMethod, WithdrawalReason, WithdrawalStatus
from wallets.models import Withdrawal
from wallets.services.accounts import person_account, platform_account
from wallets.services.journal import Posting, entry_post
from wallets.services.published import withdrawal_publish

logger = structlog.get_logger(__name__)

# Where the money is when it leaves by this method.
PAYING_ACCOUNT: Final = {
    PayoutMethod.PAYSTACK: AccountKind.GATEWAY_PAYSTACK,
    PayoutMethod.STRIPE: AccountKind.GATEWAY_STRIPE,
    PayoutMethod.BANK: AccountKind.BANK,
}
_OVER: Final = (
    WithdrawalStatus.PAID,
    WithdrawalStatus.FAILED,
    WithdrawalStatus.REJECTED,
    WithdrawalStatus.CANCELLED,
    WithdrawalStatus.EXPIRED,
    WithdrawalStatus.REVERSED,
)


class WithdrawalCannotBecome(Exception):
    """A step that is not in the diagram: the caller has not looked at the status under the lock."""


def withdrawal_move(
    withdrawal: Withdrawal,
    status: WithdrawalStatus,
    *,
    reason: WithdrawalReason,
    actor: User | None = None,
    note: str = "",
) -> None:
    """Take one step of the diagram with all that belongs to it: entries, audit, mail. In the caller's transaction,
    which has locked `withdrawal` (for a confirmation also its owner's wallet) and saves nothing of it itself.

    `note` is what a gateway or staff said. Raises WithdrawalCannotBecome, InsufficientBalance.
    """
    require_transaction("A withdrawal changes together with what is booked for it.")
    before = WithdrawalStatus(withdrawal.status)
    book = _STEPS.get((before, status))
    if book is None:
        raise WithdrawalCannotBecome(f"{withdrawal.reference}: {before} cannot become {status}.")
    moment = now()
    withdrawal.status, withdrawal.reason, withdrawal.note = status, reason, note[:200]
    if before == WithdrawalStatus.OTP_REQUIRED and status not in _OVER:
        withdrawal.confirmed_at = moment
    if status == WithdrawalStatus.PAID:
        withdrawal.paid_at = moment
    if status in _OVER:
        withdrawal.ended_at, withdrawal.due_at = moment, None
    withdrawal.lease_until = None
    book(withdrawal)
    withdrawal.save()
    logger.info("withdrawal_moved", withdrawal=withdrawal.reference, before=before.value, after=status.value)
    audit_record(
        actor=actor,
        action=f"withdrawal.{status.value}",
        subject_kind="withdrawal",
        subject_id=withdrawal.pk,
        reason=note or str(WithdrawalReason(reason).label),
        before={"status": before},
        after={
            "status": status,
            "amount_minor": withdrawal.amount_minor,
            "currency": withdrawal.currency,
            "account": withdrawal.account_id,
        },
    )
    withdrawal_publish(withdrawal, status)
    _tell(withdrawal, status)


def _nothing(withdrawal: Withdrawal) -> None:
    """Nothing was held, or it stays held."""


def _hold(withdrawal: Withdrawal) -> None:
    withdrawal.hold_entry_id = _post(
        withdrawal,
        "hold",
        EntryKind.WITHDRAWAL_HOLD,
        [
            Posting(person_account(withdrawal.owner_id), -withdrawal.amount_minor),
            Posting(person_account(withdrawal.owner_id, AccountKind.HELD), withdrawal.amount_minor),
        ],
        f"Withdrawal to {withdrawal.account}",
    )


def _pay(withdrawal: Withdrawal) -> None:
    withdrawal.paid_entry_id = _post(
        withdrawal,
        "paid",
        EntryKind.WITHDRAWAL_PAID,
        [
            Posting(person_account(withdrawal.owner_id, AccountKind.HELD), -withdrawal.amount_minor),
            Posting(_paying(withdrawal), withdrawal.amount_minor - withdrawal.fee_minor),
            Posting(platform_account(AccountKind.GATEWAY_COSTS), withdrawal.fee_minor),
        ],
        f"Paid to {withdrawal.account}",
    )
    _post_fee(withdrawal, "fee", EntryKind.TRANSFER_FEE, withdrawal.gateway_fee_minor or 0, "Fee of a transfer")


def _put_back(withdrawal: Withdrawal) -> None:
    if withdrawal.hold_entry_id is None:
        return
    withdrawal.back_entry_id = _post(
        withdrawal,
        "returned",
        EntryKind.WITHDRAWAL_RETURNED,
        [
            Posting(person_account(withdrawal.owner_id, AccountKind.HELD), -withdrawal.amount_minor),
            Posting(person_account(withdrawal.owner_id), withdrawal.amount_minor),
        ],
        "Withdrawal not made",
    )


def _take_back(withdrawal: Withdrawal) -> None:
    withdrawal.back_entry_id = _post(
        withdrawal,
        "reversed",
        EntryKind.WITHDRAWAL_REVERSED,
        [
            Posting(_paying(withdrawal), withdrawal.fee_minor - withdrawal.amount_minor),
            Posting(platform_account(AccountKind.GATEWAY_COSTS), -withdrawal.fee_minor),
            Posting(person_account(withdrawal.owner_id), withdrawal.amount_minor),
        ],
        f"Withdrawal to {withdrawal.account} came back",
    )
    _post_fee(
        withdrawal,
        "fee-returned",
        EntryKind.TRANSFER_FEE_RETURNED,
        -(withdrawal.gateway_fee_minor or 0),
        "Fee of a transfer that came back",
    )


# From and to -> what it books. What is not here cannot happen.
_STEPS: Final[dict[tuple[WithdrawalStatus, WithdrawalStatus], Callable[[Withdrawal], None]]] = {
    (WithdrawalStatus.OTP_REQUIRED, WithdrawalStatus.PROCESSING): _hold,
    (WithdrawalStatus.OTP_REQUIRED, WithdrawalStatus.IN_REVIEW): _hold,
    (WithdrawalStatus.OTP_REQUIRED, WithdrawalStatus.CANCELLED): _nothing,
    (WithdrawalStatus.OTP_REQUIRED, WithdrawalStatus.EXPIRED): _nothing,
    (WithdrawalStatus.IN_REVIEW, WithdrawalStatus.PROCESSING): _nothing,
    (WithdrawalStatus.IN_REVIEW, WithdrawalStatus.REJECTED): _put_back,
    (WithdrawalStatus.IN_REVIEW, WithdrawalStatus.CANCELLED): _put_back,
    (WithdrawalStatus.PROCESSING, WithdrawalStatus.PAID): _pay,
    (WithdrawalStatus.PROCESSING, WithdrawalStatus.FAILED): _put_back,
    (WithdrawalStatus.PAID, WithdrawalStatus.REVERSED): _take_back,
}


def _paying(withdrawal: Withdrawal) -> Any:
    return platform_account(PAYING_ACCOUNT[PayoutMethod(withdrawal.method)])


def _post_fee(withdrawal: Withdrawal, step: str, kind: EntryKind, cost_minor: int, description: str) -> None:
    """The gateway kept `cost_minor` of our funds there, or gave it back where that is negative."""
    if cost_minor:
        postings = [
            Posting(platform_account(AccountKind.GATEWAY_COSTS), -cost_minor),
            Posting(_paying(withdrawal), cost_minor),
        ]
        _post(withdrawal, step, kind, postings, description)


def _post(withdrawal: Withdrawal, step: str, kind: EntryKind, postings: list[Posting], description: str) -> int:
    return entry_post(
        key=f"withdrawal:{withdrawal.pk}:{step}",
        kind=kind,
        currency=withdrawal.currency,
        postings=postings,
        source_kind="withdrawal",
        source_id=str(withdrawal.pk),
        reference=withdrawal.reference,
        description=description[:200],
    )


# Of the others their owner knows: it was they who cancelled, or let the time pass.
_MAILS: Final = {
    WithdrawalStatus.IN_REVIEW: "withdrawal_in_review",
    WithdrawalStatus.PAID: "withdrawal_paid",
    WithdrawalStatus.FAILED: "withdrawal_failed",
    WithdrawalStatus.REJECTED: "withdrawal_rejected",
    WithdrawalStatus.REVERSED: "withdrawal_reversed",
}


def _tell(withdrawal: Withdrawal, status: WithdrawalStatus) -> None:
    template = _MAILS.get(status)
    if template is not None:
        mail_queue(
            key=f"withdrawal:{withdrawal.pk}:{status.value}",
            to=withdrawal.owner.email,
            template=template,
            context=mail_context(withdrawal),
        )


def mail_context(withdrawal: Withdrawal) -> dict[str, Any]:
    """What every mail about a withdrawal says."""
    return {
        "first_name": withdrawal.owner.name_for_mails,
        "withdrawal": withdrawal,
        "account": withdrawal.account,
        "money": withdrawal.money.grouped,
        "net": withdrawal.net.grouped,
        "fee": Money(withdrawal.fee_minor, withdrawal.currency).grouped if withdrawal.fee_minor else "",
        "why": withdrawal.explanation,
        "note": withdrawal.note,
        "url": f"{settings.FRONTEND_URL}/wallet/withdrawals/{withdrawal.pk}",
        "support": settings.SUPPORT_EMAIL,
    }
