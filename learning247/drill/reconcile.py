"""A gateway's export with planted discrepancies against the books: all of them found, rightly classed, none besides."""

import csv
import random
import tempfile
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from time import perf_counter

from django.core.management import call_command
from django.db import transaction

from accounts.models import User
from learning247.drill import stage
from learning247.drill.findings import Finding, found, measured
from learning247.kit.clock import now
from learning247.kit.ids import new_id
from payments.enums import DisputeStatus, GatewayName, LineClass, PaymentStatus, ProductKind
from payments.models import Dispute, Payment, Payout, Product
from payments.services.products import product_create
from wallets.enums import AccountKind, EntryKind, PayoutMethod, WithdrawalStatus
from wallets.models import JournalEntry, PayoutAccount, Withdrawal
from wallets.services.accounts import person_account, platform_account
from wallets.services.journal import Posting, entry_post

SEED = 20_261_123
GROSS, FEE = 2_500_000, 47_500
TRANSFER_FEE = 5_000
COLUMNS = ("type", "id", "status", "reference", "amount", "fees", "currency", "paid_at", "created_at", "updated_at")
# What is done to a line of theirs, and the class that it must be found in; "again" is a line that comes twice.
PLANTED = {
    "ours_only": LineClass.OURS_ONLY,
    "theirs_only": LineClass.THEIRS_ONLY,
    "again": LineClass.THEIRS_ONLY,
    "amount": LineClass.AMOUNT,
    "fee": LineClass.FEE,
    "currency": LineClass.CURRENCY,
    "timing": LineClass.TIMING,
}

Row = dict[str, str]


def run(*, full: bool) -> list[Finding]:
    """50,000 lines with 500 discrepancies in full, a tenth of it otherwise."""
    lines, planted = (50_000, 500) if full else (5_000, 50)
    with stage.copied_database():
        return compared(lines=lines, planted=planted)


def compared(*, lines: int, planted: int) -> list[Finding]:
    """Sales, lost disputes, payouts and transfers in the database of now, the gateway's export of them with mistakes,
    and what `reconcile` finds."""
    payments = _sales(lines - 3 * (lines // 50))
    rows = [*_rows_of(payments), *_disputes(payments[: lines // 50]), *_payouts(lines // 50), *_transfers(lines // 50)]
    rows, wanted = _with_mistakes(rows, planted)
    with tempfile.TemporaryDirectory() as folder:
        export, first, second = (Path(folder, name) for name in ("export.csv", "first.csv", "second.csv"))
        with export.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)
        start = perf_counter()
        _reconcile(export, first)
        took = perf_counter() - start
        _reconcile(export, second)
        with first.open(encoding="utf-8", newline="") as file:
            seen = {(row["key"], row["class"]) for row in csv.DictReader(file) if row["class"] != LineClass.MATCHED}
        same = first.read_bytes() == second.read_bytes()
    return [
        measured("lines of the gateway", f"{len(rows):,}"),
        found("discrepancies found and rightly classed", wanted=planted, seen=len(wanted & seen)),
        found("found that were not planted", wanted=0, seen=len(seen - wanted)),
        found("the report again, byte by byte", wanted=True, seen=same),
        Finding("seconds", "< 30", f"{took:.1f}", took < 30),
        *(
            measured(f"planted: {line_class.label.lower()}", f"{count:,}")
            for line_class, count in sorted(Counter(LineClass(name) for _, name in wanted).items())
        ),
    ]


def _reconcile(export: Path, report: Path) -> None:
    today = now().date()
    since, until = (today + timedelta(days=days) for days in (-4, 1))
    try:
        call_command(
            "reconcile", "paystack", f"--from={since}", f"--to={until}", f"--csv={export}", f"--report={report}",
            stdout=StringIO(),
        )  # fmt: skip
    except SystemExit:
        return  # they differ, as they must


def _sales(number: int) -> list[Payment]:
    """Sales of the platform's own item to one person, with their entries: what reconciliation looks at."""
    buyer = User.objects.create(email=f"{new_id().hex}@drill.example", first_name="Drill", last_name="Buyer")
    product = product_create(
        kind=ProductKind.COURSE, item_id=new_id(), title="Drill", seller=None, prices=(), active=True
    )
    payments = []
    for begin in range(0, number, 1_000):
        with transaction.atomic():
            payments += Payment.objects.bulk_create(
                [_sale(buyer, product, begin + turn) for turn in range(min(1_000, number - begin))]
            )
    return payments


def _sale(buyer: User, product: Product, turn: int) -> Payment:
    payment = Payment(
        reference=f"L247-{new_id().hex}",
        buyer=buyer,
        product=product,
        status=PaymentStatus.PAID,
        gateway=GatewayName.PAYSTACK,
        currency="NGN",
        amount_minor=GROSS,
        platform_fee_bps=2_000,
        platform_fee_minor=GROSS,
        captured_minor=GROSS,
        captured_currency="NGN",
        gateway_fee_minor=FEE,
        gateway_fee_currency="NGN",
        operation="drill",
        idempotency_key=str(turn),
        expires_at=now(),
        settled_at=now(),
    )
    payment.sale_entry_id = entry_post(
        key=f"payment:{payment.pk}:sale",
        kind=EntryKind.SALE,
        currency="NGN",
        postings=[
            Posting(platform_account(AccountKind.GATEWAY_PAYSTACK), -GROSS),
            Posting(platform_account(AccountKind.SALES), GROSS),
        ],
        source_kind="payment",
        source_id=str(payment.pk),
        reference=payment.reference,
        description="Drill",
    )
    return payment


def _disputes(payments: Sequence[Payment]) -> list[Row]:
    """The first of them were disputed and lost; as the gateway has them."""
    rows = []
    with transaction.atomic():
        for number, payment in enumerate(payments):
            dispute = Dispute(
                payment=payment,
                gateway_dispute_id=str(1_000_000 + number),
                status=DisputeStatus.LOST,
                currency="NGN",
                amount_minor=GROSS,
                withdrawn_minor=GROSS,
                platform_minor=GROSS,
                opened_at=now(),
            )
            dispute.save(force_insert=True)
            entry_post(
                key=f"dispute:{dispute.pk}:1:funds",
                kind=EntryKind.DISPUTE_FUNDS,
                currency="NGN",
                postings=[
                    Posting(platform_account(AccountKind.GATEWAY_PAYSTACK), GROSS),
                    Posting(platform_account(AccountKind.DISPUTE_SUSPENSE), -GROSS),
                ],
                source_kind="dispute",
                source_id=str(dispute.pk),
                reference=payment.reference,
                description="Drill",
            )
            rows.append(_row("", now(), type="dispute", id=dispute.gateway_dispute_id, status="resolved", fees="0"))
    return rows


def _payouts(number: int) -> list[Row]:
    """What was paid out; as the gateway has it."""
    made = [
        Payout(
            gateway=GatewayName.PAYSTACK,
            gateway_payout_id=str(2_000_000 + turn),
            currency="NGN",
            amount_minor=GROSS,
            initiated_at=now(),
        )
        for turn in range(number)
    ]
    Payout.objects.bulk_create(made)
    return [_row("", one.initiated_at, type="settlement", id=one.gateway_payout_id, fees="0") for one in made]


def _transfers(number: int) -> list[Row]:
    """What was transferred to a creator; every second one came back, which the gateway has in the same row."""
    owner = User.objects.create(email=f"{new_id().hex}@drill.example", first_name="Drill", last_name="Creator")
    account = PayoutAccount.objects.create(
        owner=owner,
        method=PayoutMethod.PAYSTACK,
        currency="NGN",
        bank_code="058",
        bank_name="Drill",
        account_name="Drill",
        last4="0000",
        number_digest=new_id().hex,
        gateway_account_id=f"RCP_{new_id().hex}",
        ready_at=now(),
    )
    rows = []
    for begin in range(0, number, 1_000):
        with transaction.atomic():
            for turn in range(begin, min(begin + 1_000, number)):
                withdrawal = _transfer(account, came_back=turn % 2 == 1)
                status = "reversed" if withdrawal.status == WithdrawalStatus.REVERSED else "success"
                moved = {"type": "transfer", "status": status, "fees": str(TRANSFER_FEE)}
                rows.append(_row(withdrawal.reference, now(), **moved))
    return rows


def _transfer(account: PayoutAccount, *, came_back: bool) -> Withdrawal:
    withdrawal = Withdrawal(
        reference=f"wd-{new_id().hex}",
        owner_id=account.owner_id,
        account=account,
        method=PayoutMethod.PAYSTACK,
        status=WithdrawalStatus.REVERSED if came_back else WithdrawalStatus.PAID,
        currency="NGN",
        amount_minor=GROSS,
        gateway_fee_minor=TRANSFER_FEE,
        operation="drill",
        idempotency_key=new_id().hex,
        expires_at=now(),
        confirmed_at=now(),
        paid_at=now(),
        ended_at=now(),
    )
    gateway, costs = platform_account(AccountKind.GATEWAY_PAYSTACK), platform_account(AccountKind.GATEWAY_COSTS)
    available, held = person_account(account.owner_id), person_account(account.owner_id, AccountKind.HELD)
    _book(withdrawal, "earned", EntryKind.SALE, Posting(gateway, -GROSS), Posting(available, GROSS))
    withdrawal.hold_entry_id = _book(
        withdrawal, "hold", EntryKind.WITHDRAWAL_HOLD, Posting(available, -GROSS), Posting(held, GROSS)
    )
    withdrawal.paid_entry_id = _book(
        withdrawal, "paid", EntryKind.WITHDRAWAL_PAID, Posting(held, -GROSS), Posting(gateway, GROSS)
    )
    fee = (Posting(costs, -TRANSFER_FEE), Posting(gateway, TRANSFER_FEE))
    _book(withdrawal, "fee", EntryKind.TRANSFER_FEE, *fee)
    if came_back:
        withdrawal.back_entry_id = _book(
            withdrawal, "reversed", EntryKind.WITHDRAWAL_REVERSED, Posting(gateway, -GROSS), Posting(available, GROSS)
        )
        back = (Posting(costs, TRANSFER_FEE), Posting(gateway, -TRANSFER_FEE))
        _book(withdrawal, "fee-returned", EntryKind.TRANSFER_FEE_RETURNED, *back)
    withdrawal.save(force_insert=True)
    return withdrawal


def _book(withdrawal: Withdrawal, step: str, kind: EntryKind, *postings: Posting) -> int:
    return entry_post(
        key=f"withdrawal:{withdrawal.pk}:{step}",
        kind=kind,
        currency="NGN",
        postings=list(postings),
        source_kind="withdrawal",
        source_id=str(withdrawal.pk),
        reference=withdrawal.reference,
        description="Drill",
    )


def _rows_of(payments: Sequence[Payment]) -> list[Row]:
    """As the gateway has them: a little before they were booked."""
    booked = dict(JournalEntry.objects.filter(kind=EntryKind.SALE).values_list("pk", "posted_at"))
    return [_row(payment.reference, booked[payment.sale_entry_id or 0]) for payment in payments]


def _row(reference: str, booked_at: datetime, **fields: str) -> Row:
    paid_at = (booked_at - timedelta(minutes=1)).astimezone(UTC).isoformat()
    return {
        "type": "transaction", "id": "", "status": "success", "reference": reference, "amount": str(GROSS),
        "fees": str(FEE), "currency": "NGN", "paid_at": paid_at, "created_at": paid_at, "updated_at": paid_at,
    } | fields  # fmt: skip


def _with_mistakes(rows: list[Row], number: int) -> tuple[list[Row], set[tuple[str, str]]]:
    """The export with so many mistakes, spread over it and over all ways, shuffled; and what must be found."""
    dice = random.Random(SEED)  # noqa: S311 - repeatable, not secret
    ways, wanted = list(PLANTED), set()
    # Transfers are few and have two lines where they came back: a third of the mistakes are theirs.
    sent = [place for place, row in enumerate(rows) if row["type"] == "transfer"]
    others = [place for place, row in enumerate(rows) if row["type"] != "transfer"]
    places = dice.sample(sent, number // 3) + dice.sample(others, number - number // 3)
    for turn, place in enumerate(sorted(places)):
        way, row = ways[turn % len(ways)], rows[place]
        wanted.add((_spoilt(rows, place, way, dice) or _key_of(row), PLANTED[way].value))
    kept = [row for row in rows if _key_of(row)]
    dice.shuffle(kept)
    return kept, wanted


def _key_of(row: Row) -> str:
    return row["reference"] or row["id"]


def _spoilt(rows: list[Row], place: int, way: str, dice: random.Random) -> str:
    """Do it; the key of the line that must be found."""
    row, key = rows[place], _key_of(rows[place])
    column = "reference" if row["reference"] else "id"
    if way == "ours_only":
        row[column] = ""
    elif way == "theirs_only":
        key = f"L247-{dice.getrandbits(128):032x}"
        rows.append(row | {column: key})
    elif way == "again":
        rows.append(dict(row))
    elif way == "amount":
        row["amount"] = str(GROSS + dice.choice((-1, 1)))
    elif way == "fee":
        row["fees"] = str(int(row["fees"]) + 1)
    elif way == "currency":
        row["currency"] = "GHS"
    else:
        row["paid_at"] = (datetime.fromisoformat(row["paid_at"]) - timedelta(days=2)).isoformat()
        row["created_at"] = row["updated_at"] = row["paid_at"]
    return key
