"""A withdrawal end to end over real HTTP: bank account, mailed code, hold, Paystack's transfer, its event, the
books."""

from django.core import mail

from learning247.kit.encryption import encrypt
from learning247.outbound_webhooks.models import OutboundEvent, WebhookEndpoint
from learning247.outbound_webhooks.services.endpoints import PURPOSE
from wallets.enums import AccountKind, WithdrawalStatus
from wallets.models import JournalEntry, JournalLine, PayoutAccount, Withdrawal
from wallets.selectors import platform_balance
from wallets.services.transfers import transfer_refresh, withdrawals_sweep
from wallets.tests.withdrawing import Creator, at_paystack, error_of, everything_is_due, old_enough


def kinds(withdrawal_id):
    entries = JournalEntry.objects.filter(source_kind="withdrawal", source_id=str(withdrawal_id))
    return list(entries.order_by("id").values_list("kind", flat=True))


def test_a_creator_withdraws_naira_to_her_bank(gateways, run_jobs):
    ada = Creator(gateways.url, available_minor=10_000_000)
    account = ada.add_account()
    assert account["account_name"] == "JOHNSON IFEOMA" and account["account_number"] == "••••••6789"
    assert (account["currencies"], account["bank_name"], account["ready"]) == (["NGN"], "Guaranty Trust Bank", True)

    asked = ada.withdraw("25000.00", account["id"])
    assert asked.status_code == 202, asked.text
    begun = asked.json()
    assert (begun["status"], begun["amount"], begun["fee"], begun["net"]) == (
        "otp_required", "25000.00", "0.00", "25000.00"
    )  # fmt: skip
    assert ada.has(available=10_000_000)

    confirmed = ada.confirm(begun["id"])
    assert (confirmed.status_code, confirmed.json()["status"]) == (200, "processing")
    assert ada.has(available=7_500_000, held=2_500_000)

    assert "wallets.carry_on_withdrawal" in run_jobs()
    (transfer,) = gateways.control.rows("paystack.transfers")
    assert (transfer["amount"], transfer["reference"]) == (2_500_000, begun["reference"])
    assert ada.shown(begun["id"])["reason"] == "at_gateway"

    gateways.control.advance(5)
    gateways.control.wait_for_webhook("transfer.success")
    run_jobs()

    shown = ada.shown(begun["id"])
    assert (shown["status"], shown["reason"], shown["detail"]) == ("paid", None, None)
    assert shown["paid_at"] is not None
    assert ada.has(available=7_500_000)
    assert at_paystack() == 10_000_000 - 2_500_000 - 2_500, "the amount and Paystack's fee have left"
    assert kinds(begun["id"]) == ["withdrawal_hold", "withdrawal_paid", "transfer_fee"]
    subjects = [sent.subject for sent in mail.outbox if sent.to == [ada.user.email]]
    assert subjects == [
        "A bank account was added to your wallet",
        "Confirm your withdrawal",
        "NGN 25,000.00 is paid out",
    ]
    assert "JOHNSON IFEOMA, Guaranty Trust Bank ••••••6789" in mail.outbox[1].body


def test_a_creators_webhooks_are_told_what_became_of_it(gateways, run_jobs):
    ada = Creator(gateways.url)
    WebhookEndpoint.objects.create(
        owner=ada.user, url="https://hooks.example.com/", sealed_secret=encrypt("whsec_eA==", purpose=PURPOSE)
    )
    withdrawal = ada.confirmed("5000.00", ada.add_account()["id"])
    for _ in range(2):
        everything_is_due()
        withdrawals_sweep()
        gateways.control.advance(5)

    event = OutboundEvent.objects.get()
    assert (event.event_type, event.owner_id) == ("withdrawal.paid", ada.user.pk)
    assert event.data == {
        "withdrawal_id": str(withdrawal.pk),
        "reference": withdrawal.reference,
        "status": "paid",
        "currency": "NGN",
        "amount": "5000.00",
        "net": "5000.00",
        "reason": None,
    }


def test_a_creator_who_bears_the_fee_gets_the_rest_and_all_of_it_back(gateways, settings):
    settings.WITHDRAWAL_FEE_BEARER = "creator"
    ada = Creator(gateways.url)
    withdrawal = ada.confirmed("25000.00", ada.add_account()["id"])
    for _ in range(2):
        everything_is_due()
        withdrawals_sweep()
        gateways.control.advance(5)

    shown = ada.shown(withdrawal.pk)
    assert (shown["status"], shown["fee"], shown["net"]) == ("paid", "25.00", "24975.00")
    assert [row["amount"] for row in gateways.control.rows("paystack.transfers")] == [2_497_500]
    assert ada.has(available=7_500_000)
    assert at_paystack() == 10_000_000 - 2_497_500 - 2_500
    assert platform_balance(kind=AccountKind.GATEWAY_COSTS, currency="NGN") == 0

    gateways.control.conclude_transfer("paystack", withdrawal.reference, "reversed")
    transfer_refresh(withdrawal_id=withdrawal.pk)

    assert ada.shown(withdrawal.pk)["status"] == "reversed"
    assert ada.has(available=10_000_000)
    assert at_paystack() == 10_000_000
    assert platform_balance(kind=AccountKind.GATEWAY_COSTS, currency="NGN") == 0


def test_a_transfer_that_fails_puts_the_money_back(gateways, run_jobs):
    ada = Creator(gateways.url)
    account = ada.add_account("0123459901")  # the sandbox's: transfers to it fail
    withdrawal = ada.confirmed("5000.00", account["id"])
    run_jobs()

    gateways.control.advance(5)
    gateways.control.wait_for_webhook("transfer.failed")
    run_jobs()

    shown = ada.shown(withdrawal.pk)
    assert (shown["status"], shown["reason"]) == ("failed", "refused")
    assert "back in your wallet" in shown["detail"]
    assert ada.has(available=10_000_000)
    assert at_paystack() == 10_000_000
    assert kinds(withdrawal.pk) == ["withdrawal_hold", "withdrawal_returned"]
    assert "Your withdrawal of NGN 5,000.00 could not be paid" in [sent.subject for sent in mail.outbox]


def test_a_transfer_that_comes_back_after_it_was_paid_is_credited_once(gateways, run_jobs):
    ada = Creator(gateways.url)
    withdrawal = ada.confirmed("5000.00", ada.add_account()["id"])
    run_jobs()
    gateways.control.advance(5)
    gateways.control.wait_for_webhook("transfer.success")
    run_jobs()
    assert ada.has(available=9_500_000)

    gateways.control.fault("webhook_duplicate", provider="paystack", event="transfer.reversed", count=3)
    gateways.control.conclude_transfer("paystack", withdrawal.reference, "reversed")
    gateways.control.wait_for_webhook("transfer.reversed")
    run_jobs()

    shown = ada.shown(withdrawal.pk)
    assert (shown["status"], shown["reason"]) == ("reversed", "came_back")
    assert ada.has(available=10_000_000)
    assert at_paystack() == 10_000_000
    assert kinds(withdrawal.pk) == [
        "withdrawal_hold", "withdrawal_paid", "transfer_fee", "withdrawal_reversed", "transfer_fee_returned"
    ]  # fmt: skip


def test_the_sweeper_pays_where_neither_job_nor_event_arrives(gateways):
    ada = Creator(gateways.url)
    gateways.control.pause_webhooks()
    withdrawal = ada.confirmed("5000.00", ada.add_account()["id"])

    everything_is_due()
    assert withdrawals_sweep() == 1
    gateways.control.advance(5)
    everything_is_due()
    assert withdrawals_sweep() == 1

    withdrawal.refresh_from_db()
    assert withdrawal.status == WithdrawalStatus.PAID
    assert len(gateways.control.rows("paystack.transfers")) == 1
    assert withdrawals_sweep() == 0


def test_a_repeated_request_is_one_withdrawal_and_one_code(gateways):
    ada = Creator(gateways.url)
    account = ada.add_account()

    answers = [ada.withdraw("5000.00", account["id"], key="the same") for _ in range(2)]
    other = ada.withdraw("6000.00", account["id"], key="the same")

    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["Idempotency-Replayed"] == "true"
    assert error_of(other) == (422, "idempotency_key_reused")
    assert Withdrawal.objects.count() == 1


def test_the_same_account_added_again_is_the_same_and_mails_once(gateways, run_jobs):
    ada = Creator(gateways.url)

    first, second = ada.add_account(), ada.add_account()
    run_jobs()

    assert first == second
    assert len(mail.outbox) == 1
    kept = PayoutAccount.objects.get()
    assert "0123456789" not in f"{kept.sealed_number}{kept.number_digest}{kept.account_name}"


def test_entries_say_where_the_money_went_and_not_to_whom(gateways):
    ada = Creator(gateways.url)
    ada.confirmed("5000.00", old_enough(ada.add_account()["id"]))

    entry = JournalEntry.objects.get(kind="withdrawal_hold")
    assert entry.description == "Withdrawal to Guaranty Trust Bank ••••6789"
    assert sorted(JournalLine.objects.filter(entry=entry).values_list("amount_minor", flat=True)) == [-500_000, 500_000]
