"""Disputes: what the gateway says of one is taken over, and the books follow.

An event is a hint. `dispute_refresh` asks the gateway and records the answer under the payment's lock, unless somebody
recorded another one since it asked: then it asks again. So the last answer wins, whatever the order of the events.

What the books hold for a dispute is a function of its row (`_Position`), and what is posted is the difference between
before and after: reports in any order, twice, or between a refund's end in the same balances.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import add
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q, Sum

from accounts.models import User
from learning247.kit.clock import now
from learning247.kit.money import EXPONENTS, Money
from learning247.records.services.audit import audit_record
from learning247.records.services.mail import mail_queue
from payments.enums import (
    DISPUTE_OPEN,
    DISPUTE_STANDING,
    UNSETTLED_STATUSES,
    DisputeStatus,
    GatewayName,
    PaymentStatus,
    RefundStatus,
    ReviewReason,
)
from payments.errors import DisputeNotFound, DisputeUnreadable, GatewayUnavailable
from payments.gateways import GatewayDispute, gateway_named
from payments.locks import payment_lock
from payments.models import Dispute, Entitlement, Payment
from payments.services.entitlements import entitlement_restore, entitlement_revoke
from payments.services.published import dispute_publish
from payments.services.reviews import review_close, review_open
from payments.split import Shares, shares_of_refund
from wallets.enums import GATEWAY_ACCOUNT_KINDS, AccountKind, EntryKind
from wallets.locks import earnings_lock
from wallets.models import LedgerAccount
from wallets.services.accounts import person_account, platform_account
from wallets.services.journal import Posting, entry_post, postings_from_earnings

logger = structlog.get_logger(__name__)

ASK_AGAIN_AFTER = timedelta(hours=1)
# A webhook that was lost is found by the gateway's own list, which is read this far back.
LOOK_BACK = timedelta(days=7)
MOST_READINGS = 10
LOST = "The buyer's bank took the payment back."


@dataclass(frozen=True, slots=True)
class _Position:
    """What the books hold because of a dispute, in minor units.

    `reserved` went from what the creator earned to their disputed account, `withdrawn` from the gateway's to the
    suspense, `fee` from the gateway's to losses. Of one that is lost `from_seller` and `from_platform`, less what of a
    promotion returns to the platform (`promotion`), and, beyond what was left of the payment, `excess` close the
    suspense.
    """

    reserved: int = 0
    withdrawn: int = 0
    fee: int = 0
    from_seller: int = 0
    from_platform: int = 0
    promotion: int = 0
    excess: int = 0


def position_of(dispute: Dispute) -> _Position:
    lost = dispute.status == DisputeStatus.LOST
    covered = dispute.seller_minor + dispute.platform_minor - dispute.promotion_minor
    return _Position(
        reserved=dispute.seller_minor,
        withdrawn=dispute.withdrawn_minor,
        fee=dispute.gateway_fee_minor,
        from_seller=dispute.seller_minor if lost else 0,
        from_platform=dispute.platform_minor if lost else 0,
        promotion=dispute.promotion_minor if lost else 0,
        excess=max(dispute.withdrawn_minor - covered, 0) if lost else 0,
    )


def dispute_refresh(*, payment: Payment, gateway_dispute_id: str) -> Dispute:
    """Ask the gateway how the dispute stands and record it. Not in a transaction; safe at any time, in parallel.

    Raises GatewayUnavailable (nothing changed), DisputeNotFound, DisputeUnreadable.
    """
    gateway = gateway_named(payment.gateway)
    for _ in range(MOST_READINGS):
        seen = _revision_of(payment, gateway_dispute_id)
        reported = gateway.fetch_dispute(gateway_dispute_id)
        recorded = _record(payment, reported, seen)
        if recorded is not None:
            return recorded
    raise GatewayUnavailable("The dispute changes faster than it can be read.")


def _revision_of(payment: Payment, gateway_dispute_id: str) -> int:
    known = Dispute.objects.filter(payment=payment, gateway_dispute_id=gateway_dispute_id)
    return known.values_list("revision", flat=True).first() or 0


@transaction.atomic(durable=True)
def _record(payment: Payment, reported: GatewayDispute, seen: int) -> Dispute | None:
    """The dispute as reported; None where somebody recorded another report since this one was asked for."""
    payment = payment_lock(payment.pk)
    if _revision_of(payment, reported.gateway_dispute_id) != seen:
        return None
    _refuse_unreadable(payment, reported)
    disputes = list(payment.disputes.all())
    dispute = next((one for one in disputes if one.gateway_dispute_id == reported.gateway_dispute_id), None)
    before = dispute.status if dispute is not None else None
    booked = _booked(disputes)
    moment = now()
    if dispute is None:
        dispute = Dispute(
            payment=payment,
            gateway_dispute_id=reported.gateway_dispute_id,
            opened_at=reported.opened_at or moment,
            currency=reported.currency,
        )
        disputes.append(dispute)
    _take_over(dispute, reported, moment)
    _rebook(payment, disputes, booked)
    if dispute.status != before:
        _audit(dispute, payment, before)
        _tell(dispute, payment, before, set_aside=booked[dispute.pk][1].reserved if before is not None else 0)
    return dispute


def _refuse_unreadable(payment: Payment, reported: GatewayDispute) -> None:
    """Raises DisputeNotFound for another payment's, DisputeUnreadable for what cannot be booked."""
    if reported.payment not in (payment.reference, payment.gateway_payment_id) or not reported.payment:
        raise DisputeNotFound
    if payment.status in UNSETTLED_STATUSES or not payment.captured_minor:
        raise DisputeUnreadable("Nothing of this payment was captured, as far as we know.")
    if (
        reported.currency != payment.captured_currency
        or reported.currency not in EXPONENTS
        or not reported.amount_minor
    ):
        logger.error("dispute_unreadable", payment=payment.reference, dispute=reported.gateway_dispute_id)
        raise DisputeUnreadable


def _take_over(dispute: Dispute, reported: GatewayDispute, moment: datetime) -> None:
    dispute.status = DisputeStatus(reported.status)
    dispute.reason = reported.reason[:100]
    dispute.amount_minor = reported.amount_minor
    dispute.withdrawn_minor = reported.withdrawn_minor
    if reported.gateway_fee_minor is not None:
        dispute.gateway_fee_minor = reported.gateway_fee_minor
    dispute.due_at = reported.due_at
    dispute.checked_at = moment
    if dispute.is_open:
        dispute.closed_at = None
    elif dispute.closed_at is None:
        dispute.closed_at = moment


def disputes_rebook(*, payment: Payment) -> None:
    """What its refunds left of the payment has changed: the disputes take their shares of the rest. In the caller's
    transaction, which has locked `payment`; saves its status too."""
    disputes = list(payment.disputes.all())
    _rebook(payment, disputes, _booked(disputes))


_Booked = dict[UUID, tuple[str, _Position]]


def _booked(disputes: Sequence[Dispute]) -> _Booked:
    """By dispute the status that the books are in line with, and what they hold."""
    return {dispute.pk: (dispute.status, position_of(dispute)) for dispute in disputes}


def _rebook(payment: Payment, disputes: Sequence[Dispute], booked: _Booked) -> None:
    """Bring shares, access, books and the payment's status in line with what the disputes say; `booked` is before."""
    lost_before = any(status == DisputeStatus.LOST for status, _ in booked.values())
    _share_out(payment, disputes)
    lost = any(dispute.status == DisputeStatus.LOST for dispute in disputes)
    # Rights are locked before the ledger's accounts.
    if lost != lost_before:
        _access_follow(payment, lost=lost)
    for dispute in disputes:
        status, position = booked.get(dispute.pk, ("", _Position()))
        if (status, position) != (dispute.status, position_of(dispute)):
            dispute.revision += 1
            _book(payment, dispute, position, position_of(dispute))
        dispute.save()
    payment_restate(payment=payment)


def _share_out(payment: Payment, disputes: Sequence[Dispute]) -> None:
    """Refunds come first, whenever they were made; then each dispute that stands, the oldest first, has of the rest
    what it asks for."""
    taken = refunded_shares(payment)
    settled = payment.settled_at is not None
    paid = payment.amount_minor if settled else payment.captured_minor or 0
    fee = payment.platform_fee_minor or 0
    for dispute in sorted(disputes, key=lambda one: (one.opened_at, one.gateway_dispute_id)):
        dispute.seller_minor = dispute.platform_minor = dispute.promotion_minor = 0
        if dispute.status not in DISPUTE_STANDING:
            continue
        wanted = dispute.amount_minor
        if dispute.status == DisputeStatus.LOST and dispute.withdrawn_minor:
            wanted = dispute.withdrawn_minor
        covered = min(wanted, paid - taken.to_buyer)
        shares = Shares(0, covered, 0)
        if settled:
            shares = shares_of_refund(covered, paid, payment.promotion_minor, fee, taken)
        dispute.seller_minor, dispute.platform_minor, dispute.promotion_minor = shares
        taken = Shares(*map(add, taken, shares))


def refunded_shares(payment: Payment) -> Shares:
    """Who bore the payment's refunds that did not fail."""
    taken = payment.refunds.exclude(status=RefundStatus.FAILED).aggregate(
        seller=Sum("seller_minor", default=0),
        platform=Sum("platform_minor", default=0),
        promotion=Sum("promotion_minor", default=0),
    )
    return Shares(taken["seller"], taken["platform"], taken["promotion"])


def _access_follow(payment: Payment, *, lost: bool) -> None:
    """Access is kept while a dispute is open, and ends when one is lost; it returns where that is won after all."""
    entitlement = Entitlement.objects.filter(payment=payment).first()
    if entitlement is None:
        return
    if lost:
        entitlement_revoke(entitlement_id=entitlement.pk, reason=LOST, actor=None)
    elif payment.refunded_minor < payment.amount_minor:
        entitlement_restore(entitlement_id=entitlement.pk, revoked_for=LOST, reason="The dispute was won after all.")


def _book(payment: Payment, dispute: Dispute, before: _Position, after: _Position) -> None:
    seller = payment.product.seller
    if seller is not None:
        # All of the creator's accounts at once, in their order: several entries follow.
        earnings_lock(owner_id=seller.pk, currency=dispute.currency)
    reserve = after.reserved - before.reserved
    if reserve > 0:
        _post(payment, dispute, EntryKind.DISPUTE, "reserve", _to_reserve(payment, dispute, reserve))
    _post(payment, dispute, EntryKind.DISPUTE_FUNDS, "funds", _funds(payment, after.withdrawn - before.withdrawn))
    _post(payment, dispute, EntryKind.DISPUTE_FEE, "fee", _fee(payment, after.fee - before.fee))
    _post(payment, dispute, EntryKind.DISPUTE_LOST, "lost", _closing(payment, before, after))
    if reserve < 0:
        _post(payment, dispute, EntryKind.DISPUTE_RELEASED, "release", _from_reserve(payment, -reserve))


def _to_reserve(payment: Payment, dispute: Dispute, minor: int) -> list[Posting]:
    seller = _seller_of(payment)
    return [
        *postings_from_earnings(owner_id=seller.pk, currency=dispute.currency, amount_minor=minor),
        Posting(person_account(seller.pk, AccountKind.DISPUTED), minor),
    ]


def _from_reserve(payment: Payment, minor: int) -> list[Posting]:
    seller = _seller_of(payment)
    return [
        Posting(person_account(seller.pk, AccountKind.DISPUTED), -minor),
        Posting(person_account(seller.pk), minor),
    ]


def _funds(payment: Payment, minor: int) -> list[Posting]:
    return [
        Posting(platform_account(GATEWAY_ACCOUNT_KINDS[payment.gateway]), minor),
        Posting(platform_account(AccountKind.DISPUTE_SUSPENSE), -minor),
    ]


def _fee(payment: Payment, minor: int) -> list[Posting]:
    return [
        Posting(platform_account(GATEWAY_ACCOUNT_KINDS[payment.gateway]), minor),
        Posting(platform_account(AccountKind.LOSSES), -minor),
    ]


def _closing(payment: Payment, before: _Position, after: _Position) -> list[Posting]:
    """Who bears what was lost: it closes the suspense."""
    from_seller = after.from_seller - before.from_seller
    from_platform = after.from_platform - before.from_platform
    promotion = after.promotion - before.promotion
    excess = after.excess - before.excess
    postings = [
        Posting(platform_account(platform_share_kind(payment)), -from_platform),
        Posting(platform_account(AccountKind.PROMOTIONS), promotion),
        Posting(platform_account(AccountKind.LOSSES), -excess),
        Posting(platform_account(AccountKind.DISPUTE_SUSPENSE), from_seller + from_platform - promotion + excess),
    ]
    if from_seller:
        postings.append(Posting(person_account(_seller_of(payment).pk, AccountKind.DISPUTED), -from_seller))
    return postings


def platform_share_kind(payment: Payment) -> AccountKind:
    """Where the platform's share of the payment stands."""
    if payment.settled_at is None:
        return AccountKind.UNSETTLED
    return AccountKind.SALES if payment.product.seller is None else AccountKind.FEES


def _seller_of(payment: Payment) -> User:
    assert payment.product.seller is not None  # the platform's own sales give nobody else a share
    return payment.product.seller


def _post(payment: Payment, dispute: Dispute, kind: EntryKind, purpose: str, postings: list[Posting]) -> None:
    if not any(posting.amount_minor for posting in postings):
        return
    entry_post(
        key=f"dispute:{dispute.pk}:{dispute.revision}:{purpose}",
        kind=kind,
        currency=dispute.currency,
        postings=postings,
        source_kind="dispute",
        source_id=str(dispute.pk),
        reference=payment.reference,
        description=f"{kind.label}: {payment.product.title}"[:200],
    )


def payment_restate(*, payment: Payment) -> None:
    """Save the status that its disputes and the sum of its refunds give it; people are asked, or no longer, as it
    says. In the transaction that locked it."""
    payment.status = _status_of(payment)
    payment.save(update_fields=["refunded_minor", "status"])
    if payment.status == PaymentStatus.REFUNDED:
        review_close(payment=payment, reason="All of the payment went back.")
    elif payment.status == PaymentStatus.IN_REVIEW:
        review_open(payment=payment, reason=ReviewReason.REFUND_FAILED)


def _status_of(payment: Payment) -> PaymentStatus:
    if payment.disputes.filter(status__in=DISPUTE_STANDING).exists():
        return PaymentStatus.DISPUTED
    left = payment.refundable
    if payment.refunded_minor and left is not None:
        return PaymentStatus.REFUNDED if left.minor == 0 else PaymentStatus.PARTIALLY_REFUNDED
    return PaymentStatus.IN_REVIEW if payment.settled_at is None else PaymentStatus.PAID


# --- what nobody told us


def disputes_sweep(*, limit: int = 100) -> int:
    """Ask the gateways about the disputes that are open, or whose money is still out, the longest unasked first; how
    many were asked about. A gateway that is away is left alone for the rest of the run."""
    moment = now()
    undecided = Q(status__in=DISPUTE_OPEN) | (~Q(status=DisputeStatus.LOST) & Q(withdrawn_minor__gt=0))
    due = Dispute.objects.filter(undecided, checked_at__lt=moment - ASK_AGAIN_AFTER).order_by("checked_at", "pk")
    asked, away = 0, set[str]()
    for dispute in due.select_related("payment")[:limit]:
        payment = dispute.payment
        # A claim, before asking: a run beside this one skips it, and the next run begins with others.
        claimed = Dispute.objects.filter(pk=dispute.pk, checked_at=dispute.checked_at).update(checked_at=moment)
        if payment.gateway in away or not claimed:
            continue
        asked += 1
        try:
            dispute_refresh(payment=payment, gateway_dispute_id=dispute.gateway_dispute_id)
        except GatewayUnavailable:
            away.add(payment.gateway)
        except Exception:  # one dispute's trouble must not become everybody's
            logger.exception("dispute_not_recorded", payment=payment.reference, dispute=dispute.gateway_dispute_id)
    return asked


def disputes_find() -> int:
    """Read the gateways' own lists for disputes of which no event ever came; how many were found."""
    found = 0
    for gateway in GatewayName:
        try:
            found += _find_at(gateway)
        except GatewayUnavailable as error:
            logger.warning("disputes_not_listed", gateway=gateway.value, reason=error.detail)
    return found


def _find_at(gateway: GatewayName) -> int:
    found = 0
    for listed in gateway_named(gateway).list_disputes(since=now() - LOOK_BACK):
        payment = payment_disputed(gateway=gateway, named=listed.payment)
        if payment is None or payment.disputes.filter(gateway_dispute_id=listed.gateway_dispute_id).exists():
            continue
        try:
            dispute_refresh(payment=payment, gateway_dispute_id=listed.gateway_dispute_id)
        except (DisputeNotFound, DisputeUnreadable):
            continue
        found += 1
    return found


def payment_disputed(*, gateway: GatewayName, named: str) -> Payment | None:
    """Our captured payment that the gateway names so: by our reference, or by its own id."""
    if not named:
        return None
    known = Payment.objects.filter(Q(reference=named) | Q(gateway_payment_id=named), gateway=gateway)
    return known.exclude(status__in=UNSETTLED_STATUSES).select_related("product__seller").first()


# --- who is told


def _audit(dispute: Dispute, payment: Payment, before: str | None) -> None:
    audit_record(
        actor=None,
        action=f"dispute.{dispute.status}",
        subject_kind="dispute",
        subject_id=dispute.pk,
        reason=dispute.reason,
        before={"status": before},
        after={
            "payment": payment.reference,
            "amount_minor": dispute.amount_minor,
            "currency": dispute.currency,
            "status": dispute.status,
        },
    )


def _tell(dispute: Dispute, payment: Payment, before: str | None, *, set_aside: int) -> None:
    """The creator about the beginning and the end, staff about what waits for an answer. One that is over before we
    heard of it, for us, is nobody's business. `set_aside` is the creator's share until now: of a dispute that is won,
    what they have again."""
    seller = payment.product.seller
    if before is None and dispute.status not in DISPUTE_STANDING:
        return
    context = {
        "dispute": dispute,
        "payment": payment,
        "product": payment.product,
        "money": dispute.money.grouped,
        "support": settings.SUPPORT_EMAIL,
    }
    if dispute.status == DisputeStatus.NEEDS_RESPONSE:
        mail_queue(
            key=f"dispute:{dispute.pk}:to_answer",
            to=settings.SUPPORT_EMAIL,
            template="dispute_to_answer",
            context=context,
        )
    became = _became(dispute, first=before is None)
    if became is None:
        return
    share = Money(set_aside if became == "won" else dispute.seller_minor, dispute.currency)
    dispute_publish(dispute, became, share=share)
    if seller is None:
        return
    mail_queue(
        key=f"dispute:{dispute.pk}:{became}:{dispute.revision}",
        to=seller.email,
        template=f"dispute_{became}",
        context={
            **context,
            "seller": seller,
            "share": share.grouped,
            "debt": debt_of(seller, dispute.currency),
        },
    )


def _became(dispute: Dispute, *, first: bool) -> str | None:
    """What its creator is told; None where nothing has changed for them."""
    if dispute.status == DisputeStatus.LOST:
        return "lost"
    if dispute.is_open:
        return "opened" if first else None
    return "won"


def debt_of(seller: User, currency: str) -> str | None:
    """How far the creator's available balance is below zero, for people to read."""
    account = LedgerAccount.objects.filter(owner=seller, kind=AccountKind.AVAILABLE, currency=currency).first()
    balance = account.balance_minor if account is not None else None
    return Money(-balance, currency).grouped if balance is not None and balance < 0 else None
