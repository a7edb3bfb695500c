"""What payments holds about people: what they sell, what they bought, what that opens; and how it is forgotten."""

from collections.abc import Iterator
from typing import Final

from django.db.models import CharField, Q, Value
from django.db.models.functions import Cast, Concat

from accounts.models import User
from learning247.records.personal_tables import (
    ErasureSubject,
    Obstacle,
    PersonalTable,
    register_audit_subject,
    register_erasure_guard,
    register_event_subject,
    register_impersonal,
    register_mail_keys,
    register_personal_data,
)
from learning247.records.services.personal_data import FORGOTTEN
from payments.enums import DISPUTE_OPEN, REFUND_UNDER_WAY, PaymentStatus
from payments.locks import payments_lock_of, products_lock_of
from payments.models import (
    Coupon,
    CouponAmount,
    CouponRedemption,
    Dispute,
    Entitlement,
    Payment,
    PaymentReview,
    Price,
    Product,
    Refund,
)

# What services/refunds.py writes to buyers.
TO_BUYER: Final = ("refund_started", "refund_failed", "second_payment_returned", "late_payment_returned")


def register_tables() -> None:
    """Called from `apps.ready()`."""
    register_personal_data(
        PersonalTable(
            "products",
            Product,
            lambda user: [Product.objects.filter(seller_id=user.id)],
            kept="The titles of what was sold: those who bought it keep it. It cannot be bought any more.",
        ),
        PersonalTable(
            "prices",
            Price,
            lambda user: [Price.objects.filter(product__seller_id=user.id)],
            kept="What the items that were sold cost last.",
        ),
        PersonalTable(
            "payments",
            Payment,
            lambda user: [Payment.objects.filter(buyer_id=user.id)],
            also=("product__kind", "product__title"),
            currencies={"captured_minor": "captured_currency"},
            forget=payments_forget,
            kept="What was paid for what, when and through whom, without who took the course: the law of accounting "
            "and of taxes keeps it for years.",
        ),
        PersonalTable(
            "coupons",
            Coupon,
            lambda user: [
                Coupon.objects.filter(owner_id=user.id),
                Coupon.objects.filter(Q(created_by_id=user.id) | Q(seller_id=user.id)).exclude(owner_id=user.id),
            ],
            forget=coupons_forget,
            kept="What your codes took off: those who used one have it on their receipt. They cannot be used any more.",
        ),
        PersonalTable(
            "coupon_amounts",
            CouponAmount,
            lambda user: [CouponAmount.objects.filter(coupon__owner_id=user.id)],
            kept="What your codes took off in each currency.",
        ),
        PersonalTable(
            "coupon_redemptions",
            CouponRedemption,
            lambda user: [CouponRedemption.objects.filter(user_id=user.id)],
            also=("coupon__code",),
            kept="Which payment used which code: a part of its evidence, and what keeps a code from being used twice.",
        ),
        PersonalTable(
            "refunds",
            Refund,
            lambda user: [
                Refund.objects.filter(payment__buyer_id=user.id),
                Refund.objects.filter(requested_by_id=user.id).exclude(payment__buyer_id=user.id),
            ],
            forget=refunds_forget,
            kept="What of your payments went back, when and how: the law of accounting keeps it with them.",
        ),
        PersonalTable(
            "disputes",
            Dispute,
            lambda user: [Dispute.objects.filter(payment__buyer_id=user.id)],
            kept="What your bank asked back of your payments, and how that ended: the law of accounting keeps it with "
            "them.",
        ),
        PersonalTable(
            "payment_reviews",
            PaymentReview,
            lambda user: [
                PaymentReview.objects.filter(payment__buyer_id=user.id),
                PaymentReview.objects.filter(Q(decided_by_id=user.id) | Q(assigned_to_id=user.id)).exclude(
                    payment__buyer_id=user.id
                ),
            ],
            withheld={"notes": "What staff noted while they looked for fraud: it would help those who try."},
            forget=reviews_forget,
            kept="That a payment of yours was looked at, and what was decided: a part of its evidence.",
        ),
        PersonalTable(
            "entitlements",
            Entitlement,
            lambda user: [Entitlement.objects.filter(user_id=user.id)],
            also=("product__kind", "product__title"),
            forget=entitlements_forget,
            kept="What each payment opened: a part of its evidence.",
        ),
    )
    register_impersonal(
        {
            "payments.Payout": "What the gateways paid out to our own bank.",
            "payments.PayoutRow": "Which movements made up such a payout, by the gateways' ids and our references.",
        }
    )
    register_audit_subject(
        "payment", lambda user: Payment.objects.filter(buyer_id=user.id).values_list("id", flat=True)
    )
    register_audit_subject(
        "entitlement", lambda user: Entitlement.objects.filter(user_id=user.id).values_list("id", flat=True)
    )
    register_audit_subject(
        "refund", lambda user: Refund.objects.filter(payment__buyer_id=user.id).values_list("id", flat=True)
    )
    register_audit_subject(
        "dispute", lambda user: Dispute.objects.filter(payment__buyer_id=user.id).values_list("id", flat=True)
    )
    register_mail_keys(mails_to_buyer)
    register_event_subject(payment_references)
    register_erasure_guard(business_open)


def payment_references(user: User) -> list[str]:
    """By which gateways' events name this person's payments."""
    named = Payment.objects.filter(buyer_id=user.id).values_list("reference", "gateway_payment_id")
    return [name for names in named for name in names if name]


# One whose dispute was lost stays disputed for ever; open is what is not decided.
def mails_to_buyer(user: User) -> Iterator[str]:
    """By their keys; those to the seller of the same payments name no buyer."""
    for pk in Payment.objects.filter(buyer_id=user.id).values_list("pk", flat=True):
        yield f"payment:{pk}:receipt"
    for pk in Refund.objects.filter(payment__buyer_id=user.id).values_list("pk", flat=True):
        yield from (f"refund:{pk}:{template}" for template in TO_BUYER)


_OPEN = Q(status__in=(PaymentStatus.PENDING, PaymentStatus.IN_REVIEW)) | Q(disputes__status__in=DISPUTE_OPEN)


def business_open(user: User) -> Iterator[Obstacle]:
    """What is not settled between the person and others. Their products and payments hold still from here on: nobody
    begins to buy the ones, and none of the others settles, until the transaction ends."""
    products_lock_of(user.id)
    locked = payments_lock_of(user.id)
    undecided = set(Payment.objects.filter(_OPEN, buyer_id=user.id).values_list("pk", flat=True))
    for payment in locked:
        if payment.status == PaymentStatus.PENDING:
            yield Obstacle(
                "payment_open",
                f"Your payment {payment.reference} is open until {payment.expires_at:%-d %B %Y, %H:%M} UTC. Finish it, "
                "or wait until it has expired.",
            )
        elif payment.pk in undecided:
            yield Obstacle(
                "payment_unsettled",
                f"Your payment {payment.reference} is {payment.get_status_display().lower()}. Wait until that is "
                "decided, or write to support.",
            )
    for refund in Refund.objects.filter(payment__buyer_id=user.id, status__in=REFUND_UNDER_WAY).order_by("id"):
        yield Obstacle(
            "refund_open", f"The refund {refund.reference} of {refund.money} is still on its way to you. Wait for it."
        )
    sales = Payment.objects.filter(_OPEN, product__seller_id=user.id)
    count = sales.distinct().count()
    if count:
        yield Obstacle(
            "sale_unsettled",
            f"{count} of your sales are being paid for, in review or disputed. Withdraw your items, so that nobody "
            "begins to buy them, and wait until those are settled.",
        )


def payments_forget(erasure: ErasureSubject) -> None:
    """Who was named as the student, by this buyer or for this person; and the keys, which clients make up."""
    about = Q(buyer_id=erasure.user.pk)
    for address in erasure.addresses:
        named = Q(details__student__email__iexact=address.email)
        about |= named if address.until is None else named & Q(created_at__lt=address.until)
    Payment.objects.filter(about).exclude(details={}).update(details={})
    Payment.objects.filter(buyer_id=erasure.user.pk).update(
        idempotency_key=Concat(Value(f"{FORGOTTEN} "), Cast("pk", CharField()))
    )


def coupons_forget(erasure: ErasureSubject) -> None:
    """Nobody can use them any more, and a code that names the person is replaced, on the payments too."""
    for coupon in Coupon.objects.filter(owner_id=erasure.user.pk):
        if erasure.mentioned_in(coupon.code):
            coupon.code = f"FORGOTTEN-{coupon.pk.hex[-12:].upper()}"
            Payment.objects.filter(redemption__coupon=coupon).update(coupon_code=coupon.code)
        coupon.active = False
        coupon.save(update_fields=["code", "active"])


def entitlements_forget(erasure: ErasureSubject) -> None:
    """Reasons that staff wrote, where they name the person."""
    for entitlement in Entitlement.objects.filter(user_id=erasure.user.pk).exclude(revoked_reason=""):
        if erasure.mentioned_in(entitlement.revoked_reason):
            Entitlement.objects.filter(pk=entitlement.pk).update(revoked_reason=FORGOTTEN)


def refunds_forget(erasure: ErasureSubject) -> None:
    """The keys, which clients make up, and the reasons where they name the person."""
    for refund in Refund.objects.filter(Q(payment__buyer_id=erasure.user.pk) | Q(requested_by_id=erasure.user.pk)):
        if erasure.mentioned_in(refund.reason):
            Refund.objects.filter(pk=refund.pk).update(reason=FORGOTTEN)
    Refund.objects.filter(requested_by_id=erasure.user.pk).exclude(idempotency_key="").update(
        idempotency_key=Concat(Value(f"{FORGOTTEN} "), Cast("pk", CharField()))
    )


def reviews_forget(erasure: ErasureSubject) -> None:
    """What staff noted about the person, and the reasons where they name them."""
    reviews = PaymentReview.objects.filter(payment__buyer_id=erasure.user.pk)
    reviews.exclude(notes="").update(notes=FORGOTTEN)
    for review in reviews.exclude(decision_reason=""):
        if erasure.mentioned_in(review.decision_reason):
            PaymentReview.objects.filter(pk=review.pk).update(decision_reason=FORGOTTEN)
