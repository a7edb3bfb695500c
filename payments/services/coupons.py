"""Coupons: made, changed, paused; creators their own, staff the platform's."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, TypedDict
from uuid import UUID

from django.db import transaction

from accounts.errors import EmailNotVerified
from accounts.models import User
from learning247.kit.money import Money
from learning247.records.reasons import required_reason
from learning247.records.services.audit import audit_record
from payments.coupon_codes import code_read
from payments.enums import CouponBearer
from payments.errors import (
    CouponCodeInvalid,
    CouponCodeTaken,
    CouponLimitBelowUse,
    CouponRedeemed,
    CouponWindowInvalid,
    ProductNotFound,
)
from payments.locks import coupon_lock_of, product_hold
from payments.models import Coupon, CouponAmount, Product

# Told apart when read aloud; 50 bits, for codes that nobody chose.
_ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_MADE_LENGTH: Final = 10


class CouponFields(TypedDict, total=False):
    """When a coupon may be used, and how often; what is not there stays as it is, or as the model has it."""

    active: bool
    starts_at: datetime
    ends_at: datetime | None
    max_uses: int | None
    max_uses_per_user: int | None


@transaction.atomic(durable=True)
def coupon_create_own(
    *,
    creator: User,
    code: str | None,
    percent_bps: int | None,
    amounts: Sequence[Money],
    item: tuple[str, UUID] | None,
    fields: CouponFields,
) -> Coupon:
    """A creator's coupon for one of their own items (`item`: kind and id), or for all that they sell, at their cost.

    Takes `percent_bps` off, or where that is None `amounts`, one per currency. No `code`: one is made that nobody
    guesses. Raises EmailNotVerified, ProductNotFound, CouponCodeInvalid, CouponCodeTaken, CouponWindowInvalid.
    """
    if not creator.email_verified:
        raise EmailNotVerified
    product = None
    if item is not None:
        product = Product.objects.filter(kind=item[0], item_id=item[1], seller=creator).first()
        if product is None:
            raise ProductNotFound(attr="item_id")
    return _create(
        Coupon(
            code=_code(code),
            owner=creator,
            bearer=CouponBearer.CREATOR,
            percent_bps=percent_bps,
            product=product,
            seller=creator if product is None else None,
            created_by=creator,
            **fields,
        ),
        amounts,
        reason="",
    )


@transaction.atomic(durable=True)
def coupon_create_by_staff(
    *,
    actor: User,
    code: str | None,
    bearer: CouponBearer,
    percent_bps: int | None,
    amounts: Sequence[Money],
    product: Product | None,
    seller: User | None,
    fields: CouponFields,
    reason: str,
) -> Coupon:
    """The platform's coupon for one product, for all of one creator's, or for everything; audited with `reason`.

    Where the creator bears it, one creator or product is named: nobody's price falls unnamed. Raises CouponCodeInvalid,
    CouponCodeTaken, CouponWindowInvalid, ReasonRequired; ProductNotFound for one that was erased meanwhile.
    """
    return _create(
        Coupon(
            code=_code(code),
            bearer=bearer,
            percent_bps=percent_bps,
            product=product,
            seller=seller,
            created_by=actor,
            **fields,
        ),
        amounts,
        reason=required_reason(reason),
    )


def _code(text: str | None) -> str:
    if text is None or not text.strip():
        return "".join(secrets.choice(_ALPHABET) for _ in range(_MADE_LENGTH))
    code = code_read(text)
    if not code:
        raise CouponCodeInvalid(attr="code")
    return code


def _create(coupon: Coupon, amounts: Sequence[Money], *, reason: str) -> Coupon:
    _refuse_window(coupon)
    if coupon.product_id is not None:
        product_hold(coupon.product_id)
        if not Product.objects.filter(pk=coupon.product_id).exists():
            raise ProductNotFound(attr="item_id")
    Coupon.objects.bulk_create([coupon], ignore_conflicts=True)
    if not Coupon.objects.filter(pk=coupon.pk).exists():
        raise CouponCodeTaken(attr="code")
    CouponAmount.objects.bulk_create(
        CouponAmount(coupon=coupon, currency=amount.currency, amount_minor=amount.minor) for amount in amounts
    )
    audit_record(
        actor=coupon.created_by,
        action="coupon.created",
        subject_kind="coupon",
        subject_id=coupon.pk,
        reason=reason,
        after={
            "code": coupon.code,
            "owner": coupon.owner_id,
            "bearer": coupon.bearer,
            "percent_bps": coupon.percent_bps,
            "amounts": [str(amount) for amount in amounts],
            "product": coupon.product_id,
            "seller": coupon.seller_id,
            **_changeable(coupon),
        },
    )
    return coupon


@transaction.atomic(durable=True)
def coupon_update(
    *, coupon_id: UUID, owner: User | None, actor: User, changes: CouponFields, reason: str = ""
) -> Coupon:
    """Change when and how often it may be used; what it takes off stays. Open checkouts keep what they agreed to.

    `owner` None: the platform's. Audited where anything changes. Raises CouponNotFound, CouponLimitBelowUse,
    CouponWindowInvalid.
    """
    coupon = coupon_lock_of(coupon_id, owner)
    return _change(coupon, actor=actor, changes=changes, reason=reason)


@transaction.atomic(durable=True)
def coupon_switch(*, coupon_id: UUID, actor: User, active: bool, reason: str) -> Coupon:
    """Staff pause anybody's coupon, or let it go on; audited. Quiet where it is so already. Raises CouponNotFound,
    ReasonRequired."""
    coupon = coupon_lock_of(coupon_id, None, of_anybody=True)
    return _change(coupon, actor=actor, changes={"active": active}, reason=required_reason(reason))


@transaction.atomic(durable=True)
def coupon_delete(*, coupon_id: UUID, owner: User) -> None:
    """Only while no checkout ever used it: afterwards it is a part of the payments' evidence. Audited.

    Raises CouponNotFound, CouponRedeemed.
    """
    coupon = coupon_lock_of(coupon_id, owner)
    if coupon.redemptions.exists():
        raise CouponRedeemed
    audit_record(
        actor=owner, action="coupon.deleted", subject_kind="coupon", subject_id=coupon.pk, before={"code": coupon.code}
    )
    coupon.delete()


def _change(coupon: Coupon, *, actor: User, changes: CouponFields, reason: str) -> Coupon:
    before = _changeable(coupon)
    for name, value in changes.items():
        setattr(coupon, name, value)
    after = _changeable(coupon)
    if after == before:
        return coupon
    _refuse_window(coupon)
    if coupon.max_uses is not None and coupon.max_uses < coupon.taken:
        raise CouponLimitBelowUse(
            f"{coupon.taken} uses are taken already. Allow at least that many, or pause the coupon.",
            attr="max_uses",
            extra={"taken": coupon.taken},
        )
    coupon.save(update_fields=list(after))
    audit_record(
        actor=actor,
        action="coupon.changed",
        subject_kind="coupon",
        subject_id=coupon.pk,
        reason=reason,
        before=before,
        after=after,
    )
    return coupon


def _refuse_window(coupon: Coupon) -> None:
    if coupon.ends_at is not None and coupon.ends_at <= max(coupon.starts_at, coupon.created_at):
        raise CouponWindowInvalid(attr="ends_at")


def _changeable(coupon: Coupon) -> dict[str, Any]:
    return {
        "active": coupon.active,
        "starts_at": coupon.starts_at,
        "ends_at": coupon.ends_at,
        "max_uses": coupon.max_uses,
        "max_uses_per_user": coupon.max_uses_per_user,
    }
