"""Signatures: the vectors known from two languages, and the vendor's own signer."""

from __future__ import annotations

import stripe

from learning247.sandbox.signatures import paystack_signature, stripe_signature


def test_paystack_signs_the_raw_body_with_the_secret_key() -> None:
    assert paystack_signature(b'{"event":"charge.success"}', "sk_test_x") == (
        "0c7751ea46d74ce3674daa4790ccf515295591b686c5fee1173520ccd76141003efd5071190fc7c1a1736cebae422028"
        "5bff18629d768fbe72775070eb2778a8"
    )


def test_stripe_signs_time_and_body_with_the_whole_endpoint_secret() -> None:
    assert stripe_signature(b'{"id":"evt_1"}', ["whsec_test"], 1_700_000_000) == (
        "t=1700000000,v1=c89214b5b5da833daed6f0b8c5bb6bd58cea9022bd80ccc78230f3942d632925"
    )


def test_stripe_signature_equals_that_of_the_vendors_signer() -> None:
    body = '{"id": "evt_2", "text": "naïve ₦"}'
    vendor = stripe.WebhookSignature.generate_signature_header(body, "whsec_test", timestamp=1_700_000_000)
    assert stripe_signature(body.encode(), ["whsec_test"], 1_700_000_000) == vendor


def test_while_a_secret_is_rolled_either_secret_verifies() -> None:
    header = stripe_signature(b"{}", ["whsec_old", "whsec_new"], 1_700_000_000)
    assert stripe.WebhookSignature.verify_header(b"{}", header, "whsec_old", tolerance=None)
    assert stripe.WebhookSignature.verify_header(b"{}", header, "whsec_new", tolerance=None)
