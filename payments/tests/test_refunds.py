"""Giving money back: who may, how the parts are taken back, what the gateway makes of it, and what comes back."""

from datetime import timedelta

import pytest
import requests
from django.conf import settings
from django.db import transaction

from accounts.tests.builders import build_totp, build_user
from learning247.kit.clock import now
from learning247.kit.ids import new_id
from learning247.records.models import AuditEntry, InboundEvent, OutboundMail
from payments.access import explain
from payments.gateways import gateway_named
from payments.models import Payment, Refund
from payments.services import refunds
from payments.services.refunds import SEND_AGAIN_AFTER, refund_carry_on, refunds_sweep
from payments.tests.builders import build_product, start_checkout
from payments.tests.buying import GATEWAY_FEES, GATEWAYS, GROSS, ask_for_refund, build_finance, buy
from payments.tests.wire import TIMEOUT, code_of, signed_in, time_passes, verify
from wallets.enums import AccountKind, EntryKind
from wallets.models import JournalEntry
from wallets.selectors import balances_of, platform_balance
from wallets.services.accounts import person_account, platform_account
from wallets.services.journal import Posting, entry_post


def ask(gateways, payment, user, **fields):
    return ask_for_refund(gateways.url, payment, user, **fields)


def earned(user, currency="NGN"):
    return next((balance.available for balance in balances_of(user=user) if balance.currency == currency), 0)


def platform(kind, currency="NGN"):
    return platform_balance(kind=kind, currency=currency)


def due_now():
    """Every refund that is under way is due."""
    Refund.objects.update(due_at=now() - timedelta(seconds=1), lease_until=None)


# --- the whole way


@pytest.mark.parametrize("currency", ["NGN", "USD"])
def test_a_buyer_gets_all_of_it_back_and_everything_is_as_before_the_sale(gateways, run_jobs, currency):
    payment = buy(gateways, currency=currency)

    answer = ask(gateways, payment, payment.buyer)

    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert body["amount"] == {"NGN": "25000.00", "USD": "30.00"}[currency]
    assert (body["payment_reference"], body["ends_access"]) == (payment.reference, True)
    assert body["status"] == {"NGN": "pending", "USD": "done"}[currency]
    assert not explain(payment.buyer, payment.product).granted
    assert earned(payment.product.seller, currency) == 0
    assert platform(AccountKind.FEES, currency) == 0
    assert platform(AccountKind(f"gateway-{GATEWAYS[currency]}"), currency) == GATEWAY_FEES[currency]
    gateways.control.advance(5)
    if currency == "NGN":
        gateways.control.wait_for_webhook("refund.processed")
    run_jobs()
    refund = Refund.objects.get()
    assert (refund.status, refund.done_at is not None) == ("done", True)
    payment.refresh_from_db()
    assert (payment.status, payment.refunded_minor) == ("refunded", GROSS[currency])


def test_the_buyer_and_the_creator_are_told_once_each(gateways):
    seller = build_user()
    payment = buy(gateways, seller=seller)
    OutboundMail.objects.all().delete()

    ask(gateways, payment, payment.buyer)

    told = {mail.to: mail for mail in OutboundMail.objects.all()}
    assert set(told) == {payment.buyer.email, seller.email}
    assert told[payment.buyer.email].subject == "Your refund of NGN 25,000.00 is on its way"
    assert "Your access to it has ended." in told[payment.buyer.email].text
    assert "Your part of it, NGN 20,000.00, was taken from your wallet." in told[seller.email].text


def test_staff_give_back_a_part_and_the_buyer_keeps_access(gateways):
    payment, finance = buy(gateways), build_finance()

    answer = ask(gateways, payment, finance, amount="10000.01")

    assert (answer.status_code, answer.json()["ends_access"]) == (201, False)
    payment.refresh_from_db()
    assert (payment.status, payment.refunded_minor) == ("partially_refunded", 1_000_001)
    assert explain(payment.buyer, payment.product).granted
    assert earned(payment.product.seller) == 2_000_000 - 800_001
    assert platform(AccountKind.FEES) == 500_000 - 200_000
    assert AuditEntry.objects.get(action="refund.requested").actor == finance


def test_staff_may_end_the_access_with_a_part(gateways):
    payment = buy(gateways)
    assert ask(gateways, payment, build_finance(), amount="1.00", ends_access=True).json()["ends_access"] is True
    assert explain(payment.buyer, payment.product).reason == "revoked"


def test_parts_that_make_up_the_whole_take_back_exactly_what_the_sale_gave(gateways):
    seller = build_user()
    seller.platform_fee_bps = 3_333
    seller.save()
    payment, finance = buy(gateways, seller=seller), build_finance()

    for amount in ("0.01", "0.01", "8333.33", "16666.64"):
        assert ask(gateways, payment, finance, amount=amount).status_code == 201
    assert ask(gateways, payment, finance).json()["amount"] == "0.01"

    assert (earned(seller), platform(AccountKind.FEES), platform(AccountKind.GATEWAY_PAYSTACK)) == (
        0,
        0,
        GATEWAY_FEES["NGN"],
    )
    payment.refresh_from_db()
    assert payment.status == "refunded"


def test_a_refund_beyond_what_the_creator_has_leaves_a_debt_that_the_next_sale_repays(gateways):
    seller = build_user()
    payment = buy(gateways, seller=seller)
    withdraw(seller, 2_000_000)

    ask(gateways, payment, payment.buyer)

    assert earned(seller) == -2_000_000
    assert debt_shown(gateways, seller) == ("-20000.00", "20000.00")
    notice = OutboundMail.objects.get(to=seller.email, key__startswith="refund:")
    assert "your wallet is NGN 20,000.00 below zero" in notice.text
    buy(gateways, seller=seller)
    assert earned(seller) == 0
    assert debt_shown(gateways, seller) == ("0.00", "0.00")


def debt_shown(gateways, user):
    answer = requests.get(f"{gateways.url}/api/wallet/balance", headers=signed_in(user), timeout=TIMEOUT)
    (balance,) = answer.json()["balances"]
    return balance["available"], balance["debt"]


def withdraw(user, minor):
    """As if it had reached her bank."""
    with transaction.atomic():
        entry_post(
            key=f"test:{new_id()}",
            kind=EntryKind.WITHDRAWAL_PAID,
            currency="NGN",
            postings=[
                Posting(person_account(user.pk), -minor),
                Posting(platform_account(AccountKind.BANK), minor),
            ],
            source_kind="test",
            source_id="1",
            reference="test",
            description="Paid out",
        )


def test_the_platforms_own_course_is_refunded_from_its_sales(gateways):
    payment = buy(gateways, product=build_product(seller=None))
    ask(gateways, payment, payment.buyer)
    assert (platform(AccountKind.SALES), platform(AccountKind.GATEWAY_PAYSTACK)) == (0, GATEWAY_FEES["NGN"])


def test_a_payment_in_review_goes_back_whole_from_unsettled_money(gateways):
    product = build_product(seller=build_user())
    payment = start_checkout(build_user(), product)
    gateways.control.fault("wrong_amount", provider="paystack", times=1, amount=-1)
    gateways.control.pay("paystack", payment.reference)
    assert verify(gateways.url, payment.reference).json()["status"] == "in_review"
    finance = build_finance()

    assert code_of(ask(gateways, payment, finance, amount="1.00")) == "refund_whole_only"
    assert ask(gateways, payment, finance).status_code == 201

    payment.refresh_from_db()
    assert (payment.status, payment.refunded_minor, platform(AccountKind.UNSETTLED)) == ("refunded", 2_499_999, 0)
    assert not explain(payment.buyer, product).granted
    assert earned(product.seller) == 0


# --- what fails


@pytest.mark.parametrize("currency", ["NGN", "USD"])
def test_a_refund_that_fails_restores_both_sides(gateways, run_jobs, currency):
    gateway = GATEWAYS[currency]
    payment = buy(gateways, currency=currency)
    gateways.control.behave(paystack_refund_outcome="none", stripe_refund_outcome="pending")
    ask(gateways, payment, payment.buyer)
    refund = Refund.objects.get()
    assert refund.status == "pending"

    gateways.control.conclude_refund(gateway, refund.gateway_refund_id, "failed")
    gateways.control.wait_for_webhook("refund.failed")
    run_jobs()

    refund.refresh_from_db()
    payment.refresh_from_db()
    assert (refund.status, payment.status, payment.refunded_minor) == ("failed", "paid", 0)
    assert explain(payment.buyer, payment.product).granted
    assert earned(payment.product.seller, currency) == GROSS[currency] * 80 // 100
    assert platform(AccountKind.FEES, currency) == GROSS[currency] * 20 // 100
    assert OutboundMail.objects.filter(key__endswith="refund_failed").count() == 2


def test_one_that_was_done_may_come_back_weeks_later(gateways, run_jobs):
    payment = buy(gateways, currency="USD")
    ask(gateways, payment, payment.buyer)
    refund = Refund.objects.get(status="done")

    gateways.control.conclude_refund("stripe", refund.gateway_refund_id, "failed")
    gateways.control.wait_for_webhook("refund.failed")
    run_jobs()

    refund.refresh_from_db()
    assert (refund.status, refund.done_at) == ("failed", None)
    assert explain(payment.buyer, payment.product).granted
    assert earned(payment.product.seller, "USD") == 2_400


def test_a_gateway_that_needs_the_buyers_bank_details_waits_for_people(gateways, run_jobs):
    payment = buy(gateways)
    gateways.control.behave(paystack_refund_outcome="none")
    ask(gateways, payment, payment.buyer)

    gateways.control.conclude_refund("paystack", Refund.objects.get().gateway_refund_id, "needs-attention")
    gateways.control.wait_for_webhook("refund.needs-attention")
    run_jobs()

    refund = Refund.objects.get()
    assert refund.status == "needs_attention"
    assert refund.failure_reason == "The gateway needs the buyer's bank details."
    assert earned(payment.product.seller) == 0


@pytest.mark.parametrize("currency", ["NGN", "USD"])
def test_a_timeout_after_the_effect_makes_no_second_refund(gateways, settings, currency):
    gateway = GATEWAYS[currency]
    payment = buy(gateways, currency=currency)
    settings.GATEWAY_READ_TIMEOUT = 1
    gateways.control.fault("timeout", provider=gateway, path="*refund*", method="POST", times=2, seconds=3)

    answer = ask(gateways, payment, payment.buyer)

    assert (answer.status_code, answer.json()["status"]) == (201, "requested")
    due_now()
    refunds_sweep()
    assert Refund.objects.get().status in ("pending", "done")
    listed = gateway_named(gateway).list_refunds(
        payment_reference=payment.reference,
        gateway_payment_id=payment.gateway_payment_id,
        since=payment.created_at,
    )
    assert [made.amount_minor for made in listed] == [GROSS[currency]]


@pytest.mark.parametrize("currency", ["NGN", "USD"])
def test_a_gateway_that_never_heard_of_it_is_told_again_only_after_a_while(gateways, currency):
    gateway = GATEWAYS[currency]
    payment = buy(gateways, currency=currency)
    gateways.control.fault("error", provider=gateway, path="*refund*", method="POST", times=10, status=500)
    assert ask(gateways, payment, payment.buyer).json()["status"] == "requested"
    gateways.control.clear_faults()

    due_now()
    refunds_sweep()
    assert Refund.objects.get().status == "requested"

    Refund.objects.update(sent_at=now() - SEND_AGAIN_AFTER)
    due_now()
    refunds_sweep()
    assert Refund.objects.get().status in ("pending", "done")


def test_a_conclusive_no_fails_it_at_once(gateways):
    payment = buy(gateways)
    by_hand(gateways, payment, 1_000_000)

    answer = ask(gateways, payment, payment.buyer)

    assert (answer.status_code, answer.json()["status"]) == (201, "failed")
    assert "Paystack refused the refund" in answer.json()["failure_reason"]
    assert explain(payment.buyer, payment.product).granted


def by_hand(gateways, payment, minor):
    """A refund that somebody makes on the gateway's own pages."""
    url = settings.PAYSTACK_BASE_URL
    answer = requests.post(
        f"{url}/refund",
        json={"transaction": payment.reference, "amount": minor},
        headers={"Authorization": f"Bearer {settings.PAYSTACK_SECRET_KEY}"},
        timeout=TIMEOUT,
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]["id"]


def test_what_somebody_gives_back_at_the_gateway_by_hand_is_booked_like_any_other(gateways, run_jobs):
    payment = buy(gateways)
    number = by_hand(gateways, payment, 1_000_000)
    gateways.control.advance(5)
    gateways.control.wait_for_webhook("refund.processed")
    run_jobs()

    refund = Refund.objects.get()
    assert (refund.source, refund.status, refund.gateway_refund_id) == ("gateway", "done", str(number))
    assert earned(payment.product.seller) == 1_200_000
    time_passes()
    run_jobs()
    assert Refund.objects.count() == 1


@pytest.mark.parametrize("ours", ["failed", "done"])
def test_a_second_refund_by_hand_of_the_same_amount_is_booked_too(gateways, run_jobs, ours):
    """Ours failed, so somebody does it by hand; or does by hand what was done already."""
    payment, finance = buy(gateways), build_finance()
    gateways.control.behave(paystack_refund_outcome="none")
    ask(gateways, payment, finance, amount="10000.00")
    outcome = {"failed": "failed", "done": "processed"}[ours]
    gateways.control.conclude_refund("paystack", Refund.objects.get().gateway_refund_id, outcome)
    gateways.control.wait_for_webhook(f"refund.{outcome}")
    run_jobs()
    assert Refund.objects.get().status == ours

    number = by_hand(gateways, payment, 1_000_000)
    gateways.control.conclude_refund("paystack", number, "processed")
    gateways.control.wait_until(
        lambda: InboundEvent.objects.filter(event_type="refund.processed").count() == 1 + (ours == "done")
    )
    run_jobs()

    payment.refresh_from_db()
    assert payment.refunded_minor == (1_000_000 if ours == "failed" else 2_000_000)
    assert Refund.objects.get(source="gateway").gateway_refund_id == str(number)


def test_who_comes_back_after_the_lease_sends_nothing(gateways, monkeypatch):
    """One worker sits in the gateway's list for longer than its lease; another sends meanwhile."""
    payment = buy(gateways)
    gateways.control.fault("error", provider="paystack", path="/refund", method="POST", times=1, status=500)
    ask(gateways, payment, payment.buyer)
    Refund.objects.update(sent_at=now() - SEND_AGAIN_AFTER)
    refund = Refund.objects.get(status="requested")
    listed = refunds._listed

    def slowly(*args, **kwargs):
        found = list(listed(*args, **kwargs))
        monkeypatch.setattr(refunds, "_listed", listed)
        Refund.objects.update(lease_until=None)
        refund_carry_on(refund_id=refund.pk)
        return iter(found)

    monkeypatch.setattr(refunds, "_listed", slowly)
    refund_carry_on(refund_id=refund.pk)

    made = list(listed(gateway_named("paystack"), payment, since=payment.created_at))
    assert [one.amount_minor for one in made] == [2_500_000]
    assert Refund.objects.get().status == "pending"


# --- who may, and how much


def test_a_stranger_sees_no_payment_and_moves_nothing(gateways):
    payment = buy(gateways)
    entries = JournalEntry.objects.count()

    answer = ask(gateways, payment, build_user())

    assert (answer.status_code, code_of(answer)) == (404, "payment_not_found")
    assert (Refund.objects.count(), JournalEntry.objects.count()) == (0, entries)


def test_the_creator_cannot_refund_for_the_buyer(gateways):
    payment = buy(gateways)
    assert ask(gateways, payment, payment.product.seller).status_code == 404


def refunds_seen(gateways, payment, user):
    url = f"{gateways.url}/api/payments/{payment.reference}/refunds"
    return requests.get(url, headers=signed_in(user), timeout=TIMEOUT)


def test_who_is_no_longer_staff_gives_nothing_back_and_sees_nothing(gateways):
    payment, finance = buy(gateways), build_finance()
    finance.is_staff = False
    finance.save()

    answers = [ask(gateways, payment, finance), refunds_seen(gateways, payment, finance)]

    assert [(answer.status_code, code_of(answer)) for answer in answers] == [(404, "payment_not_found")] * 2
    assert Refund.objects.count() == 0


def test_staff_without_the_second_factor_that_they_need_give_nothing_back_but_stay_buyers(gateways, settings):
    settings.STAFF_SECOND_FACTOR_REQUIRED = True
    finance = build_finance()
    payment, own = buy(gateways), buy(gateways, buyer=finance)

    answers = [ask(gateways, payment, finance), refunds_seen(gateways, payment, finance)]

    assert [(answer.status_code, code_of(answer)) for answer in answers] == [(403, "second_factor_setup_required")] * 2
    assert Refund.objects.count() == 0
    assert refunds_seen(gateways, own, finance).status_code == 200
    assert ask(gateways, own, finance).status_code == 201
    build_totp(finance)
    assert ask(gateways, payment, finance).status_code == 201


def test_a_buyer_cannot_keep_the_access_with_the_money(gateways):
    payment = buy(gateways)
    answer = ask(gateways, payment, payment.buyer, ends_access=False)
    assert (answer.status_code, answer.json()["ends_access"]) == (201, True)
    assert explain(payment.buyer, payment.product).reason == "revoked"


def test_staff_are_buyers_of_what_they_bought(gateways, settings):
    finance = build_finance()
    payment = buy(gateways, buyer=finance)
    Payment.objects.update(settled_at=now() - timedelta(days=settings.REFUND_WINDOW_DAYS, seconds=1))
    answers = [ask(gateways, payment, finance), ask(gateways, payment, finance, amount="1.00")]
    assert [code_of(answer) for answer in answers] == ["refund_window_closed"] * 2
    assert Refund.objects.count() == 0


def test_staff_give_nothing_back_of_their_own_sales(gateways):
    finance = build_finance()
    payment = buy(gateways, seller=finance)
    answer = ask(gateways, payment, finance)
    assert (answer.status_code, code_of(answer)) == (403, "own_sale")
    assert Refund.objects.count() == 0


def test_after_the_window_the_buyer_writes_to_support(gateways, settings):
    payment = buy(gateways)
    Payment.objects.update(settled_at=now() - timedelta(days=settings.REFUND_WINDOW_DAYS, seconds=1))
    answer = ask(gateways, payment, payment.buyer)
    assert (answer.status_code, code_of(answer)) == (422, "refund_window_closed")
    assert ask(gateways, payment, build_finance()).status_code == 201


def test_the_buyer_of_a_payment_in_review_hears_that_and_not_that_time_is_up(gateways):
    buyer = build_user()
    payment = start_checkout(buyer, build_product(seller=build_user()))
    gateways.control.fault("wrong_amount", provider="paystack", times=100, amount=100)
    gateways.control.pay("paystack", payment.reference)
    assert verify(gateways.url, payment.reference).json()["status"] == "in_review"
    answer = ask(gateways, payment, buyer)
    assert (answer.status_code, code_of(answer)) == (409, "payment_in_review")


def test_a_buyer_asks_for_all_or_nothing(gateways):
    payment = buy(gateways)
    answer = ask(gateways, payment, payment.buyer, amount="24999.99")
    assert (answer.status_code, code_of(answer)) == (422, "refund_whole_only")
    assert Refund.objects.count() == 0


@pytest.mark.parametrize(
    ("amount", "status", "code"),
    [
        ("25000.01", 422, "refund_too_large"),
        ("0.00", 400, "invalid"),
        ("-1.00", 400, "invalid"),
        ("1.001", 400, "invalid"),
        (1, 400, "not_a_string"),
        ("", 400, "invalid"),
    ],
)
def test_an_amount_that_cannot_be_is_refused(gateways, amount, status, code):
    payment = buy(gateways)
    answer = ask(gateways, payment, build_finance(), amount=amount)
    assert (answer.status_code, code_of(answer)) == (status, code)
    assert Refund.objects.count() == 0


def test_too_much_says_what_is_left(gateways):
    payment, finance = buy(gateways), build_finance()
    ask(gateways, payment, finance, amount="10000.00")
    answer = ask(gateways, payment, finance, amount="15000.01")
    assert answer.json()["extra"] == {"refundable": "15000.00", "currency": "NGN"}


def test_what_was_refunded_or_never_paid_has_nothing_to_refund(gateways):
    payment, finance = buy(gateways), build_finance()
    ask(gateways, payment, finance)
    again = ask(gateways, payment, finance)
    unpaid = ask(gateways, start_checkout(build_user(), build_product()), finance)
    assert [(answer.status_code, code_of(answer)) for answer in (again, unpaid)] == [(409, "nothing_to_refund")] * 2


def test_the_same_key_gives_the_same_refund(gateways):
    payment, finance = buy(gateways), build_finance()
    first = ask(gateways, payment, finance, key="once", amount="1.00")
    again = ask(gateways, payment, finance, key="once", amount="1.00")
    other = ask(gateways, payment, finance, key="once", amount="2.00")
    assert again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert code_of(other) == "idempotency_key_reused"
    assert Refund.objects.count() == 1


def test_the_buyer_sees_the_refunds_of_a_payment(gateways):
    payment = buy(gateways)
    ask(gateways, payment, payment.buyer)
    url = f"{gateways.url}/api/payments/{payment.reference}"

    listed = requests.get(f"{url}/refunds", headers=signed_in(payment.buyer), timeout=TIMEOUT).json()
    shown = requests.get(url, headers=signed_in(payment.buyer), timeout=TIMEOUT).json()

    assert [row["amount"] for row in listed["results"]] == ["25000.00"]
    assert (shown["status"], shown["refunded_amount"]) == ("refunded", "25000.00")
    assert requests.get(f"{url}/refunds", headers=signed_in(build_user()), timeout=TIMEOUT).status_code == 404


def test_one_that_is_over_is_left_alone(gateways):
    payment = buy(gateways, currency="USD")
    ask(gateways, payment, payment.buyer)
    assert refund_carry_on(refund_id=Refund.objects.get(status="done").pk) is None
