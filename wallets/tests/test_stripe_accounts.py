"""Dollars out: an account at Stripe that is ready when Stripe says so, a transfer to it, its reversal, its failed
payout."""

import json
import time

import pytest
import requests
import stripe
from django.conf import settings as django_settings
from django.core import mail

from wallets.enums import AccountKind, WithdrawalStatus
from wallets.models import JournalEntry, PayoutAccount
from wallets.selectors import platform_balance
from wallets.services.transfers import transfer_carry_on
from wallets.tests.withdrawing import Creator, error_of, everything_is_due


@pytest.fixture
def funds(gateways):
    gateways.control.top_up("stripe", "usd", 1_000_000)


def at_stripe():
    return -platform_balance(kind=AccountKind.GATEWAY_STRIPE, currency="USD")


def begun(creator):
    answer = creator.send("POST", "/payout-accounts/stripe", {"country": "GB"})
    assert answer.status_code == 201, answer.text
    return answer.json()


def ready(gateways, run_jobs, creator):
    """The id of an account that Stripe has said is ready, no longer new."""
    account = begun(creator)["bank_account"]["id"]
    kept = PayoutAccount.objects.get(pk=account)
    gateways.control.onboard(kept.gateway_account_id)
    gateways.control.wait_for_webhook("account.updated")
    run_jobs()
    kept.refresh_from_db()
    assert kept.ready_at is not None
    return kept


def test_a_creator_is_paid_in_dollars_once_stripe_says_that_she_may_be(gateways, run_jobs, funds):
    ada = Creator(gateways.url, available_minor=200_000, currency="USD")
    first = begun(ada)
    assert first["bank_account"]["currencies"] == ["USD", "GBP", "EUR"]
    assert first["bank_account"]["ready"] is False
    assert requests.get(first["onboarding"]["url"], timeout=10).status_code == 200
    refused = ada.withdraw("100.00", first["bank_account"]["id"])
    assert error_of(refused) == (422, "bank_account_not_ready")
    again = begun(ada)
    assert again["bank_account"]["id"] == first["bank_account"]["id"]
    assert len(gateways.control.rows("stripe.accounts")) == 1

    account = ready(gateways, run_jobs, ada)
    withdrawal = ada.confirmed("100.00", account.pk)
    run_jobs()

    shown = ada.shown(withdrawal.pk)
    assert (shown["status"], shown["method"]) == ("paid", "stripe")
    assert ada.has(available=190_000)
    assert at_stripe() == -10_000, "what came in, these tests book at Paystack"
    (transfer,) = gateways.control.rows("stripe.transfers")
    assert (transfer["amount"], transfer["currency"], transfer["destination"], transfer["transfer_group"]) == (
        10_000, "usd", account.gateway_account_id, withdrawal.reference
    )  # fmt: skip
    assert "A bank account was added to your wallet" in [sent.subject for sent in mail.outbox]


def test_an_account_at_stripe_counts_as_new_from_when_it_was_ready(gateways, run_jobs):
    ada = Creator(gateways.url, available_minor=200_000, currency="USD")
    account = ready(gateways, run_jobs, ada)

    assert error_of(ada.withdraw("500.01", account.pk)) == (422, "bank_account_cooling")
    assert ada.withdraw("500.00", account.pk).status_code == 202


def test_an_account_that_stripe_restricts_is_paid_no_more(gateways, run_jobs):
    ada = Creator(gateways.url, available_minor=200_000, currency="USD")
    account = ready(gateways, run_jobs, ada)
    waiting = ada.begun("100.00", account.pk)
    code = ada.code(waiting)

    gateways.control.restrict(account.gateway_account_id)
    gateways.control.wait_until(
        lambda: len(gateways.control.webhooks(event="account.updated", status="delivered")) == 2
    )
    run_jobs()

    assert error_of(ada.confirm(waiting, code)) == (422, "bank_account_not_ready")
    assert ada.has(available=200_000)


def test_a_transfer_that_is_taken_back_is_credited_once(gateways, run_jobs, funds):
    ada = Creator(gateways.url, available_minor=200_000, currency="USD")
    withdrawal = ada.confirmed("100.00", ready(gateways, run_jobs, ada).pk)
    run_jobs()
    (transfer,) = gateways.control.rows("stripe.transfers")

    gateways.control.fault("webhook_duplicate", provider="stripe", event="transfer.reversed", count=2)
    gateways.control.conclude_transfer("stripe", transfer["id"], "reversed")
    gateways.control.wait_for_webhook("transfer.reversed")
    run_jobs()

    assert ada.shown(withdrawal.pk)["status"] == "reversed"
    assert ada.has(available=200_000)
    assert at_stripe() == 0
    assert JournalEntry.objects.filter(kind="withdrawal_reversed").count() == 1


def test_too_little_at_stripe_waits_and_goes_out_under_another_key(gateways, run_jobs):
    """Stripe repeats its refusal to a key for a day."""
    ada = Creator(gateways.url, available_minor=200_000, currency="USD")
    gateways.control.top_up("stripe", "usd", -platform_funds(gateways))
    withdrawal = ada.confirmed("100.00", ready(gateways, run_jobs, ada).pk)
    run_jobs()
    shown = ada.shown(withdrawal.pk)
    assert (shown["status"], shown["reason"]) == ("processing", "gateway_balance_low")

    gateways.control.top_up("stripe", "usd", 1_000_000)
    everything_is_due()
    done = transfer_carry_on(withdrawal_id=withdrawal.pk)

    assert done is not None and done.status == WithdrawalStatus.PAID
    assert len(gateways.control.rows("stripe.transfers")) == 1


def test_stripes_timeout_after_the_effect_makes_no_second_transfer(gateways, run_jobs, funds, settings):
    settings.GATEWAY_READ_TIMEOUT = 1
    ada = Creator(gateways.url, available_minor=200_000, currency="USD")
    account = ready(gateways, run_jobs, ada)
    gateways.control.fault("late", provider="stripe", method="POST", path="/v1/transfers", times=2, seconds=3)
    withdrawal = ada.confirmed("100.00", account.pk)

    for _ in range(3):
        everything_is_due()
        transfer_carry_on(withdrawal_id=withdrawal.pk)

    withdrawal.refresh_from_db()
    assert withdrawal.status == WithdrawalStatus.PAID
    assert len(gateways.control.rows("stripe.transfers")) == 1


def test_a_payout_that_fails_at_stripe_moves_none_of_our_money_and_tells_its_owner_once(gateways, run_jobs, funds):
    ada = Creator(gateways.url, available_minor=200_000, currency="USD")
    account = ready(gateways, run_jobs, ada)
    before = JournalEntry.objects.count()

    for number in ("evt_payout_1", "evt_payout_2"):
        announce(gateways, number, account.gateway_account_id)
    announce(gateways, "evt_payout_3", "acct_of_nobody")
    run_jobs()

    assert JournalEntry.objects.count() == before
    told = [sent for sent in mail.outbox if sent.subject == "Stripe could not pay out to your bank"]
    assert [sent.to for sent in told] == [[ada.user.email]]


def announce(gateways, number, account):
    body = json.dumps(
        {
            "id": number,
            "object": "event",
            "type": "payout.failed",
            "account": account,
            "data": {"object": {"id": "po_1", "object": "payout", "status": "failed"}},
        }
    )
    header = stripe.WebhookSignature.generate_signature_header(
        body, django_settings.STRIPE_WEBHOOK_SECRETS[0], timestamp=int(time.time())
    )
    answer = requests.post(
        f"{gateways.url}/api/webhooks/stripe", body, headers={"stripe-signature": header}, timeout=10
    )
    assert answer.status_code == 200


def platform_funds(gateways):
    return gateways.control.top_up("stripe", "usd", 0)
