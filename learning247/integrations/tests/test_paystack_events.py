"""Paystack's signatures, and a name for every event although they carry none."""

import copy
import hashlib
import hmac
import json

import pytest

from learning247.integrations.paystack import UnreadableEvent, event_key, event_type, verify_signature

# gateways.md section 0: computed in two languages.
BODY = b'{"event":"charge.success"}'
SIGNATURE = (
    "0c7751ea46d74ce3674daa4790ccf515295591b686c5fee1173520ccd7614100"
    "3efd5071190fc7c1a1736cebae4220285bff18629d768fbe72775070eb2778a8"
)
KEY = "sk_test_x"


def test_a_genuine_signature_is_recognised():
    assert verify_signature(BODY, SIGNATURE, KEY) is True


@pytest.mark.parametrize(
    ("body", "signature", "key"),
    [
        (b'{"event": "charge.success"}', SIGNATURE, KEY),  # the same JSON, serialised again
        (BODY + b" ", SIGNATURE, KEY),
        (BODY, SIGNATURE[:-1] + "9", KEY),
        (BODY, SIGNATURE[:-1], KEY),
        (BODY, "", KEY),
        (BODY, "ключ", KEY),
        (BODY, "\udcff", KEY),
        (BODY, SIGNATURE, "sk_test_y"),
        (BODY, SIGNATURE, ""),
    ],
)
def test_any_other_signature_is_not(body, signature, key):
    assert verify_signature(body, signature, key) is False


def test_without_a_key_even_a_signature_made_with_no_key_is_refused():
    assert verify_signature(BODY, hmac.new(b"", BODY, hashlib.sha512).hexdigest(), "") is False


@pytest.mark.parametrize(
    ("event", "data", "key"),
    [
        ("charge.success", {"id": 302961, "reference": "ref-1"}, "charge.success:302961"),
        ("charge.success", {"reference": "ref-1"}, "charge.success:ref-1"),
        ("transfer.success", {"id": 1, "reference": "r", "transfer_code": "TRF_1"}, "transfer.success:1"),
        ("transfer.reversed", {"id": 1, "reference": "r", "transfer_code": "TRF_1"}, "transfer.reversed:1"),
        ("transfer.failed", {"transfer_code": "TRF_1"}, "transfer.failed:TRF_1"),
        ("charge.dispute.create", {"id": 358950}, "charge.dispute.create:358950"),
        ("refund.processed", {"refund_reference": "132013318360", "id": "5"}, "refund.processed:132013318360"),
        ("refund.failed", {"refund_reference": None, "id": "5"}, "refund.failed:5"),
    ],
)
def test_an_event_is_named_by_its_type_and_its_object(event, data, key):
    assert event_key({"event": event, "data": data}) == key


def test_two_refunds_of_one_payment_are_two_events():
    first = {"event": "refund.pending", "data": {"transaction_reference": "ref-1", "amount": "1000"}}
    second = {"event": "refund.pending", "data": {"transaction_reference": "ref-1", "amount": "2000"}}

    assert event_key(first) != event_key(second)


def test_a_second_reminder_of_a_dispute_is_another_event():
    first = {"event": "charge.dispute.remind", "data": {"id": 358950, "dueAt": "2026-05-01"}}
    second = {"event": "charge.dispute.remind", "data": {"id": 358950, "dueAt": "2026-05-02"}}

    assert event_key(first) != event_key(second)
    assert event_key(first) == event_key(copy.deepcopy(first))


@pytest.mark.parametrize("payload", [{}, {"event": None}, {"event": ""}, {"event": 5}, {"data": {"id": 1}}])
def test_what_has_no_type_is_no_event(payload):
    with pytest.raises(UnreadableEvent):
        event_key(payload)
    with pytest.raises(UnreadableEvent):
        event_type(payload)


@pytest.mark.parametrize("data", [None, [], "text", 5, {}, {"id": None}, {"id": True}, {"id": {}}, {"id": "x" * 300}])
def test_every_event_has_a_key_that_fits(data):
    for event in ("charge.success", "refund.processed", "subscription.create", "x" * 500):
        assert 1 <= len(event_key({"event": event, "data": data})) <= 255


def test_every_official_sample_has_a_key_that_neither_order_nor_spacing_changes(specs_dir):
    keys: dict[str, list[dict]] = {}
    for path in sorted((specs_dir / "paystack" / "events").glob("*.json")):
        sample = json.loads(path.read_bytes())
        if not isinstance(sample, dict) or "event" not in sample:
            continue
        key = event_key(sample)
        assert key.startswith(f"{sample['event']}:") and len(key) <= 255
        assert event_key(json.loads(json.dumps(sample, sort_keys=True, indent=2))) == key
        keys.setdefault(key, []).append(sample)

    assert len(keys) >= 35
    for key, samples in keys.items():
        names = {
            (s["event"], s["data"].get("id"), s["data"].get("refund_reference")) for s in samples if "id" in s["data"]
        }
        assert len(names) <= 1, f"{key} names different events"
