"""Rights to products: who may use what, granted once, taken back once."""

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Max

from accounts.models import User
from learning247.kit.clock import now
from learning247.kit.transactions import require_transaction
from learning247.records.services.audit import audit_record
from payments.access import owned
from payments.enums import EntitlementSource
from payments.errors import AlreadyOwned
from payments.kinds import notify_granted, notify_restored, notify_revoked
from payments.locks import entitlement_lock, product_hold, terms_after_lock, terms_lock
from payments.models import Entitlement, Payment, Product
from payments.terms import term_end


def entitlement_grant(
    *, user: User, product: Product, source: EntitlementSource, payment: Payment | None, starts_at: datetime
) -> Entitlement | None:
    """The new entitlement, in the caller's transaction; None when the person owns the product for good already.

    For good the unique constraint decides, so two payments that settle at the same moment cannot both have it.
    A product with a term begins at `starts_at`, or when the last of the person's rights to products of its kind ends:
    under the lock of the person's terms, so that none overlap and no day is lost.
    """
    ends_at = None
    if product.term_months is not None:
        terms_lock(user.pk, product.kind)
        starts_at = _last_end(user, product.kind, after=starts_at) or starts_at
        ends_at = term_end(starts_at, product.term_months)
    entitlement = Entitlement(
        user=user, product=product, source=source, payment=payment, starts_at=starts_at, ends_at=ends_at
    )
    Entitlement.objects.bulk_create([entitlement], ignore_conflicts=True)
    return entitlement if Entitlement.objects.filter(pk=entitlement.pk).exists() else None


def entitlement_grant_by_staff(*, user: User, product: Product, actor: User, reason: str) -> Entitlement:
    """A right without a payment, audited; the app that owns the product is told. In the caller's transaction.

    Raises AlreadyOwned where buying would.
    """
    require_transaction("A grant commits together with its audit entry.")
    product_hold(product.pk)
    if product.term_months is not None:
        terms_lock(user.pk, product.kind)
    entitlement = None
    if not owned(user, product):
        entitlement = entitlement_grant(
            user=user, product=product, source=EntitlementSource.STAFF, payment=None, starts_at=now()
        )
    if entitlement is None:
        raise AlreadyOwned("This person has it already.")
    audit_record(
        actor=actor,
        action="entitlement.granted",
        subject_kind="entitlement",
        subject_id=entitlement.pk,
        reason=reason,
        after={
            "user": user.pk,
            "product": product.pk,
            "starts_at": entitlement.starts_at,
            "ends_at": entitlement.ends_at,
        },
    )
    notify_granted(entitlement, None)
    return entitlement


def entitlement_revoke(*, entitlement_id: UUID, reason: str, actor: User | None) -> Entitlement:
    """Take the right back from now on, audited; the app that owns the product is told in the same transaction, which is
    the caller's. A revoked one stays as it is, quietly. `actor` None is the platform (a refund).

    `reason` is one line of at most 200 characters and not empty. Terms that follow begin as much sooner: when the one
    before them ends, or now. Each of those is audited too.
    """
    require_transaction("A revocation commits together with what it takes back.")
    known = Entitlement.objects.select_related("product").get(pk=entitlement_id)
    if known.product.term_months is not None:
        terms_lock(known.user_id, known.product.kind)
    entitlement = entitlement_lock(entitlement_id)
    if entitlement.revoked_at is not None:
        return entitlement
    entitlement.revoked_at, entitlement.revoked_reason = now(), reason
    entitlement.save(update_fields=["revoked_at", "revoked_reason"])
    audit_record(
        actor=actor,
        action="entitlement.revoked",
        subject_kind="entitlement",
        subject_id=entitlement.pk,
        reason=reason,
        before={"revoked_at": None},
        after={"revoked_at": entitlement.revoked_at},
    )
    moved = _move_up(entitlement, actor) if entitlement.product.term_months is not None else []
    notify_revoked(entitlement, moved, reason, actor)
    return entitlement


def entitlement_restore(*, entitlement_id: UUID, revoked_for: str, reason: str) -> bool:
    """Give the right back because what it was revoked for did not happen; the app is told in the same transaction,
    which is the caller's. Whether that was done: not where it was revoked for another reason, or where the person has
    bought the product again meanwhile.

    A term begins anew and whole: now, or when the last of the person's terms of its kind ends. Audited.
    """
    require_transaction("A right comes back together with what failed.")
    known = Entitlement.objects.select_related("product", "user").get(pk=entitlement_id)
    months = known.product.term_months
    if months is not None:
        terms_lock(known.user_id, known.product.kind)
    entitlement = entitlement_lock(entitlement_id)
    if entitlement.revoked_at is None or entitlement.revoked_reason != revoked_for:
        return False
    before = {"revoked_at": entitlement.revoked_at, "starts_at": entitlement.starts_at, "ends_at": entitlement.ends_at}
    if months is not None:
        moment = now()
        entitlement.starts_at = _last_end(known.user, known.product.kind, after=moment) or moment
        entitlement.ends_at = term_end(entitlement.starts_at, months)
    entitlement.revoked_at, entitlement.revoked_reason = None, ""
    try:
        with transaction.atomic():
            entitlement.save(update_fields=["revoked_at", "revoked_reason", "starts_at", "ends_at"])
    except IntegrityError:
        return False  # payments_entitlement_once_for_good: bought again, which opens it as well
    audit_record(
        actor=None,
        action="entitlement.restored",
        subject_kind="entitlement",
        subject_id=entitlement.pk,
        reason=reason,
        before=before,
        after={"revoked_at": None, "starts_at": entitlement.starts_at, "ends_at": entitlement.ends_at},
    )
    notify_restored(entitlement, reason)
    return True


def _move_up(revoked: Entitlement, actor: User | None) -> list[Entitlement]:
    """Close the gap that a revoked term leaves; those that now begin sooner, in their order."""
    assert revoked.revoked_at is not None
    free_from = revoked.revoked_at
    moved = []
    for term in terms_after_lock(revoked, free_from):
        assert term.ends_at is not None
        assert term.product.term_months is not None
        if term.starts_at > free_from:
            before = {"starts_at": term.starts_at, "ends_at": term.ends_at}
            term.starts_at, term.ends_at = free_from, term_end(free_from, term.product.term_months)
            term.save(update_fields=["starts_at", "ends_at"])
            audit_record(
                actor=actor,
                action="entitlement.moved",
                subject_kind="entitlement",
                subject_id=term.pk,
                reason="A term before it was revoked.",
                before=before,
                after={"starts_at": term.starts_at, "ends_at": term.ends_at, "revoked": revoked.pk},
            )
            moved.append(term)
        free_from = term.ends_at
    return moved


def _last_end(user: User, kind: str, *, after: datetime) -> datetime | None:
    terms = Entitlement.objects.filter(user=user, product__kind=kind, revoked_at__isnull=True, ends_at__gt=after)
    last: datetime | None = terms.aggregate(last=Max("ends_at"))["last"]
    return last
