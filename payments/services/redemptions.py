"""Uses of coupons: one is reserved when a checkout opens, consumed when it is paid, released when it is not.

`Coupon.taken` counts reserved and consumed ones and changes under the coupon's lock alone. Consuming touches no more
than the redemption, so the sales of a coupon do not wait for each other.
"""

from datetime import datetime
from uuid import UUID

from django.db.models import F, Q

from learning247.kit.clock import now
from learning247.kit.transactions import require_transaction
from payments.enums import RedemptionStatus
from payments.errors import CouponUsedUp
from payments.locks import coupon_lock
from payments.models import Coupon, CouponRedemption, Payment
from payments.quotes import overdue_at, use_refusal

_TAKEN = Q(status__in=(RedemptionStatus.RESERVED, RedemptionStatus.CONSUMED))


def redemption_room_make(*, coupon: Coupon, user_id: UUID) -> None:
    """Make sure that this person may use the coupon once more, in the transaction that has locked it.

    What is reserved for checkouts that ended is released first. Raises CouponUsedUp.
    """
    require_transaction("Room for a use is kept by the coupon's lock.")
    moment = now()
    _release(coupon, overdue_at(moment), moment)
    refusal = use_refusal(coupon=coupon, user_id=user_id, overdue_count=True)
    if refusal is not None:
        raise refusal


def redemption_reserve(*, coupon: Coupon, payment: Payment) -> CouponRedemption:
    """One use for `payment`: in the transaction that has locked the coupon and made room."""
    require_transaction("A use is reserved together with its payment.")
    _count(coupon, 1)
    return CouponRedemption.objects.create(coupon=coupon, payment=payment, user_id=payment.buyer_id)


def redemption_consume(*, payment: Payment) -> bool:
    """The payment settles and uses its coupon, in the caller's transaction, which has locked it.

    A use that was released is taken again where one is free, also when the coupon has ended meanwhile: its terms were
    agreed. False where none is: the payment cannot settle at this price. True where no coupon was used.
    """
    require_transaction("A use is consumed together with its sale.")
    if not payment.coupon_code:
        return True
    mine = CouponRedemption.objects.filter(payment=payment)
    consumed = {"status": RedemptionStatus.CONSUMED, "consumed_at": now(), "released_at": None}
    if mine.filter(status=RedemptionStatus.RESERVED).update(**consumed):
        return True
    redemption = mine.get()
    coupon = coupon_lock(redemption.coupon_id)
    try:
        redemption_room_make(coupon=coupon, user_id=redemption.user_id)
    except CouponUsedUp:
        return False
    _count(coupon, 1)
    mine.update(**consumed)
    return True


def redemption_release(*, payment: Payment) -> None:
    """The payment does not settle: somebody else may have its use. In the caller's transaction, which has locked the
    payment. Quiet where it has none."""
    require_transaction("A use is released together with what became of its payment.")
    redemption = CouponRedemption.objects.filter(_TAKEN, payment=payment).first() if payment.coupon_code else None
    if redemption is not None:
        _release(coupon_lock(redemption.coupon_id), _TAKEN & Q(pk=redemption.pk), now())


def _release(coupon: Coupon, which: Q, moment: datetime) -> None:
    released = {"status": RedemptionStatus.RELEASED, "consumed_at": None, "released_at": moment}
    # A settlement, which asks for no lock of the coupon, may consume one of them at this very moment: that one is
    # passed over, as waiting for it could be waiting in a circle.
    rows = CouponRedemption.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
    ids = list(rows.filter(which, coupon=coupon).values_list("pk", flat=True))
    if ids:
        _count(coupon, -CouponRedemption.objects.filter(pk__in=ids).update(**released))


def _count(coupon: Coupon, more: int) -> None:
    Coupon.objects.filter(pk=coupon.pk).update(taken=F("taken") + more)
    coupon.taken += more
