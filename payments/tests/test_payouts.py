"""What the gateways pay out to our bank: booked once as reported, taken back once, and proved to its rows."""

from datetime import timedelta

import orjson
import pytest
from django.db import connection

from learning247.kit.clock import now
from learning247.records.models import InboundEvent
from learning247.records.tests.races import at_once
from payments.enums import GatewayName
from payments.gateways import gateway_named
from payments.models import Payment, Payout, PayoutRow
from payments.services import payouts
from payments.services.payouts import payout_refresh, payouts_find
from payments.tests.buying import GATEWAY_FEES, GATEWAYS, GROSS, ask_for_refund, buy
from payments.tests.test_refunds import by_hand, platform
from payments.tests.wire import deliver, time_passes
from wallets.enums import AccountKind
from wallets.models import JournalEntry
from wallets.tests.races import breaches

NET = {currency: GROSS[currency] - GATEWAY_FEES[currency] for currency in GROSS}


def at(currency):
    """(on the gateway's account, at the bank)"""
    return (
        platform(AccountKind(f"gateway-{GATEWAYS[currency]}"), currency),
        platform(AccountKind.BANK, currency),
    )


def entries():
    kinds = ("gateway_payout", "gateway_top_up", "gateway_payout_returned")
    return list(JournalEntry.objects.filter(kind__in=kinds).order_by("id").values_list("kind", flat=True))


def heard(gateways, run_jobs):
    gateways.control.wait_until(lambda: gateways.control.health()["webhooks_idle"])
    time_passes()
    run_jobs()


def rows_of(payout):
    return sorted(payout.rows.values_list("kind", "key", "amount_minor", "fee_minor"))


# --- Stripe, which tells


def test_a_stripe_payout_is_booked_when_it_is_paid_with_all_its_rows(gateways, run_jobs):
    first, second = (buy(gateways, currency="USD") for _ in range(2))
    assert ask_for_refund(gateways.url, second, second.buyer).status_code == 201
    gateways.control.behave(stripe_payout_outcome="none")

    made = gateways.control.pay_out("stripe", "USD")
    heard(gateways, run_jobs)
    payout = Payout.objects.get()
    amount = 2 * NET["USD"] - GROSS["USD"]
    assert (payout.gateway_payout_id, payout.status, payout.amount_minor) == (made["id"], "pending", amount)
    assert (entries(), payout.rows_read_at) == ([], None)

    gateways.control.conclude_payout(made["id"], "paid")
    heard(gateways, run_jobs)

    payout.refresh_from_db()
    assert (payout.status, entries()) == ("paid", ["gateway_payout"])
    assert at("USD") == (0, -amount)
    refund = second.refunds.get()
    assert rows_of(payout) == sorted(
        [
            ("payment", first.gateway_payment_id, GROSS["USD"], GATEWAY_FEES["USD"]),
            ("payment", second.gateway_payment_id, GROSS["USD"], GATEWAY_FEES["USD"]),
            ("refund", refund.gateway_refund_id, -GROSS["USD"], 0),
        ]
    )
    assert {event.status for event in InboundEvent.objects.all()} == {"done"}


def test_a_payout_that_comes_back_after_it_was_paid_is_taken_back_once(gateways, run_jobs):
    buy(gateways, currency="USD")
    before = at("USD")
    gateways.control.behave(stripe_payout_outcome="none")
    made = gateways.control.pay_out("stripe", "USD")
    gateways.control.conclude_payout(made["id"], "paid")
    heard(gateways, run_jobs)
    assert at("USD") == (0, -NET["USD"])

    gateways.control.conclude_payout(made["id"], "failed")
    heard(gateways, run_jobs)
    for webhook in gateways.control.webhooks(about=made["id"]):
        gateways.control.duplicate(webhook["id"], 2)
    InboundEvent.objects.update(status="pending", done_at=None, outcome="", attempts=0)
    heard(gateways, run_jobs)
    payouts_find()

    payout = Payout.objects.get()
    assert (payout.status, payout.failure_reason) == ("failed", "The bank account has been closed.")
    assert entries() == ["gateway_payout", "gateway_payout_returned"]
    assert at("USD") == before


@pytest.mark.parametrize("outcome", ["failed", "canceled"])
def test_a_payout_that_never_went_books_nothing(gateways, run_jobs, outcome):
    buy(gateways, currency="USD")
    gateways.control.behave(stripe_payout_outcome="none")
    made = gateways.control.pay_out("stripe", "USD")
    gateways.control.conclude_payout(made["id"], outcome)
    heard(gateways, run_jobs)

    assert Payout.objects.get().status == outcome
    assert entries() == []


def test_a_payout_of_which_every_event_was_lost_is_found_in_the_list(gateways):
    gateways.control.fault("webhook_drop", provider="stripe", times=100)
    buy(gateways, currency="USD")
    gateways.control.behave(stripe_payout_outcome="none")
    made = gateways.control.pay_out("stripe", "USD")
    gateways.control.conclude_payout(made["id"], "paid")

    assert (payouts_find(), payouts_find()) == (1, 1)

    assert Payout.objects.get().rows.count() == 1
    assert (entries(), at("USD")) == (["gateway_payout"], (0, -NET["USD"]))


def test_a_creators_payout_on_a_connected_account_is_none_of_ours(gateways, run_jobs):
    body = orjson.dumps(
        {
            "id": "evt_c", "object": "event", "type": "payout.paid", "account": "acct_1",
            "data": {"object": {"id": "po_c", "object": "payout"}},
        }
    )  # fmt: skip
    assert deliver(gateways.url, "stripe", body).status_code == 200
    run_jobs()

    event = InboundEvent.objects.get()
    assert (event.status, event.outcome) == ("done", "ignored: the payout of a connected account")
    assert gateways.control.requests(path="/v1/payouts") == []
    assert not Payout.objects.exists()


def test_a_top_up_is_the_reverse_and_may_be_reversed_itself(gateways, run_jobs):
    made = gateways.control.own_top_up("USD", 50_000)
    heard(gateways, run_jobs)
    assert (entries(), at("USD")) == (["gateway_top_up"], (-50_000, 50_000))

    gateways.control.reverse_top_up(made["id"])
    heard(gateways, run_jobs)

    assert entries() == ["gateway_top_up", "gateway_payout_returned"]
    assert at("USD") == (0, 0)
    assert Payout.objects.get().status == "failed"


# --- Paystack, which is asked


def test_a_paystack_settlement_is_booked_when_it_succeeded_with_what_was_deducted(gateways):
    first, second = (buy(gateways) for _ in range(2))
    by_hand(gateways, first, 1_000_000)
    made = gateways.control.pay_out("paystack", "NGN")
    assert payouts_find() == 1
    assert (Payout.objects.get().status, entries()) == ("pending", [])

    gateways.control.conclude_payout(made["id"], "processing", "paystack")
    gateways.control.conclude_payout(made["id"], "success", "paystack")
    assert (payouts_find(), payouts_find()) == (1, 1)

    payout, amount = Payout.objects.get(), 2 * NET["NGN"] - 1_000_000
    assert (payout.gateway_payout_id, payout.status, payout.amount_minor) == (str(made["id"]), "paid", amount)
    assert (entries(), at("NGN")[1]) == (["gateway_payout"], -amount)
    assert rows_of(payout) == sorted(
        [
            ("deduction", "", -1_000_000, 0),
            ("payment", first.reference, GROSS["NGN"], GATEWAY_FEES["NGN"]),
            ("payment", second.reference, GROSS["NGN"], GATEWAY_FEES["NGN"]),
        ]
    )


def test_a_paystack_settlement_that_the_bank_refuses_later_is_taken_back(gateways):
    buy(gateways)
    made = gateways.control.pay_out("paystack", "NGN")
    gateways.control.conclude_payout(made["id"], "success", "paystack")
    payouts_find()
    gateways.control.conclude_payout(made["id"], "failed", "paystack")
    payouts_find()
    payouts_find()

    assert entries() == ["gateway_payout", "gateway_payout_returned"]
    assert at("NGN") == (GATEWAY_FEES["NGN"] - GROSS["NGN"], 0)


def test_a_gateway_that_is_away_keeps_nobody_from_the_other(gateways):
    buy(gateways, currency="USD")
    made = gateways.control.pay_out("stripe", "USD")
    gateways.control.fault("error", provider="paystack", times=100)

    assert payouts_find() == 1

    assert Payout.objects.get().gateway_payout_id == made["id"]


# --- at the same moment, and late


@pytest.mark.race
def test_32_who_hear_of_it_at_once_book_it_once(gateways):
    buy(gateways, currency="USD")
    gateways.control.behave(stripe_payout_outcome="none")
    made = gateways.control.pay_out("stripe", "USD")
    gateways.control.conclude_payout(made["id"], "paid")

    def ask(number):
        try:
            return payout_refresh(gateway=GatewayName.STRIPE, gateway_payout_id=made["id"]).pk
        finally:
            connection.close()

    assert len(set(at_once(32, ask))) == 1
    assert (entries(), PayoutRow.objects.count()) == (["gateway_payout"], 1)


def test_an_answer_that_was_asked_for_earlier_and_comes_later_changes_nothing(gateways):
    buy(gateways, currency="USD")
    gateways.control.behave(stripe_payout_outcome="none")
    made = gateways.control.pay_out("stripe", "USD")
    gateways.control.conclude_payout(made["id"], "paid")
    asked_at = now()
    stale = gateway_named("stripe").fetch_payout(made["id"])
    gateways.control.conclude_payout(made["id"], "failed")
    payout_refresh(gateway=GatewayName.STRIPE, gateway_payout_id=made["id"])

    payouts._take_over(GatewayName.STRIPE, stale, asked_at)

    assert (Payout.objects.get().status, entries()) == ("failed", [])


def test_what_contradicts_the_books_is_left_to_people(gateways):
    """It came back, was taken back, and is said to be paid after all."""
    buy(gateways, currency="USD")
    gateways.control.behave(stripe_payout_outcome="none")
    made = gateways.control.pay_out("stripe", "USD")
    gateways.control.conclude_payout(made["id"], "paid")
    paid = gateway_named("stripe").fetch_payout(made["id"])
    payout_refresh(gateway=GatewayName.STRIPE, gateway_payout_id=made["id"])
    gateways.control.conclude_payout(made["id"], "failed")
    payout_refresh(gateway=GatewayName.STRIPE, gateway_payout_id=made["id"])

    payouts._take_over(GatewayName.STRIPE, paid, now() + timedelta(minutes=1))

    assert Payout.objects.get().status == "failed"
    assert entries() == ["gateway_payout", "gateway_payout_returned"]


# --- proved


def paid_out(gateways):
    buy(gateways, currency="USD")
    gateways.control.behave(stripe_payout_outcome="none")
    made = gateways.control.pay_out("stripe", "USD")
    gateways.control.conclude_payout(made["id"], "paid")
    return payout_refresh(gateway=GatewayName.STRIPE, gateway_payout_id=made["id"])


@pytest.mark.usefixtures("breaks_the_books")
def test_i14_finds_a_row_that_is_missing_and_one_that_is_wrong(gateways):
    payout = paid_out(gateways)
    assert breaches("I14") == []

    PayoutRow.objects.update(fee_minor=118)
    wrong = f"payout {payout.gateway_payout_id} of stripe is USD 28.83, its rows sum to USD 28.82"
    assert breaches("I14") == [("I14", wrong)]

    PayoutRow.objects.all().delete()
    assert breaches("I14") == [("I14", wrong.replace("28.82", "0.00"))]


@pytest.mark.usefixtures("breaks_the_books")
def test_i14_finds_a_payout_that_is_booked_otherwise_than_it_stands(gateways):
    payout = paid_out(gateways)
    Payout.objects.update(status="failed")

    assert breaches("I14") == [
        (
            "I14",
            f"payout {payout.gateway_payout_id} of stripe is failed: due 0 on the gateway's account,"
            " booked there 2883, at the bank -2883",
        )
    ]
    Payout.objects.update(status="paid", entry=None)
    assert [detail for _, detail in breaches("I14")][-1].endswith("belongs to no payout")


def test_rows_that_did_not_sum_are_read_again(gateways):
    payout = paid_out(gateways)
    PayoutRow.objects.all().delete()

    payouts_find()

    assert rows_of(payout) == [("payment", Payment.objects.get().gateway_payment_id, 3_000, 117)]
