"""Passes to every platform course: what is sold, and for how much."""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from accounts.models import User
from courses.enums import AccessType
from courses.locks import course_pass_lock
from courses.models import CoursePass
from courses.passes import FIRST_PRICES, TERM_MONTHS, TITLES
from learning247.kit.ids import new_id
from learning247.kit.money import Money
from learning247.records.services.audit import audit_record
from payments.enums import ProductKind
from payments.models import Product
from payments.services.products import prices_set, product_create


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
