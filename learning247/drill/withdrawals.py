"""Money out under attack: far more confirmed at once than there is, and transfers whose answer never comes.

Confirmations come over HTTP from many threads to a web process of several workers, on a balance that is good for some
of them. Transfers time out after the gateway has made them; then the gateway is asked, and ends some of each kind.
"""

import os
import random
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count
from typing import Any, Final

import requests
from django.conf import settings
from django.db import connections, transaction

from accounts.models import User
from accounts.services.sessions import session_open
from learning247.drill.findings import Finding, found, measured
from learning247.drill.stage import gateways, scratch_database, web
from learning247.kit.clock import now
from learning247.kit.ids import new_id
from learning247.kit.money import Money
from learning247.records.models import OutboundMail
from learning247.records.services.prove import checks_run
from learning247.sandbox.control import ControlClient
from wallets.enums import WITHDRAWAL_HOLDING, AccountKind, EntryKind, PayoutMethod, WithdrawalStatus
from wallets.models import GatewayCircuit, PayoutAccount, Withdrawal
from wallets.payouts import PaystackPayouts
from wallets.selectors import balances_by_kind
from wallets.services.accounts import person_account, platform_account
from wallets.services.journal import Posting, entry_post
from wallets.services.payout_accounts import bank_list, number_digest
from wallets.services.transfers import transfer_carry_on
from wallets.services.withdrawals import withdrawal_confirm, withdrawal_start

THREADS: Final = 16
PROCESSES: Final = 4
AMOUNT: Final = 100_000  # NGN 1,000.00, the least that leaves
AT_ONCE: Final = 200
CODE: Final = re.compile(r"^(\d{6})$", re.MULTILINE)
# Money that these creators have was never a payment, for which I7 and I11 would look.
PROVEN: Final = frozenset({"I1", "I2", "I3", "I4", "I5", "I6", "I10", "I12", "I13"})


_numbers = count(1)


def run(*, full: bool) -> list[Finding]:
    rounds, transfers = (50, 500) if full else (2, 40)
    return [*confirmations(rounds=rounds, at_once=AT_ONCE if full else 40), *timeouts(transfers=transfers)]


def confirmations(*, rounds: int, at_once: int, seed: int = 6) -> list[Finding]:
    """Each round: `at_once` withdrawals confirmed at once by one person, whose money is good for k of them."""
    dice = random.Random(seed)  # noqa: S311 - a drill's
    wrong_rounds = overdrawn = 0
    answers: Counter[int] = Counter()
    # What the web process takes from its environment.
    os.environ.update(WEB_CONCURRENCY=str(PROCESSES), RATELIMIT_ENABLE="0")
    with scratch_database(), web() as url:
        for _ in range(rounds):
            good_for = dice.randrange(at_once + 1)
            owner = _creator(at_once * AMOUNT)
            waiting = [_begun(owner) for _ in range(at_once)]
            _take(owner, (at_once - good_for) * AMOUNT)
            statuses = _confirmed(url, owner, waiting)
            answers += statuses
            wrong_rounds += statuses[200] != good_for
            balance = balances_by_kind(owner_id=owner.pk, currency="NGN")
            held = balance.get(AccountKind.HELD, 0)
            overdrawn += (balance[AccountKind.AVAILABLE], held) != (0, good_for * AMOUNT)
        breaches = [result.code for result in checks_run(only=PROVEN) if not result.holds]
    return [
        measured(
            "confirmations at once", f"{sum(answers.values()):,} in {rounds} rounds, {dict(sorted(answers.items()))}"
        ),
        found("rounds in which not exactly k were accepted", wanted=0, seen=wrong_rounds),
        found("wallets that hold other than k", wanted=0, seen=overdrawn),
        found("answers of 500 and above", wanted=0, seen=sum(n for status, n in answers.items() if status >= 500)),
        found("checks that do not hold after the confirmations", wanted=[], seen=breaches),
    ]


def timeouts(*, transfers: int, seed: int = 6) -> list[Finding]:
    """On a database of their own, with a gateway that is waited for a second."""
    patience, settings.GATEWAY_READ_TIMEOUT = settings.GATEWAY_READ_TIMEOUT, 1
    try:
        with scratch_database(), gateways() as sandbox:
            return timed_out(sandbox.control, transfers, seed=seed)
    finally:
        settings.GATEWAY_READ_TIMEOUT = patience


def timed_out(control: ControlClient, transfers: int, *, seed: int) -> list[Finding]:
    """Every transfer is made, and its answer comes too late; then it succeeds or fails."""
    dice = random.Random(seed)  # noqa: S311 - a drill's
    control.top_up("paystack", "NGN", 10**12)
    control.behave(paystack_transfer_outcome="none")
    owners = [_creator(5 * AMOUNT, control=True) for _ in range(-(-transfers // 5))]
    sent = []
    for turn in range(transfers):
        owner = owners[turn // 5]
        withdrawal_id, code = _begun(owner)
        withdrawal_confirm(owner=owner, withdrawal_id=withdrawal_id, code=code)
        sent.append(withdrawal_id)
    control.fault("late", provider="paystack", method="POST", path="/transfer", times=None, seconds=4)
    while Withdrawal.objects.filter(status=WithdrawalStatus.PROCESSING, sent_at=None).exists():
        _each(sent)
    unknown = Withdrawal.objects.exclude(sent_at=None).count()
    early = Withdrawal.objects.exclude(status__in=WITHDRAWAL_HOLDING).count()
    held = _held_as_it_should_be()
    _each(sent)
    early += Withdrawal.objects.exclude(status__in=WITHDRAWAL_HOLDING).count()
    fates = [dice.choice(("success", "failed")) for _ in sent]
    for withdrawal_id, fate in zip(sent, fates, strict=True):
        reference = Withdrawal.objects.values_list("reference", flat=True).get(pk=withdrawal_id)
        control.conclude_transfer("paystack", reference, fate)
    _each(sent)
    made = control.state()["tables"]["paystack.transfers"]
    statuses = Counter(Withdrawal.objects.values_list("status", flat=True))
    breaches = [result.code for result in checks_run(only=PROVEN) if not result.holds]
    return [
        found("transfers whose answer never came", wanted=transfers, seen=unknown),
        found("second transfers", wanted=0, seen=made - transfers),
        found("money put back before the gateway said so", wanted=0, seen=early),
        found("held money is what is on its way", wanted=True, seen=held),
        found(
            "paid, and failed with the money back",
            wanted=(fates.count("success"), fates.count("failed")),
            seen=_ended(statuses),
        ),
        found("checks that do not hold after the timeouts", wanted=[], seen=breaches),
    ]


def _ended(statuses: Counter[str]) -> tuple[int, int]:
    return statuses[WithdrawalStatus.PAID], statuses[WithdrawalStatus.FAILED]


def _held_as_it_should_be() -> bool:
    return not any(not result.holds for result in checks_run(only=frozenset({"I6"})))


def _each(withdrawal_ids: list[Any]) -> None:
    """Every one of them once, by as many workers as there are threads; all are due."""
    past = now() - timedelta(hours=1)
    Withdrawal.objects.filter(status=WithdrawalStatus.PROCESSING).update(due_at=past, lease_until=None)
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(_carry_on, withdrawal_ids))


def _carry_on(withdrawal_id: Any) -> None:
    try:
        # So many timeouts are the drill here, and no reason to leave the gateway alone.
        GatewayCircuit.objects.update(failures=0, open_until=None)
        transfer_carry_on(withdrawal_id=withdrawal_id)
    finally:
        connections.close_all()


def _creator(available_minor: int, *, control: bool = False) -> User:
    """Somebody with that much money and a bank account that is old enough; one that Paystack knows with `control`."""
    month = timedelta(days=90)
    owner = User.objects.create(
        email=f"{new_id().hex}@drill.example", email_verified_at=now(), created_at=now() - month
    )
    # Everybody another one; the end is none of those whose transfers have a fate at the sandbox.
    number = f"{next(_numbers) % 10**6:06}1234"
    recipient = ""
    if control:
        bank = next(bank for bank in bank_list(currency="NGN") if bank.code == "058")
        recipient = PaystackPayouts.from_settings().recipient(account_number=number, bank=bank).code
    PayoutAccount.objects.create(
        owner=owner,
        method=PayoutMethod.PAYSTACK,
        currency="NGN",
        bank_code="058",
        bank_name="Guaranty Trust Bank",
        account_name="DRILL",
        last4=number[-4:],
        number_digest=number_digest(number),
        gateway_account_id=recipient,
        ready_at=now(),
        created_at=now() - month,
    )
    _post(owner, EntryKind.SALE, available_minor)
    return owner


def _take(owner: User, amount_minor: int) -> None:
    """As a refund does: it asks nobody."""
    if amount_minor:
        _post(owner, EntryKind.REFUND, -amount_minor)


def _post(owner: User, kind: EntryKind, amount_minor: int) -> None:
    with transaction.atomic():
        entry_post(
            key=f"drill:{new_id().hex}",
            kind=kind,
            currency="NGN",
            postings=[
                Posting(person_account(owner.pk), amount_minor),
                Posting(platform_account(AccountKind.GATEWAY_PAYSTACK), -amount_minor),
            ],
            source_kind="drill",
            source_id=new_id().hex,
            reference="drill",
            description="A drill",
        )


def _begun(owner: User) -> tuple[Any, str]:
    """A withdrawal that waits, and the code that was mailed."""
    withdrawal = withdrawal_start(
        owner=owner,
        account_id=owner.payout_accounts.values_list("pk", flat=True)[0],
        amount=Money(AMOUNT, "NGN"),
        operation="drill",
        idempotency_key=new_id().hex,
    )
    mail = OutboundMail.objects.get(key__startswith=f"withdrawal:{withdrawal.pk}:code:")
    code = CODE.search(mail.body().text)
    assert code is not None
    return withdrawal.pk, code[1]


def _confirmed(url: str, owner: User, waiting: list[tuple[Any, str]]) -> Counter[int]:
    headers = {"Authorization": f"Bearer {session_open(owner).access}"}

    def confirm(one: tuple[Any, str]) -> int:
        address = f"{url}/api/wallet/withdrawals/{one[0]}/confirm"
        return requests.post(address, json={"code": one[1]}, headers=headers, timeout=120).status_code

    with ThreadPoolExecutor(THREADS) as pool:
        return Counter(pool.map(confirm, waiting))
