"""What a child does, and where in it a child may be killed."""

import json
from collections.abc import Callable
from typing import Any, Final

from django.test import Client

from accounts.models import User
from learning247.drill.dying import die_after, die_before
from learning247.records import idempotency
from learning247.records.services import inbox
from payments.enums import ProductKind
from payments.kinds import register_product_kind
from payments.models import Payment
from payments.services import checkout, refunds, settlement

Step = tuple[Callable[[Any, str], None], Any, str]


def steps() -> dict[tuple[str, str], Step]:
    """(what, step) -> before or after which function of which module it dies."""
    return {
        ("settle", "claimed"): (die_before, inbox, "event_handler_for"),
        ("settle", "asking the gateway"): (die_before, settlement, "gateway_named"),
        ("settle", "fetched"): (die_before, settlement, "_report_record"),
        ("settle", "locked"): (die_after, settlement, "payment_lock"),
        ("settle", "entitled"): (die_after, settlement, "entitlement_grant"),
        ("settle", "posted"): (die_after, settlement, "entry_post"),
        ("settle", "granted"): (die_after, settlement, "notify_granted"),
        ("settle", "mails queued"): (die_after, settlement, "_tell_about_sale"),
        ("settle", "saved"): (die_after, Payment, "save"),
        ("settle", "committed"): (die_after, settlement, "_report_record"),
        ("settle", "handled"): (die_before, inbox, "lease_stamp"),
        ("settle", "stamped"): (die_after, inbox, "lease_stamp"),
        ("checkout", "row committed"): (die_before, checkout, "gateway_named"),
        ("checkout", "checkout opened"): (die_before, checkout, "_checkout_record"),
        ("checkout", "checkout recorded"): (die_after, checkout, "_checkout_record"),
        ("refund", "booked"): (die_after, refunds, "refund_book"),
        ("refund", "claimed"): (die_before, refunds, "refund_carry_on"),
        ("refund", "taken"): (die_after, refunds, "_take"),
        # `sent_at` is written, the gateway has heard nothing.
        ("refund", "sent"): (die_before, refunds, "RefundRequest"),
        ("refund", "answered"): (die_before, refunds, "_reported"),
        ("refund", "recorded"): (die_after, refunds, "_reported"),
        ("request", "checkout begun"): (die_before, checkout, "gateway_named"),
        ("request", "refund answered"): (die_before, refunds, "_reported"),
        ("request", "done"): (die_before, idempotency, "idempotency_store"),
    }


def _settle(event_id: str) -> None:
    inbox.event_handle(event_id)


def _checkout(subject: str) -> None:
    wanted = json.loads(subject)
    checkout.checkout_start(
        buyer=User.objects.get(pk=wanted.pop("buyer")),
        product_kind=ProductKind.VIDEO,
        details={},
        operation="payments.initialize",
        **wanted,
    )


def _request(subject: str) -> None:
    """A POST as a web process answers it: `{"path", "body", "headers"}`."""
    wanted = json.loads(subject)
    Client().post(wanted["path"], wanted["body"], content_type="application/json", headers=wanted["headers"])


def refund_by_buyer(reference: str) -> None:
    """All of it; the same again finds the same refund."""
    refunds.refund_start(
        reference=reference,
        requested_by=Payment.objects.select_related("buyer").get(reference=reference).buyer,
        amount_minor=None,
        reason="A drill.",
        ends_access=None,
        operation="drill",
        idempotency_key=reference,
    )


WORK: Final[dict[str, Callable[[str], Any]]] = {
    "settle": _settle,
    "checkout": _checkout,
    "refund": refund_by_buyer,
    "request": _request,
}


def sell_videos() -> None:
    register_product_kind(
        ProductKind.VIDEO, on_granted=lambda *_: None, on_revoked=lambda *_: None, on_restored=lambda *_: None
    )
