"""Rights that last for a term: one after the other within a kind, whatever else the person has."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from accounts.models import User
from accounts.tests.builders import build_user
from learning247.kit.clock import now
from learning247.kit.ids import new_id
from learning247.kit.money import Money
from payments import kinds
from payments.enums import EntitlementSource, ProductKind
from payments.models import Entitlement, Product
from payments.services.entitlements import entitlement_grant, entitlement_grant_by_staff, entitlement_revoke
from payments.services.products import product_create
from payments.terms import term_end

pytestmark = pytest.mark.django_db


def build_term(kind: ProductKind = ProductKind.VIDEO, *, months: int | None = 1) -> Product:
    return product_create(
        kind=kind,
        item_id=new_id(),
        title="A month of it",
        seller=None,
        prices=[Money(100_000, "NGN")],
        active=True,
        term_months=months,
    )


def give(user: User, product: Product) -> Entitlement:
    with transaction.atomic():
        return entitlement_grant_by_staff(user=user, product=product, actor=build_user(is_staff=True), reason="a test")


def test_terms_of_one_kind_follow_each_other_and_those_of_another_do_not_wait() -> None:
    kinds.register_product_kind(ProductKind.LIVE_CLASS, on_granted=ignore, on_revoked=ignore)
    user = build_user()

    first, second = give(user, build_term()), give(user, build_term(months=12))
    elsewhere = give(user, build_term(ProductKind.LIVE_CLASS))
    somebody_else = give(build_user(), first.product)

    assert first.ends_at == second.starts_at == term_end(first.starts_at, 1)
    assert second.ends_at == term_end(second.starts_at, 12)
    assert first.starts_at <= elsewhere.starts_at <= somebody_else.starts_at <= now()


def ignore(*_: Any) -> None:
    """What an app does that keeps no rows of its own."""


def test_what_is_for_good_neither_waits_nor_is_waited_for() -> None:
    user, before = build_user(), now()
    for_good, term = give(user, build_term(months=None)), give(user, build_term())
    assert for_good.ends_at is None
    assert before <= term.starts_at <= now()


def test_a_term_that_is_asked_for_later_begins_then() -> None:
    user, product = build_user(), build_term()
    earlier = give(user, product)
    with transaction.atomic():
        later = entitlement_grant(
            user=user,
            product=product,
            source=EntitlementSource.STAFF,
            payment=None,
            starts_at=now() + timedelta(days=99),
        )
    assert later is not None
    assert later.starts_at > (earlier.ends_at or now())


def test_revoked_twice_the_app_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[Any, ...]] = []
    monkeypatch.setattr(kinds, "_kinds", {})
    kinds.register_product_kind(ProductKind.VIDEO, on_granted=ignore, on_revoked=lambda *what: told.append(what))
    entitlement = give(build_user(), build_term())

    for reason in ("first", "second"):
        with transaction.atomic():
            entitlement_revoke(entitlement_id=entitlement.pk, reason=reason, actor=None)

    assert told == [(entitlement, "first", None)]
    entitlement.refresh_from_db()
    assert entitlement.revoked_reason == "first"


def test_another_app_cannot_take_a_kind() -> None:
    with pytest.raises(RuntimeError, match="Products of kind video belong to"):
        kinds.register_product_kind(ProductKind.VIDEO, on_granted=ignore, on_revoked=ignore)
