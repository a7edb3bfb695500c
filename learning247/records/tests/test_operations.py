"""What operators use: the inbox command, the admin, the scheduled tasks."""

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from celery import current_app
from django.conf import settings
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.urls import reverse
from redis import Redis

from learning247.kit.clock import now
from learning247.kit.ids import new_id
from learning247.records.enums import EventStatus
from learning247.records.models import AuditEntry, IdempotencyRecord, InboundEvent, OutboundMail
from learning247.records.services.audit import audit_record
from learning247.records.services.heartbeat import KEY, heartbeat_write
from learning247.records.tests.builders import a_received_event, a_user

pytestmark = pytest.mark.django_db

PARKED = {"status": "parked", "reason": "No payment yet.", "outcome": "", "done_at": None}


def inbox(*arguments):
    out = StringIO()
    call_command("inbox", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def three_events(jobs):
    events = [
        a_received_event("1", source="paystack", event_type="charge.success"),
        a_received_event("2", source="paystack", event_type="transfer.success"),
        a_received_event("3", source="stripe", event_type="checkout.session.completed"),
    ]
    for event, day in zip(events, (1, 2, 3), strict=True):
        received = datetime(2026, 5, day, tzinfo=UTC)
        InboundEvent.objects.filter(pk=event.pk).update(
            received_at=received, status=EventStatus.DONE, done_at=received, outcome="settled", attempts=1
        )
    jobs.clear()
    return events


def pending():
    return sorted(InboundEvent.objects.filter(status="pending").values_list("external_id", flat=True))


# --- the command


def test_the_list_has_a_line_for_each_event_oldest_first(three_events):
    lines = inbox("list").splitlines()

    assert lines[0] == (f"{three_events[0].id} 2026-05-01 00:00:00 paystack charge.success 1 done attempts=1 settled")
    assert [line.split()[3] for line in lines] == ["paystack", "paystack", "stripe"]


def test_one_event_is_shown_with_its_body(jobs):
    event = a_received_event(body=b'{"event":"charge.success","\xff"')

    text = inbox("show", str(event.id))

    assert "headers: {}" in text
    assert text.endswith('{"event":"charge.success","\\xff"\n')


def test_an_event_that_does_not_exist_cannot_be_shown():
    with pytest.raises(CommandError, match="There is no event"):
        inbox("show", str(new_id()))


@pytest.mark.parametrize(
    ("arguments", "replayed"),
    [
        (["--source", "paystack"], ["1", "2"]),
        (["--source", "paystack", "--type", "charge."], ["1"]),
        (["--range", "2026-05-02.."], ["2", "3"]),
        (["--range", "2026-05-02..2026-05-03T00:00:00Z"], ["2"]),
        (["--range", "..2026-05-02"], ["1"]),
        (["--status", "done"], ["1", "2", "3"]),
        (["--status", "parked"], []),
    ],
)
def test_a_range_is_replayed(three_events, jobs, arguments, replayed):
    text = inbox("replay", *arguments, "--reason", "The key was wrong.")

    assert pending() == replayed
    assert text == f"Replayed {len(replayed)} events.\n"
    assert len(jobs) == len(replayed)
    audited = AuditEntry.objects.filter(action="event.replayed", actor=None, reason="The key was wrong.")
    assert audited.count() == len(replayed)


@pytest.mark.parametrize("words", ["2026-05-02", "..", "yesterday..", "2026-05-02..x"])
def test_a_range_that_is_none_is_refused(three_events, words):
    with pytest.raises(CommandError, match="--range"):
        inbox("replay", "--range", words, "--reason", "why")

    assert pending() == []


def test_a_replay_without_a_reason_is_refused(three_events, jobs):
    for blank in ([], ["--reason", "  "]):
        with pytest.raises(CommandError, match="Say why"):
            inbox("replay", "--source", "paystack", *blank)

    assert (pending(), jobs, AuditEntry.objects.count()) == ([], [], 0)


def test_parked_events_are_listed_with_their_reason(three_events):
    InboundEvent.objects.filter(external_id="2").update(
        status="parked", reason="No payment yet.", outcome="", done_at=None
    )

    (line,) = inbox("list", "--status", "parked").splitlines()

    assert line.endswith("transfer.success 2 parked attempts=1 No payment yet.")


def test_events_are_replayed_by_id(three_events):
    inbox("replay", "--id", str(three_events[0].id), "--id", str(three_events[2].id), "--reason", "why")

    assert pending() == ["1", "3"]


def test_a_dry_run_names_them_and_changes_nothing(three_events, jobs):
    text = inbox("replay", "--source", "paystack", "--dry-run")

    assert text.splitlines()[-1] == "Would replay 2 events; nothing was changed."
    assert str(three_events[0].id) in text
    assert (pending(), jobs) == ([], [])


def test_replaying_everything_has_to_be_asked_for(three_events):
    with pytest.raises(CommandError, match="Say which events"):
        inbox("replay")

    assert pending() == []


# --- the admin


@pytest.fixture
def staff(client):
    user = a_user("staff@example.com", is_staff=True, is_superuser=True)
    client.force_login(user)
    return user


def test_every_record_can_be_listed_and_read_but_not_changed(client, staff, jobs):
    event = a_received_event(body=b'{"a":"<script>alert(1)</script>"}')
    mail = OutboundMail.objects.create(key="k", to="a@b.com", subject="s", text="a secret link")
    record = IdempotencyRecord.objects.create(
        user=staff, operation="tests.buy", key="k", request_digest="0" * 64, lease_until=event.received_at
    )
    entry = audit_record(actor=staff, action="x", subject_kind="y", subject_id=1)
    for row in (event, mail, record, entry):
        name = f"admin:records_{row._meta.model_name}"
        assert client.get(reverse(f"{name}_changelist")).status_code == 200
        page = client.get(reverse(f"{name}_change", args=[row.pk]))
        assert page.status_code == 200
        assert b"a secret link" not in page.content
        assert b"<script>alert(1)" not in page.content
        assert client.post(reverse(f"{name}_change", args=[row.pk]), {}).status_code == 403
        assert client.post(reverse(f"{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
        assert client.get(reverse(f"{name}_add")).status_code == 403


def handle_again(client, event, **fields):
    return client.post(
        reverse("admin:records_inboundevent_changelist"),
        {"action": "handle_again", "_selected_action": [str(event.id)], "index": "0", **fields},
        follow=True,
    )


def test_handle_again_replays_the_chosen_events_on_record(client, staff, three_events):
    InboundEvent.objects.filter(external_id="2").update(
        status="parked", reason="No payment yet.", outcome="", done_at=None
    )
    assert b"No payment yet." in client.get(reverse("admin:records_inboundevent_changelist")).content

    page = handle_again(client, three_events[1], reason="The payment is there now.")

    assert b"1 events will be handled again." in page.content
    assert pending() == ["2"]
    audited = AuditEntry.objects.get(action="event.replayed")
    assert (audited.actor, audited.reason) == (staff, "The payment is there now.")
    assert audited.before is not None
    assert (audited.subject_id, audited.before["reason"]) == (str(three_events[1].id), "No payment yet.")


@pytest.mark.parametrize("reason", ["", "   "])
def test_handle_again_without_a_reason_does_nothing(client, staff, three_events, reason):
    page = handle_again(client, three_events[1], reason=reason)

    assert b"Nothing was replayed." in page.content
    assert (pending(), AuditEntry.objects.count()) == ([], 0)


def test_handle_again_leaves_alone_what_is_being_handled(client, staff, three_events):
    InboundEvent.objects.filter(external_id="2").update(
        status="pending", done_at=None, lease_until=now() + timedelta(minutes=1)
    )

    page = handle_again(client, three_events[1], reason="why")

    assert b"Left alone, because they are being handled: 1." in page.content
    assert AuditEntry.objects.count() == 0


def test_handle_again_needs_the_right_to_change_events(client, three_events):
    reader = a_user("reader@example.com", is_staff=True)
    reader.user_permissions.add(*permissions("view_inboundevent"))
    client.force_login(reader)

    handle_again(client, three_events[1], reason="why")

    assert pending() == []


def permissions(*codenames):
    return Permission.objects.filter(codename__in=codenames)


# --- the tasks


def test_every_scheduled_task_of_records_exists_under_its_name():
    scheduled = {str(entry["task"]) for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    current_app.loader.import_default_modules()

    ours = {name for name in scheduled if name.startswith("records.")}
    assert ours == {
        "records.sweep_inbox", "records.sweep_mail", "records.worker_heartbeat", "records.purge_idempotency_keys",
    }  # fmt: skip
    assert ours | {"records.handle_event", "records.send_mail"} <= set(current_app.tasks)


def test_the_heartbeat_is_a_time_in_redis():
    heartbeat_write()

    written = Redis.from_url(settings.REDIS_URL, decode_responses=True).get(KEY)
    assert KEY == "learning247:worker_heartbeat"
    assert datetime.fromisoformat(str(written)).tzinfo is not None
