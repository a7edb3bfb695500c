"""Refunds at the same moment: never more than was captured, each carried out once."""

import pytest

from accounts.tests.builders import build_user
from learning247.records.tests.races import at_once
from payments.models import Payment, Refund
from payments.services import refunds
from payments.services.refunds import refund_carry_on
from payments.tests.buying import GATEWAY_FEES, ask_for_refund, build_finance, buy
from payments.tests.test_crashes import refunds_at_gateway
from payments.tests.wire import code_of
from wallets.enums import AccountKind
from wallets.selectors import balances_of, platform_balance

pytestmark = pytest.mark.race


def test_of_32_parts_at_once_as_many_succeed_as_the_payment_has_room_for(gateways, serve):
    creator = build_user()
    payment, finance, url = buy(gateways, seller=creator), build_finance(), serve()

    answers = at_once(32, lambda _: ask_for_refund(url, payment, finance, amount="1000.00"))

    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(201), statuses.count(409)) == (25, 7)
    payment.refresh_from_db()
    assert (payment.status, payment.refunded_minor) == ("refunded", 2_500_000)
    assert balances_of(user=creator)[0].available == 0
    assert platform_balance(kind=AccountKind.FEES, currency="NGN") == 0
    assert platform_balance(kind=AccountKind.GATEWAY_PAYSTACK, currency="NGN") == GATEWAY_FEES["NGN"]


def test_32_buyers_clicks_give_the_money_back_once(gateways, serve):
    payment, url = buy(gateways), serve()

    answers = at_once(32, lambda _: ask_for_refund(url, payment, payment.buyer))

    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(201), statuses.count(409)) == (1, 31)
    assert Refund.objects.count() == 1


@pytest.mark.parametrize("currency", ["NGN", "USD"])
def test_one_key_32_times_at_once_is_one_refund_and_31_repeats(gateways, serve, currency):
    payment, finance, url = buy(gateways, currency=currency), build_finance(), serve()

    answers = at_once(32, lambda _: ask_for_refund(url, payment, finance, key="one key", amount="10.00"))

    refund = Refund.objects.get()
    made = [answer for answer in answers if answer.status_code == 201]
    assert {answer.json()["reference"] for answer in made} == {refund.reference}
    assert ["Idempotency-Replayed" in answer.headers for answer in made].count(False) == 1
    waiting = [answer for answer in answers if answer.status_code != 201]
    assert {(answer.status_code, code_of(answer)) for answer in waiting} <= {(409, "idempotency_in_progress")}
    assert len(refunds_at_gateway(payment)) == 1
    payment.refresh_from_db()
    assert payment.refunded_minor == refund.amount_minor == 1_000


def test_32_workers_on_one_refund_make_one_at_the_gateway(gateways):
    payment = buy(gateways)
    gateways.control.fault("error", provider="paystack", path="/refund", method="POST", times=1, status=500)
    ask_for_refund(gateways.url, payment, payment.buyer)
    refund = Refund.objects.get(status="requested")
    Refund.objects.update(sent_at=None)

    carried = at_once(32, lambda _: refund_carry_on(refund_id=refund.pk))

    assert len([one for one in carried if one is not None and one.gateway_refund_id]) >= 1
    made = [call for call in gateways.control.requests(provider="paystack", method="POST") if call["path"] == "/refund"]
    assert [call["response"]["status"] for call in made] == [500, 200]


@pytest.mark.usefixtures("breaks_the_books")
def test_without_the_payments_lock_more_would_go_back_than_came(gateways, monkeypatch):
    """The negative control: the database's own rule is then the last thing in the way."""
    payment, finance = buy(gateways), build_finance()
    unlocked = Payment.objects.select_related("product__seller", "buyer")
    monkeypatch.setattr(refunds, "payment_lock", lambda payment_id: unlocked.get(pk=payment_id))

    at_once(32, lambda _: ask_for_refund(gateways.url, payment, finance, amount="1000.00"))

    payment.refresh_from_db()
    booked = sum(Refund.objects.exclude(status="failed").values_list("amount_minor", flat=True))
    assert booked != payment.refunded_minor
