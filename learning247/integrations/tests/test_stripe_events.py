"""Stripe's signatures, amounts and event names."""

import time

import pytest
import stripe

from learning247.integrations.stripe import (
    AmountNotChargeable,
    UnreadableEvent,
    event_key,
    event_type,
    from_stripe_amount,
    to_stripe_amount,
    verify_signature,
)

BODY = b'{"id":"evt_1"}'
# gateways.md section 0.
OLD_HEADER = "t=1700000000,v1=c89214b5b5da833daed6f0b8c5bb6bd58cea9022bd80ccc78230f3942d632925"


def signed(secret="whsec_test", *, age=0, body=BODY):
    """A header by Stripe's own signer."""
    return stripe.WebhookSignature.generate_signature_header(body.decode(), secret, int(time.time()) - age)


def test_the_known_signature_is_recognised_and_too_old():
    assert verify_signature(BODY, OLD_HEADER, ["whsec_test"], tolerance=10**10) is True
    assert verify_signature(BODY, OLD_HEADER, ["whsec_test"]) is False


def test_a_fresh_signature_is_recognised():
    assert verify_signature(BODY, signed(), ["whsec_test"]) is True


def test_a_signature_holds_for_300_seconds():
    assert verify_signature(BODY, signed(age=290), ["whsec_test"]) is True
    assert verify_signature(BODY, signed(age=310), ["whsec_test"]) is False


@pytest.mark.parametrize("secrets", [["whsec_new", "whsec_test"], ["whsec_test", "whsec_new"]])
def test_any_of_several_secrets_will_do(secrets):
    assert verify_signature(BODY, signed("whsec_test"), secrets) is True


def test_a_header_may_hold_several_signatures():
    moment = int(time.time())
    good = stripe.WebhookSignature.generate_signature_header(BODY.decode(), "whsec_test", moment)

    assert verify_signature(BODY, good.replace(",v1=", f",v1={'0' * 64},v0=1,v1="), ["whsec_test"]) is True


@pytest.mark.parametrize("secrets", [[], [""], ["whsec_other"]])
def test_without_the_right_secret_nothing_is_genuine(secrets):
    assert verify_signature(BODY, signed(), secrets) is False


def test_a_body_that_was_serialised_again_is_not_genuine():
    assert verify_signature(b'{"id": "evt_1"}', signed(), ["whsec_test"]) is False


@pytest.mark.parametrize(
    "header",
    ["", "x", "t=,v1=", "t=abc,v1=abc", "v1=abc", "t=1", "t=1,v0=abc", ",,,", "=,=", "t=1,v1=ключ", "t=1,v1=\udcff",
     "t=" + "9" * 5000 + ",v1=a", "t=99999999999999999999,v1=abc", "t=1,v1"],
)  # fmt: skip
def test_junk_is_refused_quietly(header):
    assert verify_signature(BODY, header, ["whsec_test"]) is False


def test_a_body_that_is_no_text_is_refused_quietly():
    assert verify_signature(b"\xff\xfe", signed(), ["whsec_test"]) is False


def test_an_event_is_named_by_its_id():
    event = {"id": "evt_1", "type": "checkout.session.completed"}

    assert (event_key(event), event_type(event)) == ("evt_1", "checkout.session.completed")


@pytest.mark.parametrize("event", [{}, {"id": None, "type": None}, {"id": 5, "type": 5}, {"id": "", "type": ""}])
def test_what_has_no_id_and_type_is_no_event(event):
    with pytest.raises(UnreadableEvent):
        event_key(event)
    with pytest.raises(UnreadableEvent):
        event_type(event)


@pytest.mark.parametrize(
    ("currency", "minor", "sent"),
    [
        ("USD", 3000, 3000),
        ("JPY", 1200, 1200),
        ("UGX", 500, 50000),
        ("isk", 7, 700),
        ("KWD", 1250, 1250),
        ("USD", 0, 0),
    ],
)
def test_amounts_go_to_stripe_in_its_own_units_and_come_back(currency, minor, sent):
    assert to_stripe_amount(minor, currency) == sent
    assert from_stripe_amount(sent, currency) == minor


@pytest.mark.parametrize("currency", ["BHD", "JOD", "KWD", "OMR", "TND"])
def test_three_decimals_end_in_0(currency):
    with pytest.raises(AmountNotChargeable, match=r"steps of 0\.010"):
        to_stripe_amount(1255, currency)


def test_a_fraction_of_a_whole_currency_is_none_of_ours():
    with pytest.raises(AmountNotChargeable):
        from_stripe_amount(50050, "UGX")


def test_a_negative_amount_is_never_charged():
    with pytest.raises(AmountNotChargeable):
        to_stripe_amount(-1, "USD")
