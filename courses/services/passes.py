"""Passes to every platform course: what they cost. The passes themselves come with migration 0006."""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from accounts.models import User
from courses.locks import course_pass_lock
from learning247.kit.money import Money
from learning247.records.reasons import required_reason
from learning247.records.services.audit import audit_record
from payments.services.products import prices_set


@transaction.atomic(durable=True)
def course_pass_prices_set(*, course_pass_id: UUID, prices: Sequence[Money], staff: User, reason: str) -> None:
    """Exactly these prices from now on, audited; open checkouts keep their amount. The same ones change nothing.

    No price at all takes the pass off sale: every purchase is then refused with `currency_not_available`.
    Raises ReasonRequired.
    """
    reason = required_reason(reason)
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
        reason=reason,
        before=before,
        after=after,
    )
