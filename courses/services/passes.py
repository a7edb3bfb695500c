"""Passes to every platform course: what is sold, and for how much."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from django.db import transaction

from accounts.models import User
from courses.enums import AccessType
from courses.locks import course_pass_lock
from courses.models import CoursePass
from learning247.kit.ids import new_id
from learning247.kit.money import Money
from learning247.records.services.audit import audit_record
from payments.enums import ProductKind
from payments.models import Product
from payments.services.products import prices_set, product_create

TERM_MONTHS: Final = {AccessType.MONTHLY: 1, AccessType.YEARLY: 12}
# What a pass costs until staff say otherwise; GBP and EUR are theirs to add.
FIRST_PRICES: Final = {
    AccessType.MONTHLY: (Money(3_500_000, "NGN"), Money(4_200, "USD")),
    AccessType.YEARLY: (Money(28_000_000, "NGN"), Money(33_600, "USD")),
}
TITLES: Final = {
    AccessType.MONTHLY: "Monthly pass to every platform course",
    AccessType.YEARLY: "Yearly pass to every platform course",
}


def course_pass_ensure(access_type: str) -> CoursePass:
    """The pass of this type (monthly, yearly), on sale at its first prices when nobody asked for it before."""
    known = CoursePass.objects.select_related("product").filter(access_type=access_type).first()
    return known or _course_pass_create(AccessType(access_type))


@transaction.atomic
def _course_pass_create(access_type: AccessType) -> CoursePass:
    pass_id = new_id()
    product = product_create(
        kind=ProductKind.COURSE_PASS,
        item_id=pass_id,
        title=TITLES[access_type],
        seller=None,
        prices=FIRST_PRICES[access_type],
        active=True,
        term_months=TERM_MONTHS[access_type],
    )
    made = CoursePass(id=pass_id, access_type=access_type, product=product)
    CoursePass.objects.bulk_create([made], ignore_conflicts=True)
    kept = CoursePass.objects.select_related("product").get(access_type=access_type)
    if kept.id != pass_id:
        Product.objects.filter(id=product.id).delete()  # a twin was quicker; nobody has seen this one
    return kept


@transaction.atomic(durable=True)
def course_pass_prices_set(*, course_pass_id: UUID, prices: Sequence[Money], staff: User) -> None:
    """Exactly these prices from now on, audited; open checkouts keep their amount. The same ones change nothing.

    No price at all takes the pass off sale: every purchase is then refused with `currency_not_available`.
    """
    course_pass = course_pass_lock(course_pass_id)
    before = {price.currency: price.money.amount for price in course_pass.product.prices.all()}
    after = {price.currency: price.amount for price in prices}
    if before == after:
        return
    prices_set(product=course_pass.product, prices=prices)
    audit_record(
        actor=staff,
        action="course_pass.priced",
        subject_kind="course_pass",
        subject_id=course_pass.id,
        before=before,
        after=after,
    )
