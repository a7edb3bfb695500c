"""Creators who withdraw over HTTP, and what is needed to see where their money went."""

import re
from datetime import timedelta
from typing import Any

import requests
from rest_framework.test import APIClient

from accounts.models import User
from accounts.services.sessions import session_open
from accounts.tests.builders import build_creator
from learning247.kit.clock import now
from learning247.kit.ids import new_id
from learning247.records.models import OutboundMail
from wallets.enums import AccountKind, PayoutMethod
from wallets.models import PayoutAccount, Withdrawal
from wallets.selectors import balances_of, platform_balance
from wallets.services.payout_accounts import number_digest
from wallets.tests.builders import post_sale

TIMEOUT = 60.0
# Sales that these tests post are nobody's payments, for which I7 and I11 would look.
PROVEN = frozenset({"I1", "I2", "I3", "I4", "I5", "I6", "I10", "I12", "I13"})
CODE = re.compile(r"^(\d{6})$", re.MULTILINE)
NUMBER, GTBANK = "0123456789", "058"


class Creator:
    """Somebody with money, who is signed in; every call answers as the API does. Without a `url` it is asked in this
    process, for tests that are rolled back."""

    def __init__(
        self, url: str = "", *, available_minor: int = 10_000_000, currency: str = "NGN", user: User | None = None
    ) -> None:
        self.url, self.currency = url, currency
        # Old enough for the checker of fraud, which looks at what new accounts withdraw.
        self.user: User = user or build_creator(created_at=now() - timedelta(days=90))
        self.headers = {"Authorization": f"Bearer {session_open(self.user).access}"}
        if available_minor:
            post_sale(self.user.pk, gross_minor=available_minor, fee_minor=0, currency=currency)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        if not self.url:
            send = getattr(APIClient(), method.lower())
            return send(f"/api/wallet{path}", body, format="json", headers=self.headers | headers)
        return requests.request(
            method, f"{self.url}/api/wallet{path}", json=body, headers=self.headers | headers, timeout=TIMEOUT
        )

    def add_account(self, number: str = NUMBER, bank_code: str = GTBANK) -> dict[str, Any]:
        answer = self.send("POST", "/bank-accounts", {"account_number": number, "bank_code": bank_code})
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def withdraw(
        self, amount: Any, account_id: Any, *, currency: str | None = None, key: str | None = None, **body: Any
    ) -> Any:
        wanted = {"amount": amount, "currency": currency or self.currency, "bank_account_id": str(account_id)} | body
        return self.send("POST", "/withdraw", wanted, **{"Idempotency-Key": key or new_id().hex})

    def confirm(self, withdrawal_id: Any, code: str | None = None) -> Any:
        wanted = {"code": code or self.code(withdrawal_id)}
        return self.send("POST", f"/withdrawals/{withdrawal_id}/confirm", wanted)

    def cancel(self, withdrawal_id: Any) -> Any:
        return self.send("POST", f"/withdrawals/{withdrawal_id}/cancel")

    def shown(self, withdrawal_id: Any) -> dict[str, Any]:
        answer = self.send("GET", f"/withdrawals/{withdrawal_id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def begun(self, amount: str = "5000.00", account_id: Any = None) -> Any:
        """The id of a withdrawal that waits for its code."""
        answer = self.withdraw(amount, account_id or build_account(self.user, self.currency).pk)
        assert answer.status_code == 202, answer.text
        return answer.json()["id"]

    def confirmed(self, amount: str = "5000.00", account_id: Any = None) -> Withdrawal:
        """One that is on its way."""
        withdrawal_id = self.begun(amount, account_id)
        answer = self.confirm(withdrawal_id)
        assert answer.status_code == 200, answer.text
        return Withdrawal.objects.get(pk=withdrawal_id)

    @staticmethod
    def code(withdrawal_id: Any) -> str:
        """Of the newest mail."""
        mail = OutboundMail.objects.filter(key__startswith=f"withdrawal:{withdrawal_id}:code:").latest("created_at")
        found = CODE.search(mail.body().text)
        assert found is not None, mail.subject
        return found[1]

    def wrong(self, withdrawal_id: Any) -> str:
        return f"{(int(self.code(withdrawal_id)) + 1) % 1_000_000:06}"

    def has(self, *, available: int, held: int = 0) -> bool:
        balance = balances_of(user=self.user, currency=self.currency)[0]
        assert (balance.available, balance.held) == (available, held)
        return True


def build_account(
    owner: User,
    currency: str = "NGN",
    *,
    method: PayoutMethod = PayoutMethod.PAYSTACK,
    age: timedelta = timedelta(days=2),
    **fields: Any,
) -> PayoutAccount:
    """A bank account that is old enough for any amount. Its recipient code opens nothing at the sandbox."""
    number = fields.pop("number", NUMBER)
    values: dict[str, Any] = {
        "bank_code": GTBANK,
        "bank_name": "Guaranty Trust Bank",
        "account_name": "OBI ADA",
        "last4": number[-4:],
        "number_digest": number_digest(number),
        "gateway_account_id": f"RCP_{new_id().hex[:16]}",
        "ready_at": now(),
        "created_at": now() - age,
    }
    return PayoutAccount.objects.create(owner=owner, method=method, currency=currency, **(values | fields))


def old_enough(account_id: Any) -> Any:
    """The account's waiting time is over; its id."""
    PayoutAccount.objects.filter(pk=account_id).update(created_at=now() - timedelta(days=2))
    return account_id


def everything_is_due() -> None:
    """Every lease has run out, and everything that waits is to be looked at now."""
    past = now() - timedelta(hours=1)
    Withdrawal.objects.filter(lease_until__isnull=False).update(lease_until=past)
    Withdrawal.objects.filter(due_at__isnull=False).update(due_at=past)


def at_paystack(currency: str = "NGN") -> int:
    """What the books say that Paystack holds for us, minor units."""
    return -platform_balance(kind=AccountKind.GATEWAY_PAYSTACK, currency=currency)


def error_of(answer: Any) -> tuple[int, str]:
    """(status, code) of a refusal, after a look at the envelope that all errors have."""
    body = answer.json()
    assert set(body) - {"extra"} == {"type", "errors", "request_id"}, body
    return answer.status_code, body["errors"][0]["code"]
