"""What the gateways keep: booked as reported, asked for again where it was not known, and never guessed."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from accounts.tests.builders import build_user
from learning247.kit.clock import now
from payments.gateways.paystack import PaystackGateway
from payments.gateways.stripe import StripeGateway
from payments.models import Payment
from payments.services.gateway_fees import gateway_fees_sweep
from payments.tests.builders import build_product, start_checkout
from payments.tests.buying import GATEWAY_FEES, GATEWAYS, GROSS, ask_for_refund, buy
from payments.tests.wire import verify
from wallets.enums import AccountKind
from wallets.models import JournalEntry
from wallets.selectors import platform_balance
from wallets.tests.races import breaches

ADAPTERS: dict[str, Any] = {"NGN": PaystackGateway, "USD": StripeGateway}


def at_gateway(currency):
    return platform_balance(kind=AccountKind(f"gateway-{GATEWAYS[currency]}"), currency=currency)


def costs(currency):
    return platform_balance(kind=AccountKind.GATEWAY_COSTS, currency=currency)


@pytest.fixture
def reporting(monkeypatch):
    """`reporting(currency, field=…)`: from now on the gateway's answers say that."""

    def change(currency, **fields):
        adapter = ADAPTERS[currency]
        fetch = adapter.fetch
        monkeypatch.setattr(adapter, "fetch", lambda self, **asked: replace(fetch(self, **asked), **fields))

    return change


def reported_of(payment):
    assert payment.captured_minor is not None and payment.gateway_fee_minor is not None
    return payment.captured_minor, payment.gateway_fee_minor


def due():
    Payment.objects.filter(fee_due_at__isnull=False).update(fee_due_at=now() - timedelta(seconds=1))


@pytest.mark.parametrize("currency", ["NGN", "USD"])
def test_the_fee_is_booked_with_the_sale_as_the_gateway_reports_it(gateways, currency):
    payment = buy(gateways, currency=currency)

    assert (payment.gateway_fee_minor, payment.gateway_fee_currency) == (GATEWAY_FEES[currency], currency)
    assert (at_gateway(currency), costs(currency)) == (
        GATEWAY_FEES[currency] - GROSS[currency],
        -GATEWAY_FEES[currency],
    )
    entry = JournalEntry.objects.get(kind="gateway_fee")
    assert (entry.pk, entry.key) == (payment.fee_entry_id, f"payment:{payment.pk}:gateway_fee")
    assert payment.fee_due_at is None


def test_what_the_buyer_pays_on_top_is_no_cost_of_ours(gateways):
    gateways.control.behave(paystack_customer_pays_fees=True)

    payment = buy(gateways)

    captured, fee = reported_of(payment)
    assert captured > payment.amount_minor and fee > 0
    assert costs("NGN") == captured - payment.amount_minor - fee
    assert at_gateway("NGN") == fee - captured


def test_all_of_the_fee_of_a_capture_in_review_is_ours(gateways):
    payment = start_checkout(build_user(), build_product(seller=build_user()))
    gateways.control.fault(
        "wrong_amount", provider="paystack", path=f"*{payment.reference}*", method="GET", times=1, amount=-100
    )
    gateways.control.pay("paystack", payment.reference)
    assert verify(gateways.url, payment.reference).json()["status"] == "in_review"

    payment.refresh_from_db()
    captured, fee = reported_of(payment)
    assert costs("NGN") == -fee
    assert at_gateway("NGN") == fee - captured


@pytest.mark.parametrize("currency", ["NGN", "USD"])
def test_money_that_goes_back_leaves_the_fee_with_the_gateway(gateways, currency):
    payment = buy(gateways, currency=currency)
    assert ask_for_refund(gateways.url, payment, payment.buyer).status_code == 201

    assert (at_gateway(currency), costs(currency)) == (GATEWAY_FEES[currency], -GATEWAY_FEES[currency])


def test_a_fee_that_is_not_known_yet_is_asked_for_until_it_is(gateways, reporting, monkeypatch):
    reporting("USD", gateway_fee_minor=None, gateway_fee_currency="")
    payment = buy(gateways, currency="USD")
    assert (payment.gateway_fee_minor, payment.fee_entry_id) == (None, None)
    assert payment.fee_due_at is not None and payment.fee_due_at > now()
    assert gateway_fees_sweep() == 0, "it is not due yet"
    due()
    assert gateway_fees_sweep() == 1
    payment.refresh_from_db()
    assert payment.fee_due_at is not None and payment.fee_due_at > now() and costs("USD") == 0

    monkeypatch.undo()
    due()
    assert (gateway_fees_sweep(), gateway_fees_sweep()) == (1, 0)

    payment = Payment.objects.get()
    assert (payment.gateway_fee_minor, payment.fee_due_at) == (GATEWAY_FEES["USD"], None)
    assert costs("USD") == -GATEWAY_FEES["USD"]


def test_a_gateway_that_is_away_is_asked_once_in_a_run(gateways, reporting):
    reporting("NGN", gateway_fee_minor=None, gateway_fee_currency="")
    for _ in range(2):
        buy(gateways)
    due()
    gateways.control.fault("error", provider="paystack", status=500)

    assert gateway_fees_sweep() == 1
    assert costs("NGN") == 0


def test_a_fee_in_another_currency_is_shown_and_not_booked(gateways, reporting):
    reporting("USD", gateway_fee_minor=99, gateway_fee_currency="EUR")

    payment = buy(gateways, currency="USD")

    assert (payment.gateway_fee_minor, payment.gateway_fee_currency) == (99, "EUR")
    assert (payment.fee_entry_id, payment.fee_due_at) == (None, None)
    assert at_gateway("USD") == -GROSS["USD"]
    assert not JournalEntry.objects.filter(kind="gateway_fee").exists()


def test_i11_finds_a_fee_that_is_booked_otherwise_than_reported(gateways, breaks_the_books):
    payment = buy(gateways)
    Payment.objects.update(gateway_fee_minor=47_501)

    assert breaches("I11") == [
        (
            "I11",
            f"payment {payment.reference}: the gateway's fee is 47501 NGN, of which 47501 are ours;"
            " booked gateway 47500, costs -47500",
        ),
        ("I11", "gateway-paystack: booked NGN 24525.00, captured NGN 24524.99"),
    ]
