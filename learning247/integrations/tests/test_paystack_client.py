"""The Paystack client over real HTTP: what it sends, what it makes of answers, and of none."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from learning247.integrations.paystack import (
    MalformedAnswer,
    PaystackClient,
    PaystackDuplicateReference,
    PaystackNotFound,
    PaystackRateLimited,
    PaystackRejected,
    PaystackUnauthorized,
    PaystackUnknownOutcome,
)
from learning247.integrations.tests.conftest import PAYSTACK_KEY

OPENED = {"authorization_url": "https://checkout.example/abc", "access_code": "abc", "reference": "ref-1"}
PAID = {
    "id": 18446744073709551615,
    "reference": "ref-1",
    "status": "success",
    "amount": 2500000,
    "currency": "NGN",
    "fees": 47500,
    "paid_at": "2026-05-01T10:00:00.000Z",
    "channel": "card",
    "gateway_response": "Successful",
    "customer": {"email": "ada@example.com"},
    "metadata": {"reference": "ref-1"},
}


def initialize(client, **changes):
    values = {
        "email": "ada@example.com",
        "amount_minor": 2500000,
        "currency": "NGN",
        "reference": "ref-1",
        "callback_url": "https://shop.example/back",
        "metadata": {"reference": "ref-1"},
    }
    return client.transaction_initialize(**{**values, **changes})


@pytest.fixture
def odd(answering):
    """A client of a gateway that answers whatever the test says."""
    return PaystackClient(PAYSTACK_KEY, answering.url, timeout=(2, 0.3))


# --- against the sandbox


def test_a_checkout_is_opened_under_our_reference(paystack, sandbox):
    opened = initialize(paystack)

    assert opened.reference == "ref-1"
    assert opened.authorization_url.startswith(sandbox.url)
    assert opened.access_code


def test_an_open_checkout_is_not_paid(paystack):
    initialize(paystack)

    transaction = paystack.transaction_verify("ref-1")

    assert (transaction.reference, transaction.status) == ("ref-1", "abandoned")
    assert (transaction.asked_minor, transaction.currency) == (2500000, "NGN")
    assert transaction.paid_at is None


def test_a_paid_checkout_is_a_success_with_amount_fee_and_time(paystack, sandbox):
    initialize(paystack)
    sandbox.control.pay("paystack", "ref-1")

    transaction = paystack.transaction_verify("ref-1")

    assert (transaction.status, transaction.asked_minor, transaction.currency) == ("success", 2500000, "NGN")
    assert transaction.fees_minor == 47500  # 1.5 % + NGN 100
    assert transaction.metadata["reference"] == "ref-1"
    assert transaction.customer_email == "ada@example.com"
    assert transaction.paid_at is not None and transaction.paid_at.tzinfo is not None


def test_a_declined_checkout_has_failed(paystack, sandbox):
    initialize(paystack)
    sandbox.control.decline("paystack", "ref-1")

    transaction = paystack.transaction_verify("ref-1")

    assert transaction.status == "failed"
    assert transaction.gateway_response


def test_a_reference_is_taken_once(paystack):
    initialize(paystack)

    with pytest.raises(PaystackDuplicateReference) as refusal:
        initialize(paystack)

    assert (refusal.value.status, refusal.value.code) == (400, "duplicate_reference")


def test_an_unknown_reference_is_not_found(paystack):
    with pytest.raises(PaystackNotFound):
        paystack.transaction_verify("never-opened")


def test_a_reference_cannot_leave_its_place_in_the_address(paystack, sandbox):
    with pytest.raises(PaystackRejected):
        paystack.transaction_verify("../balance?x=1#")

    assert sandbox.control.requests()[-1]["path"].startswith("/transaction/verify/")


def test_a_currency_that_the_merchant_lacks_is_a_conclusive_no(paystack):
    with pytest.raises(PaystackRejected) as refusal:
        initialize(paystack, currency="EUR")

    assert refusal.value.status == 400
    assert not isinstance(refusal.value, PaystackDuplicateReference | PaystackNotFound)


def test_a_wrong_key_is_refused_and_not_repeated_in_the_message(sandbox):
    client = PaystackClient("sk_test_wrong_key_0123456789", sandbox.paystack_url, timeout=(2, 5))

    with pytest.raises(PaystackUnauthorized) as refusal:
        client.transaction_verify("ref-1")

    assert "wrong_key" not in f"{refusal.value!r} {client!r}"


def test_payments_are_listed_by_page(paystack):
    for number in range(3):
        initialize(paystack, reference=f"ref-{number}")
    now = datetime.now(UTC)

    page = paystack.transaction_list(since=now - timedelta(hours=1), until=now + timedelta(hours=1), page=2, per_page=2)

    assert (page.page, page.page_count, page.total) == (2, 2, 3)
    assert [transaction.reference for transaction in page.transactions] == ["ref-0"]


def test_a_timeout_after_the_effect_leaves_the_outcome_unknown_and_verify_finds_it(sandbox):
    client = PaystackClient(PAYSTACK_KEY, sandbox.paystack_url, timeout=(2, 0.3))
    sandbox.control.fault("timeout", provider="paystack", path="/transaction/initialize", seconds=2)

    with pytest.raises(PaystackUnknownOutcome, match="ReadTimeout"):
        initialize(client)

    assert client.transaction_verify("ref-1").status == "abandoned"


@pytest.mark.parametrize("fault", [{"kind": "error", "status": 503}, {"kind": "drop"}])
def test_a_5xx_or_a_lost_connection_leaves_the_outcome_unknown(paystack, sandbox, fault):
    sandbox.control.fault(fault.pop("kind"), provider="paystack", path="/transaction/initialize", **fault)

    with pytest.raises(PaystackUnknownOutcome):
        initialize(paystack)


def test_many_threads_share_a_client(paystack):
    def open_and_look(number):
        initialize(paystack, reference=f"ref-{number}", amount_minor=10000 + number)
        return paystack.transaction_verify(f"ref-{number}").asked_minor

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(open_and_look, range(24))) == [10000 + number for number in range(24)]


# --- what goes over the wire


def test_the_request_is_json_with_an_integer_amount_and_the_key_as_bearer(odd, answering):
    answering.answer({"status": True, "message": "", "data": OPENED})

    initialize(odd)

    (asked,) = answering.asked
    assert (asked["method"], asked["path"]) == ("POST", "/transaction/initialize")
    assert asked["headers"]["Authorization"] == f"Bearer {PAYSTACK_KEY}"
    assert json.loads(asked["body"]) == {
        "email": "ada@example.com",
        "amount": 2500000,
        "currency": "NGN",
        "reference": "ref-1",
        "callback_url": "https://shop.example/back",
        "metadata": {"reference": "ref-1"},
    }


def test_a_redirect_is_not_followed_with_the_key(odd, answering):
    answering.answer(b"", status=302, Location=f"{answering.url}/elsewhere")

    with pytest.raises(PaystackUnknownOutcome):
        odd.transaction_verify("ref-1")

    assert len(answering.asked) == 1


# --- odd answers


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"null",
        b"5",
        b"\xff",
        b'{"status":false}',
        b'{"status":"true","data":{}}',
        b'{"data":{}}',
    ],
)
def test_a_200_that_nobody_can_read_leaves_the_outcome_unknown(odd, answering, body):
    answering.answer(body)

    with pytest.raises(PaystackUnknownOutcome):
        odd.transaction_verify("ref-1")


@pytest.mark.parametrize(
    "data", [None, [], "x", 0, {}, {**OPENED, "authorization_url": None}, {**OPENED, "reference": 5}]
)
def test_an_opened_checkout_of_another_shape_leaves_the_outcome_unknown(odd, answering, data):
    answering.answer({"status": True, "data": data})

    with pytest.raises(MalformedAnswer):
        initialize(odd)


@pytest.mark.parametrize(
    "change",
    [
        {"amount": None},
        {"amount": "25,000"},
        {"amount": 2500000.0},
        {"amount": -1},
        {"amount": True},
        {"amount": [2500000]},
        {"currency": None},
        {"currency": "naira"},
        {"currency": 5},
        {"status": None},
        {"status": {}},
        {"id": None},
        {"id": "abc"},
        {"id": 2**64},
        {"fees": "many"},
        {"requested_amount": {}},
        {"paid_at": "yesterday"},
        {"paid_at": "2026-05-01T10:00:00"},
        {"paid_at": 5},
        {"channel": 5},
        {"reference": ""},
        {"reference": "another"},
    ],
)
def test_a_payment_of_another_shape_is_never_taken_for_one(odd, answering, change):
    answering.answer({"status": True, "data": {**PAID, **change}})

    with pytest.raises(MalformedAnswer):
        odd.transaction_verify("ref-1")


@pytest.mark.parametrize(
    ("metadata", "read"),
    [
        (0, {}),
        ("", {}),
        (None, {}),
        ([], {}),
        ("no json", {}),
        ("5", {}),
        ('{"reference":"ref-1"}', {"reference": "ref-1"}),
        ({"reference": "ref-1"}, {"reference": "ref-1"}),
    ],
)
def test_metadata_comes_in_many_shapes(odd, answering, metadata, read):
    answering.answer({"status": True, "data": {**PAID, "metadata": metadata}})

    assert odd.transaction_verify("ref-1").metadata == read


def test_amounts_may_be_text_and_fees_null(odd, answering):
    answering.answer({"status": True, "data": {**PAID, "amount": "2500000", "fees": None}})

    transaction = odd.transaction_verify("ref-1")

    assert (transaction.amount_minor, transaction.fees_minor) == (2500000, None)


def test_what_was_asked_for_counts_when_the_buyer_bears_the_fee(odd, answering):
    answering.answer({"status": True, "data": {**PAID, "amount": 40333, "requested_amount": 30050}})

    transaction = odd.transaction_verify("ref-1")

    assert (transaction.amount_minor, transaction.requested_amount_minor, transaction.asked_minor) == (
        40333,
        30050,
        30050,
    )


def test_an_id_of_64_bits_is_read_exactly(odd, answering):
    answering.answer({"status": True, "data": PAID})

    assert odd.transaction_verify("ref-1").id == 18446744073709551615


def test_the_time_of_payment_may_be_spelt_in_camel_case(odd, answering):
    answering.answer({"status": True, "data": {**PAID, "paid_at": None, "paidAt": "2026-05-01T10:00:00.000Z"}})

    assert odd.transaction_verify("ref-1").paid_at == datetime(2026, 5, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("retry_after", "seconds"), [("7", 7), ("0", 1), ("99999", 3600), ("Wed, 21 Oct 2026 07:28:00 GMT", 30), (None, 30)]
)
def test_a_429_says_when_to_come_back(odd, answering, retry_after, seconds):
    answering.answer(
        {"message": "Slow down"}, status=429, **({} if retry_after is None else {"Retry_After": retry_after})
    )

    with pytest.raises(PaystackRateLimited) as refusal:
        odd.transaction_verify("ref-1")

    assert (refusal.value.retry_after, refusal.value.status) == (seconds, 429)


def test_a_4xx_without_json_is_still_a_conclusive_no(odd, answering):
    answering.answer(b"<html>", status=400)

    with pytest.raises(PaystackRejected) as refusal:
        odd.transaction_verify("ref-1")

    assert (refusal.value.status, refusal.value.code) == (400, "")


def test_a_gateway_that_says_nothing_is_given_up_on(odd, answering):
    answering.says_nothing = True

    with pytest.raises(PaystackUnknownOutcome, match=r"GET /transaction/verify/ref-1: ReadTimeout"):
        odd.transaction_verify("ref-1")


def test_a_gateway_that_is_not_there_leaves_the_outcome_unknown():
    client = PaystackClient(PAYSTACK_KEY, "http://127.0.0.1:9", timeout=(1, 1))

    with pytest.raises(PaystackUnknownOutcome) as unknown:
        client.transaction_verify("ref-1")

    assert PAYSTACK_KEY not in repr(unknown.value)


def test_without_a_key_there_is_no_client():
    with pytest.raises(ValueError, match="secret key"):
        PaystackClient("", "http://127.0.0.1:9", timeout=(1, 1))


def test_transfers_are_listed_with_their_fees_and_times(paystack, sandbox):
    sandbox.control.top_up("paystack", "NGN", 10_000_000)
    recipient = paystack.recipient_create(
        kind="nuban", name="OBI ADA", account_number="0123456789", bank_code="058", currency="NGN"
    )
    made = paystack.transfer_create(
        amount_minor=1_000_000, currency="NGN", recipient=recipient, reference="withdrawal-0000001", reason="Tests"
    )
    sandbox.control.advance(2)
    moment = made.created_at

    page = paystack.transfer_list(since=moment - timedelta(minutes=1), until=moment + timedelta(minutes=1))

    (listed,) = page.transfers
    assert page.page_count == 1
    assert (listed.reference, listed.status, listed.amount_minor, listed.fee_minor) == (
        "withdrawal-0000001", "success", 1_000_000, 2_500
    )  # fmt: skip
    assert listed.created_at == moment <= listed.transferred_at <= listed.updated_at
    assert paystack.transfer_list(since=moment + timedelta(minutes=1), until=moment + timedelta(days=1)).transfers == ()
