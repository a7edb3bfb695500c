"""Bank transfers by hand: finance is told, sees the whole number, and says what became of it, with a reason on
record."""

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from accounts.tests.builders import build_admin, build_user
from learning247.kit.encryption import encrypt
from learning247.records.models import AuditEntry, OutboundMail
from wallets.enums import AccountKind, PayoutMethod, WithdrawalStatus
from wallets.errors import NotByHand, OwnWithdrawal
from wallets.models import PayoutAccount, WithdrawalReview
from wallets.selectors import platform_balance
from wallets.services.finance_transfers import (
    finance_transfer_done,
    finance_transfer_refuse,
    finance_transfer_return,
)
from wallets.services.payout_accounts import NUMBER_PURPOSE
from wallets.services.transfers import transfer_carry_on, withdrawals_sweep
from wallets.services.withdrawal_reviews import withdrawal_approve
from wallets.tests.races import breaches
from wallets.tests.withdrawing import Creator, build_account, everything_is_due

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada():
    return Creator(currency="KWD", available_minor=100_000)


@pytest.fixture(autouse=True)
def proved():
    yield
    assert breaches("I2", "I5", "I6", "I10", "I15") == []


@pytest.fixture
def withdrawal(ada, settings):
    """KWD 12.500 that people have approved, since there are no limits in that currency."""
    settings.FINANCE_EMAIL = "finance@learning247.example"
    account = build_account(
        ada.user, "KWD", method=PayoutMethod.BANK, sealed_number=encrypt("KW81CBKU1234", purpose=NUMBER_PURPOSE)
    )
    found = ada.confirmed("12.500", account.pk)
    withdrawal_approve(review_id=WithdrawalReview.objects.get().pk, actor=build_admin(), reason="Known")
    found.refresh_from_db()
    return found


def test_finance_is_told_and_no_gateway_is_asked(withdrawal):
    assert (withdrawal.status, withdrawal.reason) == ("processing", "finance_transfers")
    assert OutboundMail.objects.filter(to="finance@learning247.example").count() == 1
    everything_is_due()

    assert transfer_carry_on(withdrawal_id=withdrawal.pk) is None
    assert withdrawals_sweep() == 0


def test_transferred_is_paid_from_the_bank_once(ada, withdrawal):
    staff = build_admin()

    for _ in range(2):
        done = finance_transfer_done(
            withdrawal_id=withdrawal.pk, actor=staff, bank_reference="FT26327", reason="On the bank's list"
        )

    assert done.status == WithdrawalStatus.PAID
    assert ada.has(available=87_500)
    assert platform_balance(kind=AccountKind.BANK, currency="KWD") == 12_500
    assert AuditEntry.objects.get(action="withdrawal.paid").actor_id == staff.pk
    with pytest.raises(NotByHand):
        finance_transfer_refuse(withdrawal_id=withdrawal.pk, actor=staff, reason="Too late")


def test_what_cannot_be_transferred_is_back_and_its_owner_reads_why(ada, withdrawal):
    finance_transfer_refuse(withdrawal_id=withdrawal.pk, actor=build_admin(), reason="The bank knows no such account")

    assert ada.shown(withdrawal.pk)["status"] == "failed"
    assert ada.has(available=100_000)
    assert "The bank knows no such account" in OutboundMail.objects.get(key=f"withdrawal:{withdrawal.pk}:failed").text


def test_what_the_bank_sends_back_is_credited_once(ada, withdrawal):
    staff = build_admin()
    finance_transfer_done(withdrawal_id=withdrawal.pk, actor=staff, bank_reference="FT1", reason="Seen")

    for _ in range(2):
        finance_transfer_return(withdrawal_id=withdrawal.pk, actor=staff, reason="Returned by the bank")

    assert ada.shown(withdrawal.pk)["status"] == "reversed"
    assert ada.has(available=100_000)
    assert platform_balance(kind=AccountKind.BANK, currency="KWD") == 0


def test_nobody_confirms_their_own_and_what_a_gateway_pays_is_the_gateways_to_say(withdrawal):
    with pytest.raises(OwnWithdrawal):
        finance_transfer_done(withdrawal_id=withdrawal.pk, actor=withdrawal.owner, bank_reference="1", reason="Mine")
    by_gateway = Creator().confirmed("5000.00")
    with pytest.raises(NotByHand):
        finance_transfer_done(withdrawal_id=by_gateway.pk, actor=build_admin(), bank_reference="1", reason="Seen")


def test_the_whole_number_is_for_finance_alone(withdrawal):
    finance, support = build_user(is_staff=True), build_user(is_staff=True)
    finance.groups.add(Group.objects.get(name="finance"))
    support.groups.add(Group.objects.get(name="support"))
    pages = []
    for person in (finance, support):
        client = Client()
        client.force_login(person)
        pages.append(client.get(f"/admin/wallets/withdrawal/{withdrawal.pk}/change/").content.decode())

    assert ["KW81CBKU1234" in page for page in pages] == [True, False]
    assert PayoutAccount.objects.get().sealed_number != "KW81CBKU1234"
