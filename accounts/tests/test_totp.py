"""Codes of an authenticator app, as the RFC and as its apps compute them."""

import base64
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from accounts.totp import totp_code, totp_secret, totp_step, totp_steps_of, totp_uri

RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()
# RFC 6238, appendix B, SHA1: the last six of its eight digits.
RFC_VECTORS = [
    (59, "94287082"),
    (1111111109, "07081804"),
    (1111111111, "14050471"),
    (1234567890, "89005924"),
    (2000000000, "69279037"),
    (20000000000, "65353130"),
]
AT = datetime(2026, 1, 15, 9, 30, 10, tzinfo=UTC)


@pytest.mark.parametrize(("seconds", "digits"), RFC_VECTORS)
def test_the_vectors_of_the_rfc(seconds, digits):
    at = datetime.fromtimestamp(seconds, tz=UTC)

    assert totp_code(secret=RFC_SECRET, step=totp_step(at)) == digits[-6:]
    assert totp_steps_of(digits[-6:], secret=RFC_SECRET, at=at) == [seconds // 30]


@pytest.mark.parametrize(("seconds", "right"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)])
def test_a_clock_may_be_one_step_off_and_no_more(seconds, right):
    there = AT + timedelta(seconds=seconds)
    code = totp_code(secret=RFC_SECRET, step=totp_step(there))

    assert totp_steps_of(code, secret=RFC_SECRET, at=AT) == ([totp_step(there)] if right else [])


@pytest.mark.parametrize("code", ["", "12345", "1234567", "٠٨١٨٠٤", "081804\n", "x" * 10_000])
def test_what_is_no_code_is_wrong(code):
    assert totp_steps_of(code, secret=RFC_SECRET, at=AT) == []


def test_leading_zeros_belong_to_it():
    at = datetime.fromtimestamp(1111111109, tz=UTC)

    assert totp_steps_of("81804", secret=RFC_SECRET, at=at) == []
    assert totp_steps_of("081804", secret=RFC_SECRET, at=at) == [totp_step(at)]


def test_secrets_have_160_bits_and_are_never_the_same():
    secrets = {totp_secret() for _ in range(100)}

    assert len(secrets) == 100
    assert {len(base64.b32decode(secret)) for secret in secrets} == {20}


def test_an_app_reads_account_and_secret_from_the_address():
    address = urlsplit(totp_uri(secret=RFC_SECRET, account="ada+shop@example.com"))

    assert (address.scheme, address.netloc, address.path) == (
        "otpauth",
        "totp",
        "/Learning247:ada%2Bshop%40example.com",
    )
    assert parse_qs(address.query) == {
        "secret": [RFC_SECRET],
        "issuer": ["Learning247"],
        "algorithm": ["SHA1"],
        "digits": ["6"],
        "period": ["30"],
    }
