"""Stripe Connect behind the port: transfers to creators' own accounts there, from which Stripe pays out to their
banks."""

from collections.abc import Callable
from functools import lru_cache
from typing import Self, TypeVar

import structlog
from django.conf import settings

from learning247.integrations.stripe import (
    AccountLink,
    ConnectedAccount,
    ConnectTransfer,
    StripeBalanceTooLow,
    StripeGatewayClient,
    StripeGatewayError,
    StripeIdempotencyMismatch,
    StripeRateLimited,
    StripeRejected,
    StripeUnauthorized,
)
from wallets.errors import GatewayBalanceLow, PayoutGatewayUnavailable, PayoutRefused
from wallets.payouts.port import TransferReport, TransferRequest, TransferStatus

logger = structlog.get_logger(__name__)

Answer = TypeVar("Answer")
REFERENCE_METADATA = "reference"


@lru_cache(maxsize=8)
def _client(secret_key: str, api_base: str, connect: int, read: int) -> StripeGatewayClient:
    """One client per configuration: its kept-alive connections are worth more than its construction."""
    return StripeGatewayClient(secret_key, api_base, timeout=(connect, read))


class StripePayouts:
    def __init__(self, client: StripeGatewayClient) -> None:
        self._client = client

    @classmethod
    def from_settings(cls) -> Self:
        if not settings.STRIPE_SECRET_KEY:
            raise PayoutGatewayUnavailable("Stripe is not configured here.")
        return cls(
            _client(
                settings.STRIPE_SECRET_KEY,
                settings.STRIPE_API_BASE,
                settings.GATEWAY_CONNECT_TIMEOUT,
                settings.GATEWAY_READ_TIMEOUT,
            )
        )

    def open_account(self, *, key: str, country: str, email: str) -> ConnectedAccount:
        """An account for somebody who is paid; the same `key` gives the same one again within a day. Raises
        PayoutRefused, PayoutGatewayUnavailable."""
        return _asked(
            lambda: self._client.account_create(
                country=country, email=email, idempotency_key=key, metadata={REFERENCE_METADATA: key}
            )
        )

    def fetch_account(self, account_id: str) -> ConnectedAccount:
        """Raises PayoutRefused where it is not there (any more), PayoutGatewayUnavailable."""
        return _asked(lambda: self._client.account_retrieve(account_id))

    def onboarding(self, account_id: str, *, refresh_url: str, return_url: str) -> AccountLink:
        """Raises PayoutRefused, PayoutGatewayUnavailable."""
        return _asked(
            lambda: self._client.account_link_create(account_id, refresh_url=refresh_url, return_url=return_url)
        )

    def create_transfer(self, request: TransferRequest) -> TransferReport:
        return _report_of(
            _asked(
                lambda: self._client.transfer_create(
                    amount_minor=request.amount_minor,
                    currency=request.currency,
                    destination=request.destination,
                    transfer_group=request.reference,
                    description=request.reason,
                    idempotency_key=request.idempotency_key,
                    metadata={REFERENCE_METADATA: request.reference},
                )
            ),
            request.reference,
        )

    def fetch_transfer(self, *, reference: str, gateway_transfer_id: str) -> TransferReport:
        made = _asked(lambda: self._client.transfer_list(transfer_group=reference))
        ours = [transfer for transfer in made if transfer.metadata.get(REFERENCE_METADATA) == reference]
        if not ours:
            return TransferReport(TransferStatus.UNKNOWN_THERE, reference, 0, "", "")
        if len(ours) > 1:
            logger.error("transfer_made_twice", reference=reference, transfers=[transfer.id for transfer in ours])
        known = [transfer for transfer in ours if transfer.id == gateway_transfer_id]
        return _report_of((known or ours)[-1], reference)


def _asked(call: Callable[[], Answer]) -> Answer:
    try:
        return call()
    except StripeBalanceTooLow as error:
        raise GatewayBalanceLow from error
    except (StripeRateLimited, StripeUnauthorized, StripeIdempotencyMismatch) as error:
        raise PayoutGatewayUnavailable from error
    except StripeRejected as error:
        raise PayoutRefused(f"Stripe: {error.message}") from error
    except StripeGatewayError as error:
        raise PayoutGatewayUnavailable from error


def _report_of(transfer: ConnectTransfer, reference: str) -> TransferReport:
    """A transfer is there at once (docs.stripe.com/connect/separate-charges-and-transfers): made is paid. What is taken
    back of it in part is for people."""
    if 0 < transfer.reversed_minor < transfer.amount_minor:
        logger.error("transfer_reversed_in_part", reference=reference, reversed_minor=transfer.reversed_minor)
    back = transfer.amount_minor > 0 and transfer.reversed_minor == transfer.amount_minor
    return TransferReport(
        status=TransferStatus.REVERSED if back else TransferStatus.PAID,
        reference=reference,
        amount_minor=transfer.amount_minor,
        currency=transfer.currency,
        gateway_transfer_id=transfer.id,
    )
