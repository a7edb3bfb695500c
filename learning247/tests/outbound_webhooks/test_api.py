"""Managing endpoints over HTTP."""

import pytest
from rest_framework.test import APIClient

from accounts.tests.builders import build_user, sign_in
from learning247.outbound_webhooks.models import OutboundEvent, WebhookDelivery, WebhookEndpoint
from learning247.tests.outbound_webhooks.conftest import TYPE
from learning247.tests.outbound_webhooks.test_deliveries import publish, send_all

pytestmark = pytest.mark.usefixtures("committed_db")


@pytest.fixture
def ada():
    """(person, a client that speaks for her)"""
    return signed_in_person()


def signed_in_person():
    person, client = build_user(), APIClient()
    sign_in(client, person)
    return person, client


def create(client, url, **body):
    return client.post("/api/webhook-endpoints", {"url": url, **body}, format="json")


def test_a_creator_makes_changes_and_deletes_an_endpoint(ada, receiver):
    _, client = ada
    made = create(client, receiver.url, description="Mine", event_types=[TYPE]).json()
    assert made["secret"].startswith("whsec_")
    address = f"/api/webhook-endpoints/{made['id']}"
    assert "secret" not in client.get(address).json()

    changed = client.patch(address, {"event_types": []}, format="json").json()
    assert (changed["event_types"], changed["description"]) == ([], "Mine")
    assert client.post(f"{address}/rotate-secret").json()["secret"] != made["secret"]
    assert [row["id"] for row in client.get("/api/webhook-endpoints").json()["results"]] == [made["id"]]
    assert client.delete(address).status_code == 204
    assert client.get(address).status_code == 404


def test_others_have_no_such_endpoint_and_change_nothing(ada, receiver):
    _, client = ada
    made = create(client, receiver.url).json()
    before = WebhookEndpoint.objects.values().get()
    _, stranger = signed_in_person()
    address = f"/api/webhook-endpoints/{made['id']}"
    answers = [
        stranger.get(address),
        stranger.patch(address, {"url": "https://elsewhere.example/"}, format="json"),
        stranger.delete(address),
        stranger.post(f"{address}/rotate-secret"),
        stranger.post(f"{address}/enable"),
        stranger.post(f"{address}/ping"),
        stranger.get(f"{address}/deliveries"),
    ]
    assert {(answer.status_code, answer.json()["errors"][0]["code"]) for answer in answers} == {
        (404, "webhook_endpoint_not_found")
    }
    assert WebhookEndpoint.objects.values().get() == before
    assert OutboundEvent.objects.count() == 0


def test_addresses_inside_are_refused_and_kept_nowhere(ada, settings):
    settings.OUTBOUND_WEBHOOKS_TO_PRIVATE = False
    _, client = ada
    for url in ("http://hooks.example.com/", "https://a:b@hooks.example.com/", "nonsense", "https://x:8080/"):
        answer = create(client, url)
        assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, "url")
    assert WebhookEndpoint.objects.count() == 0


def test_an_event_that_does_not_exist_is_named_with_those_that_do(ada, receiver):
    _, client = ada
    answer = create(client, receiver.url, event_types=["no.such"])
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["detail"] == f"These are no events: no.such. There are {TYPE}, lesson.missed."


def test_eleven_endpoints_are_one_too_many(ada, receiver):
    _, client = ada
    answers = [create(client, receiver.url).status_code for _ in range(11)]
    assert answers == [201] * 10 + [422]


def test_what_was_missed_is_read_by_cursor_and_sent_again(ada, receiver):
    person, client = ada
    made = create(client, receiver.url).json()
    receiver.statuses = [500]
    publish(person, number=1)
    publish(person, number=2)
    send_all()

    events = client.get("/api/webhook-events?page_size=1").json()
    assert [event["data"] for event in events["results"]] == [{"number": 2}]
    assert [event["data"] for event in client.get(events["next"]).json()["results"]] == [{"number": 1}]
    assert client.get("/api/webhook-events?type=lesson.missed").json()["results"] == []
    assert client.get("/api/webhook-events?type=no.such").status_code == 400

    rows = client.get(f"/api/webhook-endpoints/{made['id']}/deliveries").json()["results"]
    assert [(row["status"], [a["status_code"] for a in row["attempts"]]) for row in rows] == [
        ("delivered", [200]),
        ("pending", [500]),
    ]
    again = client.post(f"/api/webhook-deliveries/{rows[0]['id']}/redeliver")
    assert (again.status_code, again.json()["status"]) == (202, "pending")
    send_all()
    ids = [headers["webhook-id"] for _, headers, _ in receiver.received]
    assert ids.count(rows[0]["event_id"]) == 2

    _, stranger = signed_in_person()
    assert stranger.post(f"/api/webhook-deliveries/{rows[0]['id']}/redeliver").status_code == 404
    assert stranger.get("/api/webhook-events").json()["results"] == []


def test_a_ping_arrives_whatever_the_endpoint_wants(ada, receiver):
    _, client = ada
    made = create(client, receiver.url, event_types=[TYPE]).json()
    assert client.post(f"/api/webhook-endpoints/{made['id']}/ping").json()["type"] == "ping"
    send_all()
    assert len(receiver.received) == 1
    assert WebhookEndpoint.objects.get().event_types == [TYPE]


def test_a_disabled_endpoint_is_not_tried(ada, receiver):
    _, client = ada
    made = create(client, receiver.url).json()
    WebhookEndpoint.objects.update(status="disabled", disabled_reason="It answered 410 Gone.")
    answer = client.post(f"/api/webhook-endpoints/{made['id']}/ping")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "webhook_endpoint_disabled")
    assert WebhookDelivery.objects.count() == 0
