"""Where a person's money may go: bank accounts that their bank has named."""

import re
from typing import Final
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.utils.crypto import salted_hmac

from accounts.locks import user_hold
from accounts.models import User
from learning247.integrations.paystack import Bank
from learning247.kit.clock import now
from learning247.kit.encryption import encrypt
from learning247.records.services.audit import audit_record
from learning247.records.services.mail import mail_queue
from wallets.enums import PayoutMethod
from wallets.errors import BankAccountNotFound, BankAccountUnknown, PayoutCurrencyNotAvailable
from wallets.models import PayoutAccount
from wallets.models.payout_accounts import LONGEST_NAME
from wallets.payouts import PaystackPayouts, method_for

NUMBER_PURPOSE: Final = "bank-account-number"
BANKS_KEPT_SECONDS: Final = 6 * 3600
_NUBAN: Final = re.compile(r"[0-9]{10}")


def bank_list(*, currency: str) -> list[Bank]:
    """The banks to which money may go in `currency`; none where finance transfers it and any bank will do.

    Raises PayoutCurrencyNotAvailable, PayoutGatewayUnavailable.
    """
    if method_for(currency) != PayoutMethod.PAYSTACK:
        return []
    key = f"banks:{currency}"
    kept = cache.get(key)
    if kept is None:
        kept = PaystackPayouts.from_settings().list_banks(currency)
        cache.set(key, kept, BANKS_KEPT_SECONDS)
    return list(kept)


def bank_account_resolve(*, account_number: str, bank_code: str, currency: str) -> tuple[str, Bank]:
    """The bank's own name for the account, and the bank. Raises BankAccountUnknown, PayoutCurrencyNotAvailable,
    PayoutGatewayUnavailable."""
    bank = _bank(account_number, bank_code, currency)
    return PaystackPayouts.from_settings().resolve(account_number=account_number, bank=bank), bank


def bank_account_add(*, owner: User, account_number: str, bank_code: str, currency: str) -> PayoutAccount:
    """A bank account to withdraw to, named by its own bank; its owner is told by mail. The same one again is the one
    that there is.

    Not in a transaction: the gateway is asked first. Raises as `bank_account_resolve`, and PayoutRefused.
    """
    bank = _bank(account_number, bank_code, currency)
    recipient = PaystackPayouts.from_settings().recipient(account_number=account_number, bank=bank)
    account = PayoutAccount(
        owner=owner,
        method=PayoutMethod.PAYSTACK,
        currency=currency,
        bank_code=bank.code,
        bank_name=recipient.bank_name[:LONGEST_NAME],
        account_name=recipient.account_name[:LONGEST_NAME],
        gateway_account_id=recipient.code,
        ready_at=now(),
    )
    return _add(account, account_number)


def finance_account_add(
    *, owner: User, account_number: str, bank_code: str, bank_name: str, account_name: str, currency: str
) -> PayoutAccount:
    """A bank account to which finance transfers by hand, as its owner describes it: nobody can ask the bank.
    `bank_code` is the bank's SWIFT code, or empty. Told by mail as any other. Raises PayoutCurrencyNotAvailable."""
    if method_for(currency) != PayoutMethod.BANK:
        raise PayoutCurrencyNotAvailable
    account = PayoutAccount(
        owner=owner,
        method=PayoutMethod.BANK,
        currency=currency,
        bank_code=bank_code,
        bank_name=bank_name,
        account_name=account_name,
        ready_at=now(),
    )
    return _add(account, account_number)


def payout_account_remove(*, owner: User, account_id: UUID) -> None:
    """Nothing goes there any more; what is under way still arrives. Raises BankAccountNotFound."""
    with transaction.atomic(durable=True):
        moment = now()
        removed = PayoutAccount.objects.filter(pk=account_id, owner=owner, removed_at__isnull=True)
        if not removed.update(removed_at=moment):
            raise BankAccountNotFound
        audit_record(
            actor=owner,
            action="payout_account.removed",
            subject_kind="payout_account",
            subject_id=account_id,
            before={"removed_at": None},
            after={"removed_at": moment},
        )


def number_digest(number: str) -> str:
    """The same for the same number, and worth nothing without the key: ten digits are quickly tried."""
    return salted_hmac("wallets.bank-account-number", number, algorithm="sha256").hexdigest()


def _bank(account_number: str, bank_code: str, currency: str) -> Bank:
    if method_for(currency) != PayoutMethod.PAYSTACK:
        raise PayoutCurrencyNotAvailable
    bank = next((bank for bank in bank_list(currency=currency) if bank.code == bank_code), None)
    if bank is None:
        raise BankAccountUnknown("There is no such bank. GET /api/wallet/banks lists them.", attr="bank_code")
    if bank.kind == "nuban" and not _NUBAN.fullmatch(account_number):
        raise BankAccountUnknown("A Nigerian account number has ten digits.", attr="account_number")
    return bank


@transaction.atomic(durable=True)
def _add(account: PayoutAccount, number: str) -> PayoutAccount:
    owner = account.owner
    user_hold(owner.pk)
    account.last4, account.number_digest = number[-4:], number_digest(number)
    account.sealed_number = encrypt(number, purpose=NUMBER_PURPOSE)
    PayoutAccount.objects.bulk_create([account], ignore_conflicts=True)
    kept = PayoutAccount.objects.get(
        owner=owner,
        method=account.method,
        currency=account.currency,
        bank_code=account.bank_code,
        number_digest=account.number_digest,
        removed_at__isnull=True,
    )
    if kept.pk == account.pk:
        payout_account_announce(kept)
    return kept


def payout_account_announce(account: PayoutAccount) -> None:
    """Tell its owner that there is one more place where the money may go, and put it on record."""
    owner = account.owner
    mail_queue(
        key=f"payout_account:{account.pk}:added:{(account.ready_at or account.created_at).isoformat()}",
        to=owner.email,
        template="payout_account_added",
        context={
            "first_name": owner.name_for_mails,
            "account": account,
            "hours": settings.PAYOUT_COOLING_HOURS,
            "url": f"{settings.FRONTEND_URL}/forgot-password",
            "support": settings.SUPPORT_EMAIL,
        },
    )
    audit_record(
        actor=owner,
        action="payout_account.added",
        subject_kind="payout_account",
        subject_id=account.pk,
        after={"method": account.method, "bank": account.bank_name, "last4": account.last4},
    )
