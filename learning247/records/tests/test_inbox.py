"""An event is kept once and handled until it is done."""

from datetime import timedelta

import pytest

from learning247.kit.errors import Unavailable
from learning247.records.checks import Scope
from learning247.records.enums import EventStatus
from learning247.records.errors import EventNotReady
from learning247.records.models import InboundEvent
from learning247.records.proofs import every_event_is_accounted_for
from learning247.records.registry import AlreadyRegistered, event_handler_for, register_event_handler
from learning247.records.services import inbox
from learning247.records.services.inbox import event_handle, event_receive, event_replay, inbox_sweep
from learning247.records.services.leases import retry_delay
from learning247.records.tests.builders import a_received_event, noting

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_registries")]


def says(outcome):
    return lambda event: outcome


def raises(error):
    def handler(event):
        raise error

    return handler


# --- receiving


def test_a_delivery_is_kept_as_it_came_and_enqueued_on_the_money_queue(jobs):
    event_id, created = event_receive(
        source="paystack",
        external_id="charge.success:302961",
        event_type="charge.success",
        headers={"Content-Type": "application/json"},
        body=b'{ "event" : "charge.success" }',
    )

    event = InboundEvent.objects.get()
    assert created is True
    assert (event.id, event.source, event.external_id) == (event_id, "paystack", "charge.success:302961")
    assert (event.status, event.attempts, event.outcome, event.reason) == ("pending", 0, "", "")
    assert event.headers == {"Content-Type": "application/json"}
    assert bytes(event.body) == b'{ "event" : "charge.success" }'
    assert jobs == [("records.handle_event", (str(event_id), "0"), "money")]


def test_a_repeat_gives_the_first_row_and_enqueues_nothing(jobs):
    first = a_received_event(body=b"{}")
    jobs.clear()

    event_id, created = event_receive(
        source="paystack", external_id=first.external_id, event_type="x", headers={}, body=b'{"other":1}'
    )

    assert (event_id, created) == (first.id, False)
    assert bytes(InboundEvent.objects.get().body) == b"{}"
    assert jobs == []


def test_two_providers_may_use_the_same_id(jobs):
    a_received_event("1", source="paystack")
    a_received_event("1", source="stripe")

    assert InboundEvent.objects.count() == 2


def test_receiving_is_one_statement(jobs, django_assert_num_queries):
    with django_assert_num_queries(1):
        a = event_receive(source="paystack", external_id="1", event_type="x", headers={}, body=b"{}")
    with django_assert_num_queries(1):
        b = event_receive(source="paystack", external_id="1", event_type="x", headers={}, body=b"{}")
    assert a[0] == b[0]


# --- dispatching


def test_the_longest_prefix_gets_the_event(jobs):
    register_event_handler("paystack", "charge.", says("charge"))
    register_event_handler("paystack", "charge.dispute.", says("dispute"))
    register_event_handler("stripe", "charge.dispute.", says("stripe's"))
    event = a_received_event(event_type="charge.dispute.create")

    event_handle(event.id)

    event.refresh_from_db()
    assert (event.status, event.outcome) == ("done", "dispute")


def test_an_event_that_nobody_wants_is_done_and_says_so(jobs):
    event = a_received_event(event_type="subscription.create")

    event_handle(event.id)

    event.refresh_from_db()
    assert (event.status, event.outcome, event.attempts) == ("done", "ignored: no handler", 1)


def test_two_apps_cannot_claim_the_same_events():
    register_event_handler("paystack", "charge.", says("one"))

    with pytest.raises(AlreadyRegistered):
        register_event_handler("paystack", "charge.", says("other"))


def test_another_sources_handler_is_not_asked():
    register_event_handler("stripe", "", says("stripe"))

    assert event_handler_for("paystack", "charge.success") is None


# --- handling


def test_a_handled_event_is_done_with_its_outcome_and_time(jobs, clock):
    register_event_handler("paystack", "charge.", says("settled"))
    event = a_received_event()

    event_handle(event.id)

    event.refresh_from_db()
    assert (event.status, event.outcome, event.reason) == ("done", "settled", "")
    assert (event.done_at, event.lease_until) == (clock.moment, None)


def test_a_done_event_is_not_handled_again(jobs):
    handled: list = []
    register_event_handler("paystack", "charge.", noting(handled, lambda event: event.id, "settled"))
    event = a_received_event()

    event_handle(event.id)
    event_handle(event.id)

    assert handled == [event.id]


def test_a_failure_is_due_again_after_15_seconds_then_30_then_60(jobs, clock):
    register_event_handler("paystack", "charge.", raises(Unavailable("The gateway is away.")))
    event = a_received_event()

    waits = []
    for _ in range(3):
        event_handle(event.id)
        event.refresh_from_db()
        waits.append((event.due_at - clock.moment).total_seconds())

    assert waits == [15, 30, 60]
    assert (event.status, event.attempts, event.lease_until) == ("pending", 3, None)
    assert event.reason == "Unavailable: The gateway is away."


def test_the_wait_is_never_longer_than_an_hour(jobs, clock):
    register_event_handler("paystack", "charge.", raises(ValueError("no")))
    event = a_received_event()
    InboundEvent.objects.update(attempts=10)

    event_handle(event.id)

    event.refresh_from_db()
    assert event.due_at - clock.moment == timedelta(hours=1)


def test_all_attempts_together_take_about_four_hours(settings):
    waits = [retry_delay(attempt, first=inbox.FIRST_DELAY) for attempt in range(1, settings.INBOX_MAX_ATTEMPTS)]

    assert sum(waits, timedelta()) == timedelta(hours=4, minutes=3, seconds=45)


def test_after_twelve_attempts_it_is_parked_with_the_reason(jobs, clock):
    register_event_handler("paystack", "charge.", raises(ValueError("amount is no number")))
    event = a_received_event()

    for _ in range(15):
        event_handle(event.id)

    event.refresh_from_db()
    assert (event.status, event.attempts) == ("parked", 12)
    assert event.reason == "ValueError: amount is no number"


def test_the_number_of_attempts_is_a_setting(jobs, settings):
    settings.INBOX_MAX_ATTEMPTS = 2
    register_event_handler("paystack", "charge.", raises(ValueError("no")))
    event = a_received_event()

    event_handle(event.id)
    event_handle(event.id)

    event.refresh_from_db()
    assert event.status == "parked"


def test_an_event_before_our_own_row_waits_and_is_then_handled(jobs, clock):
    ours: list[str] = []

    def handler(event):
        if not ours:
            raise EventNotReady("There is no payment ref-1 yet.")
        return "settled"

    register_event_handler("paystack", "charge.", handler)
    event = a_received_event()
    event_handle(event.id)
    event.refresh_from_db()
    assert (event.status, event.reason) == ("pending", "There is no payment ref-1 yet.")
    assert event.due_at - clock.moment == timedelta(seconds=15)

    ours.append("ref-1")
    clock.forward(seconds=16)
    assert inbox_sweep() == [event.id]
    event_handle(event.id)

    event.refresh_from_db()
    assert (event.status, event.outcome, event.reason) == ("done", "settled", "")


def test_no_secret_is_kept_in_a_reason(jobs):
    register_event_handler("paystack", "charge.", raises(RuntimeError("401 for sk_live_0123456789abcdef\x00")))
    event = a_received_event()

    event_handle(event.id)

    event.refresh_from_db()
    assert event.reason == "RuntimeError: 401 for sk_liv***"


def test_an_event_that_kills_its_worker_every_time_is_parked(jobs, clock):
    handled: list = []
    register_event_handler("paystack", "charge.", noting(handled, lambda event: 1, "settled"))
    event = a_received_event()
    InboundEvent.objects.update(attempts=12, lease_until=clock.moment - timedelta(seconds=1))

    event_handle(event.id)

    event.refresh_from_db()
    assert (event.status, event.reason) == ("parked", "The worker died each time it handled this.")
    assert handled == []


# --- leases


def test_an_event_in_work_is_left_alone(jobs, clock):
    register_event_handler("paystack", "charge.", says("settled"))
    event = a_received_event()
    InboundEvent.objects.update(lease_until=clock.moment + timedelta(seconds=1), attempts=1)

    event_handle(event.id)

    event.refresh_from_db()
    assert (event.status, event.attempts) == ("pending", 1)


def test_of_two_jobs_for_the_same_attempt_the_second_does_nothing(jobs, clock):
    register_event_handler("paystack", "charge.", raises(ValueError("no")))
    event = a_received_event()

    event_handle(event.id, attempt=0)
    event_handle(event.id, attempt=0)

    event.refresh_from_db()
    assert event.attempts == 1


def test_a_worker_that_lost_its_lease_stamps_nothing(jobs, clock):
    def slow(event):
        clock.forward(minutes=3)
        InboundEvent.objects.update(lease_until=clock.moment + timedelta(minutes=2), attempts=2)
        return "the slow one's"

    register_event_handler("paystack", "charge.", slow)
    event = a_received_event()

    event_handle(event.id)

    event.refresh_from_db()
    assert (event.status, event.outcome, event.attempts) == ("pending", "", 2)
    assert event.lease_until == clock.moment + timedelta(minutes=2)


def test_a_worker_that_lost_its_lease_and_failed_does_not_put_the_event_off(jobs, clock):
    def slow(event):
        InboundEvent.objects.update(lease_until=clock.moment + timedelta(minutes=5), attempts=2, reason="")
        raise ValueError("no")

    register_event_handler("paystack", "charge.", slow)
    event = a_received_event()

    event_handle(event.id)

    event.refresh_from_db()
    assert (event.reason, event.lease_until) == ("", clock.moment + timedelta(minutes=5))


# --- sweeping


def test_a_fresh_event_is_left_to_its_own_job_for_half_a_minute(jobs, clock):
    event = a_received_event()
    jobs.clear()

    clock.forward(seconds=29)
    assert inbox_sweep() == []
    clock.forward(seconds=1)

    assert inbox_sweep() == [event.id]
    assert jobs == [("records.handle_event", (str(event.id), "0"), "money")]


def test_a_sweep_does_not_enqueue_the_same_event_again_at_once(jobs, clock):
    event = a_received_event()
    clock.forward(seconds=30)

    assert inbox_sweep() == [event.id]
    assert inbox_sweep() == []
    clock.forward(minutes=2)

    assert inbox_sweep() == [event.id]


def test_a_sweep_takes_the_oldest_first_and_no_more_than_asked(jobs, clock):
    events = []
    for number in range(3):
        events.append(a_received_event(str(number)).id)
        clock.forward(seconds=1)
    clock.forward(minutes=1)

    assert inbox_sweep(limit=2) == events[:2]
    assert inbox_sweep(limit=2) == events[2:]


def test_done_and_parked_events_are_not_swept(jobs, clock):
    a_received_event("1")
    a_received_event("2")
    InboundEvent.objects.filter(external_id="1").update(status=EventStatus.DONE, done_at=clock.moment)
    InboundEvent.objects.filter(external_id="2").update(status=EventStatus.PARKED, reason="no")
    clock.forward(hours=1)

    assert inbox_sweep() == []


# --- replaying


def test_a_replayed_event_starts_from_the_beginning(jobs, clock):
    register_event_handler("paystack", "charge.", says("settled"))
    event = a_received_event()
    event_handle(event.id)
    jobs.clear()

    assert event_replay([event.id], actor=None, reason="a test") == 1

    event.refresh_from_db()
    assert (event.status, event.attempts, event.outcome, event.done_at) == ("pending", 0, "", None)
    assert jobs == [("records.handle_event", (str(event.id), "0"), "money")]


def test_a_parked_event_can_be_replayed(jobs):
    event = a_received_event()
    InboundEvent.objects.update(status=EventStatus.PARKED, reason="no", attempts=12)

    assert event_replay([event.id], actor=None, reason="a test") == 1

    event.refresh_from_db()
    assert (event.status, event.reason) == ("pending", "")


def test_an_event_in_work_is_not_replayed(jobs, clock):
    event = a_received_event()
    InboundEvent.objects.update(lease_until=clock.moment + timedelta(minutes=1), attempts=1)
    jobs.clear()

    assert event_replay([event.id], actor=None, reason="a test") == 0

    event.refresh_from_db()
    assert (event.attempts, jobs) == (1, [])


# --- I10


def breaches():
    return [breach.detail for breach in every_event_is_accounted_for(Scope())]


def test_new_waiting_held_done_and_parked_events_are_accounted_for(jobs, clock):
    for number in range(5):
        a_received_event(str(number))
    moment = clock.moment
    by_id = InboundEvent.objects.filter
    by_id(external_id="1").update(due_at=moment + timedelta(hours=1), reason="no")
    by_id(external_id="2").update(due_at=moment - timedelta(hours=2), lease_until=moment + timedelta(minutes=1))
    by_id(external_id="3").update(status=EventStatus.DONE, done_at=moment, due_at=moment - timedelta(days=9))
    by_id(external_id="4").update(status=EventStatus.PARKED, reason="no", due_at=moment - timedelta(days=9))
    scope = Scope(batch_rows=2)

    assert list(every_event_is_accounted_for(scope)) == []
    assert scope.examined == 5


@pytest.mark.parametrize(
    "forgotten",
    [
        {"due_at": timedelta(minutes=-20)},
        {"due_at": timedelta(minutes=-60), "lease_until": timedelta(minutes=-20)},
        {"due_at": timedelta(days=1)},
        {"lease_until": timedelta(days=1)},
    ],
)
def test_a_pending_event_that_nobody_will_touch_is_a_breach(jobs, clock, forgotten):
    event = a_received_event("charge.success:7")
    InboundEvent.objects.update(**{name: clock.moment + shift for name, shift in forgotten.items()})

    (detail,) = breaches()

    assert detail.startswith(f"paystack event {event.id} (charge.success, charge.success:7): pending, attempt 0")
