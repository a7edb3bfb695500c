"""What the books come to, as one number: equal where the same happened, in whatever order."""

import hashlib
import json
from collections import Counter, defaultdict
from typing import Any

from learning247.records.models import OutboundMail
from payments.models import Dispute, Entitlement, Payment, Refund
from wallets.models import JournalEntry, JournalLine, LedgerAccount


def books_digest() -> str:
    """SHA-256 of payments, refunds, disputes, rights, entries with their lines, balances, and of who was told what.

    Without times and without numbers that are handed out by the way, so that copies of one database in which the same
    happened agree. Nothing may be written meanwhile.
    """
    parts = [_payments(), _refunds(), _disputes(), _rights(), _entries(), _balances(), _mails()]
    canonical = json.dumps(parts, default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _payments() -> list[Any]:
    return sorted(
        Payment.objects.values_list(
            "reference", "status", "captured_minor", "captured_currency", "platform_fee_minor", "refunded_minor",
            "gateway_payment_id", "gateway_fee_minor", "gateway_fee_currency", "review_reason", "failure_reason",
        )
    )  # fmt: skip


def _refunds() -> list[Any]:
    return sorted(
        Refund.objects.values_list(
            "payment__reference", "gateway_refund_id", "source", "status", "currency", "amount_minor", "seller_minor",
            "platform_minor", "ends_access", "failure_reason",
        )
    )  # fmt: skip


def _disputes() -> list[Any]:
    return sorted(
        Dispute.objects.values_list(
            "payment__reference", "gateway_dispute_id", "status", "currency", "amount_minor", "seller_minor",
            "platform_minor", "withdrawn_minor", "gateway_fee_minor",
        )
    )  # fmt: skip


def _rights() -> list[Any]:
    rows = Entitlement.objects.values_list("user_id", "product_id", "payment__reference", "source", "revoked_at")
    return sorted([str(user), str(product), *rest, bool(revoked)] for user, product, *rest, revoked in rows)


def _entries() -> list[Any]:
    """Each by what it is of: refunds and disputes have other ids in another copy, and the gateway's id in all of
    them."""
    codes = dict(LedgerAccount.objects.values_list("pk", "code"))
    names = {
        str(pk): f"{payment}/{gateway_refund_id}"
        for pk, payment, gateway_refund_id in Refund.objects.values_list(
            "pk", "payment__reference", "gateway_refund_id"
        )
    }
    names |= {
        str(pk): f"{payment}/{gateway_dispute_id}"
        for pk, payment, gateway_dispute_id in Dispute.objects.values_list(
            "pk", "payment__reference", "gateway_dispute_id"
        )
    }
    lines: dict[int, list[Any]] = defaultdict(list)
    for entry_id, account_id, amount_minor in JournalLine.objects.values_list("entry_id", "account_id", "amount_minor"):
        lines[entry_id].append((codes[account_id], amount_minor))
    entries = JournalEntry.objects.values_list("pk", "key", "kind", "currency", "source_id", "reference")
    return sorted(
        (_named(key, names), kind, currency, names.get(source_id, source_id), reference, sorted(lines[pk]))
        for pk, key, kind, currency, source_id, reference in entries
    )


def _named(key: str, names: dict[str, str]) -> str:
    return ":".join(names.get(part, part) for part in key.split(":"))


def _balances() -> list[Any]:
    """The cached ones; the platform's are sums of the lines above."""
    return sorted((code, balance or 0) for code, balance in LedgerAccount.objects.values_list("code", "balance_minor"))


def _mails() -> list[Any]:
    return sorted(Counter(OutboundMail.objects.values_list("to", "subject")).items())
