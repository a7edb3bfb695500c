"""Books that do not prove pause payouts of their currency, loudly and alone, until two people let them go on."""

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from accounts.models import User
from accounts.tests.builders import build_admin
from learning247.records.errors import ReasonRequired
from learning247.records.models import AuditEntry, OutboundMail
from learning247.records.services.prove import CheckResult
from learning247.records.tests.races import at_once
from wallets.enums import AccountKind, WithdrawalReason, WithdrawalStatus
from wallets.errors import SecondPersonRequired
from wallets.models import LedgerAccount, PayoutFreeze, Withdrawal
from wallets.selectors import frozen_currencies, payouts_frozen
from wallets.services.payout_freezes import books_check, payouts_freeze, payouts_unfreeze
from wallets.services.transfers import transfer_carry_on
from wallets.tests.builders import build_person, post_sale
from wallets.tests.races import execute, guards_off
from wallets.tests.withdrawing import Creator, build_account, error_of, everything_is_due

ACCOUNTS = "wallets_ledgeraccount"


def breach(*currencies, code="I2"):
    """What `prove` says of one row that breaks a rule, in these currencies."""
    return CheckResult(
        code=code, title="cached balance = sum of lines", examined=1, breaches=1, named=("account x: wrong",),
        seconds=0.0, failure="", currencies=currencies, unplaced=not currencies,
    )  # fmt: skip


def frozen(*currencies):
    return payouts_freeze(results=[breach(*currencies)])


def lift(freeze, *people):
    for person in people:
        freeze = payouts_unfreeze(freeze_id=freeze.pk, actor=person, reason="Mended by an adjustment")
    return freeze


def test_a_balance_that_does_not_prove_pauses_its_currency_alone_and_says_so(committed_db, settings):
    settings.OPERATORS_EMAIL = "operators@learning247.example"
    post_sale(build_person().pk, gross_minor=100, fee_minor=20, currency="USD")
    post_sale(build_person().pk, gross_minor=100, fee_minor=20)
    assert books_check() == []
    account = LedgerAccount.objects.get(kind=AccountKind.AVAILABLE, currency="NGN")
    with guards_off(ACCOUNTS):
        execute("UPDATE wallets_ledgeraccount SET balance_minor = 81 WHERE id = %s", account.pk)

    (freeze,) = books_check()
    again = books_check()

    assert again == []
    assert (freeze.currency, freeze.check_code, account.code in freeze.breach) == ("NGN", "I2", True)
    assert (payouts_frozen("NGN"), payouts_frozen("USD"), frozen_currencies()) == (True, False, ["NGN"])
    mail = OutboundMail.objects.get(key=f"payout_freeze:{freeze.pk}")
    assert (mail.to, mail.subject) == (
        "operators@learning247.example",
        "Payouts in NGN are paused: the books do not prove",
    )
    record = AuditEntry.objects.get(action="payouts.frozen")
    assert record.after is not None
    assert (record.actor_id, record.subject_id, record.after["currency"]) == (None, str(freeze.pk), "NGN")
    post_sale(build_person().pk, gross_minor=100, fee_minor=20)  # sales go on


def test_a_guard_that_is_gone_pauses_every_currency(committed_db):
    with guards_off(ACCOUNTS):
        books_check()

    assert frozen_currencies() == ["EUR", "GBP", "GHS", "JPY", "KES", "KWD", "NGN", "USD", "ZAR"]


@pytest.mark.django_db
def test_a_check_that_could_not_be_run_pauses_nothing():
    failed = CheckResult("I2", "x", examined=0, breaches=0, named=(), seconds=0.0, failure="OperationalError")

    assert payouts_freeze(results=[failed]) == []
    assert not PayoutFreeze.objects.exists()


def test_two_looks_at_once_pause_a_currency_once_and_mail_once(committed_db):
    made = at_once(4, lambda _: frozen("NGN"))

    assert sorted(len(freezes) for freezes in made) == [0, 0, 0, 1]
    assert (PayoutFreeze.objects.count(), OutboundMail.objects.count()) == (1, 1)


@pytest.mark.django_db
def test_a_withdrawal_that_waits_is_refused_at_its_confirmation_and_its_code_stays_good():
    ada = Creator()
    account = build_account(ada.user)
    waiting = ada.begun("5000.00", account.pk)
    (freeze,) = frozen("NGN")

    refused = ada.confirm(waiting)
    begun = ada.withdraw("5000.00", account.pk)

    assert (error_of(refused), error_of(begun)) == ((409, "payouts_paused"), (409, "payouts_paused"))
    assert ada.has(available=10_000_000)
    assert Withdrawal.objects.get().status == WithdrawalStatus.OTP_REQUIRED
    lift(freeze, build_admin(), build_admin())
    assert ada.confirm(waiting).status_code == 200
    assert ada.has(available=9_500_000, held=500_000)


@pytest.mark.django_db
def test_another_currency_is_withdrawn_as_before():
    ada = Creator()
    frozen("USD")

    assert ada.confirmed("5000.00").status == WithdrawalStatus.PROCESSING


def test_what_is_confirmed_is_not_sent_while_payouts_are_paused_and_is_sent_afterwards(gateways):
    ada = Creator(gateways.url)
    withdrawal = ada.confirmed("5000.00", ada.add_account()["id"])
    (freeze,) = frozen("NGN")

    waits = transfer_carry_on(withdrawal_id=withdrawal.pk)
    assert waits is not None

    assert (waits.status, waits.reason, waits.sent_at) == (
        WithdrawalStatus.PROCESSING,
        WithdrawalReason.PAYOUTS_PAUSED,
        None,
    )
    assert gateways.control.rows("paystack.transfers") == []
    assert ada.shown(withdrawal.pk)["reason"] == "payouts_paused"
    lift(freeze, build_admin(), build_admin())
    everything_is_due()
    transfer_carry_on(withdrawal_id=withdrawal.pk)
    assert len(gateways.control.rows("paystack.transfers")) == 1


@pytest.mark.django_db
def test_the_agreement_of_somebody_disabled_since_lets_no_payouts_go_on():
    first, second, third = build_admin(), build_admin(), build_admin()
    (freeze,) = frozen("NGN")
    lift(freeze, first)
    User.objects.filter(pk=first.pk).update(is_active=False)

    assert lift(freeze, second).first_by == second
    assert payouts_frozen("NGN")

    assert lift(freeze, third).lifted_by == third
    assert not payouts_frozen("NGN")


@pytest.mark.django_db
def test_payouts_go_on_when_two_different_people_said_why_and_both_are_on_record():
    first, second = build_admin(), build_admin()
    (freeze,) = frozen("NGN")

    lift(freeze, first)
    with pytest.raises(SecondPersonRequired):
        lift(freeze, first)
    with pytest.raises(ReasonRequired):
        payouts_unfreeze(freeze_id=freeze.pk, actor=second, reason=" ")
    assert payouts_frozen("NGN")

    lifted = lift(freeze, second)

    assert not payouts_frozen("NGN")
    assert (lifted.first_by, lifted.lifted_by) == (first, second)
    records = AuditEntry.objects.filter(subject_kind="payout_freeze", actor__isnull=False).order_by("id")
    assert [(record.actor_id, record.action, record.reason) for record in records] == [
        (first.pk, "payouts.unfreeze_agreed", "Mended by an adjustment"),
        (second.pk, "payouts.unfrozen", "Mended by an adjustment"),
    ]
    lift(freeze, first)  # quiet
    assert records.count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize("people", ["the same", "one"])
def test_the_database_lets_nobody_lift_one_alone(people):
    (freeze,) = frozen("NGN")
    person = build_admin()
    first = person if people == "the same" else None

    with pytest.raises(IntegrityError, match="wallets_payoutfreeze_lifted_by_two_people"), transaction.atomic():
        PayoutFreeze.objects.filter(pk=freeze.pk).update(first_by=first, lifted_by=person, lifted_at=freeze.frozen_at)


@pytest.mark.django_db
def test_what_is_paused_again_after_people_let_it_go_on_is_another_freeze():
    (freeze,) = frozen("NGN")
    lift(freeze, build_admin(), build_admin())

    (other,) = frozen("NGN")

    assert other.pk != freeze.pk


def test_readiness_reports_what_is_paused_and_stays_ready(committed_db, client):
    frozen("NGN", "KWD")

    answer = client.get("/health/ready")

    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    assert answer.json()["payouts"] == {"status": "paused", "paused_currencies": ["KWD", "NGN"]}


@pytest.mark.django_db
def test_every_page_of_the_console_says_what_is_paused_to_staff():
    browser = Client()
    browser.force_login(build_admin())
    quiet = browser.get("/admin/").content.decode()
    frozen("NGN")

    loud = browser.get("/admin/").content.decode()

    assert ("Payouts in NGN are paused" in quiet, "Payouts in NGN are paused" in loud) == (False, True)
    assert "are paused" not in Client().get("/admin/login/").content.decode()
