"""Payment intents and charges: what a checkout session makes when the customer pays."""

from __future__ import annotations

from learning247.sandbox.identifiers import card_print
from learning247.sandbox.stripe.balances import Balances, card_fee
from learning247.sandbox.stripe.cards import SUCCESS, Card
from learning247.sandbox.stripe.events import Events
from learning247.sandbox.stripe.objects import Objects, address, empty_list
from learning247.sandbox.stripe.parameters import Parameters
from learning247.sandbox.wire import Call, Handler, Json, Reply
from learning247.sandbox.world import World


class Payments:
    def __init__(self, world: World, objects: Objects, events: Events, balances: Balances) -> None:
        self._world = world
        self._objects = objects
        self._events = events
        self._balances = balances

    def retriever(self, kind: str) -> Handler:
        """A handler for GET of one object of this kind by ``{id}``."""

        def retrieve(call: Call) -> Reply:
            parameters = Parameters(call)
            parameters.ignore("client_secret")
            parameters.finish()
            return self._objects.reply(self._objects.get(kind, call.arguments["id"]), parameters)

        return retrieve

    def intents(self, call: Call) -> Reply:
        """GET /v1/payment_intents."""
        return self._objects.listing("payment_intent", "/v1/payment_intents", Parameters(call), lambda row: True)

    def charges(self, call: Call) -> Reply:
        """GET /v1/charges, by payment intent or transfer group."""
        parameters = Parameters(call)
        wanted = {name: parameters.optional_text(name) for name in ("payment_intent", "transfer_group")}
        return self._objects.listing(
            "charge",
            "/v1/charges",
            parameters,
            lambda row: all(not value or row[name] == value for name, value in wanted.items()),
        )

    def intent(self, amount: int, currency: str, details: Json, methods: list[str]) -> Json:
        """A new payment intent that waits for a payment method. ``details`` come from
        ``payment_intent_data``.
        """
        identifier = self._world.ids.mixed("pi_")
        return self._objects.keep(
            {
                "id": identifier,
                "object": "payment_intent",
                "amount": amount,
                "amount_capturable": 0,
                "amount_details": {"tip": {}},
                "amount_received": 0,
                "application": None,
                "application_fee_amount": None,
                "automatic_payment_methods": None,
                "canceled_at": None,
                "cancellation_reason": None,
                "capture_method": "automatic",
                "client_secret": self._world.ids.mixed(f"{identifier}_secret_"),
                "confirmation_method": "automatic",
                "created": self._world.clock.seconds(),
                "currency": currency,
                "customer": None,
                "description": details.get("description"),
                "last_payment_error": None,
                "latest_charge": None,
                "livemode": False,
                "metadata": details.get("metadata", {}),
                "next_action": None,
                "on_behalf_of": None,
                "payment_method": None,
                "payment_method_configuration_details": None,
                "payment_method_options": {},
                "payment_method_types": methods,
                "processing": None,
                "receipt_email": details.get("receipt_email"),
                "review": None,
                "setup_future_usage": None,
                "shipping": None,
                "source": None,
                "statement_descriptor": details.get("statement_descriptor"),
                "statement_descriptor_suffix": details.get("statement_descriptor_suffix"),
                "status": "requires_payment_method",
                "transfer_data": None,
                "transfer_group": details.get("transfer_group"),
                "customer_account": None,
                "excluded_payment_method_types": None,
            }
        )

    def decline(self, intent: Json, card: Card, email: str) -> None:
        """A refused attempt: a failed charge, and the intent waits for another card."""
        charge = self._charge(intent, card, email, paid=False)
        intent.update(
            status="requires_payment_method",
            latest_charge=charge["id"],
            last_payment_error={
                "type": "card_error",
                "code": "card_declined",
                "decline_code": card.decline,
                "message": card.message(),
                "charge": charge["id"],
            },
        )
        self._events.emit("charge.failed", charge)
        self._events.emit("payment_intent.payment_failed", intent)

    def process(self, intent: Json) -> None:
        """A delayed method was given: the money is on its way."""
        intent.update(status="processing", last_payment_error=None)
        self._events.emit("payment_intent.processing", intent)

    def succeed(self, intent: Json, card: Card, email: str) -> Json:
        """The money is there; answers the charge."""
        charge = self._charge(intent, card, email, paid=True)
        charge["balance_transaction"] = self._balances.book(
            charge, charge["amount"], "charge", fee=card_fee(charge["amount"])
        )
        intent.update(
            status="succeeded",
            amount_received=intent["amount"],
            latest_charge=charge["id"],
            last_payment_error=None,
            payment_method=charge["payment_method"],
        )
        self._events.emit("charge.succeeded", charge)
        self._events.emit("payment_intent.succeeded", intent)
        return charge

    def fail(self, intent: Json) -> None:
        """A delayed payment did not arrive."""
        intent.update(
            status="requires_payment_method",
            last_payment_error={
                "type": "card_error",
                "code": "payment_intent_payment_attempt_failed",
                "message": "The payment failed.",
            },
        )
        self._events.emit("payment_intent.payment_failed", intent)

    def cancel(self, intent: Json) -> None:
        intent.update(
            status="canceled",
            canceled_at=self._world.clock.seconds(),
            cancellation_reason="automatic",
        )
        self._events.emit("payment_intent.canceled", intent)

    def _charge(self, intent: Json, card: Card, email: str, *, paid: bool) -> Json:
        identifier = self._world.ids.mixed("ch_")
        return self._objects.keep(
            {
                "id": identifier,
                "object": "charge",
                "amount": intent["amount"],
                "amount_captured": intent["amount"] if paid else 0,
                "amount_refunded": 0,
                "application": None,
                "application_fee": None,
                "application_fee_amount": None,
                "balance_transaction": None,
                "billing_details": {
                    "address": address(),
                    "email": email or None,
                    "name": None,
                    "phone": None,
                    "tax_id": None,
                },
                "calculated_statement_descriptor": "LEARNING247",
                "captured": paid,
                "created": self._world.clock.seconds(),
                "currency": intent["currency"],
                "customer": None,
                "description": intent["description"],
                "disputed": False,
                "failure_balance_transaction": None,
                "failure_code": None if paid else "card_declined",
                "failure_message": card.message() or None,
                "fraud_details": {},
                "livemode": False,
                "metadata": dict(intent["metadata"]),
                "on_behalf_of": None,
                "outcome": _outcome(card, paid),
                "paid": paid,
                "payment_intent": intent["id"],
                "payment_method": self._world.ids.mixed("pm_"),
                "payment_method_details": _method(card, email),
                "receipt_email": intent["receipt_email"],
                "receipt_number": None,
                "receipt_url": None,
                "refunded": False,
                "refunds": empty_list(f"/v1/charges/{identifier}/refunds"),
                "review": None,
                "shipping": None,
                "source": None,
                "source_transfer": None,
                "statement_descriptor": intent["statement_descriptor"],
                "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
                "status": "succeeded" if paid else "failed",
                "transfer_data": None,
                "transfer_group": intent["transfer_group"],
            }
        )


def _outcome(card: Card, paid: bool) -> Json:
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None if paid else "05",
        "network_status": "approved_by_network" if paid else "declined_by_network",
        "reason": card.decline or None,
        "seller_message": "Payment complete." if paid else "The bank declined the payment.",
        "type": "authorized" if paid else "issuer_declined",
    }


def _method(card: Card, email: str) -> Json:
    checks = {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"}
    return {
        "type": "card",
        "card": {
            "amount_authorized": None,
            "brand": "visa",
            "checks": checks,
            "country": "US",
            "exp_month": 12,
            "exp_year": 2030,
            "fingerprint": card_print(card.number, email if card is SUCCESS else ""),
            "funding": "credit",
            "installments": None,
            "last4": card.number[-4:],
            "mandate": None,
            "network": "visa",
            "three_d_secure": None,
            "wallet": None,
        },
    }
