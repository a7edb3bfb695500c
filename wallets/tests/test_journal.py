"""Posting through the service: what arrives in the books, and what is refused."""

import pytest
from django.db import transaction

from wallets.enums import AccountKind, EntryKind
from wallets.errors import AlreadyPosted, InsufficientBalance, LedgerRefused
from wallets.models import JournalEntry, JournalLine, LedgerAccount
from wallets.selectors import balances_of, platform_balance
from wallets.services.accounts import person_account, platform_account
from wallets.services.journal import Posting, entry_post
from wallets.tests.builders import build_person, post_between, post_sale

pytestmark = pytest.mark.django_db


def test_a_sale_of_10_000_00_with_20_percent_credits_the_creator_8_000_00():
    creator = build_person()

    entry_id = post_sale(creator.pk, gross_minor=1_000_000, fee_minor=200_000)

    lines = JournalLine.objects.filter(entry_id=entry_id).select_related("account")
    assert {(line.account.code, line.amount_minor, line.balance_after_minor) for line in lines} == {
        ("platform:gateway-paystack:NGN", -1_000_000, None),
        (f"{creator.pk}:available:NGN", 800_000, 800_000),
        ("platform:fees:NGN", 200_000, None),
    }
    assert balances_of(user=creator)[0].available == 800_000
    assert platform_balance(kind=AccountKind.FEES, currency="NGN") == 200_000
    assert platform_balance(kind=AccountKind.GATEWAY_PAYSTACK, currency="NGN") == -1_000_000


def test_a_line_of_zero_is_left_out():
    creator = build_person()

    entry_id = post_sale(creator.pk, gross_minor=500, fee_minor=0)

    assert JournalLine.objects.filter(entry_id=entry_id).count() == 2
    assert not LedgerAccount.objects.filter(code="platform:fees:NGN").exists()


def test_each_line_keeps_the_balance_that_it_left():
    creator = build_person()
    for gross in (100, 250, 1):
        post_sale(creator.pk, gross_minor=gross, fee_minor=0)

    lines = JournalLine.objects.filter(account__owner=creator).order_by("id")

    assert [line.balance_after_minor for line in lines] == [100, 350, 351]


def test_the_same_key_is_posted_once():
    creator = build_person()
    post_sale(creator.pk, gross_minor=100, fee_minor=20, key="payment:1:sale")

    with pytest.raises(AlreadyPosted):
        post_sale(creator.pk, gross_minor=100, fee_minor=20, key="payment:1:sale")

    assert JournalEntry.objects.filter(key="payment:1:sale").count() == 1
    assert balances_of(user=creator)[0].available == 80


def test_a_hold_beyond_the_balance_is_refused_and_moves_nothing():
    creator = build_person()
    post_sale(creator.pk, gross_minor=100, fee_minor=0)

    with pytest.raises(InsufficientBalance):
        post_between(creator.pk, amount_minor=101)

    balance = balances_of(user=creator)[0]
    assert (balance.available, balance.held) == (100, 0)


def test_a_refund_may_leave_a_debt_and_later_sales_repay_it():
    creator = build_person()
    post_sale(creator.pk, gross_minor=100, fee_minor=0)
    post_between(creator.pk, amount_minor=100)
    with transaction.atomic():
        entry_post(
            key="refund",
            kind=EntryKind.REFUND,
            currency="NGN",
            postings=[
                Posting(person_account(creator.pk), -70),
                Posting(platform_account(AccountKind.GATEWAY_PAYSTACK), 70),
            ],
            source_kind="refund",
            source_id="1",
            reference="1",
            description="Refund",
        )
    assert balances_of(user=creator)[0].available == -70

    post_sale(creator.pk, gross_minor=30, fee_minor=0)

    assert balances_of(user=creator)[0].available == -40, "a credit is accepted while the balance stays negative"


def test_a_refund_never_takes_held_money():
    creator = build_person()
    post_sale(creator.pk, gross_minor=100, fee_minor=0)
    post_between(creator.pk, amount_minor=60)

    with pytest.raises(InsufficientBalance):
        post_between(
            creator.pk,
            amount_minor=61,
            source=AccountKind.HELD,
            target=AccountKind.AVAILABLE,
            kind=EntryKind.REFUND,
        )

    assert balances_of(user=creator)[0].held == 60


def test_postings_that_do_not_sum_to_zero_never_reach_the_database():
    with pytest.raises(LedgerRefused), transaction.atomic():
        entry_post(
            key="lopsided",
            kind=EntryKind.ADJUSTMENT,
            currency="NGN",
            postings=[
                Posting(platform_account(AccountKind.FEES), 1),
                Posting(platform_account(AccountKind.SALES), -2),
            ],
            source_kind="test",
            source_id="1",
            reference="1",
            description="",
        )

    assert not JournalEntry.objects.exists()


def test_a_posting_is_one_statement_once_its_accounts_are_open(django_assert_num_queries):
    creator = build_person()
    post_sale(creator.pk, gross_minor=100, fee_minor=20)

    with transaction.atomic(), django_assert_num_queries(1):
        entry_post(
            key="second",
            kind=EntryKind.SALE,
            currency="NGN",
            postings=[
                Posting(platform_account(AccountKind.GATEWAY_PAYSTACK), -100),
                Posting(person_account(creator.pk), 80),
                Posting(platform_account(AccountKind.FEES), 20),
            ],
            source_kind="test",
            source_id="2",
            reference="2",
            description="",
        )
