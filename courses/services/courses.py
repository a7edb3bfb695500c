"""A course's life: written, sold, taken off the shelf."""

import uuid
from collections.abc import Sequence
from typing import Literal, NotRequired, TypedDict, Unpack

from django.db import transaction
from django.utils.text import slugify

from accounts.models import User
from accounts.services.creators import creator_ensure
from courses.enums import CourseStatus
from courses.errors import CourseNeverPublished, CourseNotFound, CourseNotPublishable, CoursePricesRefused
from courses.locks import course_lock, product_lock_for_erasure
from courses.models import Course, Department
from learning247.kit.clock import now
from learning247.kit.ids import new_id
from learning247.kit.money import Money
from learning247.kit.transactions import require_transaction
from learning247.records.reasons import required_reason
from learning247.records.services.audit import audit_record
from payments.enums import ProductKind
from payments.models import Entitlement, Payment
from payments.selectors import charge_refusal
from payments.services.products import product_create, product_update


class CourseChanges(TypedDict, total=False):
    """The fields of a course that can be edited; one that is not there stays as it is."""

    title: str
    department: Department
    description: str
    curriculum: str
    duration: str
    link: str
    image_url: str


class CourseFields(TypedDict):
    """The fields of a new course; a text that is not there is empty."""

    title: str
    department: Department
    description: NotRequired[str]
    curriculum: NotRequired[str]
    duration: NotRequired[str]
    link: NotRequired[str]
    image_url: NotRequired[str]


@transaction.atomic(durable=True)
def course_create(
    *,
    course_id: uuid.UUID | None = None,
    creator: User | None,
    prices: Sequence[Money] = (),
    **fields: Unpack[CourseFields],
) -> Course:
    """A draft, with a product that cannot be bought yet. `creator` None: the platform's own. `course_id`: a new one,
    for who has stored something under it already.

    Whoever creates a first course becomes a creator. Raises EmailNotVerified.
    """
    if creator is not None:
        creator_ensure(creator)
    course_id = course_id or new_id()
    product = product_create(
        kind=ProductKind.COURSE,
        item_id=course_id,
        title=fields["title"],
        seller=creator,
        prices=list(prices),
        active=False,
    )
    return Course.objects.create(
        id=course_id, slug=course_slug(fields["title"], course_id), creator=creator, product=product, **fields
    )


@transaction.atomic(durable=True)
def course_update(*, course_id: uuid.UUID, changes: CourseChanges, prices: Sequence[Money] | None = None) -> Course:
    """`course_change` in a transaction of its own."""
    return course_change(course_id=course_id, changes=changes, prices=prices)


def course_change(
    *,
    course_id: uuid.UUID,
    changes: CourseChanges,
    prices: Sequence[Money] | None = None,
    staff: User | None = None,
    reason: str = "",
) -> Course:
    """Change what `changes` names; `prices`, when given, replace all prices. Open checkouts keep their amount.

    In the caller's transaction, which it asserts. `staff` is who edits a course that need not be their own: audited
    with the reason. Raises ReasonRequired; CourseNotFound; CourseNotPublishable when a published course would be left
    without a price, or one that was ever on sale without its link: who bought it opens it there.
    """
    require_transaction("A course is changed in the transaction that locks it.")
    if staff is not None:
        reason = required_reason(reason)
    course = _locked(course_id)
    if prices is not None and not prices and course.status == CourseStatus.PUBLISHED:
        raise CourseNotPublishable("A published course needs at least one price. Withdraw it first.", attr="prices")
    if course.status != CourseStatus.DRAFT and course.link and changes.get("link") == "":
        raise CourseNotPublishable("Who bought this course opens it by its link. Give it another instead.", attr="link")
    if staff is not None:
        audit_record(
            actor=staff,
            action="course.changed",
            subject_kind="course",
            subject_id=course.id,
            reason=reason,
            before={name: str(getattr(course, name)) for name in changes},
            after={name: str(value) for name, value in changes.items()},
        )
    for name, value in changes.items():
        setattr(course, name, value)
    course.updated_at = now()
    course.save(update_fields=[*changes, "updated_at"])
    product_update(course.product, title=course.title, prices=prices)
    return course


@transaction.atomic(durable=True)
def course_prices_set(*, course_id: uuid.UUID, prices: Sequence[Money], staff: User, reason: str) -> None:
    """Exactly these prices of a platform course from now on, audited; open checkouts keep their amount. The same ones
    change nothing. All zero: free of charge.

    Raises ReasonRequired; CourseNotFound; CoursePricesRefused for a creator's course, an amount that cannot be charged,
    two prices in one currency, and zero beside others; CourseNotPublishable when a published course would be left
    without a price.
    """
    reason = required_reason(reason)
    course = _locked(course_id)
    if course.creator_id is not None:
        raise CoursePricesRefused("The prices of a creator's course are its creator's to change.")
    if len({price.currency for price in prices}) < len(prices):
        raise CoursePricesRefused("Give one price per currency.")
    if len({price.minor == 0 for price in prices}) > 1:
        raise CoursePricesRefused("A course is free in every currency or in none.")
    for price in prices:
        refusal = charge_refusal(price)
        if refusal:
            raise CoursePricesRefused(refusal)
    if not prices and course.status == CourseStatus.PUBLISHED:
        raise CourseNotPublishable("A published course needs at least one price. Withdraw it first.", attr="prices")
    before = {price.currency: price.money.amount for price in course.product.prices.all()}
    after = {price.currency: price.amount for price in prices}
    if before == after:
        return
    product_update(course.product, prices=prices)
    audit_record(
        actor=staff,
        action="course.priced",
        subject_kind="course",
        subject_id=course.id,
        reason=reason,
        before=before,
        after=after,
    )


@transaction.atomic(durable=True)
def course_publish(*, course_id: uuid.UUID, actor: User | None, reason: str = "") -> Course:
    """Put it on sale; a published course stays so quietly. Audited, with the reason of whoever is not its creator.

    Raises CourseNotFound, ReasonRequired, CourseNotPublishable.
    """
    course = _locked(course_id)
    reason = _reason_for(course, actor, reason)
    if course.status == CourseStatus.PUBLISHED:
        return course
    if not course.link:
        raise CourseNotPublishable("Give the course its link first: without one, buyers get nothing.", attr="link")
    if not course.product.prices.exists():
        raise CourseNotPublishable(attr="prices")
    return _move(course, CourseStatus.PUBLISHED, actor=actor, reason=reason)


@transaction.atomic(durable=True)
def course_withdraw(*, course_id: uuid.UUID, actor: User | None, reason: str = "") -> Course:
    """Take it off the shelf: nobody can buy it, whoever owns it keeps it. Quiet when it is withdrawn already. Audited,
    with the reason of whoever is not its creator.

    Raises CourseNotFound, ReasonRequired, CourseNeverPublished.
    """
    course = _locked(course_id)
    reason = _reason_for(course, actor, reason)
    if course.status == CourseStatus.WITHDRAWN:
        return course
    if course.status == CourseStatus.DRAFT:
        raise CourseNeverPublished
    return _move(course, CourseStatus.WITHDRAWN, actor=actor, reason=reason)


@transaction.atomic(durable=True)
def course_delete(*, course_id: uuid.UUID, actor: User | None) -> Literal["erased", "withdrawn"]:
    """`course_erase_or_withdraw` in a transaction of its own."""
    return course_erase_or_withdraw(course_id=course_id, actor=actor)


def course_erase_or_withdraw(*, course_id: uuid.UUID, actor: User | None) -> Literal["erased", "withdrawn"]:
    """Erase a course that nobody ever began to buy; withdraw any other. Audited. In the caller's transaction.

    Raises CourseNotFound.
    """
    require_transaction("A course is erased in the transaction that locks it.")
    course = _locked(course_id)
    product = product_lock_for_erasure(course.product_id)
    touched = Payment.objects.filter(product=product).exists() or Entitlement.objects.filter(product=product).exists()
    if touched:
        if course.status != CourseStatus.WITHDRAWN:
            _move(course, CourseStatus.WITHDRAWN, actor=actor)
        return "withdrawn"
    audit_record(
        actor=actor,
        action="course.erased",
        subject_kind="course",
        subject_id=course.id,
        before={"title": course.title, "status": course.status},
    )
    course.delete()
    product.delete()
    return "erased"


def course_slug(title: str, course_id: uuid.UUID) -> str:
    """The title for addresses, made unique by the random end of the id: `first-aid-at-work-9f3c21ab`."""
    return f"{slugify(title)[:200].strip('-') or 'course'}-{course_id.hex[-8:]}"


def _locked(course_id: uuid.UUID) -> Course:
    course = course_lock(course_id)
    if course is None:
        raise CourseNotFound
    return course


def _reason_for(course: Course, actor: User | None, reason: str) -> str:
    """What is one's own is moved without a reason, and so is what the platform moves itself."""
    return reason if actor is None or actor.pk == course.creator_id else required_reason(reason)


def _move(course: Course, status: CourseStatus, *, actor: User | None, reason: str = "") -> Course:
    """Change the state; the product can be bought exactly while the course is published."""
    audit_record(
        actor=actor,
        action=f"course.{status}",
        subject_kind="course",
        subject_id=course.id,
        reason=reason,
        before={"status": course.status},
        after={"status": status},
    )
    course.status = status
    course.updated_at = now()
    course.save(update_fields=["status", "updated_at"])
    product_update(course.product, active=status == CourseStatus.PUBLISHED)
    return course
