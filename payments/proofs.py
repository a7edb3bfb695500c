"""What payments proves: sales add up, nobody took more than was captured, the gateways' accounts agree."""

from collections.abc import Iterator

from django.db.models import Q

from learning247.kit.money import EXPONENTS, Money
from learning247.records.checks import Breach, Scope
from learning247.records.registry import register_check
from payments.enums import DISPUTE_STANDING, EntitlementSource, PaymentStatus, RefundSource, RefundStatus
from payments.models import Coupon, CouponRedemption, Dispute, Entitlement, Payment, PaymentReview, Payout, Refund
from wallets.enums import AccountKind, EntryKind
from wallets.models import JournalEntry


def register_checks() -> None:
    """Called from `apps.ready()`."""
    register_check("I5", "one sale per payment, one payment per sale", sales_and_payments_match)
    register_check("I7", "a sale's parts add to its gross", sales_add_to_gross)
    register_check("I8", "shares never exceed what was captured", shares_within_capture)
    register_check("I8", "what was given back is booked, part by part", refunds_are_booked)
    register_check("I9", "who has all of the money back has no access", refunded_payments_open_nothing)
    register_check("I8", "disputes take no more than refunds left, and are booked as they stand", disputes_are_booked)
    register_check("I11", "what disputes moved at the gateways is booked", dispute_funds_are_booked)
    register_check("I15", "refunds are on record", refunds_are_audited)
    register_check("I10", "every payment in review is asked about", reviewed_payments_have_a_case)
    register_check("I15", "decisions over payments are on record", decisions_are_audited)
    register_check("I9", "every paid payment opened its product", paid_payments_are_entitled)
    register_check("I9", "terms of one person do not overlap", terms_do_not_overlap)
    register_check("I9", "a term lasts as many months as were sold", terms_last_as_sold)
    register_check("I15", "rights given or taken back by hand are on record", rights_are_audited)
    register_check("I7", "coupons were used as often as they say, never more than they allow", coupons_are_counted)
    register_check("I15", "what the platform takes off is on record", coupons_are_audited)
    register_check("I11", "what the gateways captured and gave back is booked", captures_are_booked)
    register_check("I14", "the rows of a payout sum to the payout", payout_rows_sum)
    register_check("I14", "payouts are booked as they stand", payouts_are_booked)
    register_check("I11", "the gateways' fees are booked as reported", gateway_fees_are_booked)


# Of these the settled ones: a payment in review may be refunded or disputed, and was never a sale.
_PAID = [PaymentStatus.PAID, PaymentStatus.REFUNDED, PaymentStatus.PARTIALLY_REFUNDED, PaymentStatus.DISPUTED]
_SETTLED = [status.value for status in _PAID]
_AT_GATEWAYS = (
    EntryKind.SALE,
    EntryKind.UNSETTLED_CAPTURE,
    EntryKind.REFUND,
    EntryKind.REFUND_RESTORED,
    EntryKind.GATEWAY_FEE,
)
_BANK_KINDS = (EntryKind.GATEWAY_PAYOUT, EntryKind.GATEWAY_TOP_UP, EntryKind.GATEWAY_PAYOUT_RETURNED)
_SALES = Q(status__in=_PAID, settled_at__isnull=False) & (Q(amount_minor__gt=0) | Q(promotion_minor__gt=0))


def sales_and_payments_match(scope: Scope) -> Iterator[Breach]:
    """A paid payment has its own sale entry, one in review its unsettled entry; nothing else has a sale entry."""
    for part in scope.ranges(Payment.objects.all()):
        for reference, status, purpose, key in scope.query(
            """
            SELECT p.reference, p.status, due.purpose, e.key
              FROM payments_payment p
             CROSS JOIN LATERAL (VALUES
                   ('sale', p.sale_entry_id,
                    p.status = ANY(%s) AND p.settled_at IS NOT NULL AND p.amount_minor + p.promotion_minor > 0),
                   ('unsettled', p.unsettled_entry_id,
                    p.status = ANY(%s) AND p.settled_at IS NULL
                    AND p.captured_minor > 0 AND p.captured_currency = ANY(%s))
             ) AS due (purpose, entry_id, wanted)
              LEFT JOIN wallets_journalentry e ON e.key = 'payment:' || p.id || ':' || due.purpose
             WHERE p.id BETWEEN %s AND %s
               AND CASE WHEN due.wanted THEN e.id IS NULL OR e.id IS DISTINCT FROM due.entry_id
                        ELSE due.purpose = 'sale' AND e.id IS NOT NULL END
            """,
            [_SETTLED, [PaymentStatus.IN_REVIEW.value, *_SETTLED], list(EXPONENTS), part.first, part.last],
        ):
            yield Breach(f"payment {reference} is {status}, its {purpose} entry is {key or 'missing'}")
    for part in scope.ranges(JournalEntry.objects.filter(source_kind="payment")):
        for entry_id, key in scope.query(
            """
            SELECT e.id, e.key FROM wallets_journalentry e
             WHERE e.id BETWEEN %s AND %s AND e.source_kind = 'payment'
               AND NOT EXISTS (SELECT 1 FROM payments_payment p WHERE p.id =
                       CASE WHEN e.source_id ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN e.source_id::uuid END)
            """,
            [part.first, part.last],
        ):
            yield Breach(f"entry {entry_id} ({key}) belongs to no payment")


def sales_add_to_gross(scope: Scope) -> Iterator[Breach]:
    """I7: -G from the gateway, after a review from `unsettled`, and from `promotions` what the platform bore of a
    discount, and +G to exactly those whose it is: the seller's share to the seller, the rest to the platform.

    The fee is computed anew, rounded half up as `share_of` does; who sells for the platform keeps nothing.
    """
    for part in scope.ranges(Payment.objects.filter(_SALES)):
        for (
            reference,
            currency,
            paid,
            promotion,
            source,
            held,
            promoted,
            sellers,
            platforms,
            fee,
            agreed,
        ) in scope.query(
            """
            SELECT p.reference, p.currency, p.amount_minor, p.promotion_minor,
                   coalesce(sum(l.amount_minor) FILTER (WHERE a.kind LIKE 'gateway%%' OR a.kind = 'unsettled'), 0),
                   CASE WHEN p.unsettled_entry_id IS NULL THEN 0 ELSE p.captured_minor END
                   + coalesce(sum(l.amount_minor) FILTER (WHERE a.kind = 'unsettled'), 0),
                   coalesce(sum(l.amount_minor) FILTER (WHERE a.kind = 'promotions'), 0),
                   coalesce(sum(l.amount_minor) FILTER (WHERE a.owner_id = pr.seller_id AND a.kind = 'available'), 0),
                   coalesce(sum(l.amount_minor) FILTER (
                       WHERE a.owner_id IS NULL AND a.kind = CASE WHEN pr.seller_id IS NULL THEN 'sales' ELSE 'fees' END
                   ), 0),
                   p.platform_fee_minor,
                   CASE WHEN pr.seller_id IS NULL THEN p.amount_minor + p.promotion_minor
                        ELSE ((p.amount_minor + p.promotion_minor) * p.platform_fee_bps + 5000) / 10000 END
              FROM payments_payment p
              JOIN payments_product pr ON pr.id = p.product_id
              LEFT JOIN wallets_journalline l ON l.entry_id = p.sale_entry_id
              LEFT JOIN wallets_ledgeraccount a ON a.id = l.account_id
             WHERE p.id BETWEEN %s AND %s AND p.status = ANY(%s) AND p.settled_at IS NOT NULL
               AND p.amount_minor + p.promotion_minor > 0
             GROUP BY p.id, pr.id
            """,
            [part.first, part.last, _SETTLED],
        ):
            gross = paid + promotion
            booked, due = (source, held, promoted, sellers), (-paid, 0, -promotion, gross - agreed)
            if booked != due or (platforms, fee) != (agreed, agreed):
                yield Breach(
                    f"payment {reference}: gross {Money(gross, currency)}, agreed fee {agreed}, kept {fee};"
                    f"{f' left unsettled {held},' if held else ''}"
                    f"{f' promotion {promotion}, booked {promoted},' if promotion or promoted else ''}"
                    f" booked gateway {source}, seller {sellers}, platform {platforms}"
                )


def shares_within_capture(scope: Scope) -> Iterator[Breach]:
    """I8, as far as sales go: what was shared out is what the gateway captured, in the same currency."""
    for part in scope.ranges(Payment.objects.filter(_SALES)):
        for reference, amount, currency, captured, captured_currency in scope.query(
            """
            SELECT p.reference, p.amount_minor, p.currency, p.captured_minor, p.captured_currency
              FROM payments_payment p
             WHERE p.id BETWEEN %s AND %s AND p.status = ANY(%s) AND p.settled_at IS NOT NULL AND p.amount_minor > 0
               AND (coalesce(p.captured_minor, 0) < p.amount_minor OR p.captured_currency <> p.currency)
            """,
            [part.first, part.last, _SETTLED],
        ):
            yield Breach(
                f"payment {reference}: settled {Money(amount, currency)}, captured {captured} {captured_currency}"
            )


def refunds_are_booked(scope: Scope) -> Iterator[Breach]:
    """I8: each refund's entry takes back exactly the parts that its row names, a failed one's second entry restores
    them; and the refunds of a payment that did not fail sum to what the payment says, never more than its sale gave."""
    for part in scope.ranges(Refund.objects.all()):
        for reference, status, amount, gateway, sellers, platforms, promotions, restored in scope.query(
            """
            SELECT r.reference, r.status, r.amount_minor,
                   coalesce(sum(l.amount_minor) FILTER (WHERE a.kind = 'gateway-' || p.gateway), 0),
                   -coalesce(sum(l.amount_minor) FILTER (WHERE a.owner_id = pr.seller_id), 0) - r.seller_minor,
                   -coalesce(sum(l.amount_minor) FILTER (
                       WHERE a.owner_id IS NULL AND a.kind = CASE WHEN p.settled_at IS NULL THEN 'unsettled'
                                                                  WHEN pr.seller_id IS NULL THEN 'sales'
                                                                  ELSE 'fees' END
                   ), 0) - r.platform_minor,
                   coalesce(sum(l.amount_minor) FILTER (WHERE a.kind = 'promotions'), 0) - r.promotion_minor,
                   (SELECT count(*) FROM wallets_journalline b
                      FULL JOIN wallets_journalline c
                        ON c.account_id = b.account_id AND c.entry_id = r.restoring_entry_id
                     WHERE b.entry_id = r.entry_id AND r.restoring_entry_id IS NOT NULL
                       AND coalesce(b.amount_minor, 0) + coalesce(c.amount_minor, 0) <> 0)
              FROM payments_refund r
              JOIN payments_payment p ON p.id = r.payment_id
              JOIN payments_product pr ON pr.id = p.product_id
              LEFT JOIN wallets_journalline l ON l.entry_id = r.entry_id
              LEFT JOIN wallets_ledgeraccount a ON a.id = l.account_id
             WHERE r.id BETWEEN %s AND %s
             GROUP BY r.id, p.id, pr.id
            """,
            [part.first, part.last],
        ):
            if (gateway, sellers, platforms, promotions, restored) != (amount, 0, 0, 0, 0):
                yield Breach(
                    f"refund {reference} ({status}) of {amount}: gateway {gateway}, creator off by {sellers},"
                    f" platform off by {platforms},{f' promotion off by {promotions},' if promotions else ''}"
                    f" lines not restored {restored}"
                )
    for part in scope.ranges(Payment.objects.all()):
        for reference, refunded, said, sellers, platforms, promotions in scope.query(
            """
            SELECT p.reference, coalesce(sum(r.amount_minor), 0), p.refunded_minor,
                   coalesce(sum(r.seller_minor), 0), coalesce(sum(r.platform_minor), 0),
                   coalesce(sum(r.promotion_minor), 0)
              FROM payments_payment p
              LEFT JOIN payments_refund r ON r.payment_id = p.id AND r.status <> %s
             WHERE p.id BETWEEN %s AND %s
             GROUP BY p.id
            HAVING coalesce(sum(r.amount_minor), 0) <> p.refunded_minor
                OR (p.settled_at IS NOT NULL
                    AND (coalesce(sum(r.seller_minor), 0) > p.amount_minor + p.promotion_minor - p.platform_fee_minor
                         OR coalesce(sum(r.platform_minor), 0) > p.platform_fee_minor
                         OR coalesce(sum(r.promotion_minor), 0) > p.promotion_minor
                         OR (coalesce(sum(r.amount_minor), 0) = p.amount_minor AND p.amount_minor > 0
                             AND coalesce(sum(r.promotion_minor), 0) <> p.promotion_minor)))
            """,
            [RefundStatus.FAILED.value, part.first, part.last],
        ):
            yield Breach(
                f"payment {reference} says that {said} went back; its refunds sum to {refunded}"
                f" ({sellers} from the creator, {platforms} from the platform"
                f"{f', {promotions} of its promotion returned' if promotions else ''})"
            )


def refunded_payments_open_nothing(scope: Scope) -> Iterator[Breach]:
    """I9: after all of a sale went back its right is revoked, unless staff decided otherwise."""
    for part in scope.ranges(Payment.objects.filter(status=PaymentStatus.REFUNDED)):
        for (reference,) in scope.query(
            """
            SELECT p.reference
              FROM payments_payment p JOIN payments_entitlement e ON e.payment_id = p.id AND e.revoked_at IS NULL
             WHERE p.id BETWEEN %s AND %s AND p.status = %s AND NOT EXISTS (
                   SELECT 1 FROM payments_refund r
                    WHERE r.payment_id = p.id AND r.source = %s AND r.status <> %s AND NOT r.ends_access)
            """,
            [
                part.first,
                part.last,
                PaymentStatus.REFUNDED.value,
                RefundSource.STAFF.value,
                RefundStatus.FAILED.value,
            ],
        ):
            yield Breach(f"payment {reference}: all of it went back, and it still opens what was bought")


def disputes_are_booked(scope: Scope) -> Iterator[Breach]:
    """I8: by each dispute's entries the creator and the platform lost exactly their shares if it is lost, the creator's
    is set aside while it is open, and nothing of either is gone otherwise; with the refunds they take no more than the
    sale gave. A payment is `disputed` exactly while one of its disputes stands."""
    for part in scope.ranges(Dispute.objects.all()):
        for reference, dispute, status, *off in scope.query(
            """
            SELECT p.reference, d.gateway_dispute_id, d.status,
                   coalesce(sum(l.amount_minor) FILTER (
                       WHERE a.owner_id = pr.seller_id AND a.kind <> 'disputed'), 0) + d.seller_minor,
                   coalesce(sum(l.amount_minor) FILTER (WHERE a.owner_id = pr.seller_id AND a.kind = 'disputed'), 0)
                       - CASE WHEN d.status = 'lost' THEN 0 ELSE d.seller_minor END,
                   coalesce(sum(l.amount_minor) FILTER (
                       WHERE a.owner_id IS NULL AND a.kind = CASE WHEN p.settled_at IS NULL THEN 'unsettled'
                                                                  WHEN pr.seller_id IS NULL THEN 'sales'
                                                                  ELSE 'fees' END), 0)
                       + CASE WHEN d.status = 'lost' THEN d.platform_minor ELSE 0 END,
                   coalesce(sum(l.amount_minor) FILTER (WHERE a.kind = 'promotions'), 0)
                       - CASE WHEN d.status = 'lost' THEN d.promotion_minor ELSE 0 END,
                   coalesce(sum(l.amount_minor) FILTER (WHERE a.kind = 'losses'), 0) + d.gateway_fee_minor
                       + CASE WHEN d.status = 'lost'
                              THEN greatest(d.withdrawn_minor - d.seller_minor - d.platform_minor + d.promotion_minor,
                                            0)
                              ELSE 0 END,
                   coalesce(sum(l.amount_minor) FILTER (WHERE a.kind = 'gateway-' || p.gateway), 0)
                       - d.withdrawn_minor - d.gateway_fee_minor
              FROM payments_dispute d
              JOIN payments_payment p ON p.id = d.payment_id
              JOIN payments_product pr ON pr.id = p.product_id
              LEFT JOIN wallets_journalentry e ON e.source_kind = 'dispute' AND e.source_id = d.id::text
              LEFT JOIN wallets_journalline l ON l.entry_id = e.id
              LEFT JOIN wallets_ledgeraccount a ON a.id = l.account_id
             WHERE d.id BETWEEN %s AND %s
             GROUP BY d.id, p.id, pr.id
            """,
            [part.first, part.last],
        ):
            if any(off):
                creator, aside, platform, promotion, losses, gateway = off
                yield Breach(
                    f"dispute {dispute} ({status}) of payment {reference}: creator off by {creator}, set aside off by"
                    f" {aside}, platform off by {platform},{f' promotion off by {promotion},' if promotion else ''}"
                    f" losses off by {losses}, gateway off by {gateway}"
                )
    for part in scope.ranges(Payment.objects.all()):
        for reference, status, sellers, platforms, standing in scope.query(
            """
            SELECT p.reference, p.status, taken.seller, taken.platform, taken.standing
              FROM payments_payment p
             CROSS JOIN LATERAL (
                   SELECT coalesce(sum(t.seller_minor), 0) AS seller, coalesce(sum(t.platform_minor), 0) AS platform,
                          coalesce(sum(t.promotion_minor), 0) AS promotion,
                          count(*) FILTER (WHERE t.standing) AS standing
                     FROM (SELECT r.seller_minor, r.platform_minor, r.promotion_minor, FALSE AS standing
                             FROM payments_refund r WHERE r.payment_id = p.id AND r.status <> %s
                           UNION ALL
                           SELECT d.seller_minor, d.platform_minor, d.promotion_minor, d.status = ANY(%s)
                             FROM payments_dispute d
                            WHERE d.payment_id = p.id) t
             ) AS taken
             WHERE p.id BETWEEN %s AND %s
               AND ((p.status = 'disputed') <> (taken.standing > 0)
                    OR CASE WHEN p.settled_at IS NULL THEN taken.seller + taken.platform > coalesce(p.captured_minor, 0)
                            ELSE taken.seller > p.amount_minor + p.promotion_minor - p.platform_fee_minor
                                 OR taken.platform > p.platform_fee_minor
                                 OR taken.promotion > p.promotion_minor END)
            """,
            [RefundStatus.FAILED.value, [status.value for status in DISPUTE_STANDING], part.first, part.last],
        ):
            yield Breach(
                f"payment {reference} is {status} with {standing} disputes that stand; refunds and disputes take"
                f" {sellers} from the creator, {platforms} from the platform"
            )


def dispute_funds_are_booked(scope: Scope) -> Iterator[Breach]:
    """I11: what the gateways withdrew and charged for disputes is on their accounts, in all, also of disputes that have
    no row."""
    rows = scope.query(
        """
        WITH booked AS (
            SELECT a.kind, a.currency, sum(l.amount_minor) AS minor
              FROM wallets_ledgeraccount a
              JOIN wallets_journalline l ON l.account_id = a.id
              JOIN wallets_journalentry e ON e.id = l.entry_id AND e.kind = ANY(%s)
             WHERE a.kind LIKE 'gateway-%%' GROUP BY a.kind, a.currency
        ), moved AS (
            SELECT 'gateway-' || p.gateway AS kind, d.currency, sum(d.withdrawn_minor + d.gateway_fee_minor) AS minor
              FROM payments_dispute d JOIN payments_payment p ON p.id = d.payment_id
             GROUP BY p.gateway, d.currency
        )
        SELECT kind, currency, coalesce(booked.minor, 0), coalesce(moved.minor, 0)
          FROM booked FULL JOIN moved USING (kind, currency)
        """,
        [[EntryKind.DISPUTE_FUNDS.value, EntryKind.DISPUTE_FEE.value]],
    )
    for kind, currency, booked, moved in rows:
        scope.examined += 1
        if booked != moved:
            yield Breach(
                f"{kind}: booked for disputes {Money(int(booked), currency)}, moved {Money(int(moved), currency)}"
            )


def refunds_are_audited(scope: Scope) -> Iterator[Breach]:
    """I15: every refund has an audit row with its reason, and with an actor where a person asked for it."""
    for part in scope.ranges(Refund.objects.all()):
        for (reference,) in scope.query(
            """
            SELECT r.reference FROM payments_refund r
             WHERE r.id BETWEEN %s AND %s AND NOT EXISTS (
                   SELECT 1 FROM records_auditentry a
                    WHERE a.subject_kind = 'refund' AND a.subject_id = r.id::text AND a.action = 'refund.requested'
                      AND a.reason = r.reason AND a.reason <> '' AND a.actor_id IS NOT DISTINCT FROM r.requested_by_id)
            """,
            [part.first, part.last],
        ):
            yield Breach(f"refund {reference}: no audit entry with its actor and reason says so")


def reviewed_payments_have_a_case(scope: Scope) -> Iterator[Breach]:
    """I10: a payment in review has an open case; one that was settled or went back has none."""
    for part in scope.ranges(Payment.objects.all()):
        for reference, status in scope.query(
            """
            SELECT p.reference, p.status FROM payments_payment p
              LEFT JOIN payments_paymentreview r ON r.payment_id = p.id AND r.status = 'open'
             WHERE p.id BETWEEN %s AND %s
               AND CASE WHEN r.id IS NULL THEN p.status = 'in_review'
                        ELSE p.status NOT IN ('in_review', 'partially_refunded', 'disputed')
                             OR p.settled_at IS NOT NULL END
            """,
            [part.first, part.last],
        ):
            yield Breach(f"payment {reference} is {status}, and its open case does not fit that")


def decisions_are_audited(scope: Scope) -> Iterator[Breach]:
    """I15: every decision has an audit row with its actor and a reason."""
    for part in scope.ranges(PaymentReview.objects.filter(decided_by__isnull=False)):
        for review, status in scope.query(
            """
            SELECT r.id, r.status FROM payments_paymentreview r
             WHERE r.id BETWEEN %s AND %s AND r.status IN ('approved', 'rejected') AND NOT EXISTS (
                   SELECT 1 FROM records_auditentry a
                    WHERE a.subject_kind = 'payment' AND a.subject_id = r.payment_id::text
                      AND a.action = 'payment.' || r.status AND a.after ->> 'review' = r.id::text
                      AND a.actor_id = r.decided_by_id AND a.reason <> '')
            """,
            [part.first, part.last],
        ):
            yield Breach(f"review {review} was {status}, and no audit entry with its actor and reason says so")


def paid_payments_are_entitled(scope: Scope) -> Iterator[Breach]:
    """I9: who paid has an entitlement of that payment, to what was bought; who did not pay has none."""
    for part in scope.ranges(Payment.objects.all()):
        for reference, status in scope.query(
            """
            SELECT p.reference, p.status
              FROM payments_payment p LEFT JOIN payments_entitlement e ON e.payment_id = p.id
             WHERE p.id BETWEEN %s AND %s
               AND ((p.status = ANY(%s) AND p.settled_at IS NOT NULL) <> (e.id IS NOT NULL)
                    OR e.user_id <> p.buyer_id OR e.product_id <> p.product_id)
            """,
            [part.first, part.last, _SETTLED],
        ):
            yield Breach(f"payment {reference} is {status} and its entitlement does not fit that")


def terms_do_not_overlap(scope: Scope) -> Iterator[Breach]:
    """I9: who has a product with a term has it for that term, one after the other; what has no term is for good or ends
    by decision."""
    for part in scope.ranges(Entitlement.objects.filter(product__term_months__isnull=False)):
        for entitlement, user, other in scope.query(
            """
            SELECT e.id, e.user_id, later.id
              FROM payments_entitlement e JOIN payments_product p ON p.id = e.product_id
              LEFT JOIN (payments_entitlement later JOIN payments_product q ON q.id = later.product_id)
                ON later.user_id = e.user_id AND q.kind = p.kind AND q.term_months IS NOT NULL AND later.id <> e.id
                   AND e.revoked_at IS NULL AND later.revoked_at IS NULL
                   AND (e.starts_at, e.id) < (later.starts_at, later.id) AND later.starts_at < e.ends_at
             WHERE e.id BETWEEN %s AND %s AND p.term_months IS NOT NULL AND (later.id IS NOT NULL OR e.ends_at IS NULL)
            """,
            [part.first, part.last],
        ):
            what = f"overlaps with {other}" if other else "has a term and no end"
            yield Breach(f"entitlement {entitlement} of {user} {what}")


def terms_last_as_sold(scope: Scope) -> Iterator[Breach]:
    """I9: bought, given or moved, a term ends its product's calendar months after its start, as `term_end` has it: in
    UTC, on the same day or the month's last."""
    for part in scope.ranges(Entitlement.objects.filter(product__term_months__isnull=False)):
        for entitlement, user, starts_at, ends_at, months in scope.query(
            """
            SELECT e.id, e.user_id, e.starts_at, e.ends_at, p.term_months
              FROM payments_entitlement e JOIN payments_product p ON p.id = e.product_id
             WHERE e.id BETWEEN %s AND %s AND p.term_months IS NOT NULL
               AND e.ends_at <> (e.starts_at AT TIME ZONE 'UTC' + make_interval(months => p.term_months))
                                AT TIME ZONE 'UTC'
            """,
            [part.first, part.last],
        ):
            yield Breach(
                f"entitlement {entitlement} of {user} runs from {starts_at} to {ends_at}, and {months} months were sold"
            )


def rights_are_audited(scope: Scope) -> Iterator[Breach]:
    """I15: what staff granted has an audit row with actor and reason, what was revoked one with the reason it shows."""
    for part in scope.ranges(
        Entitlement.objects.filter(Q(source=EntitlementSource.STAFF) | Q(revoked_at__isnull=False))
    ):
        for entitlement, action in scope.query(
            """
            SELECT e.id, due.action
              FROM payments_entitlement e
             CROSS JOIN LATERAL (VALUES ('entitlement.granted', e.source = %s),
                                        ('entitlement.revoked', e.revoked_at IS NOT NULL)) AS due (action, wanted)
             WHERE e.id BETWEEN %s AND %s AND due.wanted
               AND NOT EXISTS (
                   SELECT 1 FROM records_auditentry a
                    WHERE a.subject_kind = 'entitlement' AND a.subject_id = e.id::text AND a.action = due.action
                      AND CASE WHEN due.action = 'entitlement.granted' THEN a.actor_id IS NOT NULL AND a.reason <> ''
                               ELSE a.reason = e.revoked_reason END)
            """,
            [EntitlementSource.STAFF.value, part.first, part.last],
        ):
            yield Breach(f"entitlement {entitlement}: {action}, and no audit entry with actor and reason says so")


def coupons_are_counted(scope: Scope) -> Iterator[Breach]:
    """I7: a coupon counts its reserved and consumed redemptions, no more than it allows in all and to each person; a
    payment with a discount has one of that coupon, consumed exactly if it settled, and no other payment has one."""
    for part in scope.ranges(Coupon.objects.all()):
        for code, taken, counted, most, of_one, most_of_one in scope.query(
            """
            SELECT c.code, c.taken, used.counted, c.max_uses, used.of_one, c.max_uses_per_user
              FROM payments_coupon c
             CROSS JOIN LATERAL (
                   SELECT coalesce(sum(n), 0) AS counted, coalesce(max(n), 0) AS of_one
                     FROM (SELECT count(*) AS n FROM payments_couponredemption r
                            WHERE r.coupon_id = c.id AND r.status <> 'released' GROUP BY r.user_id) mine) used
             WHERE c.id BETWEEN %s AND %s
               AND (c.taken <> used.counted OR used.counted > c.max_uses OR used.of_one > c.max_uses_per_user)
            """,
            [part.first, part.last],
        ):
            yield Breach(
                f"coupon {code} counts {taken} uses and has {counted}, of {most or 'any number'} in all;"
                f" one person has {of_one} of {most_of_one or 'any number'}"
            )
    for part in scope.ranges(Payment.objects.exclude(coupon_code="")):
        for reference, status, code, used in scope.query(
            """
            SELECT p.reference, p.status, p.coupon_code, r.status
              FROM payments_payment p
              LEFT JOIN (payments_couponredemption r JOIN payments_coupon c ON c.id = r.coupon_id)
                ON r.payment_id = p.id AND r.user_id = p.buyer_id AND c.code = p.coupon_code
             WHERE p.id BETWEEN %s AND %s AND p.coupon_code <> ''
               AND (r.id IS NULL OR (p.settled_at IS NOT NULL) <> (r.status = 'consumed')
                    OR p.promotion_minor <> CASE c.bearer WHEN 'platform' THEN p.discount_minor ELSE 0 END)
            """,
            [part.first, part.last],
        ):
            yield Breach(f"payment {reference} is {status} with the coupon {code}, whose use is {used or 'missing'}")
    for part in scope.ranges(CouponRedemption.objects.all()):
        for (reference,) in scope.query(
            """
            SELECT p.reference FROM payments_couponredemption r JOIN payments_payment p ON p.id = r.payment_id
             WHERE r.id BETWEEN %s AND %s AND p.coupon_code = ''
            """,
            [part.first, part.last],
        ):
            yield Breach(f"payment {reference} uses a coupon and names none")


def coupons_are_audited(scope: Scope) -> Iterator[Breach]:
    """I15: each of the platform's coupons has an audit row with who made it and why."""
    for part in scope.ranges(Coupon.objects.filter(owner__isnull=True)):
        for (code,) in scope.query(
            """
            SELECT c.code FROM payments_coupon c
             WHERE c.id BETWEEN %s AND %s AND c.owner_id IS NULL AND NOT EXISTS (
                   SELECT 1 FROM records_auditentry a
                    WHERE a.subject_kind = 'coupon' AND a.subject_id = c.id::text AND a.action = 'coupon.created'
                      AND a.actor_id = c.created_by_id AND a.reason <> '')
            """,
            [part.first, part.last],
        ):
            yield Breach(f"coupon {code} of the platform: no audit entry with its actor and reason says so")


def captures_are_booked(scope: Scope) -> Iterator[Breach]:
    """I11, from our side: what our payments captured, less what of it went back and what the gateways kept, is on the
    gateways' accounts.

    One statement, so that sales which go on meanwhile disturb nothing.
    """
    rows = scope.query(
        """
        WITH booked AS (
            SELECT a.kind, a.currency, -sum(l.amount_minor) AS minor
              FROM wallets_ledgeraccount a
              JOIN wallets_journalline l ON l.account_id = a.id
              JOIN wallets_journalentry e ON e.id = l.entry_id AND e.kind = ANY(%s)
             WHERE a.kind LIKE 'gateway-%%' GROUP BY a.kind, a.currency
        ), captured AS (
            SELECT 'gateway-' || p.gateway AS kind, due.currency, sum(due.minor) AS minor
              FROM payments_payment p
             CROSS JOIN LATERAL (VALUES (p.sale_entry_id, p.currency,
                                         CASE WHEN p.unsettled_entry_id IS NULL THEN p.amount_minor ELSE 0 END),
                                        (p.unsettled_entry_id, p.captured_currency, p.captured_minor),
                                        (p.fee_entry_id, p.captured_currency,
                                         CASE WHEN p.unsettled_entry_id IS NULL
                                              THEN p.captured_minor - p.amount_minor ELSE 0 END - p.gateway_fee_minor)
             ) AS due (entry_id, currency, minor)
             WHERE due.entry_id IS NOT NULL GROUP BY p.gateway, due.currency
             UNION ALL
            SELECT 'gateway-' || p.gateway, r.currency, -sum(r.amount_minor)
              FROM payments_refund r JOIN payments_payment p ON p.id = r.payment_id
             WHERE r.status <> %s GROUP BY p.gateway, r.currency
        ), sums AS (
            SELECT kind, currency, sum(minor) AS minor FROM captured GROUP BY kind, currency
        )
        SELECT kind, currency, coalesce(booked.minor, 0), coalesce(sums.minor, 0)
          FROM booked FULL JOIN sums USING (kind, currency)
        """,
        [[kind.value for kind in _AT_GATEWAYS], RefundStatus.FAILED.value],
    )
    for kind, currency, booked, captured in rows:
        scope.examined += 1
        if booked != captured:
            yield Breach(f"{kind}: booked {Money(int(booked), currency)}, captured {Money(int(captured), currency)}")


def gateway_fees_are_booked(scope: Scope) -> Iterator[Breach]:
    """I11: a fee in the currency of the capture has its entry, costs −c · gateway +c, where c is what of it the buyer
    did not pay on top; one that is not known, or is zero or in another currency, has none."""
    for part in scope.ranges(Payment.objects.exclude(gateway="")):
        for reference, fee, currency, cost, gateway, costs in scope.query(
            """
            SELECT p.reference, p.gateway_fee_minor, p.gateway_fee_currency, due.cost, booked.gateway, booked.costs
              FROM payments_payment p
             CROSS JOIN LATERAL (
                   SELECT CASE WHEN p.gateway_fee_currency = p.captured_currency AND p.captured_minor > 0
                                    AND p.captured_currency = ANY(%s) AND p.gateway_fee_minor IS NOT NULL
                               THEN p.gateway_fee_minor - CASE WHEN p.sale_entry_id IS NULL
                                                                    OR p.unsettled_entry_id IS NOT NULL
                                                               THEN 0 ELSE p.captured_minor - p.amount_minor END
                               ELSE 0 END AS cost) due
             CROSS JOIN LATERAL (
                   SELECT coalesce(sum(l.amount_minor) FILTER (WHERE a.kind = 'gateway-' || p.gateway), 0) AS gateway,
                          coalesce(sum(l.amount_minor) FILTER (WHERE a.kind = %s), 0) AS costs
                     FROM wallets_journalline l JOIN wallets_ledgeraccount a ON a.id = l.account_id
                    WHERE l.entry_id = p.fee_entry_id) booked
             WHERE p.id BETWEEN %s AND %s AND p.gateway <> ''
               AND (booked.gateway, booked.costs) IS DISTINCT FROM (due.cost::numeric, -due.cost::numeric)
               AND NOT (p.fee_due_at IS NOT NULL AND p.fee_entry_id IS NULL)
            """,
            [list(EXPONENTS), AccountKind.GATEWAY_COSTS.value, part.first, part.last],
        ):
            yield Breach(
                f"payment {reference}: the gateway's fee is {fee} {currency}, of which {cost} are ours;"
                f" booked gateway {gateway}, costs {costs}"
            )


def payout_rows_sum(scope: Scope) -> Iterator[Breach]:
    """I14: what a gateway lists of a payout is, after fees, the payout."""
    for part in scope.ranges(Payout.objects.filter(rows_read_at__isnull=False)):
        for gateway, payout, currency, amount, total in scope.query(
            """
            SELECT p.gateway, p.gateway_payout_id, p.currency, p.amount_minor,
                   coalesce(sum(r.amount_minor - r.fee_minor), 0)
              FROM payments_payout p LEFT JOIN payments_payoutrow r ON r.payout_id = p.id
             WHERE p.id BETWEEN %s AND %s AND p.rows_read_at IS NOT NULL
             GROUP BY p.id HAVING coalesce(sum(r.amount_minor - r.fee_minor), 0) <> p.amount_minor
            """,
            [part.first, part.last],
        ):
            yield Breach(
                f"payout {payout} of {gateway} is {Money(amount, currency)},"
                f" its rows sum to {Money(int(total), currency)}"
            )


def payouts_are_booked(scope: Scope) -> Iterator[Breach]:
    """I14: a payout that was paid moved its amount from the gateway's account to the bank's, once; one that came back
    moved it once more the other way; and nothing else did."""
    for part in scope.ranges(Payout.objects.all()):
        for gateway, payout, status, gateway_due, at_gateway, at_bank in scope.query(
            """
            SELECT p.gateway, p.gateway_payout_id, p.status, due.minor,
                   coalesce(sum(l.amount_minor) FILTER (WHERE a.kind = 'gateway-' || p.gateway), 0),
                   coalesce(sum(l.amount_minor) FILTER (WHERE a.kind = 'bank'), 0)
              FROM payments_payout p
             CROSS JOIN LATERAL (SELECT CASE WHEN p.status = 'paid' THEN p.amount_minor ELSE 0 END AS minor) due
              LEFT JOIN wallets_journalentry e ON e.source_kind = 'payout' AND e.source_id = p.id::text
              LEFT JOIN wallets_journalline l ON l.entry_id = e.id
              LEFT JOIN wallets_ledgeraccount a ON a.id = l.account_id
             WHERE p.id BETWEEN %s AND %s
             GROUP BY p.id, due.minor
            HAVING coalesce(sum(l.amount_minor) FILTER (WHERE a.kind = 'gateway-' || p.gateway), 0) <> due.minor
                OR coalesce(sum(l.amount_minor) FILTER (WHERE a.kind = 'bank'), 0) <> -due.minor
                OR count(DISTINCT e.id) <> (p.entry_id IS NOT NULL)::int + (p.returning_entry_id IS NOT NULL)::int
            """,
            [part.first, part.last],
        ):
            yield Breach(
                f"payout {payout} of {gateway} is {status}: due {gateway_due} on the gateway's account,"
                f" booked there {at_gateway}, at the bank {at_bank}"
            )
    for part in scope.ranges(JournalEntry.objects.filter(kind__in=_BANK_KINDS)):
        for entry_id, key in scope.query(
            """
            SELECT e.id, e.key FROM wallets_journalentry e
             WHERE e.id BETWEEN %s AND %s AND e.kind = ANY(%s)
               AND NOT EXISTS (SELECT 1 FROM payments_payout p WHERE e.id IN (p.entry_id, p.returning_entry_id))
            """,
            [part.first, part.last, [kind.value for kind in _BANK_KINDS]],
        ):
            yield Breach(f"entry {entry_id} ({key}) belongs to no payout")
