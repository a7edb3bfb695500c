"""Payments that people have to decide over."""

from django.db import models
from django.db.models import Q

from learning247.risk.enums import ReviewStatus
from learning247.risk.models import ReviewCase
from payments.enums import ReviewReason
from payments.models.payments import Payment


class PaymentReview(ReviewCase):
    """A captured payment that the platform does not settle by itself. Every payment in review has one that is open.

    Approved, it settles from the platform's `unsettled` account; rejected, all of it goes back. Should that refund
    fail, the payment is in review again, by another case: the decision stands.
    """

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="reviews")
    reason = models.CharField(max_length=30, choices=ReviewReason)

    class Meta(ReviewCase.Meta):
        constraints = (
            *ReviewCase.Meta.constraints,
            models.UniqueConstraint(
                fields=("payment",),
                condition=Q(status=ReviewStatus.OPEN),
                name="payments_paymentreview_one_open_per_payment",
            ),
        )

    def __str__(self) -> str:
        return f"{self.payment}: {self.get_reason_display()}"
