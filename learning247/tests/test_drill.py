"""The drills, small and seeded; `make drill` plays them in full."""

import pytest

from learning247.drill import chaos, crashes, orders, reconcile, splits, withdrawals
from learning247.drill.books import books_digest
from learning247.drill.findings import Finding, found, table
from learning247.drill.warm import warm_process
from learning247.kit.money import portion_of
from learning247.records.models import InboundEvent
from payments import webhooks
from payments.models import Payment
from payments.services.disputes import payment_disputed
from payments.services.settlement import payment_settle
from payments.split import Shares


def not_so(findings):
    return [finding for finding in findings if not finding.holds]


@pytest.fixture
def quiet_gateways(gateways):
    """They tell nobody anything by themselves."""
    gateways.control.pause_webhooks()
    return gateways


def test_webhooks_repeated_shuffled_late_and_forged_leave_the_books_as_once_and_in_order(quiet_gateways):
    events = chaos.history(quiet_gateways.control, 20, seed=7)
    assert {delivery.provider for delivery in events} == {"paystack", "stripe"}

    findings = chaos.compared(events, seed=7, url=quiet_gateways.url)

    assert not_so(findings) == []
    assert InboundEvent.objects.count() == 0, "both were played to copies"


@pytest.mark.crash
def test_54_deaths_at_all_steps_lose_nothing_and_double_nothing(quiet_gateways, worker_environment):
    """As `make drill` plays it with a thousand."""
    with warm_process(worker_environment()) as kill:
        findings = crashes.crashed(quiet_gateways.control, kill, 54)

    assert not_so(findings) == []


def test_the_six_events_of_a_payment_end_in_one_state_or_parked_in_60_of_their_orders(quiet_gateways):
    """15 of each set; `make drill FULL=1` plays all 720 of each."""
    findings = orders.ordered(quiet_gateways.control, 15, seed=7)

    assert not_so(findings) == []
    assert [finding.what for finding in findings if finding.wanted == "15"] == [
        f"{name}: orders with one end, or parked"
        for name in ("Paystack, lost", "Paystack, won", "Stripe, lost", "Stripe, won")
    ]


def test_30_transfers_whose_answer_never_comes_are_made_once_and_nothing_is_put_back_early(quiet_gateways, settings):
    """As `make drill FULL=1` plays it with 500, beside 10,000 confirmations."""
    settings.GATEWAY_READ_TIMEOUT = 1
    findings = withdrawals.timed_out(quiet_gateways.control, 30, seed=7)

    assert not_so(findings) == []


def test_an_order_that_ends_otherwise_is_told(quiet_gateways, monkeypatch):
    """Events of a dispute that come before the sale would be forgotten, instead of waited with."""
    refresh = webhooks._refresh_dispute

    def forgets(event, gateway, named, dispute_id):
        known = payment_disputed(gateway=gateway, named=named)
        return refresh(event, gateway, named, dispute_id) if known else "forgotten"

    monkeypatch.setattr(webhooks, "_refresh_dispute", forgets)
    monkeypatch.setattr(orders, "SETS", [six for six in orders.SETS if six.name == "Stripe, lost"])

    findings = orders.ordered(quiet_gateways.control, 8, seed=4)

    assert {finding.what for finding in not_so(findings)} == {
        "Stripe, lost: orders with one end, or parked",
        "Stripe, lost: another end",
    }


def test_5_000_sales_and_what_goes_back_of_them_in_parts_are_exact():
    """As `make drill` plays it with 200,000."""
    findings = splits.split(5_000, seed=7)

    assert not_so(findings) == []
    assert [(finding.what, finding.seen) for finding in findings[1:4]] == [
        ("of them with 0 places", "1,667"),
        ("of them with 2 places", "1,667"),
        ("of them with 3 places", "1,666"),
    ]


def test_a_part_that_is_rounded_for_itself_is_found_to_be_inexact(monkeypatch):
    """Thirds of a cent would be lost or made: the reason for what `shares_of_refund` does instead."""

    def for_itself(minor, paid, promotion, fee, taken):
        returned = portion_of(promotion, minor, paid)
        platform = portion_of(fee, minor + returned, paid + promotion)
        return Shares(minor + returned - platform, platform, returned)

    monkeypatch.setattr(splits, "shares_of_refund", for_itself)

    assert [finding.what for finding in not_so(splits.split(200, seed=7))] == [
        "cases that are exact",
        "not exact",
        "not exact",
        "not exact",
    ]


def test_each_mistake_in_an_export_is_found_in_its_class_and_nothing_besides(committed_db):
    assert not_so(reconcile.compared(lines=5_000, planted=50)) == []


def test_a_storm_is_the_same_for_the_same_seed_and_has_every_forgery():
    events = [chaos.Delivery("paystack", b'{"event": "charge.success", "data": {"id": 1}}')] * 100

    first, again, another = (chaos.storm(events, seed=seed) for seed in (1, 1, 2))

    assert first == again != another
    assert {delivery.forgery for delivery in first} == {"", *chaos.FORGERIES}
    forged = sum(bool(delivery.forgery) for delivery in first)
    assert round(forged / len(first), 2) == chaos.FORGED


def test_the_digest_of_the_books_sees_a_payment_that_settled(quiet_gateways):
    events = chaos.history(quiet_gateways.control, 10, seed=1)
    before = books_digest()
    assert books_digest() == before

    payment_settle(reference=Payment.objects.filter(status="pending").latest("id").reference)

    assert books_digest() != before
    assert events


def test_a_promise_that_is_not_kept_stands_out_in_the_table():
    shown = table([("chaos", found("rows", wanted=1_000, seen=1_001)), ("chaos", Finding("time", "", "3 s", True))])

    assert shown.splitlines()[2].split() == ["chaos", "rows", "1,000", "1,001", "NOT", "SO"]
    assert shown.splitlines()[3].split() == ["chaos", "time", "3", "s", "ok"]
