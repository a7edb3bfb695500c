"""Rights that last for a term: one after the other within a kind, whatever else the person has."""

import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from accounts.models import User
from accounts.tests.builders import build_user
from learning247.kit.clock import now
from learning247.kit.ids import new_id
from learning247.kit.money import Money
from learning247.records.checks import Scope
from learning247.records.models import AuditEntry
from payments import kinds
from payments.enums import EntitlementSource, ProductKind
from payments.models import Entitlement, Product
from payments.proofs import rights_are_audited, terms_do_not_overlap, terms_last_as_sold
from payments.services import entitlements
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
    kinds.register_product_kind(ProductKind.LIVE_CLASS, on_granted=ignore, on_revoked=ignore, on_restored=ignore)
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
    kinds.register_product_kind(
        ProductKind.VIDEO, on_granted=ignore, on_revoked=lambda *what: told.append(what), on_restored=ignore
    )
    entitlement = give(build_user(), build_term())

    for reason in ("first", "second"):
        with transaction.atomic():
            entitlement_revoke(entitlement_id=entitlement.pk, reason=reason, actor=None)

    assert told == [(entitlement, [], "first", None)]
    entitlement.refresh_from_db()
    assert entitlement.revoked_reason == "first"


def test_another_app_cannot_take_a_kind() -> None:
    with pytest.raises(RuntimeError, match="Products of kind video belong to"):
        kinds.register_product_kind(ProductKind.VIDEO, on_granted=ignore, on_revoked=ignore, on_restored=ignore)


# --- Taken back while others wait


def revoke(entitlement: Entitlement) -> Entitlement:
    with transaction.atomic():
        return entitlement_revoke(entitlement_id=entitlement.pk, reason="a test", actor=None)


def dates(*terms: Entitlement) -> list[tuple[datetime, datetime | None]]:
    rows = {row.pk: row for row in Entitlement.objects.all()}
    return [(rows[term.pk].starts_at, rows[term.pk].ends_at) for term in terms]


def breaches() -> list[str]:
    checks = (terms_do_not_overlap, terms_last_as_sold, rights_are_audited)
    return [breach.detail for check in checks for breach in check(Scope())]


def test_when_the_running_term_is_taken_back_those_that_wait_move_up_without_a_gap() -> None:
    user = build_user()
    running, second, third = (give(user, build_term(months=months)) for months in (1, 12, 1))

    moment = revoke(running).revoked_at

    assert moment is not None
    year_end = term_end(moment, 12)
    assert dates(second, third) == [(moment, year_end), (year_end, term_end(year_end, 1))]
    assert breaches() == []


def test_when_a_waiting_term_is_taken_back_only_those_behind_it_move() -> None:
    user = build_user()
    running, second, third = (give(user, build_term(months=months)) for months in (1, 12, 1))

    revoke(second)

    assert running.ends_at is not None
    assert dates(running, third) == [
        (running.starts_at, running.ends_at),
        (running.ends_at, term_end(running.ends_at, 1)),
    ]
    assert breaches() == []


def test_what_moves_is_on_record_and_its_app_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[Any, ...]] = []
    monkeypatch.setattr(kinds, "_kinds", {})
    kinds.register_product_kind(
        ProductKind.VIDEO, on_granted=ignore, on_revoked=lambda *what: told.append(what), on_restored=ignore
    )
    user = build_user()
    running, second, third = (give(user, build_term()) for _ in range(3))

    revoke(running)

    assert told == [(running, [second, third], "a test", None)]
    entry = AuditEntry.objects.get(action="entitlement.moved", subject_id=str(second.pk))
    (starts_at, ends_at), *_ = dates(second)
    assert entry.reason == "A term before it was revoked."
    assert entry.before is not None
    assert entry.after is not None
    assert [datetime.fromisoformat(entry.before[name]) for name in ("starts_at", "ends_at")] == [
        second.starts_at,
        second.ends_at,
    ]
    assert [datetime.fromisoformat(entry.after[name]) for name in ("starts_at", "ends_at")] == [starts_at, ends_at]
    assert entry.after["revoked"] == str(running.pk)


def test_the_terms_of_others_of_another_kind_and_for_good_stay_where_they_are() -> None:
    kinds.register_product_kind(ProductKind.LIVE_CLASS, on_granted=ignore, on_revoked=ignore, on_restored=ignore)
    user, other = build_user(), build_user()
    month, live_class = build_term(), build_term(ProductKind.LIVE_CLASS)
    running = give(user, month)
    others = [give(other, month), give(other, build_term()), give(user, live_class),
              give(user, build_term(ProductKind.LIVE_CLASS)), give(user, build_term(months=None))]  # fmt: skip
    before = dates(*others)

    revoke(running)

    assert dates(*others) == before
    assert not AuditEntry.objects.filter(action="entitlement.moved").exists()


@pytest.mark.property
@pytest.mark.parametrize("seed", range(20))
def test_whatever_is_bought_and_taken_back_no_term_overlaps_and_no_day_is_lost(
    monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Time passes between the acts; after each, who has anything left is inside, and goes on to the end of the last."""
    chance, moment = random.Random(seed), now()
    monkeypatch.setattr(entitlements, "now", lambda: moment)
    user, products = build_user(), [build_term(), build_term(months=12), build_term(months=3)]
    bought: list[Entitlement] = []

    for _ in range(25):
        moment += timedelta(days=chance.choice([0, 0, 1, 20, 45]), microseconds=chance.randrange(1, 10**6))
        if bought and chance.random() < 0.4:
            revoke(chance.choice(bought))
        else:
            with transaction.atomic():
                made = entitlement_grant(
                    user=user,
                    product=chance.choice(products),
                    source=EntitlementSource.STAFF,
                    payment=None,
                    starts_at=moment,
                )
            assert made is not None
            bought.append(made)
        rows = {row.pk: row for row in Entitlement.objects.filter(revoked_at__isnull=True)}
        left = [row for term in bought if (row := rows.get(term.pk)) and row.ends_at and row.ends_at > moment]
        if left:
            assert left[0].starts_at <= moment
        assert [row.starts_at for row in left[1:]] == [row.ends_at for row in left[:-1]]
        assert [*terms_do_not_overlap(Scope()), *terms_last_as_sold(Scope())] == []


# --- What the proof finds


@pytest.mark.parametrize("by", [timedelta(days=1), timedelta(microseconds=-1), timedelta(days=365 * 50)])
def test_i9_finds_a_term_of_another_length_than_was_sold(by: timedelta) -> None:
    term = give(build_user(), build_term())
    assert term.ends_at is not None
    ends_at = term.ends_at + by
    Entitlement.objects.filter(pk=term.pk).update(ends_at=ends_at)

    assert breaches() == [
        f"entitlement {term.pk} of {term.user_id} runs from {term.starts_at} to {ends_at}, and 1 months were sold"
    ]


@pytest.mark.parametrize(
    ("start", "months"),
    [("2026-01-31T23:59:59.999999", 1), ("2028-02-29T00:00:00", 12), ("2027-11-30T12:00:00", 3),
     ("2026-03-29T00:30:00", 1), ("2026-12-31T23:30:00", 2)],
)  # fmt: skip
def test_i9_counts_months_as_they_are_sold(start: str, months: int) -> None:
    term = give(build_user(), build_term(months=months))
    starts_at = datetime.fromisoformat(start + "+00:00")
    Entitlement.objects.filter(pk=term.pk).update(starts_at=starts_at, ends_at=term_end(starts_at, months))

    assert breaches() == []
