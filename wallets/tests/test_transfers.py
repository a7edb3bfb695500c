"""What the gateway does not answer, refuses, wants a code for or has no funds for: nothing is paid twice or put back
early."""

from datetime import timedelta

import pytest
import requests

from learning247.kit.clock import now
from learning247.records.models import OutboundMail
from wallets.enums import PayoutMethod, WithdrawalStatus
from wallets.models import GatewayCircuit, JournalEntry, Withdrawal
from wallets.payouts import TransferReport, TransferStatus
from wallets.services.circuits import circuit_answered, circuit_failed, circuit_open_until
from wallets.services.transfers import (
    paid_withdrawals_recheck,
    transfer_carry_on,
    transfer_record,
    transfer_refresh,
    withdrawals_sweep,
)
from wallets.tests.withdrawing import Creator, at_paystack, everything_is_due


def transfers(gateways):
    return gateways.control.rows("paystack.transfers")


def on_its_way(gateways, amount="5000.00", number="0123456789"):
    ada = Creator(gateways.url)
    return ada, ada.confirmed(amount, ada.add_account(number)["id"])


def again(withdrawal):
    everything_is_due()
    GatewayCircuit.objects.update(open_until=now())
    transfer_carry_on(withdrawal_id=withdrawal.pk)
    withdrawal.refresh_from_db()
    return withdrawal


@pytest.mark.parametrize("kind", ["late", "timeout", "drop", "error"])
def test_an_answer_that_never_comes_is_unknown_held_and_asked_about_under_the_same_reference(gateways, settings, kind):
    """`late`: it was made, and only the answer is lost; of the others nobody can tell."""
    settings.GATEWAY_READ_TIMEOUT = 1
    ada, withdrawal = on_its_way(gateways)
    gateways.control.fault(kind, provider="paystack", method="POST", path="/transfer", times=1, seconds=3, status=500)

    again(withdrawal)
    assert (withdrawal.status, withdrawal.reason) == ("processing", "outcome_unknown")
    assert ada.has(available=9_500_000, held=500_000)

    again(withdrawal)
    gateways.control.advance(5)
    again(withdrawal)

    assert withdrawal.status == WithdrawalStatus.PAID
    assert [row["reference"] for row in transfers(gateways)] == [withdrawal.reference]
    assert ada.has(available=9_500_000)


def test_a_reference_that_was_taken_is_asked_about_and_not_refused(gateways):
    """The first call worked, and before its answer was recorded the worker was killed."""
    _, withdrawal = on_its_way(gateways)
    again(withdrawal)
    Withdrawal.objects.update(sent_at=None, gateway_transfer_id="", reason="sending")

    again(withdrawal)

    assert (withdrawal.status, withdrawal.reason) == ("processing", "at_gateway")
    assert len(transfers(gateways)) == 1


def test_a_conclusive_no_to_the_first_try_puts_the_money_back(gateways):
    ada, withdrawal = on_its_way(gateways)
    gateways.control.fault("error", provider="paystack", method="POST", path="/transfer", times=1, status=400)

    again(withdrawal)

    assert (withdrawal.status, withdrawal.reason) == ("failed", "refused")
    assert ada.has(available=10_000_000)
    assert transfers(gateways) == []


def test_a_no_to_a_later_try_puts_nothing_back_until_the_first_can_no_longer_show(gateways):
    ada, withdrawal = on_its_way(gateways)
    gateways.control.fault("error", provider="paystack", method="POST", path="/transfer", times=1, status=503)
    again(withdrawal)
    gateways.control.fault("error", provider="paystack", method="POST", path="/transfer", times=2, status=400)

    again(withdrawal)
    assert (withdrawal.status, withdrawal.reason) == ("processing", "outcome_unknown")
    assert ada.has(available=9_500_000, held=500_000)

    Withdrawal.objects.update(sent_at=now() - timedelta(minutes=11))
    again(withdrawal)
    assert withdrawal.status == WithdrawalStatus.FAILED
    assert ada.has(available=10_000_000)


def test_too_little_money_at_the_gateway_waits_with_a_reason_and_goes_out_later(gateways):
    ada, withdrawal = on_its_way(gateways)
    gateways.control.top_up("paystack", "NGN", -100_000_000_000)

    again(withdrawal)
    assert (withdrawal.status, withdrawal.reason) == ("processing", "gateway_balance_low")
    assert "It goes out by itself" in ada.shown(withdrawal.pk)["detail"]
    assert ada.has(available=9_500_000, held=500_000)

    gateways.control.top_up("paystack", "NGN", 1_000_000)
    again(withdrawal)
    gateways.control.advance(5)
    again(withdrawal)
    assert withdrawal.status == WithdrawalStatus.PAID
    assert len(transfers(gateways)) == 1


def test_a_transfer_that_wants_a_code_is_parked_and_finance_is_told_once_what_to_do(gateways, settings):
    settings.FINANCE_EMAIL = "finance@learning247.example"
    gateways.control.behave(paystack_transfer_otp=True)
    _, withdrawal = on_its_way(gateways)

    again(withdrawal)
    again(withdrawal)
    assert (withdrawal.status, withdrawal.reason) == ("processing", "gateway_code")
    assert withdrawal.due_at > now() + timedelta(minutes=50)
    (told,) = OutboundMail.objects.filter(to="finance@learning247.example")
    assert "under Transfers" in told.text and withdrawal.reference in told.text

    gateways.control.behave(paystack_transfer_otp=False)
    (made,) = transfers(gateways)
    finalize(settings, made["transfer_code"])
    gateways.control.advance(5)
    again(withdrawal)
    assert withdrawal.status == WithdrawalStatus.PAID


def finalize(settings, code):

    answer = requests.post(
        f"{settings.PAYSTACK_BASE_URL}/transfer/finalize_transfer",
        json={"transfer_code": code, "otp": "123456"},
        headers={"Authorization": f"Bearer {settings.PAYSTACK_SECRET_KEY}"},
        timeout=10,
    )
    assert answer.status_code == 200


def test_another_amount_at_the_gateway_than_ours_is_never_booked_as_paid(gateways):
    ada, withdrawal = on_its_way(gateways)
    again(withdrawal)
    report = TransferReport(TransferStatus.PAID, withdrawal.reference, 400_000, "NGN", "TRF_1")

    transfer_record(withdrawal_id=withdrawal.pk, report=report)

    withdrawal.refresh_from_db()
    assert (withdrawal.status, withdrawal.reason) == ("processing", "outcome_unknown")
    assert ada.has(available=9_500_000, held=500_000)


def test_whatever_comes_again_or_late_changes_nothing(gateways):
    _, withdrawal = on_its_way(gateways)
    again(withdrawal)
    gateways.control.advance(5)
    for _ in range(3):
        transfer_refresh(withdrawal_id=withdrawal.pk)
    entries = JournalEntry.objects.count()
    pending = TransferReport(TransferStatus.PENDING, withdrawal.reference, 500_000, "NGN", "TRF_1")
    unknown = TransferReport(TransferStatus.UNKNOWN_THERE, withdrawal.reference, 0, "", "")

    for report in (pending, unknown, pending):
        transfer_record(withdrawal_id=withdrawal.pk, report=report)

    withdrawal.refresh_from_db()
    assert withdrawal.status == WithdrawalStatus.PAID
    assert JournalEntry.objects.count() == entries
    assert at_paystack() == 10_000_000 - 500_000 - 1_000


def test_what_came_back_unheard_is_found_by_asking_once_a_day(gateways):
    ada, withdrawal = on_its_way(gateways)
    gateways.control.pause_webhooks()
    again(withdrawal)
    gateways.control.advance(5)
    again(withdrawal)
    assert paid_withdrawals_recheck() == 1
    assert ada.has(available=9_500_000)
    gateways.control.conclude_transfer("paystack", withdrawal.reference, "reversed")
    gateways.control.fault("error", provider="paystack", path="/transfer/verify/*", times=1, status=503)

    assert [paid_withdrawals_recheck() for _ in range(3)] == [0, 1, 0]

    withdrawal.refresh_from_db()
    assert withdrawal.status == WithdrawalStatus.REVERSED
    assert ada.has(available=10_000_000)


def test_a_gateway_that_does_not_answer_is_left_alone_and_asked_again_by_one(gateways, settings):
    waiting = []
    for number in range(2):  # more people at one address would be looked at first
        creator = Creator(gateways.url)
        account = creator.add_account(f"012345678{number}")["id"]
        waiting += [creator.confirmed("1000.00", account) for _ in range(3)]
    gateways.control.fault("error", provider="paystack", method="POST", path="/transfer", times=None, status=503)
    for withdrawal in waiting[:5]:
        transfer_carry_on(withdrawal_id=withdrawal.pk)
    circuit = GatewayCircuit.objects.get(pk=PayoutMethod.PAYSTACK)
    assert circuit.failures == 5
    assert circuit.open_until is not None and circuit.open_until > now()
    gateways.control.forget_requests()

    transfer_carry_on(withdrawal_id=waiting[5].pk)
    waiting[5].refresh_from_db()
    assert (waiting[5].status, waiting[5].reason, waiting[5].sent_at) == ("processing", "gateway_paused", None)
    assert waiting[5].due_at is not None
    assert waiting[5].due_at <= circuit.open_until + timedelta(seconds=1)
    assert gateways.control.requests(provider="paystack") == []

    gateways.control.clear_faults()
    everything_is_due()
    GatewayCircuit.objects.update(open_until=now())
    assert withdrawals_sweep() == 6
    assert GatewayCircuit.objects.get().failures == 0
    everything_is_due()
    withdrawals_sweep()
    assert len(transfers(gateways)) == 6
    gateways.control.advance(5)
    everything_is_due()
    withdrawals_sweep()
    assert set(Withdrawal.objects.values_list("status", flat=True)) == {"paid"}


def test_of_many_who_come_when_the_pause_is_over_one_asks(gateways):
    for _ in range(5):
        circuit_failed(PayoutMethod.STRIPE)
    assert circuit_open_until(PayoutMethod.STRIPE) is not None
    GatewayCircuit.objects.update(open_until=now())

    answers = [circuit_open_until(PayoutMethod.STRIPE) for _ in range(3)]

    assert answers[0] is None and all(answers[1:])
    circuit_answered(PayoutMethod.STRIPE)
    assert circuit_open_until(PayoutMethod.STRIPE) is None
