"""The webhook endpoint: what it lets in, what it refuses, and what it costs."""

import io
import json
from types import SimpleNamespace

import pytest
from django.db import OperationalError
from django.test import RequestFactory
from gunicorn.config import Config  # type: ignore[import-untyped]
from gunicorn.http.body import Body, ChunkedReader  # type: ignore[import-untyped]
from gunicorn.http.unreader import IterUnreader  # type: ignore[import-untyped]

from learning247.records import webhooks
from learning247.records.models import InboundEvent
from learning247.records.webhooks import EventIdentity, UnreadableEvent, webhook_view

pytestmark = pytest.mark.django_db

SIGNED = {"X-Signature": "right"}


def identify(payload):
    if "id" not in payload:
        raise UnreadableEvent("no id")
    return EventIdentity(external_id=payload["id"], event_type=payload["type"])


def view(*, configured=True):
    return webhook_view(
        "testing",
        verify=lambda body, headers: headers.get("x-signature") == "right",
        identify=identify,
        secrets_configured=lambda: configured,
    )


def post(body=b'{"id":"evt_1","type":"thing.done"}', *, headers=SIGNED, configured=True, **extra):
    request = RequestFactory().post(
        "/api/webhooks/testing", body, content_type="application/json", headers=headers, **extra
    )
    return view(configured=configured)(request)


def code_of(response):
    answer = json.loads(response.content)
    assert set(answer) == {"type", "errors", "request_id"}
    return answer["errors"][0]["code"]


@pytest.fixture(autouse=True)
def no_jobs(jobs):
    return jobs


def test_a_signed_event_is_kept_with_its_raw_body_and_answered(no_jobs):
    answer = post(b'{ "id": "evt_1",\n "type": "thing.done" }')

    event = InboundEvent.objects.get()
    assert (answer.status_code, answer.content) == (200, b'{"received":true}')
    assert (event.source, event.external_id, event.event_type) == ("testing", "evt_1", "thing.done")
    assert bytes(event.body) == b'{ "id": "evt_1",\n "type": "thing.done" }'
    assert len(no_jobs) == 1


def test_a_repeat_is_answered_the_same_and_kept_once(no_jobs):
    post()
    again = post()

    assert (again.status_code, again.content) == (200, b'{"received":true}')
    assert (InboundEvent.objects.count(), len(no_jobs)) == (1, 1)


def test_the_signature_is_not_kept_nor_anything_that_signs_in():
    post(headers={**SIGNED, "Authorization": "Bearer x", "Cookie": "a=b", "User-Agent": "Gateway/1"})

    assert InboundEvent.objects.get().headers == {"Content-Type": "application/json", "User-Agent": "Gateway/1"}


def test_a_delivery_costs_one_statement(django_assert_num_queries):
    with django_assert_num_queries(1):
        post()


@pytest.mark.parametrize("headers", [{}, {"X-Signature": "wrong"}])
def test_an_unsigned_or_wrongly_signed_event_is_a_401_and_leaves_no_row(headers):
    refused = post(headers=headers)

    assert (refused.status_code, code_of(refused)) == (401, "invalid_signature")
    assert InboundEvent.objects.count() == 0


def test_a_forged_body_is_refused_before_anything_is_read_from_it():
    assert post(b"no json", headers={}).status_code == 401


def test_the_genuine_sender_is_heard_after_a_thousand_forgeries():
    for _ in range(1000):
        assert post(headers={"X-Signature": "wrong"}).status_code == 401

    assert post().status_code == 200
    assert InboundEvent.objects.count() == 1


def test_without_a_secret_the_endpoint_is_not_there():
    refused = post(configured=False)

    assert (refused.status_code, code_of(refused)) == (404, "not_found")
    assert InboundEvent.objects.count() == 0


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_only_post_is_taken(method):
    refused = view()(getattr(RequestFactory(), method)("/api/webhooks/testing"))

    assert (refused.status_code, code_of(refused), refused["Allow"]) == (405, "method_not_allowed", "POST")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"[1]",
        b'"text"',
        b'{"type":"x"}',
        b'{"id":"","type":"x"}',
        b'{"id":"e\\u0000","type":"x"}',
        b'{"id":"' + b"x" * 256 + b'","type":"x"}',
        b'{"id":"e","type":"' + b"x" * 101 + b'"}',
        b'{"id":"\xff","type":"x"}',
        b'{"id":"\\ud800","type":"x"}',
        b'{"id":"e","type":"x","deep":' + b"[" * 64 + b"]" * 64 + b"}",
        b'{"id":"e","type":"x","deep":' + b"[" * 1000 + b"]" * 1000 + b"}",
    ],
)
def test_a_signed_body_that_is_no_event_is_a_400_and_leaves_no_row(body):
    refused = post(body)

    assert (refused.status_code, code_of(refused)) == (400, "unreadable_event")
    assert InboundEvent.objects.count() == 0


def test_a_body_of_exactly_the_cap_is_taken_and_one_byte_more_is_not(settings):
    settings.WEBHOOK_MAX_BODY_BYTES = 1000
    body = b'{"id":"evt_1","type":"x","more":"%s"}'
    fitting = body % (b"y" * (1000 - len(body) + 2))

    assert len(fitting) == 1000
    assert post(fitting).status_code == 200
    refused = post(fitting + b" ")
    assert (refused.status_code, code_of(refused)) == (413, "request_too_large")


def test_a_declared_length_over_the_cap_is_refused_without_reading(settings):
    class Unread(io.BytesIO):
        def read(self, *args):
            raise AssertionError("The body was read.")

    request = RequestFactory().post("/x", b"", content_type="application/json", headers=SIGNED)
    request.META["CONTENT_LENGTH"] = str(settings.WEBHOOK_MAX_BODY_BYTES + 1)
    request._stream = Unread()

    assert view()(request).status_code == 413


def chunked(body):
    request = RequestFactory().post("/x", b"", content_type="application/json", headers=SIGNED)
    request.META.pop("CONTENT_LENGTH", None)
    request.META |= {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True, "wsgi.input": io.BytesIO(body)}
    request.__dict__.pop("headers", None)
    return request


def test_a_chunked_body_is_read_to_its_end():
    answer = view()(chunked(b'{"id":"evt_1","type":"thing.done"}'))

    assert answer.status_code == 200
    assert bytes(InboundEvent.objects.get().body) == b'{"id":"evt_1","type":"thing.done"}'


def test_a_chunked_body_over_the_cap_is_refused_and_not_read_to_its_end(settings):
    settings.WEBHOOK_MAX_BODY_BYTES = 1000
    request = chunked(b"x" * 5000)

    assert view()(request).status_code == 413
    assert request.META["wsgi.input"].tell() == 1001


@pytest.mark.parametrize(
    "sent",
    [
        b"ZZ\r\n{}\r\n0\r\n\r\n",
        b"-1\r\n{}\r\n0\r\n\r\n",
        b"2\r\n{}XX0\r\n\r\n",
        b"2\r\n{}",
        b"",
    ],
)
def test_chunks_that_are_none_are_a_400(sent):
    request = chunked(b"")
    message = SimpleNamespace(headers=[], trailers=[], cfg=Config())
    request.META["wsgi.input"] = Body(ChunkedReader(message, IterUnreader([sent])))

    refused = view()(request)

    assert (refused.status_code, code_of(refused)) == (400, "bad_request")
    assert InboundEvent.objects.count() == 0


@pytest.mark.parametrize("length", ["-1", "abc", "1e3"])
def test_a_content_length_that_is_no_number_is_refused(length):
    request = RequestFactory().post("/x", b"{}", content_type="application/json", headers=SIGNED)
    request.META["CONTENT_LENGTH"] = length

    assert view()(request).status_code == 413


def test_with_the_database_away_the_sender_is_asked_to_try_again(monkeypatch):
    def away(**event):
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(webhooks, "event_receive", away)
    refused = post()

    assert (refused.status_code, code_of(refused)) == (503, "service_unavailable")
    assert refused["Retry-After"] == "5"


def test_it_needs_no_csrf_token():
    assert view().csrf_exempt is True
