"""Events on their way: signed, tried again, given up, repeated, and an endpoint that is called no more."""

import json
from datetime import timedelta

import pytest
from django.db import transaction
from redis import Redis
from standardwebhooks.webhooks import Webhook

from accounts.tests.builders import build_user
from learning247.kit.clock import now
from learning247.kit.ids import new_id
from learning247.outbound_webhooks.enums import DeliveryStatus, EndpointStatus
from learning247.outbound_webhooks.models import DeliveryAttempt, OutboundEvent, WebhookDelivery, WebhookEndpoint
from learning247.outbound_webhooks.services.deliveries import (
    FAILS_FOR_AT_MOST,
    WAITS,
    deliveries_sweep,
    delivery_send,
)
from learning247.outbound_webhooks.services.endpoints import (
    endpoint_create,
    endpoint_enable,
    endpoint_rotate_secret,
    endpoint_update,
)
from learning247.outbound_webhooks.services.events import event_publish
from learning247.records.models import AuditEntry, OutboundMail
from learning247.records.tests.races import at_once
from learning247.tests.outbound_webhooks.conftest import TYPE

pytestmark = pytest.mark.usefixtures("committed_db")


def build_endpoint(receiver, owner, *event_types):
    return endpoint_create(
        owner=owner,
        actor=owner or build_user(),
        url=receiver.url,
        description="",
        event_types=event_types,
        reason="A test",
    )


def publish(owner, event_type=TYPE, key=None, **data):
    with transaction.atomic():
        event_publish(key=key or str(new_id()), event_type=event_type, owner_id=owner and owner.pk, data=data)


def send_all():
    for delivery_id in WebhookDelivery.objects.filter(status="pending").order_by("id").values_list("pk", flat=True):
        delivery_send(delivery_id)


def test_an_event_arrives_signed_as_standard_webhooks_has_it(receiver, run_jobs):
    owner = build_user()
    made = build_endpoint(receiver, owner)

    publish(owner, amount="25000.00")
    run_jobs()

    ((path, headers, body),) = receiver.received
    assert path == "/hooks?of=ada"
    assert Webhook(made.secret).verify(body.decode(), headers)["data"] == {"amount": "25000.00"}
    event = OutboundEvent.objects.get()
    assert headers["webhook-id"] == str(event.pk)
    assert json.loads(body) == {
        "type": TYPE,
        "timestamp": f"{event.created_at:%Y-%m-%dT%H:%M:%S.%f}Z",
        "data": {"amount": "25000.00"},
    }
    delivery = WebhookDelivery.objects.get()
    assert (delivery.status, delivery.attempts, delivery.delivered_at is not None) == ("delivered", 1, True)


def test_another_secret_does_not_verify(receiver):
    owner = build_user()
    build_endpoint(receiver, owner)
    other = build_endpoint(receiver, build_user())
    publish(owner)
    send_all()
    ((_, headers, body),) = receiver.received
    with pytest.raises(Exception, match="No matching signature"):
        Webhook(other.secret).verify(body.decode(), headers)


def test_what_is_rolled_back_is_told_to_nobody(receiver, run_jobs):
    owner = build_user()
    build_endpoint(receiver, owner)
    with pytest.raises(RuntimeError, match="after all not"), transaction.atomic():
        event_publish(key="once", event_type=TYPE, owner_id=owner.pk, data={})
        raise RuntimeError("after all not")
    run_jobs()
    assert (OutboundEvent.objects.count(), receiver.received) == (0, [])


def test_the_same_key_is_told_once(receiver, run_jobs):
    owner = build_user()
    build_endpoint(receiver, owner)
    publish(owner, key="once")
    publish(owner, key="once")
    run_jobs()
    assert (OutboundEvent.objects.count(), len(receiver.received)) == (1, 1)


def test_everybody_is_told_of_their_own_and_operators_of_all(receiver, run_jobs):
    ada, ben = build_user(), build_user()
    for owner in (ada, ben, None):
        build_endpoint(receiver, owner)
    publish(ada)
    run_jobs()
    told = {delivery.endpoint.owner for delivery in WebhookDelivery.objects.all()}
    assert told == {ada, None}
    assert len(receiver.received) == 2


def test_an_endpoint_gets_the_types_that_it_asked_for(receiver, run_jobs):
    owner = build_user()
    build_endpoint(receiver, owner, TYPE)
    publish(owner, "lesson.missed")
    publish(owner, TYPE)
    run_jobs()
    assert [json.loads(body)["type"] for _, _, body in receiver.received] == [TYPE]


def test_without_an_endpoint_nothing_is_kept():
    publish(build_user())
    assert OutboundEvent.objects.count() == 0


def test_a_type_that_no_app_registered_is_a_mistake_of_ours():
    with pytest.raises(ValueError, match=r"no\.such"), transaction.atomic():
        event_publish(key="1", event_type="no.such", owner_id=None, data={})


@pytest.mark.parametrize("status", [301, 302, 307, 400, 404, 429, 500, 503])
def test_anything_but_2xx_is_tried_again_later(receiver, status):
    owner = build_user()
    build_endpoint(receiver, owner)
    receiver.statuses, receiver.headers = [status], {"Location": "http://127.0.0.1:9/inside"}
    publish(owner)
    before = now()
    send_all()
    delivery = WebhookDelivery.objects.get()
    assert (delivery.status, delivery.attempts) == ("pending", 1)
    assert before + WAITS[0] <= delivery.due_at <= now() + WAITS[0]
    attempt = DeliveryAttempt.objects.get()
    assert (attempt.status_code, attempt.failure) == (status, f"HTTP {status}")
    assert len(receiver.received) == 1


def test_tries_are_spaced_for_three_days_and_then_given_up(receiver):
    assert timedelta(days=3) < sum(WAITS, timedelta()) < timedelta(days=4)
    owner = build_user()
    build_endpoint(receiver, owner)
    receiver.statuses = [500] * 20
    publish(owner)
    for wait in WAITS:
        send_all()
        delivery = WebhookDelivery.objects.get()
        assert timedelta() < wait - (delivery.due_at - now()) < timedelta(seconds=10)
    send_all()
    delivery = WebhookDelivery.objects.get()
    assert (delivery.status, delivery.attempts) == ("failed", len(WAITS) + 1)
    send_all()
    assert len(receiver.received) == len(WAITS) + 1


def test_nobody_there_and_no_answer_in_time_are_failures_with_a_name(receiver, settings, monkeypatch):
    owner = build_user()
    made = build_endpoint(receiver, owner)
    publish(owner)
    monkeypatch.setattr("learning247.outbound_webhooks.sender.READ_SECONDS", 0.2)
    receiver.hold.clear()
    send_all()
    receiver.hold.set()
    endpoint_update(endpoint_id=made.endpoint.pk, owner=owner, url="http://127.0.0.1:9/nobody")
    send_all()
    failures = list(DeliveryAttempt.objects.order_by("id").values_list("status_code", "failure"))
    assert failures == [(None, "ReadTimeoutError"), (None, "NewConnectionError")]


def test_410_disables_the_endpoint_at_once_and_its_owner_is_told(receiver):
    owner = build_user()
    made = build_endpoint(receiver, owner)
    receiver.statuses = [410]
    publish(owner)
    send_all()
    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.status, endpoint.disabled_reason) == ("disabled", "It answered 410 Gone.")
    assert WebhookDelivery.objects.get().status == "failed"
    assert (
        OutboundMail.objects.get(to=owner.email, key__contains="disabled").subject
        == "Your webhook endpoint was disabled"
    )
    publish(owner)
    assert WebhookDelivery.objects.count() == 1
    assert OutboundEvent.objects.count() == 2  # to be read, since nothing is sent

    assert endpoint_enable(endpoint_id=made.endpoint.pk, owner=owner).status == EndpointStatus.ACTIVE
    publish(owner)
    send_all()
    assert len(receiver.received) == 2
    actions = (
        AuditEntry.objects.filter(subject_id=str(made.endpoint.pk)).order_by("id").values_list("action", flat=True)
    )
    assert [action.partition(".")[2] for action in actions] == ["created", "disabled", "enabled"]


def test_five_days_of_failures_disable_it_and_one_success_in_between_does_not(receiver):
    owner = build_user()
    build_endpoint(receiver, owner)
    receiver.statuses = [500, 200, 500, 500]
    publish(owner)
    send_all()
    WebhookEndpoint.objects.update(failing_since=now() - FAILS_FOR_AT_MOST)
    send_all()
    assert WebhookEndpoint.objects.get().failing_since is None
    publish(owner)
    send_all()
    WebhookEndpoint.objects.update(failing_since=now() - FAILS_FOR_AT_MOST - timedelta(seconds=1))
    send_all()
    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.status, endpoint.disabled_reason) == ("disabled", "Nothing was delivered there for 5 days.")


def test_after_a_new_secret_both_sign_for_a_day(receiver):
    owner = build_user()
    old = build_endpoint(receiver, owner)
    new = endpoint_rotate_secret(endpoint_id=old.endpoint.pk, owner=owner)
    publish(owner)
    send_all()
    _, headers, body = receiver.received[0]
    for secret in (old.secret, new.secret):
        assert Webhook(secret).verify(body.decode(), headers)
    WebhookEndpoint.objects.update(old_secret_until=now())
    publish(owner)
    send_all()
    _, headers, body = receiver.received[1]
    assert Webhook(new.secret).verify(body.decode(), headers)
    with pytest.raises(Exception, match="No matching signature"):
        Webhook(old.secret).verify(body.decode(), headers)


def test_the_secret_is_not_in_the_database_in_clear(receiver):
    made = build_endpoint(receiver, build_user())
    stored = WebhookEndpoint.objects.get()
    assert made.secret.startswith("whsec_")
    assert made.secret not in stored.sealed_secret
    assert made.secret[6:] not in stored.sealed_secret


@pytest.mark.race
def test_32_workers_on_one_delivery_send_it_once(receiver):
    owner = build_user()
    build_endpoint(receiver, owner)
    publish(owner)
    delivery = WebhookDelivery.objects.get()
    at_once(32, lambda _: delivery_send(delivery.pk))
    assert len(receiver.received) == 1
    assert WebhookDelivery.objects.get().status == DeliveryStatus.DELIVERED


def test_what_was_never_enqueued_is_swept_up(receiver, run_jobs, settings):
    owner = build_user()
    build_endpoint(receiver, owner)
    publish(owner)
    Redis.from_url(settings.REDIS_URL).flushdb()
    assert deliveries_sweep() == 0  # fresh: left to its job
    WebhookDelivery.objects.update(due_at=now())
    assert deliveries_sweep() == 1
    run_jobs()
    assert len(receiver.received) == 1
