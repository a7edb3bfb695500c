"""What is refused, with what code, and that the ledger and the mails are as before."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from accounts.models import OneTimeCode
from accounts.tests.builders import build_totp, build_user
from accounts.totp import totp_code, totp_step
from learning247.kit.clock import now
from learning247.kit.ids import new_id
from learning247.records.models import OutboundMail
from wallets.enums import PayoutMethod, WithdrawalStatus
from wallets.models import JournalEntry, PayoutAccount, Withdrawal
from wallets.services.transfers import withdrawals_sweep
from wallets.tests.races import breaches
from wallets.tests.withdrawing import Creator, build_account, error_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada():
    return Creator()


@pytest.fixture
def account(ada):
    return build_account(ada.user)


@pytest.fixture
def unchanged(ada):
    """Nothing is booked, written or mailed while the test runs."""

    def state():
        return (
            JournalEntry.objects.count(),
            list(Withdrawal.objects.order_by("id").values_list("pk", "status")),
            OutboundMail.objects.count(),
        )

    before = state()
    yield
    assert state() == before
    assert ada.has(available=10_000_000)


# --- what is asked for


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(
    "amount",
    ["-1000.00", "0", "0.00", "1000.001", "1e5", " 1000", "1,000.00", "", "NaN", "1000.00\x00", "1" * 41, 1000, 1000.5,
     None, True, [], {}],
)  # fmt: skip
def test_an_amount_that_is_none_is_malformed(ada, account, amount):
    status, _ = error_of(ada.withdraw(amount, account.pk))

    assert status == 400


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(
    ("amount", "code"),
    [
        ("999.99", "withdrawal_below_minimum"),
        ("100000.01", "insufficient_balance"),
        ("9999999999999.99", "insufficient_balance"),
    ],
)
def test_an_amount_that_is_too_small_or_too_large_is_refused_by_its_rule(ada, account, amount, code):
    assert error_of(ada.withdraw(amount, account.pk)) == (422, code)


@pytest.mark.usefixtures("unchanged")
def test_too_little_money_says_how_much_there_is(ada, account):
    answer = ada.withdraw("100000.01", account.pk)

    assert answer.json()["extra"] == {"available": "100000.00", "currency": "NGN"}


@pytest.mark.usefixtures("unchanged")
def test_somebody_elses_account_one_that_is_removed_and_none_are_not_there(ada):
    removed = build_account(ada.user, removed_at=now())
    for account_id in (build_account(build_user()).pk, removed.pk, new_id()):
        assert error_of(ada.withdraw("5000.00", account_id)) == (404, "bank_account_not_found")


@pytest.mark.usefixtures("unchanged")
def test_an_account_takes_its_own_currency_only(ada, account):
    assert error_of(ada.withdraw("20.00", account.pk, currency="USD")) == (422, "currency_mismatch")
    assert error_of(ada.withdraw("20.00", account.pk, currency="XXX"))[0] == 400


@pytest.mark.usefixtures("unchanged")
def test_an_account_that_the_gateway_does_not_pay_to_yet_is_not_ready(ada):
    waiting = build_account(ada.user, ready_at=None, not_ready_reason="Stripe still needs your documents.")

    answer = ada.withdraw("5000.00", waiting.pk)

    assert error_of(answer) == (422, "bank_account_not_ready")
    assert answer.json()["errors"][0]["detail"] == "Stripe still needs your documents."


@pytest.mark.usefixtures("unchanged")
def test_without_an_idempotency_key_nothing_is_begun(ada, account):
    body = {"amount": "5000.00", "currency": "NGN", "bank_account_id": str(account.pk)}

    assert error_of(ada.send("POST", "/withdraw", body)) == (400, "idempotency_key_required")


def test_who_has_not_verified_their_email_does_not_withdraw():
    bola = Creator(user=build_user())

    assert error_of(bola.withdraw("5000.00", build_account(bola.user).pk)) == (403, "email_not_verified")
    assert not Withdrawal.objects.exists()


def test_a_new_account_gets_small_amounts_only_for_a_day_also_in_parts(ada):
    fresh = build_account(ada.user, age=timedelta(hours=23))
    assert ada.withdraw("100000.00", fresh.pk).status_code == 202
    Creator(user=ada.user, available_minor=90_000_000)
    assert error_of(ada.withdraw("100000.01", fresh.pk)) == (422, "bank_account_cooling")

    ada.confirmed("60000.00", fresh.pk)
    answer = ada.withdraw("40000.01", fresh.pk)

    assert error_of(answer) == (422, "bank_account_cooling")
    extra = answer.json()["extra"]
    assert (extra["limit"], extra["left"], extra["currency"]) == ("100000.00", "40000.00", "NGN")
    assert ada.withdraw("40000.00", fresh.pk).status_code == 202
    PayoutAccount.objects.update(created_at=now() - timedelta(hours=24))
    assert ada.withdraw("200000.00", fresh.pk).status_code == 202


# --- the code


def test_a_wrong_code_says_how_many_tries_are_left_and_the_fifth_ends_it(ada, account):
    withdrawal_id = ada.begun("5000.00", account.pk)
    wrong = ada.wrong(withdrawal_id)

    answers = [ada.confirm(withdrawal_id, wrong) for _ in range(5)]

    assert [error_of(answer) for answer in answers] == [(422, "code_invalid")] * 5
    assert [answer.json()["extra"]["attempts_left"] for answer in answers] == [4, 3, 2, 1, 0]
    shown = ada.shown(withdrawal_id)
    assert (shown["status"], shown["reason"]) == ("expired", "wrong_codes")
    assert error_of(ada.confirm(withdrawal_id)) == (409, "withdrawal_over")
    assert error_of(ada.send("POST", f"/withdrawals/{withdrawal_id}/resend-code")) == (409, "withdrawal_over")
    assert ada.has(available=10_000_000)


@pytest.mark.parametrize(
    "code", ["", "12345", "1234567", "abcdef", "１２３４５６", "0" * 17, "12345\x00", 123456, None]
)
def test_what_is_no_code_takes_nothing(ada, account, code):
    withdrawal_id = ada.begun("5000.00", account.pk)

    answer = ada.send("POST", f"/withdrawals/{withdrawal_id}/confirm", {"code": code})

    assert error_of(answer)[0] in (400, 422)
    assert ada.has(available=10_000_000)


def test_the_code_of_another_withdrawal_is_wrong_and_two_may_wait_with_their_own(ada, account):
    first, second = ada.begun("5000.00", account.pk), ada.begun("6000.00", account.pk)
    codes = ada.code(first), ada.code(second)
    assert codes[0] != codes[1], "once in a million this test has to be run again"

    assert error_of(ada.confirm(first, codes[1])) == (422, "code_invalid")
    assert ada.confirm(second, codes[1]).status_code == 200
    assert ada.confirm(first, codes[0]).status_code == 200
    assert ada.has(available=8_900_000, held=1_100_000)


@pytest.mark.parametrize("swap", [{"amount_minor": 900_000}, {"currency": "GHS"}, "account", "number"])
def test_a_code_confirms_nothing_else_than_what_was_mailed(ada, account, swap):
    """Whoever could write to the database would still need another mail."""
    withdrawal_id = ada.begun("5000.00", account.pk)
    if swap == "account":
        swap = {"account": build_account(ada.user, number="9876543210")}
    if swap == "number":
        PayoutAccount.objects.update(gateway_account_id="RCP_of_somebody_else")
    else:
        Withdrawal.objects.update(**swap)

    assert error_of(ada.confirm(withdrawal_id)) == (422, "code_invalid")
    assert ada.has(available=10_000_000)


def test_a_code_is_good_once_and_confirming_again_changes_nothing(ada, account):
    withdrawal_id = ada.begun("5000.00", account.pk)
    code = ada.code(withdrawal_id)

    answers = [ada.confirm(withdrawal_id, code), ada.confirm(withdrawal_id, code), ada.confirm(withdrawal_id, "000000")]

    assert [(answer.status_code, answer.json()["status"]) for answer in answers] == [(200, "processing")] * 3
    assert ada.has(available=9_500_000, held=500_000)


def test_another_code_makes_the_first_worthless_and_is_mailed_a_minute_later(ada, account):
    withdrawal_id = ada.begun("5000.00", account.pk)
    first = ada.code(withdrawal_id)
    again = ada.send("POST", f"/withdrawals/{withdrawal_id}/resend-code")
    assert error_of(again) == (429, "code_too_soon")
    assert int(again.headers["Retry-After"]) <= 61

    OneTimeCode.objects.update(sent_at=now() - timedelta(minutes=2))
    assert ada.send("POST", f"/withdrawals/{withdrawal_id}/resend-code").status_code == 200

    assert ada.code(withdrawal_id) == first or error_of(ada.confirm(withdrawal_id, first)) == (422, "code_invalid")
    assert ada.confirm(withdrawal_id).status_code == 200


def test_a_code_that_has_expired_is_wrong(ada, account):
    withdrawal_id = ada.begun("5000.00", account.pk)
    OneTimeCode.objects.update(expires_at=now())

    assert error_of(ada.confirm(withdrawal_id)) == (422, "code_invalid")


def test_a_withdrawal_whose_code_never_came_expires_and_takes_nothing(ada, account):
    withdrawal_id = ada.begun("5000.00", account.pk)
    Withdrawal.objects.update(expires_at=now(), due_at=now())

    assert error_of(ada.confirm(withdrawal_id)) == (409, "withdrawal_over")
    assert withdrawals_sweep() == 1

    shown = ada.shown(withdrawal_id)
    assert (shown["status"], shown["reason"]) == ("expired", "code_not_entered")
    assert ada.has(available=10_000_000)


def test_who_has_an_authenticator_app_gets_no_mail_and_confirms_by_the_app(ada, account):
    secret = build_totp(ada.user)
    withdrawal_id = ada.begun("5000.00", account.pk)
    assert not OutboundMail.objects.filter(key__contains=":code:").exists()
    assert error_of(ada.send("POST", f"/withdrawals/{withdrawal_id}/resend-code")) == (409, "code_comes_from_app")

    code = totp_code(secret=secret, step=totp_step(now()))
    assert error_of(ada.confirm(withdrawal_id, "000000" if code != "000000" else "111111")) == (422, "code_invalid")
    assert ada.confirm(withdrawal_id, code).status_code == 200
    assert ada.has(available=9_500_000, held=500_000)


# --- between asking and confirming


def test_what_was_there_when_it_was_asked_for_may_be_gone_when_it_is_confirmed(ada, account):
    first, second = ada.begun("60000.00", account.pk), ada.begun("60000.00", account.pk)

    assert ada.confirm(first).status_code == 200
    refused = ada.confirm(second)

    assert error_of(refused) == (422, "insufficient_balance")
    assert ada.shown(second)["status"] == "otp_required"
    assert ada.has(available=4_000_000, held=6_000_000)
    Creator(user=ada.user, available_minor=2_000_000)
    assert ada.confirm(second).status_code == 200, "its code stayed good"


def test_an_account_that_was_removed_meanwhile_gets_nothing(ada, account):
    withdrawal_id = ada.begun("5000.00", account.pk)
    assert ada.send("DELETE", f"/bank-accounts/{account.pk}").status_code == 204

    assert error_of(ada.confirm(withdrawal_id)) == (404, "bank_account_not_found")
    assert ada.has(available=10_000_000)
    assert error_of(ada.send("DELETE", f"/bank-accounts/{account.pk}")) == (404, "bank_account_not_found")


# --- others


def test_somebody_elses_withdrawal_is_not_there(ada, account):
    withdrawal_id, mallory = ada.begun("5000.00", account.pk), Creator()
    code = ada.code(withdrawal_id)

    answers = [
        mallory.send("GET", f"/withdrawals/{withdrawal_id}"),
        mallory.confirm(withdrawal_id, code),
        mallory.cancel(withdrawal_id),
        mallory.send("POST", f"/withdrawals/{withdrawal_id}/resend-code"),
    ]

    assert [error_of(answer) for answer in answers] == [(404, "withdrawal_not_found")] * 4
    assert mallory.send("GET", "/withdrawals").json()["results"] == []
    assert ada.shown(withdrawal_id)["status"] == "otp_required"


def test_cancelling_is_for_what_has_not_gone_out(ada, account):
    waiting, gone = ada.begun("5000.00", account.pk), ada.confirmed("5000.00", account.pk)

    answers = [ada.cancel(waiting), ada.cancel(waiting), ada.cancel(gone.pk)]

    assert [answer.status_code for answer in answers] == [200, 200, 409]
    assert (answers[0].json()["status"], answers[0].json()["reason"]) == ("cancelled", "by_owner")
    assert error_of(answers[2]) == (409, "withdrawal_not_cancellable")
    assert error_of(ada.confirm(waiting)) == (409, "withdrawal_over")
    assert ada.has(available=9_500_000, held=500_000)


# --- the creator bears the fee


def test_a_creator_who_bears_the_fee_is_told_before_and_gets_the_rest(settings, ada, account):
    settings.WITHDRAWAL_FEE_BEARER = "creator"

    shown = ada.shown(ada.begun("5000.00", account.pk))

    assert (shown["amount"], shown["fee"], shown["net"]) == ("5000.00", "10.00", "4990.00")


# --- the proof


def test_i6_finds_money_held_for_no_withdrawal_and_a_withdrawal_that_holds_nothing(ada, account):
    withdrawal = ada.confirmed("5000.00", account.pk)
    assert breaches("I6") == []

    Withdrawal.objects.filter(pk=withdrawal.pk).update(amount_minor=400_000)
    found = breaches("I6")
    assert ("I6", f"account {ada.user.pk}:held:NGN: NGN 5000.00 held, open withdrawals are NGN 4000.00") in found
    assert any(withdrawal.reference in row for _, row in found)


def test_the_database_itself_refuses_a_payment_that_is_not_booked(ada, account):
    withdrawal = ada.confirmed("5000.00", account.pk)
    for status in (WithdrawalStatus.PAID, WithdrawalStatus.FAILED, WithdrawalStatus.EXPIRED, WithdrawalStatus.REVERSED):
        with pytest.raises(IntegrityError), transaction.atomic():
            Withdrawal.objects.filter(pk=withdrawal.pk).update(status=status)


def test_a_currency_that_finance_transfers_takes_an_account_as_its_owner_describes_it():
    kuwaiti = Creator(currency="KWD", available_minor=100_000)
    body = {"account_number": "KW81CBKU0000000000001234560101", "currency": "KWD"}
    assert error_of(kuwaiti.send("POST", "/bank-accounts", body))[0] == 400
    described = body | {"bank_name": "Commercial Bank of Kuwait", "account_name": "Ada Obi"}

    added = kuwaiti.send("POST", "/bank-accounts", described)

    assert added.status_code == 201
    assert (added.json()["method"], added.json()["currencies"]) == (PayoutMethod.BANK, ["KWD"])
    assert added.json()["account_number"] == "••••••0101"
    assert kuwaiti.send("GET", "/banks?currency=KWD").json() == {"banks": []}
