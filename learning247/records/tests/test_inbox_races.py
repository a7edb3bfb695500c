"""The inbox under real commits: many threads at one event, and workers that are killed."""

import os
import signal
from threading import Barrier

import pytest
from django.db import connection, connections
from django.db.models import F

from learning247.records import registry
from learning247.records.models import InboundEvent
from learning247.records.registry import register_event_handler
from learning247.records.services import inbox
from learning247.records.services.inbox import event_handle, event_receive, inbox_sweep
from learning247.records.tests.builders import a_received_event, noting
from learning247.records.tests.races import at_once

pytestmark = pytest.mark.usefixtures("own_registries")


@pytest.mark.race
def test_the_same_event_32_times_at_once_is_one_row(committed_db):
    def deliver(number):
        return event_receive(
            source="stripe",
            external_id="evt_1",
            event_type="checkout.session.completed",
            headers={},
            body=b"{}",
        )

    answers = at_once(32, deliver)

    assert InboundEvent.objects.count() == 1
    assert sorted(created for _, created in answers) == [False] * 31 + [True]
    assert {event_id for event_id, _ in answers} == {InboundEvent.objects.get().id}


@pytest.mark.race
def test_32_workers_at_one_event_handle_it_once(committed_db):
    handled: list = []
    register_event_handler("paystack", "charge.", noting(handled, lambda event: 1, "settled"))
    event = a_received_event()

    at_once(32, lambda number: event_handle(event.id))

    event.refresh_from_db()
    assert (event.status, event.attempts, handled) == ("done", 1, [1])


@pytest.mark.race
def test_without_leases_32_workers_handle_it_again_and_again(committed_db, monkeypatch):
    """The control: the race above is a real one."""
    handled: list = []
    everybody_is_in = Barrier(32)
    register_event_handler("paystack", "charge.", noting(handled, lambda event: everybody_is_in.wait(10), "settled"))
    event = a_received_event()
    monkeypatch.setattr(inbox, "lease_take", lambda model, pk, **lease: model.objects.get(pk=pk))

    at_once(32, lambda number: event_handle(event.id))

    assert len(handled) == 32


def test_a_handler_runs_outside_of_any_transaction(committed_db):
    seen: list = []
    register_event_handler("paystack", "", noting(seen, lambda event: connection.in_atomic_block, "looked"))

    event_handle(a_received_event().id)

    assert seen == [False]


@pytest.mark.crash
def test_an_event_whose_worker_was_killed_is_handled_again_once_its_lease_ran_out(committed_db):
    def kill_this_worker(event):
        os.kill(os.getpid(), signal.SIGKILL)

    register_event_handler("paystack", "charge.success", kill_this_worker)
    event = a_received_event()
    connections.close_all()
    worker = os.fork()
    if worker == 0:
        try:
            event_handle(event.id)
        finally:
            os._exit(0)
    assert os.WTERMSIG(os.waitpid(worker, 0)[1]) == signal.SIGKILL

    event.refresh_from_db()
    assert (event.status, event.attempts) == ("pending", 1)
    assert event.lease_until is not None
    event_handle(event.id)
    assert inbox_sweep() == []

    InboundEvent.objects.update(lease_until=event.received_at, due_at=event.received_at)
    registry._event_handlers["paystack", "charge.success"] = lambda event: "settled"
    assert inbox_sweep() == [event.id]
    event_handle(event.id, attempt=1)

    event.refresh_from_db()
    assert (event.status, event.outcome, event.attempts) == ("done", "settled", 2)


@pytest.mark.race
def test_two_sweeps_at_once_enqueue_each_event_once(committed_db):
    ids = {a_received_event(str(number)).id for number in range(40)}
    InboundEvent.objects.update(due_at=F("received_at"))

    swept = at_once(2, lambda number: inbox_sweep(limit=40))

    assert len(swept[0]) + len(swept[1]) == 40
    assert set(swept[0]) | set(swept[1]) == ids


def test_a_job_that_went_through_the_broker_handles_its_event(committed_db, run_jobs):
    event = a_received_event(source="nobody")

    assert run_jobs() == ["records.handle_event"]

    event.refresh_from_db()
    assert (event.status, event.outcome) == ("done", "ignored: no handler")
