"""Choices of the payments app."""

from django.db import models


class ProductKind(models.TextChoices):
    COURSE = "course", "Course"
    COURSE_PASS = "course_pass", "Course pass"
    VIDEO = "video", "Video"
    LIVE_CLASS = "live_class", "Live class"


class GatewayName(models.TextChoices):
    PAYSTACK = "paystack", "Paystack"
    STRIPE = "stripe", "Stripe"


class PaymentStatus(models.TextChoices):
    """The diagram is above `Payment`."""

    PENDING = "pending", "Pending"
    PAID = "paid", "Paid"
    FAILED = "failed", "Failed"
    EXPIRED = "expired", "Expired"
    IN_REVIEW = "in_review", "In review"
    REFUNDED = "refunded", "Refunded"
    PARTIALLY_REFUNDED = "partially_refunded", "Partially refunded"
    DISPUTED = "disputed", "Disputed"


# From these a capture may still settle: a declined card is tried again, an expired checkout is paid late.
UNSETTLED_STATUSES = (PaymentStatus.PENDING, PaymentStatus.FAILED, PaymentStatus.EXPIRED)


class RefundStatus(models.TextChoices):
    """The diagram is above `Refund`."""

    REQUESTED = "requested", "Requested"
    PENDING = "pending", "Pending"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    NEEDS_ATTENTION = "needs_attention", "Needs attention"


REFUND_UNDER_WAY = (RefundStatus.REQUESTED, RefundStatus.PENDING, RefundStatus.NEEDS_ATTENTION)


class RefundSource(models.TextChoices):
    """Who wanted the money to go back."""

    BUYER = "buyer", "The buyer"
    STAFF = "staff", "Staff"
    PLATFORM = "platform", "The platform by itself"
    GATEWAY = "gateway", "Somebody at the gateway"


class DisputeStatus(models.TextChoices):
    """The diagram is above `Dispute`."""

    WARNING = "warning", "Inquiry"
    NEEDS_RESPONSE = "needs_response", "Needs an answer"
    UNDER_REVIEW = "under_review", "Under review"
    WON = "won", "Won"
    LOST = "lost", "Lost"
    PREVENTED = "prevented", "Closed without a dispute"


DISPUTE_OPEN = (DisputeStatus.WARNING, DisputeStatus.NEEDS_RESPONSE, DisputeStatus.UNDER_REVIEW)
# While one of these is there the money is in dispute, or gone.
DISPUTE_STANDING = (*DISPUTE_OPEN, DisputeStatus.LOST)
# An inquiry is the gateway's advice to refund (docs.stripe.com/disputes/how-disputes-work#inquiries).
DISPUTE_FORBIDS_REFUND = (DisputeStatus.NEEDS_RESPONSE, DisputeStatus.UNDER_REVIEW, DisputeStatus.LOST)


class CouponBearer(models.TextChoices):
    """Who earns less because of a coupon."""

    CREATOR = "creator", "The creator: the price is lower"
    PLATFORM = "platform", "The platform: the creator gets the share of the full price"


class CouponState(models.TextChoices):
    """What a coupon is at the moment."""

    ACTIVE = "active", "Active"
    PAUSED = "paused", "Paused"
    SCHEDULED = "scheduled", "Begins later"
    ENDED = "ended", "Ended"
    USED_UP = "used_up", "Used up"


class RedemptionStatus(models.TextChoices):
    """The diagram is above `CouponRedemption`."""

    RESERVED = "reserved", "Reserved"
    CONSUMED = "consumed", "Used"
    RELEASED = "released", "Released"


class PayoutStatus(models.TextChoices):
    """The diagram is above `Payout`."""

    PENDING = "pending", "On its way"
    PAID = "paid", "Paid"
    FAILED = "failed", "Failed"
    CANCELED = "canceled", "Canceled"


class PayoutRowKind(models.TextChoices):
    """What a gateway pays out, or deducts from it."""

    PAYMENT = "payment", "Payment"
    REFUND = "refund", "Refund"
    DISPUTE = "dispute", "Dispute"
    DEDUCTION = "deduction", "Deducted for refunds and disputes"
    OTHER = "other", "Other"


class LineClass(models.TextChoices):
    """How a line of a gateway and one of our books compare; each line is in exactly one class."""

    MATCHED = "matched", "Matched"
    OURS_ONLY = "ours_only", "Ours only"
    THEIRS_ONLY = "theirs_only", "Theirs only"
    AMOUNT = "amount", "Another amount"
    FEE = "fee", "Another fee"
    CURRENCY = "currency", "Another currency"
    TIMING = "timing", "Another time"


class ReviewReason(models.TextChoices):
    """Why money that the gateway captured was not settled."""

    AMOUNT_MISMATCH = "amount_mismatch", "The gateway captured another amount"
    CURRENCY_MISMATCH = "currency_mismatch", "The gateway captured another currency"
    REFERENCE_MISMATCH = "reference_mismatch", "The gateway answered for another payment"
    ALREADY_OWNED = "already_owned", "The buyer owns this already"
    COUPON_USED_UP = "coupon_used_up", "The coupon's last use was taken before it was paid"
    REFUND_FAILED = "refund_failed", "The gateway could not give it back"
    REVERSED = "reversed", "It went back at the gateway before it could settle"
    RISK = "risk", "Our checks for fraud noticed it"


class AccessReason(models.TextChoices):
    """Why a door opens or stays shut."""

    OWNER = "owner", "It is your own"
    ENTITLED = "entitled", "You have a right to it"
    PURCHASE_REQUIRED = "purchase_required", "Buy it first"
    NOT_STARTED = "not_started", "Your right begins later"
    EXPIRED = "expired", "Your right has ended"
    REVOKED = "revoked", "Your right was taken back"


class EntitlementSource(models.TextChoices):
    PURCHASE = "purchase", "Purchase"
    FREE = "free", "Free of charge"
    STAFF = "staff", "Granted by staff"
