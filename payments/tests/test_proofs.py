"""What payments proves finds the breach that it is for, and names the payment."""

import pytest
from django.db import IntegrityError, transaction

from accounts.tests.builders import build_user
from learning247.kit.clock import now
from learning247.kit.ids import new_id
from payments.models import Coupon, CouponRedemption, Entitlement, Payment, Refund
from payments.tests.builders import build_coupon, build_product, start_checkout
from payments.tests.buying import ask_for_refund
from payments.tests.wire import verify
from wallets.enums import AccountKind, EntryKind
from wallets.models import JournalEntry, JournalLine
from wallets.services.accounts import person_account, platform_account
from wallets.services.journal import Posting, entry_post
from wallets.tests.races import breaches, execute, guards_off

pytestmark = pytest.mark.usefixtures("breaks_the_books")

CODES = ("I5", "I7", "I8", "I9", "I11")


@pytest.fixture
def paid(gateways):
    """A paid sale of NGN 25,000.00 by a creator."""
    payment = start_checkout(build_user(), build_product(seller=build_user()))
    gateways.control.pay("paystack", payment.reference)
    assert verify(gateways.url, payment.reference).json()["status"] == "paid"
    payment.refresh_from_db()
    assert breaches(*CODES) == []
    return payment


@pytest.fixture
def refunded(gateways, paid):
    """All of it went back to its buyer."""
    assert ask_for_refund(gateways.url, paid, paid.buyer).status_code == 201
    paid.refresh_from_db()
    assert breaches(*CODES, "I15") == []
    return paid


@pytest.fixture
def pending(gateways):
    return start_checkout(build_user(), build_product(seller=build_user()))


def book_sale(*, key, source_id, seller, gross=2_500_000, fee=500_000, kind=EntryKind.SALE):
    with transaction.atomic():
        return entry_post(
            key=key,
            kind=kind,
            currency="NGN",
            postings=[
                Posting(platform_account(AccountKind.GATEWAY_PAYSTACK), -gross),
                Posting(person_account(seller.pk), gross - fee),
                Posting(platform_account(AccountKind.FEES), fee),
            ],
            source_kind="payment",
            source_id=source_id,
            reference="L247-planted",
            description="Planted",
        )


def test_i5_finds_a_sale_booked_for_a_payment_that_is_not_paid(pending):
    key = f"payment:{pending.pk}:sale"
    book_sale(key=key, source_id=str(pending.pk), seller=pending.product.seller)

    assert breaches("I5") == [("I5", f"payment {pending.reference} is pending, its sale entry is {key}")]
    assert [code for code, _ in breaches("I11")] == ["I11"]


def test_i5_finds_a_payment_that_points_to_the_sale_of_another(paid):
    other = book_sale(key="payment:other:sale", source_id=str(new_id()), seller=paid.product.seller)
    Payment.objects.filter(pk=paid.pk).update(sale_entry=other)

    found = breaches("I5")
    assert ("I5", f"payment {paid.reference} is paid, its sale entry is payment:{paid.pk}:sale") in found


def test_i5_finds_a_sale_of_a_payment_that_does_not_exist(paid):
    nobody = new_id()
    entry = book_sale(key=f"payment:{nobody}:sale", source_id=str(nobody), seller=paid.product.seller)

    assert breaches("I5") == [("I5", f"entry {entry} (payment:{nobody}:sale) belongs to no payment")]


def test_i5_finds_captured_money_in_review_that_is_not_in_the_books(pending):
    Payment.objects.filter(pk=pending.pk).update(
        status="in_review", review_reason="amount_mismatch", captured_minor=100, captured_currency="NGN"
    )

    assert breaches("I5") == [("I5", f"payment {pending.reference} is in_review, its unsettled entry is missing")]


def test_i7_finds_a_fee_that_is_not_the_one_agreed(paid):
    Payment.objects.filter(pk=paid.pk).update(platform_fee_minor=499_999)

    assert breaches("I7") == [
        (
            "I7",
            f"payment {paid.reference}: gross NGN 25000.00, agreed fee 500000, kept 499999;"
            " booked gateway -2500000, seller 2000000, platform 500000",
        )
    ]


def test_i7_finds_a_sale_whose_parts_were_changed(paid):
    line = JournalLine.objects.get(entry_id=paid.sale_entry_id, amount_minor=-2_500_000)
    with guards_off("wallets_journalline"):
        execute("UPDATE wallets_journalline SET amount_minor = -2600000 WHERE id = %s", line.pk)

    assert [code for code, _ in breaches("I7", "I11")] == ["I7", "I11"]
    assert f"payment {paid.reference}: " in breaches("I7")[0][1]


def test_i7_finds_a_share_that_went_to_somebody_else(paid):
    somebody = build_user()
    product = paid.product
    product.seller = somebody
    product.save(update_fields=["seller"])

    ((code, detail),) = breaches("I7")
    assert code == "I7"
    assert detail.endswith("booked gateway -2500000, seller 0, platform 500000")


def test_i7_finds_a_sale_for_which_no_fee_was_kept_though_one_was_agreed(paid):
    Payment.objects.filter(pk=paid.pk).update(platform_fee_bps=2500)

    assert [code for code, _ in breaches("I7")] == ["I7"]


def test_an_entitlement_that_was_bought_has_a_payment(paid):
    with pytest.raises(IntegrityError, match="payments_entitlement_bought_with_a_payment"):
        Entitlement.objects.filter(payment=paid).update(payment=None)


def test_i7_finds_a_fee_that_is_not_known(paid):
    Payment.objects.filter(pk=paid.pk).update(platform_fee_minor=None)

    assert [code for code, _ in breaches("I7")] == ["I7"]


def test_i8_finds_a_sale_of_more_than_was_captured(paid):
    Payment.objects.filter(pk=paid.pk).update(captured_minor=2_499_999)

    assert breaches("I8") == [("I8", f"payment {paid.reference}: settled NGN 25000.00, captured 2499999 NGN")]


def test_i8_finds_a_capture_in_another_currency(paid):
    Payment.objects.filter(pk=paid.pk).update(captured_currency="GHS")

    assert breaches("I8") == [("I8", f"payment {paid.reference}: settled NGN 25000.00, captured 2500000 GHS")]


def test_i9_finds_who_paid_and_has_no_access(paid):
    Entitlement.objects.all().delete()

    assert breaches("I9") == [("I9", f"payment {paid.reference} is paid and its entitlement does not fit that")]


def test_i9_finds_who_has_access_and_did_not_pay(pending):
    Entitlement.objects.create(user=pending.buyer, product=pending.product, source="purchase", payment=pending)

    assert breaches("I9") == [("I9", f"payment {pending.reference} is pending and its entitlement does not fit that")]


@pytest.mark.parametrize("field", ["user", "product"])
def test_i9_finds_access_of_somebody_else_or_to_something_else(paid, field):
    other = build_user() if field == "user" else build_product()
    Entitlement.objects.update(**{field: other})

    assert breaches("I9") == [("I9", f"payment {paid.reference} is paid and its entitlement does not fit that")]


def test_i11_finds_money_at_the_gateway_that_no_payment_captured(paid):
    book_sale(key="by hand", source_id=str(new_id()), seller=paid.product.seller, gross=100, fee=0)

    assert breaches("I11") == [("I11", "gateway-paystack: booked NGN 24526.00, captured NGN 24525.00")]


def test_a_settled_payment_cannot_lose_its_entry_nor_its_time(paid):
    """The database itself refuses these two."""
    for change in ({"sale_entry": None}, {"settled_at": None}):
        with pytest.raises(Exception, match="payments_payment_paid"), transaction.atomic():
            Payment.objects.filter(pk=paid.pk).update(**change)
    with pytest.raises(Exception, match="payments_entitlement_once_for_good"), transaction.atomic():
        Entitlement.objects.create(user=paid.buyer, product=paid.product, source="staff", starts_at=now())
    assert sorted(JournalEntry.objects.values_list("kind", flat=True)) == ["gateway_fee", "sale"]


def test_i8_finds_a_payment_that_says_less_went_back_than_its_refunds(refunded):
    Payment.objects.filter(pk=refunded.pk).update(refunded_minor=1)

    assert breaches("I8") == [
        (
            "I8",
            f"payment {refunded.reference} says that 1 went back; its refunds sum to 2500000"
            " (2000000 from the creator, 500000 from the platform)",
        )
    ]


def test_i8_finds_a_refund_whose_row_names_other_parts_than_its_entry(refunded):
    Refund.objects.update(seller_minor=2_000_001, platform_minor=499_999)

    reference = Refund.objects.get().reference
    assert (
        "I8",
        f"refund {reference} (pending) of 2500000: gateway 2500000, creator off by -1, platform off by 1,"
        " lines not restored 0",
    ) in breaches("I8")


def test_i9_finds_access_that_stayed_after_all_of_the_money_went_back(refunded):
    Entitlement.objects.update(revoked_at=None, revoked_reason="")

    assert breaches("I9") == [
        ("I9", f"payment {refunded.reference}: all of it went back, and it still opens what was bought")
    ]


def test_i15_finds_a_refund_that_nobody_is_on_record_for(refunded):
    Refund.objects.update(reason="Another reason.")

    assert breaches("I15") == [
        ("I15", f"refund {Refund.objects.get().reference}: no audit entry with its actor and reason says so")
    ]


@pytest.fixture
def discounted(gateways):
    """A paid sale with a coupon that the platform bears, of which a second use is reserved."""
    coupon = build_coupon(max_uses=2, max_uses_per_user=1)
    payment = start_checkout(build_user(), build_product(seller=build_user()), coupon=coupon.code)
    gateways.control.pay("paystack", payment.reference)
    assert verify(gateways.url, payment.reference).json()["status"] == "paid"
    start_checkout(build_user(), build_product(), coupon=coupon.code)
    payment.refresh_from_db()
    assert breaches(*CODES, "I15") == []
    return payment


def test_i7_finds_a_coupon_that_counts_less_than_it_was_used(discounted):
    Coupon.objects.update(taken=1)

    assert breaches("I7") == [
        ("I7", "coupon SPRING-25 counts 1 uses and has 2, of 2 in all; one person has 1 of 1")
    ]  # fmt: skip


def test_i7_finds_a_person_who_used_a_coupon_too_often(discounted):
    CouponRedemption.objects.update(user=discounted.buyer)

    assert (
        "I7", "coupon SPRING-25 counts 2 uses and has 2, of 2 in all; one person has 2 of 1",
    ) in breaches("I7")  # fmt: skip


def test_i7_finds_a_paid_discount_whose_use_was_not_consumed(discounted):
    CouponRedemption.objects.filter(payment=discounted).update(status="released", consumed_at=None, released_at=now())
    Coupon.objects.update(taken=1)

    assert breaches("I7") == [
        ("I7", f"payment {discounted.reference} is paid with the coupon SPRING-25, whose use is released")
    ]


def test_i7_finds_a_discount_without_a_use_and_a_use_without_a_discount(discounted, paid):
    CouponRedemption.objects.filter(payment=discounted).update(payment=paid, user=paid.buyer)

    assert breaches("I7") == [
        ("I7", f"payment {discounted.reference} is paid with the coupon SPRING-25, whose use is missing"),
        ("I7", f"payment {paid.reference} uses a coupon and names none"),
    ]


def test_i7_finds_a_promotion_that_its_sale_did_not_book(discounted):
    line = JournalLine.objects.get(entry_id=discounted.sale_entry_id, account__kind="promotions")
    with guards_off("wallets_journalline"):
        execute("UPDATE wallets_journalline SET amount_minor = -625001 WHERE id = %s", line.pk)

    assert [code for code, _ in breaches("I1", "I7")] == ["I1", "I7"]
    assert "promotion 625000, booked -625001" in dict(breaches("I7"))["I7"]


def test_i8_finds_a_refund_that_kept_the_promotion(discounted, gateways):
    assert ask_for_refund(gateways.url, discounted, discounted.buyer).status_code == 201
    Refund.objects.update(promotion_minor=0, platform_minor=0, seller_minor=1_875_000)

    assert any("promotion off by 625000" in detail for _, detail in breaches("I8"))


def test_i15_finds_a_coupon_of_the_platforms_that_nobody_is_on_record_for(discounted):
    build_coupon("UNSIGNED")
    Coupon.objects.filter(code="UNSIGNED").update(created_by=build_user())

    assert breaches("I15") == [
        ("I15", "coupon UNSIGNED of the platform: no audit entry with its actor and reason says so")
    ]
