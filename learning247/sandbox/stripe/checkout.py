"""Checkout sessions in payment mode: create, pay on the hosted page, expire.

A session is ``open`` until it is ``complete`` or ``expired`` (30 minutes to 24 hours ahead, default 24
hours). Its payment intent appears with the first attempt to pay. Session metadata is not copied to it; what
``payment_intent_data`` says is (docs/gateways.md §2).
"""

from __future__ import annotations

from typing import Any

from learning247.sandbox.stripe.cards import SUCCESS, Card
from learning247.sandbox.stripe.errors import missing, refusal, unknown, wrong
from learning247.sandbox.stripe.events import Events
from learning247.sandbox.stripe.objects import Objects, address
from learning247.sandbox.stripe.parameters import Parameters, currency, metadata, whole
from learning247.sandbox.stripe.payments import Payments
from learning247.sandbox.wire import Call, Json, Reply
from learning247.sandbox.world import World

SHORTEST, LONGEST = 30 * 60, 24 * 3600
# Slack for the time that a request is on its way: "exactly 30 minutes ahead" must not fail by a second.
SLACK = 60
MINIMUM = {"usd": 50, "eur": 50, "gbp": 30}
"""Least total where known; others take one unit, which is not confirmed."""

# Parameters that are understood and change nothing in the sandbox.
WITHOUT_EFFECT = (
    "adaptive_pricing",
    "after_expiration",
    "allow_promotion_codes",
    "automatic_tax",
    "billing_address_collection",
    "consent_collection",
    "currency",
    "custom_fields",
    "custom_text",
    "customer_creation",
    "invoice_creation",
    "locale",
    "payment_method_options",
    "phone_number_collection",
    "saved_payment_method_options",
    "submit_type",
    "tax_id_collection",
)


class Sessions:
    def __init__(self, world: World, objects: Objects, events: Events, payments: Payments) -> None:
        self._world = world
        self._objects = objects
        self._events = events
        self._payments = payments
        self._hidden = world.store.table("stripe.session_details")
        world.agenda.register("stripe.session_expiry", self._fall_due)

    # -- the API -------------------------------------------------------------------------------------------

    def create(self, call: Call) -> Reply:
        """POST /v1/checkout/sessions."""
        parameters = Parameters(call)
        if parameters.text("mode") != "payment":
            raise wrong("mode", "This sandbox sells by one-time payment: mode must be payment")
        parameters.choice("ui_mode", ("hosted", "hosted_page"), "hosted_page")
        success_url = _url(parameters, "success_url", required=True)
        cancel_url = _url(parameters, "cancel_url", required=False)
        items = [_item(item, place) for place, item in enumerate(parameters.items("line_items"))]
        code, total = _total(items)
        details = _intent_details(parameters.mapping("payment_intent_data"))
        methods = [str(method) for method in parameters.items("payment_method_types")] or ["card"]
        email = parameters.optional_text("customer_email", 800)
        facts = {
            "success_url": success_url,
            "cancel_url": cancel_url,
            "customer_email": email or None,
            "client_reference_id": parameters.optional_text("client_reference_id", 200) or None,
            "metadata": parameters.metadata(),
            "expires_at": self._expiry(parameters),
            "payment_method_types": methods,
        }
        parameters.ignore(*WITHOUT_EFFECT)
        parameters.finish()
        session = self._objects.keep(self._session(facts, code, total))
        self._hidden[session["id"]] = {"intent": details, "items": [item["description"] for item in items]}
        self._world.store.table("stripe.line_items")[session["id"]] = self._line_items(session["id"], items)
        self._world.agenda.schedule(
            "stripe.session_expiry",
            {"id": session["id"]},
            delay=(session["expires_at"] - self._world.clock.now()) * self._world.config.time_scale,
        )
        return self._objects.reply(session, parameters)

    def retrieve(self, call: Call) -> Reply:
        """GET /v1/checkout/sessions/{id}."""
        parameters = Parameters(call)
        parameters.finish()
        return self._objects.reply(self.find(call.arguments["id"]), parameters)

    def index(self, call: Call) -> Reply:
        """GET /v1/checkout/sessions, by payment intent or status."""
        parameters = Parameters(call)
        wanted = {name: parameters.optional_text(name) for name in ("payment_intent", "status")}
        return self._objects.listing(
            "checkout.session",
            "/v1/checkout/sessions",
            parameters,
            lambda row: all(not value or row[name] == value for name, value in wanted.items()),
        )

    def expire(self, call: Call) -> Reply:
        """POST /v1/checkout/sessions/{id}/expire, of an open session only."""
        parameters = Parameters(call)
        parameters.finish()
        session = self.find(call.arguments["id"])
        if session["status"] != "open":
            raise refusal(
                f'Only Checkout Sessions with a status in ["open"] can be expired. '
                f"This Checkout Session has a status of {session['status']}.",
            )
        self.end(session)
        return self._objects.reply(session, parameters)

    def line_items(self, call: Call) -> Reply:
        """GET /v1/checkout/sessions/{id}/line_items."""
        session = self.find(call.arguments["id"])
        return Reply(200, self._world.store.table("stripe.line_items")[session["id"]])

    # -- the customer on the payment page ------------------------------------------------------------------

    def find(self, identifier: str) -> Json:
        session = self._objects.get("checkout.session", identifier, "session")
        if session["status"] == "open" and session["expires_at"] <= self._world.clock.now():
            self.end(session)
        return session

    def items_of(self, session: Json) -> tuple[str, ...]:
        return tuple(self._hidden[session["id"]]["items"])

    def attempt(self, session: Json, card: Card) -> bool:
        """Pay an open session with a card; true when it succeeded."""
        self._require_open(session)
        intent, email = self._intent(session), session["customer_email"] or "customer@example.com"
        if card.decline:
            self._payments.decline(intent, card, email)
            return False
        self._payments.succeed(intent, card, email)
        self._complete(session, "paid", email)
        return True

    def attempt_later(self, session: Json) -> None:
        """Complete with a delayed method: completed but unpaid until :meth:`settle`."""
        self._require_open(session)
        self._payments.process(self._intent(session))
        self._complete(session, "unpaid", session["customer_email"] or "customer@example.com")

    def settle(self, session: Json, *, paid: bool) -> None:
        """The delayed payment arrived, or did not."""
        if session["status"] != "complete" or session["payment_status"] != "unpaid":
            raise refusal("This Checkout Session does not wait for a delayed payment.")
        intent = self._objects.get("payment_intent", session["payment_intent"])
        if paid:
            self._payments.succeed(intent, SUCCESS, session["customer_details"]["email"])
            session["payment_status"] = "paid"
            self._events.emit("checkout.session.async_payment_succeeded", session)
        else:
            self._payments.fail(intent)
            self._events.emit("checkout.session.async_payment_failed", session)

    def end(self, session: Json) -> None:
        """Expire an open session and cancel what it began."""
        session.update(status="expired", url=None)
        if session["payment_intent"]:
            self._payments.cancel(self._objects.get("payment_intent", session["payment_intent"]))
        self._events.emit("checkout.session.expired", session)

    # -- inside --------------------------------------------------------------------------------------------

    def _require_open(self, session: Json) -> None:
        if session["status"] != "open":
            raise refusal(f"This Checkout Session is {session['status']}.")

    def _fall_due(self, arguments: Json) -> None:
        if arguments["id"] in self._objects.table("checkout.session"):
            self.find(arguments["id"])

    def _intent(self, session: Json) -> Json:
        if session["payment_intent"]:
            return self._objects.get("payment_intent", session["payment_intent"])
        intent = self._payments.intent(
            session["amount_total"],
            session["currency"],
            self._hidden[session["id"]]["intent"],
            session["payment_method_types"],
        )
        session["payment_intent"] = intent["id"]
        return intent

    def _complete(self, session: Json, payment_status: str, email: str) -> None:
        session.update(
            status="complete",
            payment_status=payment_status,
            url=None,
            customer_details={
                "address": address(),
                "business_name": None,
                "email": email,
                "individual_name": None,
                "name": None,
                "phone": None,
                "tax_exempt": "none",
                "tax_ids": [],
            },
        )
        self._events.emit("checkout.session.completed", session)

    def _expiry(self, parameters: Parameters) -> int:
        now = self._world.clock.seconds()
        wanted = parameters.optional_whole("expires_at")
        if wanted is None:
            return now + LONGEST
        if not now + SHORTEST - SLACK <= wanted <= now + LONGEST + SLACK:
            raise wrong("expires_at", "The expires_at timestamp must be between 30 minutes and 24 hours from now.")
        return wanted

    def _session(self, facts: Json, code: str, total: int) -> Json:
        identifier = self._world.ids.mixed("cs_test_a1", 56)
        return {
            "id": identifier,
            "object": "checkout.session",
            "adaptive_pricing": {"enabled": False},
            "after_expiration": None,
            "allow_promotion_codes": None,
            "amount_subtotal": total,
            "amount_total": total,
            "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
            "billing_address_collection": None,
            "client_secret": None,
            "collected_information": None,
            "consent": None,
            "consent_collection": None,
            "created": self._world.clock.seconds(),
            "currency": code,
            "currency_conversion": None,
            "custom_fields": [],
            "custom_text": {
                "after_submit": None,
                "shipping_address": None,
                "submit": None,
                "terms_of_service_acceptance": None,
            },
            "customer": None,
            "customer_account": None,
            "customer_creation": "if_required",
            "customer_details": None,
            "discounts": [],
            "invoice": None,
            "invoice_creation": None,
            "livemode": False,
            "locale": None,
            "mode": "payment",
            "origin_context": None,
            "payment_intent": None,
            "payment_link": None,
            "payment_method_collection": "if_required",
            "payment_method_configuration_details": None,
            "payment_method_options": {},
            "payment_status": "unpaid",
            "permissions": None,
            "phone_number_collection": {"enabled": False},
            "recovered_from": None,
            "saved_payment_method_options": None,
            "setup_intent": None,
            "shipping_address_collection": None,
            "shipping_cost": None,
            "shipping_options": [],
            "status": "open",
            "submit_type": None,
            "subscription": None,
            "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
            "ui_mode": "hosted_page",
            "url": f"{self._world.config.public_url}/stripe/c/pay/{identifier}",
            "wallet_options": None,
        } | facts

    def _line_items(self, session: str, items: list[Json]) -> Json:
        rows = [{"id": self._world.ids.mixed("li_"), "object": "item"} | item for item in items]
        url = f"/v1/checkout/sessions/{session}/line_items"
        return {"object": "list", "data": rows, "has_more": False, "url": url}


def _url(parameters: Parameters, name: str, *, required: bool) -> str | None:
    value = parameters.text(name) if required else parameters.optional_text(name)
    if value and not value.startswith(("http://", "https://")):
        raise refusal("Not a valid URL", code="url_invalid", param=name)
    return value or None


def _item(item: Any, place: int) -> Json:
    """One line: ``price_data`` with currency, unit_amount and a product's name, times a quantity."""
    at = f"line_items[{place}]"
    if not isinstance(item, dict) or not isinstance(item.get("price_data"), dict):
        raise missing(f"{at}[price_data]")
    extra = set(item) - {"price_data", "quantity", "adjustable_quantity", "dynamic_tax_rates", "tax_rates"}
    if extra:
        raise unknown(f"{at}[{sorted(extra)[0]}]")
    price = item["price_data"]
    product = price.get("product_data")
    if not isinstance(product, dict) or not product.get("name"):
        raise missing(f"{at}[price_data][product_data][name]")
    for name in ("currency", "unit_amount"):
        if name not in price:
            raise missing(f"{at}[price_data][{name}]")
    unit = whole(price["unit_amount"], f"{at}[price_data][unit_amount]", lowest=0)
    quantity = whole(item.get("quantity", "1"), f"{at}[quantity]")
    return {
        "description": product["name"],
        "quantity": quantity,
        "amount_discount": 0,
        "amount_tax": 0,
        "amount_subtotal": unit * quantity,
        "amount_total": unit * quantity,
        "currency": currency(price["currency"], f"{at}[price_data][currency]"),
    }


def _total(items: list[Json]) -> tuple[str, int]:
    """Currency and sum of all lines."""
    if not items:
        raise missing("line_items")
    codes = {item["currency"] for item in items}
    if len(codes) != 1:
        raise wrong("line_items", "All line items must have the same currency.")
    code, total = codes.pop(), sum(item["amount_total"] for item in items)
    if total < MINIMUM.get(code, 1):
        raise refusal(
            "The Checkout Session's total amount due is below the minimum of this currency.",
            code="amount_too_small",
            param="line_items",
        )
    return code, total


def _intent_details(details: Json) -> Json:
    allowed = {
        "description",
        "metadata",
        "receipt_email",
        "statement_descriptor",
        "statement_descriptor_suffix",
        "transfer_group",
    }
    for name in sorted(set(details) - allowed):
        raise unknown(f"payment_intent_data[{name}]")
    kept = metadata(details.get("metadata") or {}, "payment_intent_data[metadata]")
    return details | {"metadata": kept}
