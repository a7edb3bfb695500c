"""Many sales at the same moment: all settle, the sums are exact, and creators do not wait for each other."""

from contextlib import suppress
from inspect import unwrap
from threading import Event

import pytest
from django.db import OperationalError, connection, transaction

from accounts.tests.builders import build_user
from learning247.kit.money import Money
from learning247.records.models import OutboundMail
from learning247.records.tests.races import at_once
from payments import locks
from payments.gateways import gateway_named
from payments.models import Entitlement, Payment
from payments.services import settlement
from payments.services.settlement import payment_settle
from payments.tests.builders import build_product, start_checkout
from payments.tests.buying import GATEWAY_FEES
from payments.tests.wire import verify
from wallets.enums import AccountKind
from wallets.models import JournalEntry
from wallets.selectors import balances_of, platform_balance
from wallets.tests.races import held_open

pytestmark = pytest.mark.race


def paid_checkouts(gateways, sellers, currency="NGN"):
    """One payment for each seller's video, by a buyer each, paid at the gateway and not yet heard of."""
    gateways.control.pause_webhooks()
    payments = [start_checkout(build_user(), build_product(seller=seller), currency) for seller in sellers]
    for payment in payments:
        reference = payment.reference if payment.gateway == "paystack" else payment.gateway_reference
        gateways.control.pay(payment.gateway, reference)
    return payments


def assert_all_settled(payments, answers):
    assert [(answer.status_code, answer.json()["status"]) for answer in answers] == [(200, "paid")] * len(payments)
    count, gross = len(payments), sum(payment.amount_minor for payment in payments)
    assert Payment.objects.filter(status="paid").count() == count
    assert JournalEntry.objects.filter(kind="sale").count() == count
    assert JournalEntry.objects.filter(kind="gateway_fee").count() == count
    assert Entitlement.objects.count() == count
    assert OutboundMail.objects.filter(key__startswith="payment:").count() == 2 * count
    assert platform_balance(kind=AccountKind.FEES, currency="NGN") == gross * 20 // 100
    assert platform_balance(kind=AccountKind.GATEWAY_PAYSTACK, currency="NGN") == count * GATEWAY_FEES["NGN"] - gross


@pytest.mark.parametrize("count", [10, 100])
def test_sales_of_one_creator_settling_at_the_same_moment(gateways, serve, count):
    creator = build_user()
    payments, url = paid_checkouts(gateways, [creator] * count), serve()

    answers = at_once(count, lambda number: verify(url, payments[number].reference))

    assert_all_settled(payments, answers)
    assert balances_of(user=creator)[0].available == count * 2_000_000


@pytest.mark.parametrize("count", [10, 100])
def test_sales_of_many_creators_settling_at_the_same_moment(gateways, serve, count):
    creators = [build_user() for _ in range(count)]
    payments, url = paid_checkouts(gateways, creators), serve()

    answers = at_once(count, lambda number: verify(url, payments[number].reference))

    assert_all_settled(payments, answers)
    assert [balances_of(user=creator)[0].available for creator in creators] == [2_000_000] * count


def test_payments_for_the_same_thing_settling_at_once_open_it_once_and_the_others_go_back(gateways, run_jobs):
    """Whichever come later: all of their money, once each."""
    creator, learner = build_user(), build_user()
    product = build_product(seller=creator)
    payments = [start_checkout(learner, product) for _ in range(8)]
    for payment in payments:
        gateways.control.pay("paystack", payment.reference)

    answers = at_once(8, lambda number: verify(gateways.url, payments[number].reference))

    assert sorted(answer.json()["status"] for answer in answers) == ["paid"] + ["refunded"] * 7
    assert Entitlement.objects.count() == 1
    assert balances_of(user=creator)[0].available == 2_000_000
    assert platform_balance(kind=AccountKind.UNSETTLED, currency="NGN") == 0
    assert platform_balance(kind=AccountKind.GATEWAY_PAYSTACK, currency="NGN") == 8 * GATEWAY_FEES["NGN"] - 2_500_000
    run_jobs()
    assert [row["amount"] for row in gateways.control.rows("paystack.refunds")] == [2_500_000] * 7


# --- Who waits for whom


@pytest.fixture
def short_wait(monkeypatch):
    """Lock waits end after half a second instead of five."""
    monkeypatch.setattr(locks, "bound_lock_wait", lambda: execute("SET LOCAL lock_timeout = '500ms'"))


def execute(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)


def settle_up_to_the_commit(payment):
    """All of a settlement but its commit, in the caller's transaction."""
    reported = gateway_named("paystack").fetch(reference=payment.reference, gateway_reference="")
    unwrap(settlement._report_record)(payment.pk, reported)


@pytest.fixture
def first_sale_of(gateways):
    """An earlier sale, so that the accounts are open: opening one waits for whoever opens the same one."""

    def sell(*sellers):
        for payment in paid_checkouts(gateways, sellers):
            assert verify(gateways.url, payment.reference).json()["status"] == "paid"

    return sell


def test_sales_of_other_creators_and_of_the_platform_go_on_while_one_is_open(gateways, first_sale_of, short_wait):
    ada, bola = build_user(), build_user()
    first_sale_of(ada, bola, None)
    of_ada, of_bola, of_nobody = paid_checkouts(gateways, [ada, bola, None])

    with held_open(lambda: settle_up_to_the_commit(of_ada)):
        assert payment_settle(reference=of_bola.reference).status == "paid"
        assert payment_settle(reference=of_nobody.reference).status == "paid"
        assert balances_of(user=bola)[0].available == 4_000_000
        assert balances_of(user=ada)[0].available == 2_000_000, "hers has not committed"

    assert balances_of(user=ada)[0].available == 4_000_000


def test_control_a_second_sale_of_the_same_creator_does_wait(gateways, first_sale_of, short_wait):
    ada = build_user()
    first_sale_of(ada)
    first, second = paid_checkouts(gateways, [ada, ada])

    with held_open(lambda: settle_up_to_the_commit(first)), pytest.raises(OperationalError, match="lock timeout"):
        payment_settle(reference=second.reference)

    second.refresh_from_db()
    assert second.status == "pending"
    assert payment_settle(reference=second.reference).status == "paid"
    assert balances_of(user=ada)[0].available == 6_000_000


def test_a_lock_that_stays_taken_is_a_503_over_http_and_nothing_is_lost(gateways, first_sale_of, short_wait):
    ada = build_user()
    first_sale_of(ada)
    first, second = paid_checkouts(gateways, [ada, ada])

    with held_open(lambda: settle_up_to_the_commit(first)):
        busy = verify(gateways.url, second.reference)

    assert busy.status_code == 503
    assert int(busy.headers["Retry-After"]) >= 1
    assert verify(gateways.url, second.reference).json()["status"] == "paid"


def test_a_buyer_reads_on_while_their_payment_settles(gateways, first_sale_of, short_wait):
    """The lock leaves the payment readable, and rows that refer to it may be written."""
    ada = build_user()
    (payment,) = paid_checkouts(gateways, [ada])

    with held_open(lambda: locks.payment_lock(payment.pk)), transaction.atomic():
        execute("SET LOCAL lock_timeout = '500ms'")
        assert Payment.objects.get(pk=payment.pk).status == "pending"
        entitlement = Entitlement.objects.create(
            user=payment.buyer, product=payment.product, source="purchase", payment=payment
        )
        entitlement.delete()


def test_a_settlement_that_fails_half_way_leaves_nothing(gateways, monkeypatch):
    """The app that owns the product refuses at the last moment: entry, entitlement and mails go with it."""
    creator = build_user()
    (payment,) = paid_checkouts(gateways, [creator])
    refused = Event()

    def refuse(entitlement, payment):
        refused.set()
        raise RuntimeError("no room left")

    with monkeypatch.context() as patch, suppress(RuntimeError):
        patch.setattr(settlement, "notify_granted", refuse)
        payment_settle(reference=payment.reference)

    payment.refresh_from_db()
    assert refused.is_set()
    assert payment.status == "pending"
    assert not JournalEntry.objects.exists()
    assert not Entitlement.objects.exists()
    assert not OutboundMail.objects.exists()
    assert payment_settle(reference=payment.reference).status == "paid"


@pytest.mark.parametrize(
    ("price", "bps", "fee"),
    [
        (Money(1_200, "JPY"), 2_000, 240),
        (Money(1_201, "JPY"), 2_000, 240),
        (Money(1_203, "JPY"), 2_000, 241),
        (Money(1_250, "KWD"), 2_000, 250),
        (Money(3_333, "USD"), 333, 111),
        (Money(3_333, "USD"), 0, 0),
        (Money(3_333, "USD"), 10_000, 3_333),
    ],
    ids=str,
)
def test_the_parts_add_up_in_every_currency_and_at_every_rate(gateways, price, bps, fee):
    creator = build_user(platform_fee_bps=bps)
    payment = start_checkout(build_user(), build_product(seller=creator, prices=(price,)), price.currency)
    gateways.control.pay("stripe", payment.gateway_reference)

    assert verify(gateways.url, payment.reference).json()["status"] == "paid"

    payment.refresh_from_db()
    assert payment.platform_fee_minor == fee
    assert sum(balance.available for balance in balances_of(user=creator)) == price.minor - fee
    assert platform_balance(kind=AccountKind.FEES, currency=price.currency) == fee
