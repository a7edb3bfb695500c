"""Entries that people make by hand: two of them, once, and never a machine."""

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import User
from accounts.tests.builders import build_user
from learning247.kit.errors import DomainError
from learning247.records.models import AuditEntry
from learning247.records.tests.races import at_once
from wallets.enums import AccountKind
from wallets.errors import (
    AdjustmentDecided,
    AdjustmentOfSetAside,
    AdjustmentUnbalanced,
    InsufficientBalance,
    OwnAdjustment,
    SecondPersonRequired,
)
from wallets.models import AdjustmentLine, AdjustmentProposal, JournalEntry
from wallets.selectors import platform_balance
from wallets.services.accounts import person_account, platform_account
from wallets.services.adjustments import (
    AdjustmentDraft,
    adjustment_approve,
    adjustment_propose,
    adjustment_reject,
    adjustments_draft,
    adjustments_outdate,
)
from wallets.services.journal import Posting
from wallets.tests.races import breaches

LOSS = (
    Posting(platform_account(AccountKind.LOSSES), -150),
    Posting(platform_account(AccountKind.GATEWAY_STRIPE), 150),
)


def propose(actor, postings=LOSS, **fields):
    return adjustment_propose(
        actor=actor,
        currency="USD",
        postings=postings,
        **({"reason": "A fee named late.", "reference": "po_1"} | fields),
    )


def draft(minor=150, key="stripe:payment:pi_1:fee"):
    postings = (Posting(LOSS[0].account, -minor), Posting(LOSS[1].account, minor))
    return AdjustmentDraft(
        source_key=key, currency="USD", reason="Another fee.", reference="L247-1", postings=postings,
        report_line={"report": "stripe-2026-11.csv", "key": "pi_1"},
    )  # fmt: skip


def losses():
    return platform_balance(kind=AccountKind.LOSSES, currency="USD")


def test_a_second_person_posts_what_the_first_proposed_and_both_are_on_record(committed_db):
    first, second = build_user(), build_user()
    proposal = propose(first)
    assert (proposal.status, losses()) == ("proposed", 0)

    posted = adjustment_approve(proposal_id=proposal.pk, actor=second)
    again = adjustment_approve(proposal_id=proposal.pk, actor=second)

    assert (posted.status, again.status, posted.second_by, losses()) == ("posted", "posted", second, -150)
    entry = JournalEntry.objects.get()
    assert (entry.kind, entry.pk, entry.key) == ("adjustment", posted.entry_id, f"adjustment:{proposal.pk}")
    on_record = AuditEntry.objects.filter(subject_kind="adjustment").order_by("id").values_list("action", "actor_id")
    assert list(on_record) == [("adjustment.proposed", first.pk), ("adjustment.posted", second.pk)]
    assert breaches("I15") == []


@pytest.mark.parametrize("kind", [AccountKind.HELD, AccountKind.DISPUTED])
def test_what_withdrawals_and_disputes_set_aside_is_not_adjusted(committed_db, kind):
    with pytest.raises(AdjustmentOfSetAside):
        propose(build_user(), (LOSS[0], Posting(person_account(build_user().pk, kind), 150)))

    assert (AdjustmentProposal.objects.count(), AuditEntry.objects.filter(subject_kind="adjustment").count()) == (0, 0)


def test_the_agreement_of_somebody_disabled_since_does_not_count(committed_db):
    first, second, third = build_user(), build_user(), build_user()
    proposal = propose(first)
    User.objects.filter(pk=first.pk).update(is_active=False)

    agreed = adjustment_approve(proposal_id=proposal.pk, actor=second)
    assert (agreed.status, agreed.first_by, agreed.entry_id) == ("proposed", second, None)

    posted = adjustment_approve(proposal_id=proposal.pk, actor=third)
    assert (posted.status, posted.first_by, posted.second_by) == ("posted", second, third)


def test_nobody_approves_their_own_proposal(committed_db):
    first = build_user()
    proposal = propose(first)

    with pytest.raises(SecondPersonRequired):
        adjustment_approve(proposal_id=proposal.pk, actor=first)

    assert (AdjustmentProposal.objects.get().status, JournalEntry.objects.count()) == ("proposed", 0)


def test_nobody_moves_money_of_their_own(committed_db):
    creator, first = build_user(), build_user()
    lines = (Posting(platform_account(AccountKind.LOSSES), -150), Posting(person_account(creator.pk), 150))
    with pytest.raises(OwnAdjustment):
        propose(creator, lines)
    proposal = propose(first, lines)
    with pytest.raises(OwnAdjustment):
        adjustment_approve(proposal_id=proposal.pk, actor=creator)
    with pytest.raises(OwnAdjustment):
        adjustment_reject(proposal_id=proposal.pk, actor=creator, reason="I want it all.")
    assert not JournalEntry.objects.exists()


def test_what_a_reconciliation_proposes_takes_two_people_as_well(committed_db):
    first, second = build_user(), build_user()
    assert adjustments_draft(drafts=[draft()]) == 1
    proposal = AdjustmentProposal.objects.get()
    assert (proposal.first_by, proposal.report_line["key"]) == (None, "pi_1")

    assert adjustment_approve(proposal_id=proposal.pk, actor=first).status == "proposed"
    with pytest.raises(SecondPersonRequired):
        adjustment_approve(proposal_id=proposal.pk, actor=first)
    assert adjustment_approve(proposal_id=proposal.pk, actor=second).status == "posted"
    assert (losses(), breaches("I15")) == (-150, [])


def test_the_same_line_is_proposed_once_and_anew_only_when_it_says_something_else(committed_db):
    assert (adjustments_draft(drafts=[draft(), draft()]), adjustments_draft(drafts=[draft()])) == (1, 0)

    assert adjustments_draft(drafts=[draft(200)]) == 1

    assert sorted(AdjustmentProposal.objects.values_list("status", flat=True)) == ["outdated", "proposed"]
    assert adjustments_outdate(source_keys=["stripe:payment:pi_1:fee"]) == 1
    old = AdjustmentProposal.objects.earliest("created_at")
    with pytest.raises(AdjustmentDecided):
        adjustment_approve(proposal_id=old.pk, actor=build_user())


def test_what_was_rejected_keeps_its_reason_and_is_not_proposed_again(committed_db):
    adjustments_draft(drafts=[draft()])
    proposal, actor = AdjustmentProposal.objects.get(), build_user()

    adjustment_reject(proposal_id=proposal.pk, actor=actor, reason="The gateway's mistake; they pay it back.")

    proposal.refresh_from_db()
    assert (proposal.status, proposal.rejected_by) == ("rejected", actor)
    assert proposal.decision_reason == "The gateway's mistake; they pay it back."
    assert adjustments_draft(drafts=[draft()]) == 0
    with pytest.raises(AdjustmentDecided):
        adjustment_approve(proposal_id=proposal.pk, actor=actor)
    assert not JournalEntry.objects.exists()


@pytest.mark.parametrize("second", [-149, 0])
def test_lines_that_do_not_sum_to_zero_are_no_proposal(committed_db, second):
    with pytest.raises(AdjustmentUnbalanced):
        propose(build_user(), (LOSS[1], Posting(LOSS[0].account, second)))
    assert not AdjustmentProposal.objects.exists()


def test_an_adjustment_takes_nobody_below_zero(committed_db):
    creator = build_user()
    lines = (Posting(platform_account(AccountKind.LOSSES), 150), Posting(person_account(creator.pk), -150))
    proposal = propose(build_user(), lines)
    with pytest.raises(InsufficientBalance):
        adjustment_approve(proposal_id=proposal.pk, actor=build_user())
    assert AdjustmentProposal.objects.get().status == "proposed"


def test_the_database_itself_wants_two_different_people(committed_db):
    first = build_user()
    proposal = adjustment_approve(proposal_id=propose(first).pk, actor=build_user())
    with pytest.raises(IntegrityError, match="wallets_adjustment_posted_by_two_people"), transaction.atomic():
        AdjustmentProposal.objects.filter(pk=proposal.pk).update(second_by=first)


@pytest.mark.race
def test_of_32_who_approve_at_once_one_posts(committed_db):
    proposal, seconds = propose(build_user()), [build_user() for _ in range(2)]

    def approve(number):
        try:
            return adjustment_approve(proposal_id=proposal.pk, actor=seconds[number % 2]).status
        except DomainError as error:
            return error.code
        finally:
            connection.close()

    assert at_once(32, approve) == ["posted"] * 32
    assert (JournalEntry.objects.count(), losses()) == (1, -150)


def test_i15_finds_a_line_that_differs_and_a_person_who_is_not_on_record(committed_db):
    proposal = adjustment_approve(proposal_id=propose(build_user()).pk, actor=build_user())
    AdjustmentLine.objects.filter(kind="losses").update(amount_minor=-151)
    assert breaches("I15") == [
        ("I15", f"adjustment {proposal.pk}: 2 people are on record, 1 lines differ from its entry")
    ]

    AdjustmentLine.objects.filter(kind="losses").update(amount_minor=-150)
    AdjustmentProposal.objects.update(first_by=build_user())
    assert breaches("I15") == [
        ("I15", f"adjustment {proposal.pk}: 1 people are on record, 0 lines differ from its entry")
    ]
