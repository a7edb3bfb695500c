"""What the ledger proves of itself. Each check walks key ranges; the database does the sums."""

from collections.abc import Iterator
from typing import Final

from learning247.kit.money import Money
from learning247.records.checks import Breach, Scope
from learning247.records.registry import register_check
from wallets.enums import DEBT_ENTRY_KINDS, WITHDRAWAL_HOLDING, AccountKind, EntryKind, PayoutMethod, WithdrawalStatus
from wallets.models import (
    AdjustmentProposal,
    JournalEntry,
    JournalLine,
    LedgerAccount,
    Seal,
    Withdrawal,
    WithdrawalReview,
)
from wallets.services.seals import FIRST_PREVIOUS_DIGEST, range_digest
from wallets.services.withdrawal_states import PAYING_ACCOUNT

# Table -> the triggers that keep it. `prove` fails when one is missing or not ENABLE ALWAYS.
GUARDS: Final = {
    "wallets_journalentry": {"ledger_number_entry", "ledger_entry_has_lines", "ledger_is_immutable"},
    "wallets_journalline": {"ledger_place_line", "ledger_entry_sums_to_zero", "ledger_is_immutable"},
    "wallets_ledgeraccount": {"ledger_guard_account", "ledger_is_immutable"},
    "wallets_seal": {"ledger_continue_seal", "ledger_is_immutable"},
}
# Kinds that a source can cause once only; the others may repeat (partial refunds, adjustments).
ONCE_PER_SOURCE: Final = (
    EntryKind.SALE,
    EntryKind.UNSETTLED_CAPTURE,
    EntryKind.UNSETTLED_RELEASE,
    EntryKind.WITHDRAWAL_HOLD,
    EntryKind.WITHDRAWAL_PAID,
    EntryKind.WITHDRAWAL_RETURNED,
    EntryKind.WITHDRAWAL_REVERSED,
    EntryKind.TRANSFER_FEE,
    EntryKind.TRANSFER_FEE_RETURNED,
    EntryKind.GATEWAY_FEE,
    EntryKind.GATEWAY_PAYOUT,
    EntryKind.GATEWAY_TOP_UP,
    EntryKind.GATEWAY_PAYOUT_RETURNED,
)


def register_checks() -> None:
    """Called from `apps.ready()`."""
    register_check("I1", "every entry sums to zero", entries_sum_to_zero)
    register_check("I2", "cached balance = sum of lines", balances_are_sums_of_lines)
    register_check("I2", "checkpoint = sum of lines", checkpoints_are_sums_of_lines)
    register_check("I3", "no debit overdraws", no_debit_overdraws)
    register_check("I4", "the guards of the ledger stand", guards_stand)
    register_check("I5", "one posting per source and purpose", sources_post_once)
    register_check("I6", "held = sum of open withdrawals", held_is_open_withdrawals)
    register_check("I6", "every step of a withdrawal is booked as it was taken", withdrawals_are_booked)
    register_check("I10", "every withdrawal in review is asked about", reviewed_withdrawals_have_a_case)
    register_check("I15", "decisions over withdrawals are on record", withdrawal_decisions_are_audited)
    register_check("I12", "the seal chain is unbroken", seal_chain_is_unbroken)
    register_check("I12", "every entry has a number of the journal's sequence", numbers_are_of_the_sequence)
    register_check("I15", "every adjustment has its audit row", adjustments_are_audited)
    register_check("I15", "two people posted every adjustment, as it was proposed", adjustments_are_twofold)
    register_check("I13", "no entry mixes currencies", entries_keep_one_currency)


def entries_sum_to_zero(scope: Scope) -> Iterator[Breach]:
    """I1, and that an entry has lines at all, and a line an entry."""
    for part in scope.ranges(JournalEntry.objects.all()):
        for entry_id, key, currency, total, lines in scope.query(
            """
            SELECT e.id, e.key, e.currency, coalesce(sum(l.amount_minor), 0), count(l.id)
              FROM wallets_journalentry e LEFT JOIN wallets_journalline l ON l.entry_id = e.id
             WHERE e.id BETWEEN %s AND %s
             GROUP BY e.id HAVING coalesce(sum(l.amount_minor), 0) <> 0 OR count(l.id) < 2
            """,
            [part.first, part.last],
        ):
            yield Breach(f"entry {entry_id} ({key}): {lines} lines sum to {Money(int(total), currency)}", (currency,))
    for part in scope.ranges(JournalLine.objects.all()):
        for line_id, entry_id, currency in scope.query(
            "SELECT l.id, l.entry_id, l.currency FROM wallets_journalline l WHERE l.id BETWEEN %s AND %s"
            " AND NOT EXISTS (SELECT 1 FROM wallets_journalentry e WHERE e.id = l.entry_id)",
            [part.first, part.last],
        ):
            yield Breach(f"line {line_id} belongs to entry {entry_id}, which does not exist", (currency,))


def balances_are_sums_of_lines(scope: Scope) -> Iterator[Breach]:
    """I2, in one statement per range, so that sales that go on meanwhile disturb nothing."""
    for part in scope.ranges(LedgerAccount.objects.filter(owner__isnull=False)):
        for code, currency, cached, summed, last in scope.query(
            """
            SELECT a.code, a.currency, a.balance_minor, tally.total,
                   (SELECT l.balance_after_minor FROM wallets_journalline l
                     WHERE l.account_id = a.id ORDER BY l.id DESC LIMIT 1)
              FROM wallets_ledgeraccount a
              CROSS JOIN LATERAL (SELECT coalesce(sum(l.amount_minor), 0) AS total FROM wallets_journalline l
                                   WHERE l.account_id = a.id) AS tally
             WHERE a.owner_id IS NOT NULL AND a.id BETWEEN %s AND %s
            """,
            [part.first, part.last],
        ):
            if cached != summed or cached != (last or 0):
                yield Breach(
                    f"account {code}: cached {Money(cached, currency)}, lines sum to {Money(int(summed), currency)},"
                    f" the last line left {Money(last or 0, currency)}",
                    (currency,),
                )


def checkpoints_are_sums_of_lines(scope: Scope) -> Iterator[Breach]:
    """I2 for the platform's accounts, whose balance is checkpoint plus tail."""
    for part in scope.ranges(LedgerAccount.objects.filter(owner__isnull=True)):
        for code, currency, checkpoint, summed in scope.query(
            """
            SELECT a.code, a.currency, c.balance_minor, tally.total
              FROM wallets_ledgeraccount a JOIN wallets_accountcheckpoint c ON c.account_id = a.id
              CROSS JOIN LATERAL (SELECT coalesce(sum(l.amount_minor), 0) AS total FROM wallets_journalline l
                                   WHERE l.account_id = a.id AND l.id <= c.last_line_id) AS tally
             WHERE a.id BETWEEN %s AND %s AND c.balance_minor <> tally.total
            """,
            [part.first, part.last],
        ):
            yield Breach(
                f"account {code}: checkpoint {Money(checkpoint, currency)}, lines sum to"
                f" {Money(int(summed), currency)}",
                (currency,),
            )


def no_debit_overdraws(scope: Scope) -> Iterator[Breach]:
    """I3."""
    for part in scope.ranges(JournalLine.objects.all()):
        for line_id, code, kind, balance, currency in scope.query(
            """
            SELECT l.id, a.code, e.kind, l.balance_after_minor, l.currency
              FROM wallets_journalline l
              JOIN wallets_ledgeraccount a ON a.id = l.account_id
              JOIN wallets_journalentry e ON e.id = l.entry_id
             WHERE l.id BETWEEN %s AND %s AND l.amount_minor < 0 AND l.balance_after_minor < 0
               AND NOT (a.kind = %s AND e.kind = ANY(%s))
            """,
            [part.first, part.last, AccountKind.AVAILABLE.value, [kind.value for kind in DEBT_ENTRY_KINDS]],
        ):
            yield Breach(f"line {line_id}: a {kind} left account {code} at {Money(balance, currency)}", (currency,))


def held_is_open_withdrawals(scope: Scope) -> Iterator[Breach]:
    """I6, person by person and currency by currency, in one statement per range."""
    holding = [status.value for status in WITHDRAWAL_HOLDING]
    for part in scope.ranges(LedgerAccount.objects.filter(kind=AccountKind.HELD)):
        for code, currency, held, wanted in scope.query(
            """
            SELECT a.code, a.currency, a.balance_minor, tally.total
              FROM wallets_ledgeraccount a
              CROSS JOIN LATERAL (
                  SELECT coalesce(sum(w.amount_minor), 0) AS total FROM wallets_withdrawal w
                   WHERE w.owner_id = a.owner_id AND w.currency = a.currency AND w.status = ANY(%s)
              ) AS tally
             WHERE a.kind = %s AND a.id BETWEEN %s AND %s AND a.balance_minor <> tally.total
            """,
            [holding, AccountKind.HELD.value, part.first, part.last],
        ):
            yield Breach(
                f"account {code}: {Money(held, currency)} held, open withdrawals are {Money(int(wanted), currency)}",
                (currency,),
            )
    for part in scope.ranges(Withdrawal.objects.filter(status__in=WITHDRAWAL_HOLDING)):
        for reference, status, currency in scope.query(
            """
            SELECT w.reference, w.status, w.currency FROM wallets_withdrawal w
             WHERE w.id BETWEEN %s AND %s AND w.status = ANY(%s)
               AND NOT EXISTS (SELECT 1 FROM wallets_ledgeraccount a WHERE a.owner_id = w.owner_id
                                  AND a.currency = w.currency AND a.kind = %s)
            """,
            [part.first, part.last, holding, AccountKind.HELD.value],
        ):
            yield Breach(f"withdrawal {reference} is {status}, and its owner has nothing held", (currency,))


def withdrawals_are_booked(scope: Scope) -> Iterator[Breach]:
    """What each withdrawal's entries moved is what its status says, to the account of its method; the transfer's fee as
    the gateway reported it. And no such entry is of a withdrawal that there is not."""
    paying = " ".join(f"WHEN '{method.value}' THEN '{PAYING_ACCOUNT[method].value}'" for method in PayoutMethod)
    for part in scope.ranges(Withdrawal.objects.all()):
        for reference, status, currency, available, held, gateway, costs, owed, at_gateway in scope.query(
            f"""
            SELECT w.reference, w.status, w.currency, tally.available, tally.held, tally.gateway, tally.costs,
                   due.held, due.gateway
              FROM wallets_withdrawal w
              CROSS JOIN LATERAL (
                  SELECT coalesce(sum(l.amount_minor) FILTER (WHERE a.owner_id = w.owner_id AND a.kind = 'available'),
                  0)
                             AS available,
                         coalesce(sum(l.amount_minor) FILTER (WHERE a.owner_id = w.owner_id AND a.kind = 'held'), 0)
                             AS held,
                         coalesce(sum(l.amount_minor) FILTER (
                             WHERE a.owner_id IS NULL AND a.kind = CASE w.method {paying} END), 0) AS gateway,
                         coalesce(sum(l.amount_minor) FILTER (WHERE a.kind = 'gateway_costs'), 0) AS costs
                    FROM wallets_journalentry e
                    JOIN wallets_journalline l ON l.entry_id = e.id
                    JOIN wallets_ledgeraccount a ON a.id = l.account_id
                   WHERE e.source_kind = 'withdrawal' AND e.source_id = w.id::text
              ) AS tally
              CROSS JOIN LATERAL (
                  SELECT CASE WHEN w.status IN ('processing', 'in_review') THEN w.amount_minor ELSE 0 END AS held,
                         CASE WHEN w.status = 'paid'
                              THEN w.amount_minor - w.fee_minor + coalesce(w.gateway_fee_minor, 0) ELSE 0 END AS gateway
              ) AS due
             WHERE w.id BETWEEN %s AND %s
               AND (tally.held <> due.held OR tally.gateway <> due.gateway
                    OR tally.available <> - due.held - CASE WHEN w.status = 'paid' THEN w.amount_minor ELSE 0 END
                    OR tally.costs <> CASE WHEN w.status = 'paid'
                                           THEN w.fee_minor - coalesce(w.gateway_fee_minor, 0) ELSE 0 END)
            """,  # noqa: S608 - of constants
            [part.first, part.last],
        ):
            yield Breach(
                f"withdrawal {reference} is {status}: available {available}, held {held} instead of {owed},"
                f" gateway {gateway} instead of {at_gateway}, costs {costs}",
                (currency,),
            )
    for part in scope.ranges(JournalEntry.objects.filter(source_kind="withdrawal")):
        for entry_id, key, currency in scope.query(
            """
            SELECT e.id, e.key, e.currency FROM wallets_journalentry e
             WHERE e.id BETWEEN %s AND %s AND e.source_kind = 'withdrawal'
               AND NOT EXISTS (SELECT 1 FROM wallets_withdrawal w WHERE w.id::text = e.source_id)
            """,
            [part.first, part.last],
        ):
            yield Breach(f"entry {entry_id} ({key}) belongs to no withdrawal", (currency,))


def reviewed_withdrawals_have_a_case(scope: Scope) -> Iterator[Breach]:
    """An open case per withdrawal in review, and none otherwise; an approved one with as many people as it needs."""
    for part in scope.ranges(WithdrawalReview.objects.all()):
        for reference, status, case, needed, given in scope.query(
            """
            SELECT w.reference, w.status, r.status, r.approvals_needed,
                   (SELECT count(DISTINCT a.person_id) FROM wallets_withdrawalapproval a
                     WHERE a.review_id = r.id AND a.person_id <> w.owner_id) AS given
              FROM wallets_withdrawalreview r JOIN wallets_withdrawal w ON w.id = r.withdrawal_id
             WHERE r.id BETWEEN %s AND %s
               AND ((r.status = 'open') <> (w.status = 'in_review')
                    OR (r.status = 'approved' AND r.approvals_needed >
                        (SELECT count(DISTINCT a.person_id) FROM wallets_withdrawalapproval a
                          WHERE a.review_id = r.id AND a.person_id <> w.owner_id)))
            """,
            [part.first, part.last],
        ):
            yield Breach(f"withdrawal {reference} is {status}, its case {case} with {given} of {needed} approvals")
    for part in scope.ranges(Withdrawal.objects.filter(status=WithdrawalStatus.IN_REVIEW)):
        for (reference,) in scope.query(
            """
            SELECT w.reference FROM wallets_withdrawal w
             WHERE w.id BETWEEN %s AND %s AND w.status = 'in_review'
               AND NOT EXISTS (SELECT 1 FROM wallets_withdrawalreview r WHERE r.withdrawal_id = w.id)
            """,
            [part.first, part.last],
        ):
            yield Breach(f"withdrawal {reference} is in review without a case")


def withdrawal_decisions_are_audited(scope: Scope) -> Iterator[Breach]:
    """I15: who let money out, or did not, is on record with a reason."""
    for part in scope.ranges(WithdrawalReview.objects.filter(decided_by__isnull=False)):
        for reference, status in scope.query(
            """
            SELECT w.reference, r.status
              FROM wallets_withdrawalreview r JOIN wallets_withdrawal w ON w.id = r.withdrawal_id
             WHERE r.id BETWEEN %s AND %s AND r.decided_by_id IS NOT NULL
               AND NOT EXISTS (SELECT 1 FROM records_auditentry a WHERE a.subject_kind = 'withdrawal'
                               AND a.subject_id = w.id::text AND a.actor_id = r.decided_by_id
                               AND a.action = 'withdrawal_review.' || r.status AND a.reason <> '')
            """,
            [part.first, part.last],
        ):
            yield Breach(f"withdrawal {reference}: its case is {status}, and nothing is on record")


def guards_stand(scope: Scope) -> Iterator[Breach]:
    """I4: what is posted never changes, because the triggers that refuse it exist and fire always."""
    for table, expected in GUARDS.items():
        scope.examined += len(expected)
        enabled = {
            name
            for (name,) in scope.query(
                "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND tgenabled = 'A'", [table]
            )
        }
        for missing in sorted(expected - enabled):
            yield Breach(f"trigger {missing} on {table} is missing or can be switched off")


def sources_post_once(scope: Scope) -> Iterator[Breach]:
    """I5; the key's UNIQUE constraint keeps repeats out, this finds two keys for one purpose."""
    once = [kind.value for kind in ONCE_PER_SOURCE]
    for part in scope.ranges(JournalEntry.objects.filter(kind__in=once)):
        for source_kind, source_id, kind, currency, first, last in scope.query(
            """
            SELECT e.source_kind, e.source_id, e.kind, e.currency, min(other.id), max(other.id)
              FROM wallets_journalentry e
              JOIN wallets_journalentry other USING (source_kind, source_id, kind)
             WHERE e.id BETWEEN %s AND %s AND e.kind = ANY(%s)
             GROUP BY e.id, e.source_kind, e.source_id, e.kind, e.currency HAVING count(*) > 1 AND min(other.id) = e.id
            """,
            [part.first, part.last, once],
        ):
            yield Breach(f"{source_kind} {source_id}: several {kind} entries, {first} … {last}", (currency,))


def seal_chain_is_unbroken(scope: Scope) -> Iterator[Breach]:
    """I12: every range hashes to its seal's digest, each seal continues the one before, without a gap."""
    previous, next_entry = FIRST_PREVIOUS_DIGEST, 1
    seals = scope.rows(
        Seal.objects.all(),
        "id",
        "first_entry_id",
        "last_entry_id",
        "entry_count",
        "previous_digest",
        "digest",
    )
    for seal_id, first, last, entries, claimed_previous, digest in seals:
        count, recomputed = range_digest(first=first, last=last, previous=bytes(claimed_previous))
        if bytes(claimed_previous) != previous or first != next_entry:
            yield Breach(f"seal {seal_id} does not continue the one before it")
        if recomputed != bytes(digest) or count != entries:
            yield Breach(f"seal {seal_id}: entries {first}–{last} are not what was sealed")
        previous, next_entry = bytes(digest), last + 1


def numbers_are_of_the_sequence(scope: Scope) -> Iterator[Breach]:
    """I12: an entry with a number that was never handed out would stay outside of every seal."""
    scope.examined += 1
    for entry_id, key, last in scope.query(
        """
        SELECT e.id, e.key, s.last_value FROM ledger_entry_number s
          JOIN wallets_journalentry e ON e.id > s.last_value OR e.id < 1 LIMIT 20
        """
    ):
        yield Breach(f"entry {entry_id} ({key}) lies outside of the numbers handed out, 1–{last}")


def adjustments_are_audited(scope: Scope) -> Iterator[Breach]:
    """I15: money that people move by hand has an actor and a reason on record, under the entry's key."""
    for part in scope.ranges(JournalEntry.objects.filter(kind=EntryKind.ADJUSTMENT)):
        for entry_id, key in scope.query(
            """
            SELECT e.id, e.key FROM wallets_journalentry e
             WHERE e.id BETWEEN %s AND %s AND e.kind = %s
               AND NOT EXISTS (SELECT 1 FROM records_auditentry a WHERE a.subject_kind = 'journal_entry'
                               AND a.subject_id = e.key AND a.actor_id IS NOT NULL AND a.reason <> '')
            """,
            [part.first, part.last, EntryKind.ADJUSTMENT.value],
        ):
            yield Breach(f"adjustment {entry_id} ({key}) has no audit row with an actor and a reason")


def entries_keep_one_currency(scope: Scope) -> Iterator[Breach]:
    """I13: entry, lines and accounts agree."""
    for part in scope.ranges(JournalLine.objects.all()):
        for line_id, line_currency, entry_currency, account_currency, code in scope.query(
            """
            SELECT l.id, l.currency, e.currency, a.currency, a.code
              FROM wallets_journalline l
              JOIN wallets_journalentry e ON e.id = l.entry_id
              LEFT JOIN wallets_ledgeraccount a ON a.id = l.account_id
             WHERE l.id BETWEEN %s AND %s
               AND (l.currency <> e.currency OR l.currency IS DISTINCT FROM a.currency)
            """,
            [part.first, part.last],
        ):
            mixed = {currency for currency in (line_currency, entry_currency, account_currency) if currency}
            yield Breach(
                f"line {line_id} in {line_currency}: entry in {entry_currency}, account {code}", tuple(sorted(mixed))
            )


def adjustments_are_twofold(scope: Scope) -> Iterator[Breach]:
    """I15: a posted proposal has two different people, both on record, and an entry of exactly its lines; an entry that
    says that it is of a proposal has one that was posted."""
    for part in scope.ranges(AdjustmentProposal.objects.filter(status="posted")):
        for proposal, off, people in scope.query(
            """
            SELECT p.id,
                   (SELECT count(*) FROM
                       (SELECT l.owner_id, l.kind, sum(l.amount_minor) AS minor FROM wallets_adjustmentline l
                         WHERE l.proposal_id = p.id GROUP BY l.owner_id, l.kind
                        EXCEPT ALL
                        SELECT a.owner_id, a.kind, sum(l.amount_minor) FROM wallets_journalline l
                          JOIN wallets_ledgeraccount a ON a.id = l.account_id
                         WHERE l.entry_id = p.entry_id GROUP BY a.owner_id, a.kind) AS missing)
                   + abs((SELECT count(*) FROM wallets_adjustmentline l WHERE l.proposal_id = p.id)
                         - (SELECT count(*) FROM wallets_journalline l WHERE l.entry_id = p.entry_id)),
                   (SELECT count(DISTINCT e.actor_id) FROM records_auditentry e
                     WHERE e.subject_kind = 'adjustment' AND e.subject_id = p.id::text
                       AND ((e.action = 'adjustment.posted' AND e.actor_id = p.second_by_id)
                            OR (e.action IN ('adjustment.proposed', 'adjustment.approved_first')
                                AND e.actor_id = p.first_by_id)))
              FROM wallets_adjustmentproposal p
             WHERE p.id BETWEEN %s AND %s AND p.status = 'posted'
            """,
            [part.first, part.last],
        ):
            if off or people != 2:
                yield Breach(f"adjustment {proposal}: {people} people are on record, {off} lines differ from its entry")
    for part in scope.ranges(JournalEntry.objects.filter(source_kind="adjustment")):
        for entry_id, key in scope.query(
            """
            SELECT e.id, e.key FROM wallets_journalentry e
             WHERE e.id BETWEEN %s AND %s AND e.source_kind = 'adjustment'
               AND NOT EXISTS (SELECT 1 FROM wallets_adjustmentproposal p WHERE p.entry_id = e.id)
            """,
            [part.first, part.last],
        ):
            yield Breach(f"adjustment {entry_id} ({key}) was never proposed")
