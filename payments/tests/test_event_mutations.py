"""Events as no gateway should send them: whatever is in one that is signed, no 5xx and no posting.

Each as it stands first, then two hundred mutations; MUTATIONS=5000 for more. SPECS_DIR adds Paystack's official samples
and Stripe's official objects as events about them: as they stand there, and with the names of payments and withdrawals
of ours.
"""

import copy
import json
import os
import random
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts.tests.builders import build_creator, build_user
from learning247.drill.books import books_digest
from learning247.kit.clock import now
from learning247.records.models import InboundEvent
from learning247.records.services.inbox import event_handle
from payments.services.disputes import dispute_refresh
from payments.tests.builders import build_product, start_checkout
from payments.tests.buying import ask_for_refund, build_finance, buy
from payments.tests.test_disputes import open_dispute
from payments.tests.wire import SIGNERS
from wallets.models import PayoutAccount
from wallets.services.stripe_accounts import stripe_account_refresh
from wallets.services.transfers import transfer_carry_on
from wallets.tests.withdrawing import Creator

MUTATIONS = int(os.environ.get("MUTATIONS", "200"))
SPECS = Path(os.environ.get("SPECS_DIR", "/nowhere"))
# Which events of Stripe's are about which of its official objects.
STRIPE_KINDS = {
    "checkout.session": ("completed", "async_payment_succeeded", "async_payment_failed", "expired"),
    "refund": ("created", "updated", "failed"),
    "charge": ("succeeded", "failed", "refunded", "updated"),
    "dispute": ("created", "updated", "funds_withdrawn", "funds_reinstated", "closed"),
    "payment_intent": ("succeeded", "processing", "payment_failed", "canceled"),
    "transfer": ("created", "updated", "reversed"),
    "payout": ("created", "updated", "paid", "failed", "canceled", "reconciliation_completed"),
    "topup": ("created", "succeeded", "failed", "canceled", "reversed"),
    "account": ("updated",),
}
ODD: list[Any] = [
    0, -1, 1, 2**63, -(2**63), 10**30, 1.5, True, False, None, "", " ", "0", "-1", "1e9", "25000.00", "null", "{}",
    "[]", "NaN", "x" * 5_000, "\u202eL247-", "L247-", "\u0000", "\ud7ff", [], {}, [[]], [None], {"id": None}, {"": ""},
]  # fmt: skip


def paystack(kind, **data):
    return "paystack", {"event": kind, "data": {"id": 7, "status": "success", "domain": "test", **data}}


def stripe(kind, **about):
    return "stripe", {"id": "evt_7", "object": "event", "type": kind, "data": {"object": {"id": "obj_7", **about}}}


def shapes(payment, session):
    """What the gateways tell of a payment: sales, refunds, disputes."""
    money = {"amount": 2_500_000, "currency": "NGN", "metadata": 0, "fees": None}
    refund = {"transaction_reference": payment.reference, "refund_reference": "9", "amount": "1000000"}
    dispute = {"transaction": {"reference": payment.reference, "id": 5}, "refund_amount": 1_000_000, "currency": "NGN"}
    intent = payment.gateway_payment_id or "pi_7"
    return [
        paystack("charge.success", reference=payment.reference, **money),
        *(paystack(f"refund.{state}", **refund) for state in ("pending", "processing", "processed", "failed")),
        paystack("refund.needs-attention", **refund),
        *(paystack(f"charge.dispute.{state}", **dispute) for state in ("create", "remind", "resolve")),
        *(
            stripe(f"checkout.session.{state}", client_reference_id=payment.reference, payment_status="paid")
            for state in ("completed", "async_payment_succeeded", "async_payment_failed", "expired")
        ),
        stripe("checkout.session.completed", client_reference_id=payment.reference, session=session),
        *(stripe(f"refund.{state}", payment_intent=intent, amount=1_000) for state in ("created", "updated", "failed")),
        stripe("charge.refund.updated", payment_intent=intent, charge="ch_7", status="succeeded"),
        *(
            stripe(f"charge.dispute.{state}", payment_intent=intent, charge="ch_7", amount=1_000, currency="usd")
            for state in ("created", "updated", "funds_withdrawn", "funds_reinstated", "closed")
        ),
        *(stripe(kind, payment_intent=intent) for kind in ("charge.succeeded", "charge.refunded")),
    ]


def samples(payments, withdrawals):
    """The official ones; and each again about one of these payments or withdrawals, where it has a place for their
    names."""
    found = [("paystack", json.loads(path.read_bytes())) for path in sorted(SPECS.glob("paystack/events/*.json"))]
    for path in SPECS.glob("stripe/*fixtures3*.json"):
        resources = json.loads(path.read_bytes())["resources"]
        for name, states in STRIPE_KINDS.items():
            prefix = "charge.dispute" if name == "dispute" else name
            found += [stripe(f"{prefix}.{state}", **resources[name]) for state in states]
    ours = [
        (provider, renamed_by(names_of(document, payment, withdrawals[provider]), document))
        for number, (provider, document) in enumerate(found)
        for payment in payments[number % len(payments) :][:1]
    ]
    return found + ours


def names_of(document, payment, withdrawal):
    """What an event calls this payment, or this withdrawal when it is about a transfer."""
    if str(document.get("event") or document.get("type")).startswith("transfer."):
        return {
            "reference": withdrawal.reference,
            "transfer_group": withdrawal.reference,
            "transfer_code": withdrawal.gateway_transfer_id,
        }
    return {
        "reference": payment.reference,
        "transaction_reference": payment.reference,
        "client_reference_id": payment.reference,
        "payment_intent": payment.gateway_payment_id or "pi_7",
    }


def renamed_by(names, document):
    """The same event with these names wherever it has one of them."""

    def renamed(node):
        if isinstance(node, list):
            return [renamed(item) for item in node]
        if not isinstance(node, dict):
            return node
        return {key: names[key] if key in names else renamed(item) for key, item in node.items()}

    return renamed(document)


def places(node, path=()):
    """The paths of everything in a document."""
    found = [path] if path else []
    for key in node if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ():
        found += places(node[key], (*path, key))
    return found


def mutated(document, dice):
    """One to three values gone, or replaced by odd ones, or wrapped, or by another value of the same document."""
    document = copy.deepcopy(document)
    for _ in range(dice.randint(1, 3)):
        every = places(document)
        if not every:
            break
        *way, last = dice.choice(every)
        parent = document
        for step in way:
            parent = parent[step]
        how = dice.choice(("gone", "odd", "odd", "odd", "wrapped", "text"))
        if how == "gone":
            del parent[last]
        elif how == "odd":
            parent[last] = copy.deepcopy(dice.choice(ODD))
        elif how == "wrapped":
            parent[last] = dice.choice(([parent[last]], {"id": parent[last]}))
        else:
            parent[last] = json.dumps(parent[last])
    return document


def numbered(document, number):
    """With a name of its own, where it still has the one that all have: or all but the first would be repeats."""
    document = copy.deepcopy(document)
    data = document.get("data")
    if document.get("id") == "evt_7":
        document["id"] = f"evt_{number}"
    if isinstance(data, dict) and data.get("id") == 7:
        data["id"] = number
    if isinstance(data, dict) and data.get("refund_reference") == "9":
        data["refund_reference"] = f"{number}"
    return document


@pytest.fixture
def world(gateways):
    """A checkout that nobody paid, at each gateway a sale with a refund of a part, one in dispute, and a withdrawal;
    a payout to our own bank; and what is told of them."""
    gateways.control.pause_webhooks()
    # They stay under way.
    gateways.control.behave(
        paystack_refund_outcome="none", paystack_transfer_outcome="none", stripe_payout_outcome="none"
    )
    open_still = start_checkout(build_user(), build_product(seller=build_user()))
    sales = [buy(gateways, currency=currency) for currency in ("NGN", "USD")]
    for payment in sales:
        assert ask_for_refund(gateways.url, payment, build_finance(), amount="10.00").status_code == 201
    disputed = [buy(gateways, currency=currency) for currency in ("NGN", "USD")]
    numbers = [open_dispute(gateways, payment) for payment in disputed]
    for payment, number in zip(disputed, numbers, strict=True):
        dispute_refresh(payment=payment, gateway_dispute_id=number)
    creators = [build_creator(created_at=now() - timedelta(days=90)) for _ in range(2)]
    for creator, currency in zip(creators, ("NGN", "USD"), strict=True):
        buy(gateways, currency=currency, seller=creator)
    withdrawals = withdrawn(gateways, *creators)
    payout = gateways.control.pay_out("stripe", "USD")
    payments = [open_still, *sales, *disputed]
    documents = [shape for payment in payments for shape in shapes(payment, payment.gateway_reference)]
    documents += disputes(*disputed, *numbers) + transfers(withdrawals, payout["id"])
    return documents + samples(payments, withdrawals)


def withdrawn(gateways, in_naira, in_dollars):
    """By gateway: one that Paystack has not paid yet, and one that Stripe has."""
    gateways.control.top_up("paystack", "NGN", 1_000_000)
    gateways.control.top_up("stripe", "usd", 1_000_000)
    naira = Creator(gateways.url, available_minor=0, user=in_naira)
    dollars = Creator(gateways.url, available_minor=0, currency="USD", user=in_dollars)
    at_stripe = dollars.send("POST", "/payout-accounts/stripe", {"country": "GB"}).json()["bank_account"]["id"]
    gateway_account_id = PayoutAccount.objects.get(pk=at_stripe).gateway_account_id
    gateways.control.onboard(gateway_account_id)
    stripe_account_refresh(gateway_account_id=gateway_account_id)
    made = {
        "paystack": naira.confirmed("5000.00", naira.add_account()["id"]),
        "stripe": dollars.confirmed("15.00", at_stripe),
    }
    for withdrawal in made.values():
        transfer_carry_on(withdrawal_id=withdrawal.pk)
        withdrawal.refresh_from_db()
    assert [withdrawal.status for withdrawal in made.values()] == ["processing", "paid"]
    return made


def transfers(withdrawals, payout):
    """What is told of withdrawals, of the accounts that they go to, and of a payout to our own bank."""
    in_naira, in_dollars = withdrawals["paystack"], withdrawals["stripe"]
    account = in_dollars.account.gateway_account_id
    told = {"reference": in_naira.reference, "transfer_code": in_naira.gateway_transfer_id, "amount": 500_000}
    return [
        *(paystack(f"transfer.{state}", **told) for state in ("success", "failed", "reversed")),
        *(
            stripe(f"transfer.{state}", transfer_group=in_dollars.reference, amount=1_500, reversed=True)
            for state in ("created", "updated", "reversed")
        ),
        *(stripe(f"payout.{state}", id=payout, status="paid") for state in ("created", "paid", "failed", "canceled")),
        stripe("topup.succeeded", id="tu_7", status="succeeded", amount=1_000),
        stripe("account.updated", id=account, charges_enabled=False, payouts_enabled=False),
    ]


def disputes(in_naira, in_dollars, number, identifier):
    """What is told of a dispute that there is."""
    told = {"id": int(number), "transaction": {"reference": in_naira.reference}}
    return [
        *(paystack(f"charge.dispute.{state}", **told) for state in ("create", "remind", "resolve")),
        *(
            stripe(f"charge.dispute.{state}", id=identifier, payment_intent=in_dollars.gateway_payment_id, status="won")
            for state in ("created", "updated", "funds_withdrawn", "funds_reinstated", "closed")
        ),
    ]


def test_whatever_a_signed_event_holds_nothing_is_posted_and_nothing_breaks(world):
    dice, client, answers = random.Random(1), Client(), {}
    before = books_digest()

    for number in range(len(world) + MUTATIONS):
        provider, document = world[number % len(world)]
        told = numbered(document if number < len(world) else mutated(document, dice), number)
        body = json.dumps(told).encode()
        answer = client.post(
            f"/api/webhooks/{provider}", body, content_type="application/json", headers=SIGNERS[provider](body)
        )
        if answer.status_code not in (200, 400):
            answers[body] = answer.status_code
    for event_id in list(InboundEvent.objects.values_list("pk", flat=True)):
        event_handle(event_id)

    assert answers == {}
    assert InboundEvent.objects.count() > (len(world) + MUTATIONS) // 2
    asked_about = InboundEvent.objects.filter(status="done", event_type__startswith="transfer.")
    assert set(asked_about.exclude(about="").values_list("source", flat=True)) == {"paystack", "stripe"}
    assert set(InboundEvent.objects.values_list("status", flat=True)) <= {"done", "pending"}
    reasons = InboundEvent.objects.filter(status="pending").values_list("reason", flat=True)
    broke = {reason for reason in reasons if re.match(r"\w*(Error|Exception|DoesNotExist)\b", reason)}
    assert broke == set()
    assert books_digest() == before
