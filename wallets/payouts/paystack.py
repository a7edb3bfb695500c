"""Paystack's transfers behind the port, and the banks that it reaches."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Self, TypeVar

from django.conf import settings

from learning247.integrations.paystack import (
    Bank,
    PaystackBalanceTooLow,
    PaystackClient,
    PaystackDuplicateReference,
    PaystackError,
    PaystackNotFound,
    PaystackRateLimited,
    PaystackRejected,
    PaystackUnauthorized,
    Transfer,
)
from wallets.errors import (
    BankAccountUnknown,
    GatewayBalanceLow,
    PayoutCurrencyNotAvailable,
    PayoutGatewayUnavailable,
    PayoutRefused,
)
from wallets.payouts.port import TransferReport, TransferRequest, TransferStatus

Answer = TypeVar("Answer")

# paystack.com/docs/transfers: what a transfer may be. Anything else is on its way, until it is one of these.
_STATUSES: Final = {
    "success": TransferStatus.PAID,
    "failed": TransferStatus.FAILED,
    "reversed": TransferStatus.REVERSED,
    "otp": TransferStatus.NEEDS_CODE,
}
_COUNTRIES: Final = {"NGN": "nigeria", "GHS": "ghana", "ZAR": "south africa", "KES": "kenya"}


@dataclass(frozen=True, slots=True)
class Recipient:
    """Where transfers go: Paystack's code for it, and what the bank calls the account and itself."""

    code: str
    account_name: str
    bank_name: str


@lru_cache(maxsize=8)
def _client(secret_key: str, base_url: str, connect: int, read: int) -> PaystackClient:
    """One client per configuration: its kept-alive connections are worth more than its construction."""
    return PaystackClient(secret_key, base_url, timeout=(connect, read))


class PaystackPayouts:
    def __init__(self, client: PaystackClient) -> None:
        self._client = client

    @classmethod
    def from_settings(cls) -> Self:
        if not settings.PAYSTACK_SECRET_KEY:
            raise PayoutGatewayUnavailable("Paystack is not configured here.")
        return cls(
            _client(
                settings.PAYSTACK_SECRET_KEY,
                settings.PAYSTACK_BASE_URL,
                settings.GATEWAY_CONNECT_TIMEOUT,
                settings.GATEWAY_READ_TIMEOUT,
            )
        )

    def list_banks(self, currency: str) -> list[Bank]:
        """Raises PayoutCurrencyNotAvailable, PayoutGatewayUnavailable."""
        country = _COUNTRIES.get(currency)
        if country is None:
            raise PayoutCurrencyNotAvailable
        return _asked(lambda: self._client.bank_list(country=country, currency=currency))

    def resolve(self, *, account_number: str, bank: Bank) -> str:
        """The bank's own name for the account. Raises BankAccountUnknown, PayoutGatewayUnavailable."""
        try:
            return self._client.bank_resolve(account_number=account_number, bank_code=bank.code).account_name
        except (PaystackRateLimited, PaystackUnauthorized) as error:
            raise PayoutGatewayUnavailable from error
        except PaystackRejected as error:
            raise BankAccountUnknown(attr="account_number") from error
        except PaystackError as error:
            raise PayoutGatewayUnavailable from error

    def recipient(self, *, account_number: str, bank: Bank) -> Recipient:
        """The account, named by its bank, as a recipient of transfers. Raises as `resolve`."""
        name = self.resolve(account_number=account_number, bank=bank)
        code = _asked(
            lambda: self._client.recipient_create(
                kind=bank.kind, name=name, account_number=account_number, bank_code=bank.code, currency=bank.currency
            )
        )
        return Recipient(code, name, bank.name)

    def create_transfer(self, request: TransferRequest) -> TransferReport:
        try:
            made = self._client.transfer_create(
                amount_minor=request.amount_minor,
                currency=request.currency,
                recipient=request.destination,
                reference=request.reference,
                reason=request.reason,
            )
        except PaystackDuplicateReference:
            # An earlier call worked and its answer was lost.
            return self.fetch_transfer(reference=request.reference, gateway_transfer_id="")
        except PaystackBalanceTooLow as error:
            raise GatewayBalanceLow from error
        except (PaystackRateLimited, PaystackUnauthorized) as error:
            raise PayoutGatewayUnavailable from error
        except PaystackRejected as error:
            raise PayoutRefused(f"Paystack: {error.message}") from error
        except PaystackError as error:
            raise PayoutGatewayUnavailable from error
        return _report_of(made)

    def fetch_transfer(self, *, reference: str, gateway_transfer_id: str) -> TransferReport:
        try:
            return _report_of(self._client.transfer_verify(reference))
        except PaystackNotFound:
            return TransferReport(TransferStatus.UNKNOWN_THERE, reference, 0, "", "")
        except PaystackError as error:
            raise PayoutGatewayUnavailable from error


def _asked(call: Callable[[], Answer]) -> Answer:
    try:
        return call()
    except (PaystackRateLimited, PaystackUnauthorized) as error:
        raise PayoutGatewayUnavailable from error
    except PaystackRejected as error:
        raise PayoutRefused(f"Paystack: {error.message}") from error
    except PaystackError as error:
        raise PayoutGatewayUnavailable from error


def _report_of(transfer: Transfer) -> TransferReport:
    return TransferReport(
        status=_STATUSES.get(transfer.status, TransferStatus.PENDING),
        reference=transfer.reference,
        amount_minor=transfer.amount_minor,
        currency=transfer.currency,
        gateway_transfer_id=transfer.code,
        fee_minor=transfer.fee_minor,
        reason=transfer.failure_reason,
    )
