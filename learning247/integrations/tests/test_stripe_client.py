"""The Stripe client over real HTTP, through the official SDK."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, unquote

import pytest

from learning247.integrations.stripe import (
    AmountNotChargeable,
    MalformedAnswer,
    StripeGatewayClient,
    StripeIdempotencyMismatch,
    StripeNotFound,
    StripeRateLimited,
    StripeRejected,
    StripeUnauthorized,
    StripeUnknownOutcome,
)
from learning247.integrations.tests.conftest import STRIPE_KEY

OPEN = {
    "id": "cs_test_1",
    "object": "checkout.session",
    "url": "https://checkout.example/cs_test_1",
    "status": "open",
    "payment_status": "unpaid",
    "amount_total": 3000,
    "currency": "usd",
    "client_reference_id": "ref-1",
    "payment_intent": None,
    "metadata": {},
    "expires_at": 1780000000,
    "created": 1779990000,
}


def create(client, **changes):
    values = {
        "reference": "ref-1",
        "amount_minor": 3000,
        "currency": "USD",
        "title": "Physics & more",
        "customer_email": "ada@example.com",
        "success_url": "https://shop.example/back?session={CHECKOUT_SESSION_ID}",
        "cancel_url": "https://shop.example/cancel",
        "expires_at": datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1),
        "metadata": {"item": "course"},
    }
    return client.checkout_session_create(**{**values, **changes})


@pytest.fixture
def odd(answering):
    return StripeGatewayClient(STRIPE_KEY, answering.url, timeout=(2, 0.3), max_network_retries=0)


# --- against the sandbox


def test_a_checkout_is_opened_with_our_reference_amount_and_expiry(stripe_client):
    expires_at = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)

    session = create(stripe_client, expires_at=expires_at)

    assert session.id.startswith("cs_")
    assert (session.status, session.payment_status, session.is_paid) == ("open", "unpaid", False)
    assert (session.amount_total_minor, session.currency) == (3000, "USD")
    assert (session.client_reference_id, session.expires_at) == ("ref-1", expires_at)
    assert session.url.startswith("http")
    assert session.metadata == {"item": "course", "reference": "ref-1"}


def test_a_paid_session_names_its_payment_and_the_fee(stripe_client, sandbox):
    session = create(stripe_client)
    sandbox.control.pay("stripe", session.id)

    paid = stripe_client.checkout_session_retrieve(session.id)

    assert (paid.status, paid.payment_status, paid.is_paid) == ("complete", "paid", True)
    assert (paid.amount_total_minor, paid.currency) == (3000, "USD")
    assert paid.payment_intent_id.startswith("pi_")
    assert paid.payment_intent_status == "succeeded"
    assert paid.charge_id.startswith("ch_")
    assert paid.fee_currency == "USD"
    assert isinstance(paid.fee_minor, int) and 0 < paid.fee_minor < 3000


def test_an_unpaid_session_has_no_fee(stripe_client):
    session = stripe_client.checkout_session_retrieve(create(stripe_client).id)

    assert (session.fee_minor, session.fee_currency, session.payment_intent_id) == (None, "", "")


def test_the_same_reference_again_gives_the_same_session(stripe_client):
    expires_at = datetime.now(UTC) + timedelta(hours=1)

    assert create(stripe_client, expires_at=expires_at).id == create(stripe_client, expires_at=expires_at).id


def test_the_same_reference_for_another_amount_is_refused(stripe_client):
    expires_at = datetime.now(UTC) + timedelta(hours=1)
    create(stripe_client, expires_at=expires_at)

    with pytest.raises(StripeIdempotencyMismatch):
        create(stripe_client, expires_at=expires_at, amount_minor=3001)


def test_an_unknown_session_is_not_found(stripe_client):
    with pytest.raises(StripeNotFound):
        stripe_client.checkout_session_retrieve("cs_test_never")


def test_a_refused_parameter_is_a_conclusive_no(stripe_client):
    with pytest.raises(StripeRejected) as refusal:
        create(stripe_client, expires_at=datetime.now(UTC) + timedelta(days=3))

    assert refusal.value.status == 400


def test_a_wrong_key_is_refused_and_no_part_of_it_repeated(sandbox):
    client = StripeGatewayClient("sk_test_wrong_0123456789", sandbox.stripe_url, timeout=(2, 5), max_network_retries=0)

    with pytest.raises(StripeUnauthorized) as refusal:
        client.checkout_session_retrieve("cs_test_1")

    assert "sk_test" not in f"{refusal.value!r} {client!r}"


def test_a_timeout_after_the_effect_leaves_the_outcome_unknown_and_the_same_call_finds_it(sandbox):
    client = StripeGatewayClient(STRIPE_KEY, sandbox.stripe_url, timeout=(2, 0.3), max_network_retries=0)
    expires_at = datetime.now(UTC) + timedelta(hours=1)
    sandbox.control.fault("timeout", provider="stripe", path="/v1/checkout/sessions", seconds=2)

    with pytest.raises(StripeUnknownOutcome):
        create(client, expires_at=expires_at)

    create(client, expires_at=expires_at)
    assert len(sandbox.control.rows("stripe.sessions")) == 1


def test_a_lost_connection_is_tried_again_under_the_same_key(sandbox, monkeypatch):
    monkeypatch.setattr("stripe._http_client.time.sleep", lambda seconds: None)
    client = StripeGatewayClient(STRIPE_KEY, sandbox.stripe_url, timeout=(2, 5), max_network_retries=1)
    sandbox.control.fault("drop", provider="stripe", path="/v1/checkout/sessions")

    assert create(client).client_reference_id == "ref-1"
    keys = {record["headers"]["idempotency-key"] for record in sandbox.control.requests()}
    assert keys == {"ref-1"}


# --- what goes over the wire


def test_the_request_carries_the_order_on_the_session_and_on_the_payment(odd, answering):
    answering.answer(OPEN)

    create(odd, expires_at=datetime(2026, 5, 28, 20, 26, 40, tzinfo=UTC))

    (asked,) = answering.asked
    assert (asked["method"], asked["path"]) == ("POST", "/v1/checkout/sessions")
    assert asked["headers"]["Authorization"] == f"Bearer {STRIPE_KEY}"
    assert asked["headers"]["Idempotency-Key"] == "ref-1"
    assert dict(parse_qsl(asked["body"].decode())) == {
        "mode": "payment",
        "line_items[0][price_data][currency]": "usd",
        "line_items[0][price_data][unit_amount]": "3000",
        "line_items[0][price_data][product_data][name]": "Physics & more",
        "line_items[0][quantity]": "1",
        "client_reference_id": "ref-1",
        "metadata[item]": "course",
        "metadata[reference]": "ref-1",
        "payment_intent_data[metadata][item]": "course",
        "payment_intent_data[metadata][reference]": "ref-1",
        "customer_email": "ada@example.com",
        "success_url": "https://shop.example/back?session={CHECKOUT_SESSION_ID}",
        "cancel_url": "https://shop.example/cancel",
        "expires_at": "1780000000",
    }


def test_an_amount_that_stripe_cannot_charge_is_refused_before_anything_is_sent(odd, answering):
    with pytest.raises(AmountNotChargeable):
        create(odd, amount_minor=1255, currency="KWD")

    assert answering.asked == []


# --- odd answers


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"null", b"5", b'"x"', b"\xff", b"{}", b'{"object":"list","data":[]}']
)
def test_a_200_that_nobody_can_read_leaves_the_outcome_unknown(odd, answering, body):
    answering.answer(body)

    with pytest.raises(StripeUnknownOutcome):
        odd.checkout_session_retrieve("cs_test_1")


@pytest.mark.parametrize(
    "change",
    [
        {"id": "cs_other"},
        {"id": None},
        {"status": "finished"},
        {"payment_status": None},
        {"payment_status": "maybe"},
        {"amount_total": None},
        {"amount_total": "3000"},
        {"amount_total": -1},
        {"amount_total": True},
        {"currency": None},
        {"currency": 5},
        {"payment_intent": 5},
        {"expires_at": "soon"},
        {"expires_at": 10**30},
        {"client_reference_id": 5},
        {"payment_intent": {"id": "pi_1", "latest_charge": {"id": "ch_1", "balance_transaction": {"fee": "many"}}}},
    ],
)
def test_a_session_of_another_shape_is_never_taken_for_one(odd, answering, change):
    answering.answer({**OPEN, **change})

    with pytest.raises(MalformedAnswer):
        odd.checkout_session_retrieve("cs_test_1")


def test_a_session_under_another_reference_is_not_ours(odd, answering):
    answering.answer({**OPEN, "client_reference_id": "another"})

    with pytest.raises(MalformedAnswer, match="client_reference_id"):
        create(odd)


def test_the_payment_may_come_as_its_id_alone(odd, answering):
    answering.answer({**OPEN, "payment_intent": "pi_1"})

    session = odd.checkout_session_retrieve("cs_test_1")

    assert (session.payment_intent_id, session.charge_id, session.fee_minor) == ("pi_1", "", None)


def test_the_fee_is_read_in_the_currency_that_stripe_settles_in(odd, answering):
    balance = {"id": "txn_1", "object": "balance_transaction", "fee": 117, "currency": "eur"}
    charge = {"id": "ch_1", "object": "charge", "balance_transaction": balance}
    intent = {"id": "pi_1", "object": "payment_intent", "status": "succeeded", "latest_charge": charge}
    answering.answer({**OPEN, "payment_intent": intent})

    session = odd.checkout_session_retrieve("cs_test_1")

    assert (session.fee_minor, session.fee_currency) == (117, "EUR")
    expand = unquote(answering.asked[0]["path"]).partition("?")[2]
    assert expand == "expand[0]=payment_intent.latest_charge.balance_transaction"


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (400, {"type": "invalid_request_error", "message": "no"}, StripeRejected),
        (400, {"type": "idempotency_error", "message": "no"}, StripeIdempotencyMismatch),
        (
            401,
            {"type": "invalid_request_error", "message": f"Invalid API Key provided: {STRIPE_KEY}"},
            StripeUnauthorized,
        ),
        (402, {"type": "card_error", "code": "card_declined", "message": "no"}, StripeRejected),
        (403, {"type": "invalid_request_error", "message": "no"}, StripeUnauthorized),
        (404, {"type": "invalid_request_error", "code": "resource_missing", "message": "no"}, StripeNotFound),
        (409, {"type": "invalid_request_error", "message": "running"}, StripeUnknownOutcome),
        (429, {"type": "invalid_request_error", "code": "rate_limit", "message": "slow"}, StripeRateLimited),
        (500, {"type": "api_error", "message": "oops"}, StripeUnknownOutcome),
        (503, {}, StripeUnknownOutcome),
    ],
)
def test_every_refusal_has_its_kind(odd, answering, status, error, kind):
    answering.answer({"error": error}, status=status)

    with pytest.raises(kind) as refusal:
        odd.checkout_session_retrieve("cs_test_1")

    assert type(refusal.value) is kind
    assert STRIPE_KEY not in repr(refusal.value)


def test_a_429_says_when_to_come_back(odd, answering):
    answering.answer({"error": {"message": "slow"}}, status=429, Retry_After="7")

    with pytest.raises(StripeRateLimited) as refusal:
        odd.checkout_session_retrieve("cs_test_1")

    assert refusal.value.retry_after == 7


def test_a_gateway_that_says_nothing_or_hangs_up_leaves_the_outcome_unknown(odd, answering):
    answering.hangs_up = True
    with pytest.raises(StripeUnknownOutcome):
        odd.checkout_session_retrieve("cs_test_1")

    answering.hangs_up, answering.says_nothing = False, True
    with pytest.raises(StripeUnknownOutcome):
        odd.checkout_session_retrieve("cs_test_1")
