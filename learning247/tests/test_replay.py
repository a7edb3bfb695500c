"""Replaying what came in, any number of times and in any order, changes nothing that counts."""

import random

import pytest
from django.core.management import call_command

from learning247.drill import chaos
from learning247.drill.books import books_digest
from learning247.records.models import AuditEntry, InboundEvent, OutboundMail
from learning247.records.services.inbox import event_replay
from learning247.records.services.prove import checks_run
from payments.models import Refund
from payments.services.refunds import refunds_sweep
from payments.services.settlement import unsettled_sweep
from wallets.models import JournalEntry


@pytest.fixture
def handled(gateways):
    """Sales and refunds at both gateways, whose events came in and were handled."""

    def play(seed):
        gateways.control.pause_webhooks()
        events = chaos.history(gateways.control, 20, seed=seed)
        chaos.played(events, url=gateways.url, seed=seed, waves=1, share=1)
        assert set(InboundEvent.objects.values_list("status", flat=True)) == {"done"}
        assert {"done", "failed"} <= set(Refund.objects.values_list("status", flat=True))
        return list(InboundEvent.objects.values_list("pk", flat=True))

    return play


def state():
    entries = list(JournalEntry.objects.order_by("pk").values_list("pk", "key"))
    return books_digest(), entries, OutboundMail.objects.count()


def test_replaying_everything_n_times_leaves_the_same_books(handled, run_jobs):
    events = handled(1)
    run_jobs()
    before = state()

    for turn in range(3):
        call_command("inbox", "replay", "--range", "2020-01-01..", "--reason", f"turn {turn}", verbosity=0)
        assert InboundEvent.objects.filter(status="pending").count() == len(events)
        run_jobs()
        assert set(InboundEvent.objects.values_list("status", flat=True)) == {"done"}
        assert state() == before

    assert AuditEntry.objects.filter(action="event.replayed").count() == 3 * len(events)


def test_a_storm_of_replays_beside_the_sweepers_leaves_the_same_books(handled):
    events = handled(2)
    before, dice = state(), random.Random(2)

    for _ in range(5):
        some = dice.sample(events, len(events) * 2 // 3)
        assert event_replay(some, actor=None, reason="a storm") == len(some)
        chaos.handle(some, dice, share=2)
        unsettled_sweep()
        refunds_sweep()

    assert not InboundEvent.objects.filter(status="pending").exists()
    assert state() == before
    assert [result for result in checks_run() if not result.holds] == []


def test_a_dry_run_over_everything_changes_nothing_at_all(handled, capsys):
    events = handled(1)
    rows = list(InboundEvent.objects.order_by("pk").values())
    before = state()

    call_command("inbox", "replay", "--source", "paystack", "--range", "2020-01-01..", "--dry-run")

    of_paystack = InboundEvent.objects.filter(source="paystack").count()
    assert 0 < of_paystack < len(events)
    assert f"Would replay {of_paystack:,} events" in capsys.readouterr().out
    assert list(InboundEvent.objects.order_by("pk").values()) == rows
    assert state() == before
