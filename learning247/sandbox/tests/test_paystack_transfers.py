"""Paystack banks, recipients and transfers."""

from __future__ import annotations

import json

import pytest

from learning247.sandbox.server import Sandbox
from learning247.sandbox.tests.conftest import Paystack
from learning247.sandbox.tests.receiver import Receiver

REFERENCE = "withdrawal-0000001"


@pytest.fixture
def funded(sandbox: Sandbox) -> None:
    sandbox.control.top_up("paystack", "NGN", 10_000_000)


def test_banks_are_listed_and_an_account_resolves_to_one_name(paystack: Paystack) -> None:
    banks = paystack.get("/bank", country="nigeria", currency="NGN").json()["data"]
    assert {"058", "057", "044"} <= {bank["code"] for bank in banks}
    first = paystack.get("/bank/resolve", account_number="0123456789", bank_code="058").json()["data"]
    assert first == paystack.get("/bank/resolve", account_number="0123456789", bank_code="058").json()["data"]
    assert first["account_name"] == "JOHNSON IFEOMA"


def test_an_account_that_does_not_exist_is_a_422(paystack: Paystack) -> None:
    answer = paystack.get("/bank/resolve", account_number="0123450404", bank_code="058")
    assert (answer.status_code, answer.json()["status"]) == (422, False)


def test_the_same_account_is_the_same_recipient(paystack: Paystack) -> None:
    assert paystack.recipient() == paystack.recipient()
    assert paystack.recipient() != paystack.recipient("1111111111")


@pytest.mark.usefixtures("funded")
def test_a_transfer_is_pending_and_then_succeeds(sandbox: Sandbox, paystack: Paystack, receiver: Receiver) -> None:
    answer = paystack.transfer(paystack.recipient()).json()
    assert (answer["data"]["status"], answer["data"]["amount"]) == ("pending", 1_000_000)
    assert paystack.balance() == 10_000_000 - 1_000_000 - 25_00
    sandbox.control.advance(2)
    sandbox.control.wait_for_webhook("transfer.success")
    data = paystack.get(f"/transfer/verify/{REFERENCE}").json()["data"]
    assert (data["status"], data["fee_charged"], data["recipient"]["details"]["bank_code"]) == (
        "success",
        25_00,
        "058",
    )
    assert paystack.get(f"/transfer/{data['transfer_code']}").json()["data"] == data
    (event,) = receiver.received
    assert event.json()["data"]["reference"] == REFERENCE
    assert isinstance(event.json()["data"]["integration"], dict)


@pytest.mark.usefixtures("funded")
def test_transfers_are_listed_newest_first_by_status_and_time(sandbox: Sandbox, paystack: Paystack) -> None:
    paystack.transfer(paystack.recipient())
    sandbox.control.advance(2)
    paystack.transfer(paystack.recipient(), reference="withdrawal-0000002")
    listed = paystack.get("/transfer").json()
    assert [row["reference"] for row in listed["data"]] == ["withdrawal-0000002", REFERENCE]
    assert listed["meta"]["total"] == 2
    (done,) = paystack.get("/transfer", status="success").json()["data"]
    assert (done["reference"], done["fee_charged"]) == (REFERENCE, 25_00)
    second = paystack.get("/transfer/verify/withdrawal-0000002").json()["data"]
    (later,) = paystack.get("/transfer", **{"from": second["createdAt"]}).json()["data"]
    assert later["reference"] == "withdrawal-0000002"


@pytest.mark.usefixtures("funded")
def test_a_failed_transfer_gives_amount_and_fee_back(sandbox: Sandbox, paystack: Paystack) -> None:
    paystack.transfer(paystack.recipient("0000009901"))
    sandbox.control.advance(2)
    sandbox.control.wait_for_webhook("transfer.failed")
    assert paystack.balance() == 10_000_000
    assert paystack.get(f"/transfer/verify/{REFERENCE}").json()["data"]["status"] == "failed"


@pytest.mark.usefixtures("funded")
def test_a_success_can_be_reversed_later_and_only_once(sandbox: Sandbox, paystack: Paystack) -> None:
    sandbox.control.fault("transfer_reversal", provider="paystack", seconds=3600)
    paystack.transfer(paystack.recipient())
    sandbox.control.advance(2)
    sandbox.control.wait_for_webhook("transfer.success")
    sandbox.control.advance(3600)
    sandbox.control.wait_for_webhook("transfer.reversed")
    assert paystack.balance() == 10_000_000
    with pytest.raises(RuntimeError, match="cannot become reversed"):
        sandbox.control.conclude_transfer("paystack", REFERENCE, "reversed")


@pytest.mark.usefixtures("funded")
def test_with_one_time_codes_on_a_transfer_waits_for_its_code(sandbox: Sandbox, paystack: Paystack) -> None:
    sandbox.control.behave(paystack_transfer_otp=True)
    answer = paystack.transfer(paystack.recipient()).json()
    assert (answer["message"], answer["data"]["status"]) == ("Transfer requires OTP to continue", "otp")
    code = answer["data"]["transfer_code"]
    assert paystack.post("/transfer/finalize_transfer", transfer_code=code, otp="000000").status_code == 400
    done = paystack.post("/transfer/finalize_transfer", transfer_code=code, otp="123456").json()
    assert done["data"]["status"] == "pending"


def test_a_balance_too_small_refuses_the_transfer_fees_included(sandbox: Sandbox, paystack: Paystack) -> None:
    sandbox.control.top_up("paystack", "NGN", 1_000_000)
    answer = paystack.transfer(paystack.recipient())
    assert (answer.status_code, answer.json()["message"]) == (
        400,
        "Your balance is not enough to fulfill this request",
    )
    assert paystack.balance() == 1_000_000


@pytest.mark.usefixtures("funded")
@pytest.mark.parametrize("reference", ["too-short", "UPPER-CASE-REFERENCE", "x" * 51, "has.a.dot.in.the.middle"])
def test_a_transfer_reference_has_its_own_alphabet_and_length(paystack: Paystack, reference: str) -> None:
    answer = paystack.transfer(paystack.recipient(), reference=reference)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_reference")


@pytest.mark.usefixtures("funded")
def test_a_repeated_transfer_reference_is_an_error_and_moves_nothing(paystack: Paystack) -> None:
    recipient = paystack.recipient()
    paystack.transfer(recipient)
    balance = paystack.balance()
    answer = paystack.transfer(recipient)
    assert (answer.status_code, answer.json()["code"]) == (400, "duplicate_reference")
    assert paystack.balance() == balance


def test_an_unknown_transfer_is_a_404(paystack: Paystack) -> None:
    assert paystack.get("/transfer/verify/withdrawal-nobody-made").status_code == 404


@pytest.mark.usefixtures("funded")
def test_the_request_log_keeps_calls_and_answers_without_the_key(sandbox: Sandbox, paystack: Paystack) -> None:
    paystack.transfer(paystack.recipient())
    (record,) = sandbox.control.requests(provider="paystack", path="/transfer", method="POST")[1:]
    assert json.loads(record["body"])["reference"] == REFERENCE
    assert record["response"]["body"]["data"]["status"] == "pending"
    assert sandbox.config.paystack_secret_key not in json.dumps(record)
