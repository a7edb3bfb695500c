"""Creators' own accounts at Stripe: opened on demand, ready when Stripe says so, never because somebody came back from
its pages."""

from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts.errors import EmailNotVerified
from accounts.locks import user_hold
from accounts.models import User
from learning247.integrations.stripe import AccountLink, ConnectedAccount
from learning247.kit.clock import now
from learning247.records.services.mail import mail_queue
from wallets.enums import PayoutMethod
from wallets.locks import payout_account_lock
from wallets.models import PayoutAccount
from wallets.payouts import StripePayouts
from wallets.services.payout_accounts import payout_account_announce

NOT_FINISHED: Final = "Stripe still has questions. Answer them: POST /api/wallet/payout-accounts/stripe gives the page."


def stripe_account_begin(*, owner: User, country: str) -> tuple[PayoutAccount, AccountLink]:
    """The person's account at Stripe, opened where there is none, and the page on which they answer its questions; a
    fresh one each time. `country` (ISO 3166-1 alpha-2) counts when it is opened.

    Not in a transaction. A repeat after a crash finds the same account, by our row's id as Stripe's key. Raises
    EmailNotVerified, PayoutRefused, PayoutGatewayUnavailable.
    """
    gateway = StripePayouts.from_settings()
    account = _claim(owner)
    if not account.gateway_account_id:
        opened = gateway.open_account(key=f"payout-account-{account.pk}", country=country, email=owner.email)
        account = _opened(account.pk, opened.id)
    place = f"{settings.FRONTEND_URL}/wallet/payout-accounts/stripe"
    link = gateway.onboarding(account.gateway_account_id, refresh_url=f"{place}?again=1", return_url=f"{place}?done=1")
    return account, link


def stripe_account_refresh(*, gateway_account_id: str) -> PayoutAccount | None:
    """Ask Stripe whether the account may be paid to now; None where it is none of ours. Its owner is told when it may,
    the first time. Not in a transaction. Raises PayoutGatewayUnavailable, PayoutRefused."""
    known = PayoutAccount.objects.filter(method=PayoutMethod.STRIPE, gateway_account_id=gateway_account_id).first()
    if known is None:
        return None
    return _refreshed(known.pk, StripePayouts.from_settings().fetch_account(gateway_account_id))


@transaction.atomic(durable=True)
def stripe_payout_failed(*, gateway_account_id: str, payout_id: str) -> bool:
    """Stripe could not pay out to the bank that the creator gave it: none of our money moves, and they are told, once a
    payout. False where it is nobody of ours."""
    account = (
        PayoutAccount.objects.filter(method=PayoutMethod.STRIPE, gateway_account_id=gateway_account_id)
        .select_related("owner")
        .first()
    )
    if account is None:
        return False
    mail_queue(
        key=f"payout_account:{account.pk}:payout-failed:{payout_id}",
        to=account.owner.email,
        template="stripe_payout_failed",
        context={"first_name": account.owner.name_for_mails, "support": settings.SUPPORT_EMAIL},
    )
    return True


@transaction.atomic(durable=True)
def _claim(owner: User) -> PayoutAccount:
    user_hold(owner.pk)
    if not owner.email_verified:
        raise EmailNotVerified
    mine = PayoutAccount.objects.filter(owner=owner, method=PayoutMethod.STRIPE, removed_at__isnull=True)
    fresh = PayoutAccount(owner=owner, method=PayoutMethod.STRIPE, bank_name="Stripe", not_ready_reason=NOT_FINISHED)
    PayoutAccount.objects.bulk_create([fresh], ignore_conflicts=True)
    return mine.get()


@transaction.atomic(durable=True)
def _opened(account_id: UUID, gateway_account_id: str) -> PayoutAccount:
    account = payout_account_lock(account_id)
    if not account.gateway_account_id:
        account.gateway_account_id = gateway_account_id
        account.save(update_fields=["gateway_account_id"])
    return account


@transaction.atomic(durable=True)
def _refreshed(account_id: UUID, reported: ConnectedAccount) -> PayoutAccount:
    account = payout_account_lock(account_id)
    ready = reported.transfers_active and reported.payouts_enabled
    if ready and account.ready_at is None:
        account.ready_at, account.not_ready_reason = now(), ""
        account.save(update_fields=["ready_at", "not_ready_reason"])
        payout_account_announce(account)
    elif not ready and (account.ready_at is not None or not account.not_ready_reason):
        account.ready_at, account.not_ready_reason = None, NOT_FINISHED
        account.save(update_fields=["ready_at", "not_ready_reason"])
    return account
