"""What reconciliation proposes: an entry for each discrepancy that one can repair. Two people decide (wallets).

Not proposed: another currency (two entries, and which is right?), another time (nothing to repair), and what we know
and have not booked yet: asking the gateway books that, and an entry beside it would book it twice. Nor what a file of
Stripe's says came back without the transfer that it belongs to.
"""

from collections.abc import Mapping
from typing import Final

from django.db.models import Q

from payments.enums import UNSETTLED_STATUSES, GatewayName, LineClass
from payments.gateways.port import GatewayLineKind
from payments.models import Dispute, Payment, Payout
from payments.services.reconciliation import INWARD, ReconciledLine
from wallets.enums import GATEWAY_ACCOUNT_KINDS, AccountKind, WithdrawalStatus
from wallets.models import Withdrawal
from wallets.services.accounts import platform_account
from wallets.services.adjustments import AdjustmentDraft
from wallets.services.journal import Posting

REPAIRABLE: Final = (LineClass.AMOUNT, LineClass.FEE, LineClass.OURS_ONLY, LineClass.THEIRS_ONLY)
STRIPE_REVERSALS: Final = "trr_"
# Where the other side of a movement stands that nothing of ours explains.
_OPPOSITE: Final[Mapping[str, AccountKind]] = {
    GatewayLineKind.PAYMENT: AccountKind.UNSETTLED,
    GatewayLineKind.REFUND: AccountKind.LOSSES,
    GatewayLineKind.DISPUTE: AccountKind.DISPUTE_SUSPENSE,
    GatewayLineKind.DISPUTE_REVERSAL: AccountKind.DISPUTE_SUSPENSE,
    GatewayLineKind.PAYOUT: AccountKind.BANK,
    GatewayLineKind.PAYOUT_RETURN: AccountKind.BANK,
    GatewayLineKind.TRANSFER: AccountKind.LOSSES,
    GatewayLineKind.TRANSFER_RETURN: AccountKind.LOSSES,
}


def source_key(gateway: GatewayName, line: ReconciledLine, line_class: LineClass) -> str:
    """What a proposal is kept by; the comparison looks approved ones up by it."""
    return f"{gateway.value}:{line.kind}:{line.key}:{line_class.value}"


def repair_of(gateway: GatewayName, line: ReconciledLine, *, report: str) -> AdjustmentDraft | None:
    """The entry that would repair the line; None where none would, or something else will."""
    if line.line_class not in REPAIRABLE or _will_be_booked(gateway, line):
        return None
    amount = (line.their_amount_minor or 0) - (line.our_amount_minor or 0)
    fee = (line.their_fee_minor or 0) - (line.our_fee_minor or 0)
    if line.line_class == LineClass.FEE:
        amount = 0
    elif line.line_class == LineClass.AMOUNT:
        fee = 0
    outward = -amount if line.kind in INWARD else amount
    opposite = AccountKind.LOSSES if line.line_class == LineClass.OURS_ONLY else _OPPOSITE[line.kind]
    if line.kind in (GatewayLineKind.PAYOUT, GatewayLineKind.PAYOUT_RETURN):
        opposite = AccountKind.BANK
    key = source_key(gateway, line, line.line_class)
    if (not outward and not fee) or len(key) > 200:
        return None
    return AdjustmentDraft(
        source_key=key,
        currency=line.their_currency or line.our_currency,
        reason=f"{gateway.label}: {line.line_class.label.lower()} for {line.kind.replace('_', ' ')} {line.key}"[:200],
        reference=line.reference or line.key[:64],
        postings=(
            Posting(platform_account(GATEWAY_ACCOUNT_KINDS[gateway]), outward + fee),
            Posting(platform_account(opposite), -outward),
            Posting(platform_account(AccountKind.GATEWAY_COSTS), -fee),
        ),
        report_line={
            "report": report,
            "class": line.line_class.value,
            "kind": line.kind,
            "key": line.key,
            "our_amount_minor": line.our_amount_minor,
            "our_fee_minor": line.our_fee_minor,
            "their_amount_minor": line.their_amount_minor,
            "their_fee_minor": line.their_fee_minor,
        },
    )


def _will_be_booked(gateway: GatewayName, line: ReconciledLine) -> bool:
    """Ours knows it, and the next answer of the gateway books it: a fee that is asked for, a payment that is paid late,
    a dispute, payout or transfer of which a later report comes."""
    if line.kind in (GatewayLineKind.TRANSFER, GatewayLineKind.TRANSFER_RETURN):
        return _transfer_open(gateway, line)
    if line.line_class == LineClass.FEE and line.our_fee_minor is None:
        return True
    if line.line_class != LineClass.THEIRS_ONLY:
        return False
    if line.kind == GatewayLineKind.PAYMENT:
        return Payment.objects.filter(gateway=gateway, reference=line.key, status__in=UNSETTLED_STATUSES).exists()
    if line.kind in (GatewayLineKind.DISPUTE, GatewayLineKind.DISPUTE_REVERSAL):
        return Dispute.objects.filter(payment__gateway=gateway, gateway_dispute_id=line.key).exists()
    if line.kind in (GatewayLineKind.PAYOUT, GatewayLineKind.PAYOUT_RETURN):
        return Payout.objects.filter(gateway=gateway, gateway_payout_id=line.key).exists()
    return False


def _transfer_open(gateway: GatewayName, line: ReconciledLine) -> bool:
    """Sent and not concluded; or paid, and it may come back: the withdrawal itself books that, and gives the money to
    its owner."""
    if line.kind == GatewayLineKind.TRANSFER_RETURN and gateway == GatewayName.STRIPE:
        unnamed = line.key.startswith(STRIPE_REVERSALS) or line.line_class == LineClass.OURS_ONLY
        if unnamed:
            return True
    known = Q(reference=line.reference or line.key) | Q(gateway_transfer_id=line.key)
    open_ones = Q(status=WithdrawalStatus.PROCESSING)
    if line.kind == GatewayLineKind.TRANSFER_RETURN:
        open_ones |= Q(status=WithdrawalStatus.PAID)
    return Withdrawal.objects.filter(known, open_ones, method=gateway.value).exists()
