"""Paying creators through Stripe Connect."""

from __future__ import annotations

from typing import Any

import pytest
import requests
import stripe

from learning247.sandbox.server import Sandbox


def new_account(client: Any) -> Any:
    return client.v1.accounts.create(
        {
            "type": "express",
            "country": "GB",
            "email": "ada@example.com",
            "capabilities": {"transfers": {"requested": True}},
        }
    ).id


@pytest.fixture
def account(sandbox: Sandbox, client: Any) -> Any:
    """A connected account that may be paid, and USD 100.00 on the platform's balance."""
    sandbox.control.top_up("stripe", "usd", 10_000)
    account = new_account(client)
    sandbox.control.onboard(account)
    return account


def test_an_account_is_ready_once_its_owner_went_through_the_onboarding_page(sandbox: Sandbox, client: Any) -> None:
    account = new_account(client)
    assert client.v1.accounts.retrieve(account).payouts_enabled is False
    link = client.v1.account_links.create(
        {
            "account": account,
            "type": "account_onboarding",
            "refresh_url": "https://shop.example/again",
            "return_url": "https://shop.example/done",
        }
    )
    answer = requests.post(link.url, data={"action": "complete"}, allow_redirects=False, timeout=10)
    assert (answer.status_code, answer.headers["location"]) == (303, "https://shop.example/done")
    ready = client.v1.accounts.retrieve(account)
    assert (ready.payouts_enabled, ready.capabilities["transfers"]) == (True, "active")
    event = sandbox.control.wait_for_webhook("account.updated")
    assert f'"account": "{account}"' in event["body"]


def test_money_cannot_be_sent_before_that(sandbox: Sandbox, client: Any) -> None:
    sandbox.control.top_up("stripe", "usd", 10_000)
    with pytest.raises(stripe.StripeError) as refused:
        client.v1.transfers.create({"amount": 100, "currency": "usd", "destination": new_account(client)})
    assert refused.value.code == "insufficient_capabilities_for_transfer"


def test_a_transfer_moves_balance_to_the_connected_account(sandbox: Sandbox, client: Any, account: str) -> None:
    transfer = client.v1.transfers.create(
        {
            "amount": 4000,
            "currency": "usd",
            "destination": account,
            "transfer_group": "w-1",
        }
    )
    assert client.v1.balance.retrieve().available[0].amount == 6000
    theirs = client.v1.balance.retrieve(options={"stripe_account": account})
    assert theirs.available[0].amount == 4000
    assert [found.id for found in client.v1.transfers.list({"transfer_group": "w-1"}).data] == [transfer.id]
    sandbox.control.wait_for_webhook("transfer.created")


def test_a_transfer_beyond_the_balance_moves_nothing(client: Any, account: str) -> None:
    with pytest.raises(stripe.StripeError) as refused:
        client.v1.transfers.create({"amount": 10_001, "currency": "usd", "destination": account})
    assert refused.value.code == "balance_insufficient"
    assert client.v1.balance.retrieve().available[0].amount == 10_000


def test_reversals_bring_back_parts_up_to_the_whole(sandbox: Sandbox, client: Any, account: str) -> None:
    transfer = client.v1.transfers.create({"amount": 4000, "currency": "usd", "destination": account})
    client.v1.transfers.reversals.create(transfer.id, {"amount": 1500})
    assert client.v1.transfers.retrieve(transfer.id).amount_reversed == 1500
    client.v1.transfers.reversals.create(transfer.id)
    assert client.v1.transfers.retrieve(transfer.id).reversed is True
    assert client.v1.balance.retrieve().available[0].amount == 10_000
    with pytest.raises(stripe.InvalidRequestError, match="already been reversed"):
        client.v1.transfers.reversals.create(transfer.id)
    sandbox.control.wait_for_webhook("transfer.reversed")


def test_a_payout_of_the_connected_account_is_paid_and_may_still_fail(
    sandbox: Sandbox, client: Any, account: str
) -> None:
    client.v1.transfers.create({"amount": 4000, "currency": "usd", "destination": account})
    theirs = {"stripe_account": account}
    payout = client.v1.payouts.create({"amount": 3000, "currency": "usd"}, theirs)
    assert payout.status == "pending"
    sandbox.control.advance(2)
    sandbox.control.wait_for_webhook("payout.paid")
    assert client.v1.payouts.retrieve(payout.id, options=theirs).status == "paid"
    assert client.v1.balance.retrieve(options=theirs).available[0].amount == 1000
    sandbox.control.conclude_payout(payout.id, "failed")
    assert client.v1.balance.retrieve(options=theirs).available[0].amount == 4000
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payouts.retrieve(payout.id)


def test_a_transfer_can_be_reversed_late_by_a_planned_fault(sandbox: Sandbox, client: Any, account: str) -> None:
    sandbox.control.fault("transfer_reversal", provider="stripe", seconds=600)
    transfer = client.v1.transfers.create({"amount": 4000, "currency": "usd", "destination": account})
    sandbox.control.advance(600)
    sandbox.control.wait_for_webhook("transfer.reversed")
    assert client.v1.transfers.retrieve(transfer.id).amount_reversed == 4000
