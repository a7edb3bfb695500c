"""Entries that people make by hand: proposed with their exact lines, and posted once two different people agree.

What reconciliation proposes is nobody's: it takes two people as well, and no machine posts or decides.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from accounts.models import User
from learning247.kit.clock import now
from learning247.kit.money import EXPONENTS
from learning247.records.reasons import required_reason
from learning247.records.services.audit import audit_record
from wallets.enums import AccountKind, AdjustmentStatus, EntryKind
from wallets.errors import (
    AdjustmentDecided,
    AdjustmentOfSetAside,
    AdjustmentUnbalanced,
    OwnAdjustment,
    SecondPersonRequired,
)
from wallets.locks import adjustment_lock
from wallets.models import AdjustmentLine, AdjustmentProposal
from wallets.services.accounts import AccountRef
from wallets.services.journal import Posting, entry_post

# As withdrawals and disputes say (I6): with less in them the next step of one of those can no longer be booked.
_SET_ASIDE: Final = (AccountKind.HELD, AccountKind.DISPUTED)
OUTDATED: Final = "The gateway's list and the books say something else by now."


@dataclass(frozen=True, slots=True)
class AdjustmentDraft:
    """What a reconciliation would repair: `source_key` names its line, `report_line` is that line as reported."""

    source_key: str
    currency: str
    reason: str
    reference: str
    postings: Sequence[Posting]
    report_line: Mapping[str, Any] = field(default_factory=dict)


@transaction.atomic(durable=True)
def adjustment_propose(
    *, actor: User, currency: str, postings: Sequence[Posting], reason: str, reference: str = ""
) -> AdjustmentProposal:
    """A person's proposal, which a second one has to approve; on record.

    Raises AdjustmentUnbalanced, AdjustmentOfSetAside, OwnAdjustment, ReasonRequired.
    """
    reason = required_reason(reason)
    _refuse_unbalanced(currency, postings)
    if any(posting.account.kind in _SET_ASIDE for posting in postings):
        raise AdjustmentOfSetAside
    _refuse_own(actor, (posting.account.owner_id for posting in postings))
    proposal = AdjustmentProposal.objects.create(
        currency=currency, reason=reason[:200], reference=reference[:64], first_by=actor
    )
    _write_lines(proposal, postings)
    _audit(proposal, "adjustment.proposed", actor, proposal.reason, after=described(proposal))
    return proposal


@transaction.atomic(durable=True)
def adjustments_draft(*, drafts: Iterable[AdjustmentDraft]) -> int:
    """Keep what a reconciliation proposes; how many are new. What is proposed already, or was rejected as it is, stays:
    people have decided, or will. An older proposal for the same line that says something else is outdated."""
    made = 0
    for draft in drafts:
        _refuse_unbalanced(draft.currency, draft.postings)
        wanted = sorted((line.account.kind.value, line.amount_minor) for line in draft.postings if line.amount_minor)
        known = AdjustmentProposal.objects.filter(source_key=draft.source_key).prefetch_related("lines")
        same = [one for one in known if sorted((line.kind, line.amount_minor) for line in one.lines.all()) == wanted]
        if any(one.status in (AdjustmentStatus.PROPOSED, AdjustmentStatus.REJECTED) for one in same):
            continue
        for older in known:
            if older.status == AdjustmentStatus.PROPOSED:
                _close_outdated(older.pk)
        proposal = AdjustmentProposal(
            currency=draft.currency,
            reason=draft.reason[:200],
            reference=draft.reference[:64],
            source_key=draft.source_key,
            report_line=dict(draft.report_line),
        )
        AdjustmentProposal.objects.bulk_create([proposal], ignore_conflicts=True)
        if AdjustmentProposal.objects.filter(pk=proposal.pk).exists():
            _write_lines(proposal, draft.postings)
            made += 1
    return made


def open_source_keys(prefix: str) -> set[str]:
    """Of the open proposals for lines of a source: those whose key begins with `prefix` and a colon."""
    open_ones = AdjustmentProposal.objects.filter(status=AdjustmentStatus.PROPOSED, source_key__startswith=f"{prefix}:")
    return set(open_ones.values_list("source_key", flat=True))


@transaction.atomic(durable=True)
def adjustments_outdate(*, source_keys: Iterable[str]) -> int:
    """Close the open proposals for these lines, which need no repair any more; how many there were."""
    open_ones = AdjustmentProposal.objects.filter(source_key__in=list(source_keys), status=AdjustmentStatus.PROPOSED)
    return sum(_close_outdated(pk) for pk in open_ones.order_by("pk").values_list("pk", flat=True))


@transaction.atomic(durable=True)
def adjustment_approve(*, proposal_id: UUID, actor: User, reason: str = "") -> AdjustmentProposal:
    """Agree to it: the first person to do so (who proposed it has) leaves it open, a second one posts it, once. Of one
    that is posted already nothing changes, quietly. Who agreed first and is disabled since no longer counts: the next
    one to agree is the first.

    Raises SecondPersonRequired, OwnAdjustment, AdjustmentDecided, InsufficientBalance.
    """
    proposal = adjustment_lock(proposal_id)
    if proposal.status == AdjustmentStatus.POSTED:
        return proposal
    if proposal.status != AdjustmentStatus.PROPOSED:
        raise AdjustmentDecided
    lines = list(proposal.lines.all())
    _refuse_own(actor, (line.owner_id for line in lines))
    if proposal.first_by is None or not proposal.first_by.is_active:
        before = {"first_by": None if proposal.first_by is None else str(proposal.first_by.pk)}
        proposal.first_by = actor
        proposal.save(update_fields=["first_by"])
        _audit(proposal, "adjustment.approved_first", actor, reason or proposal.reason, before=before)
        return proposal
    if proposal.first_by_id == actor.pk:
        raise SecondPersonRequired
    key = f"adjustment:{proposal.pk}"
    proposal.entry_id = entry_post(
        key=key,
        kind=EntryKind.ADJUSTMENT,
        currency=proposal.currency,
        postings=[Posting(AccountRef(line.owner_id, AccountKind(line.kind)), line.amount_minor) for line in lines],
        source_kind="adjustment",
        source_id=str(proposal.pk),
        reference=proposal.reference,
        description=proposal.reason,
    )
    proposal.status, proposal.second_by, proposal.decided_at = AdjustmentStatus.POSTED, actor, now()
    proposal.save(update_fields=["status", "second_by", "decided_at", "entry"])
    _audit(
        proposal, "adjustment.posted", actor, reason or proposal.reason, before={"status": AdjustmentStatus.PROPOSED}
    )
    audit_record(
        actor=actor,
        action="adjustment.posted",
        subject_kind="journal_entry",
        subject_id=key[:64],
        reason=proposal.reason,
        before={"status": AdjustmentStatus.PROPOSED},
        after=described(proposal),
    )
    return proposal


@transaction.atomic(durable=True)
def adjustment_reject(*, proposal_id: UUID, actor: User, reason: str) -> AdjustmentProposal:
    """Close it for good, with the reason on record; one that was rejected already stays as it is, quietly.

    Raises AdjustmentDecided, OwnAdjustment, ReasonRequired.
    """
    reason = required_reason(reason)
    proposal = adjustment_lock(proposal_id)
    if proposal.status == AdjustmentStatus.REJECTED:
        return proposal
    if proposal.status != AdjustmentStatus.PROPOSED:
        raise AdjustmentDecided
    _refuse_own(actor, proposal.lines.values_list("owner_id", flat=True))
    proposal.status, proposal.rejected_by, proposal.decided_at = AdjustmentStatus.REJECTED, actor, now()
    proposal.decision_reason = reason[:200]
    proposal.save(update_fields=["status", "rejected_by", "decided_at", "decision_reason"])
    _audit(proposal, "adjustment.rejected", actor, reason, before={"status": AdjustmentStatus.PROPOSED})
    return proposal


def described(proposal: AdjustmentProposal) -> dict[str, Any]:
    """The proposal as the record has it."""
    return {
        "status": proposal.status,
        "currency": proposal.currency,
        "first_by": proposal.first_by_id,
        "second_by": proposal.second_by_id,
        "lines": [
            {"owner": line.owner_id, "kind": line.kind, "amount_minor": line.amount_minor}
            for line in proposal.lines.all()
        ],
    }


def _write_lines(proposal: AdjustmentProposal, postings: Sequence[Posting]) -> None:
    AdjustmentLine.objects.bulk_create(
        [
            AdjustmentLine(
                proposal=proposal,
                owner_id=posting.account.owner_id,
                kind=posting.account.kind,
                amount_minor=posting.amount_minor,
            )
            for posting in postings
            if posting.amount_minor
        ]
    )


def _close_outdated(proposal_id: UUID) -> bool:
    proposal = adjustment_lock(proposal_id)
    if proposal.status != AdjustmentStatus.PROPOSED:
        return False
    proposal.status, proposal.decided_at = AdjustmentStatus.OUTDATED, now()
    proposal.decision_reason = OUTDATED
    proposal.save(update_fields=["status", "decided_at", "decision_reason"])
    _audit(proposal, "adjustment.outdated", None, OUTDATED, before={"status": AdjustmentStatus.PROPOSED})
    return True


def _refuse_unbalanced(currency: str, postings: Sequence[Posting]) -> None:
    moving = [posting.amount_minor for posting in postings if posting.amount_minor]
    if currency not in EXPONENTS or len(moving) < 2 or sum(moving) != 0:
        raise AdjustmentUnbalanced


def _refuse_own(actor: User, owners: Iterable[UUID | None]) -> None:
    if actor.pk in owners:
        raise OwnAdjustment


def _audit(
    proposal: AdjustmentProposal,
    action: str,
    actor: User | None,
    reason: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    audit_record(
        actor=actor,
        action=action,
        subject_kind="adjustment",
        subject_id=proposal.pk,
        reason=reason,
        before=before,
        after=after
        or {"status": proposal.status, "first_by": proposal.first_by_id, "second_by": proposal.second_by_id},
    )
