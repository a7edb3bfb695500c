"""A client for the control API. Works against a sandbox in a thread and in another process alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, cast

import requests

from learning247.sandbox.wire import Json

TIMEOUT = 60.0
POLL_SECONDS = 0.02


class ControlError(RuntimeError):
    """The sandbox refused a control request; the message is its reason."""


class WaitExpiredError(AssertionError):
    """A condition did not come true in time."""


class ControlClient:
    """One sandbox's levers; ``base_url`` such as ``http://127.0.0.1:8090``."""

    def __init__(self, base_url: str) -> None:
        self._base = f"{base_url.rstrip('/')}/control"
        self._session = requests.Session()
        self._session.trust_env = False

    # -- the whole -----------------------------------------------------------------------------------------

    def health(self) -> Json:
        return self._call("GET", "/health")

    def state(self) -> Json:
        """Table sizes, time, behaviour, paused providers."""
        return self._call("GET", "/state")

    def rows(self, table: str) -> list[Json]:
        """The newest rows of a table such as ``paystack.transactions``."""
        return cast(list[Json], self._call("GET", "/state", query={"table": table})["rows"])

    def reset(self) -> None:
        self._call("POST", "/reset")

    def advance(self, seconds: float) -> None:
        """Move the sandbox's clock forward; what falls due until then happens."""
        self._call("POST", "/clock", {"advance": seconds})

    def behave(self, **changes: Any) -> Json:
        """How things turn out by themselves, e.g. ``paystack_transfer_outcome="failed"``."""
        return self._call("POST", "/behaviour", changes)

    def top_up(self, provider: str, currency: str, amount: int, account: str = "") -> int:
        """Add minor units to a balance; answers the new balance."""
        body: Json = {"provider": provider, "currency": currency, "amount": amount}
        return int(self._call("POST", "/balances", body | ({"account": account} if account else {}))["balance"])

    # -- faults --------------------------------------------------------------------------------------------

    def fault(self, kind: str, **fields: Any) -> int:
        """Plan a fault: provider, method, path, event, times, seconds, status, amount, currency, reference,
        count."""
        return int(self._call("POST", "/faults", {"kind": kind} | fields)["id"])

    def random_faults(self, seed: int, rates: Mapping[str, float]) -> None:
        """Faults by chance, the same for the same seed."""
        self._call("POST", "/faults/random", {"seed": seed, "rates": dict(rates)})

    def faults(self) -> Json:
        return self._call("GET", "/faults")

    def remove_fault(self, number: int) -> None:
        self._call("DELETE", f"/faults/{number}")

    def clear_faults(self) -> None:
        self._call("DELETE", "/faults")

    # -- people, banks -------------------------------------------------------------------------------------

    def pay(self, provider: str, payment: str, card: str = "") -> Json:
        """Pay a checkout: by reference (Paystack) or session id (Stripe), with a test card or the good
        one.
        """
        return self.checkout(provider, payment, "pay", card)

    def decline(self, provider: str, payment: str) -> Json:
        return self.checkout(provider, payment, "decline")

    def abandon(self, provider: str, payment: str) -> Json:
        return self.checkout(provider, payment, "abandon")

    def checkout(self, provider: str, payment: str, action: str, card: str = "") -> Json:
        """Also, for Stripe: pay_later, then settle or fail; expire."""
        return self._call("POST", f"/{provider}/checkouts/{payment}", {"action": action, "card": card})

    def open_dispute(
        self, provider: str, payment: str, amount: int | None = None, reason: str = "general", inquiry: bool = False
    ) -> Json:
        body = {"payment": payment, "amount": amount, "reason": reason, "inquiry": inquiry}
        return self._call("POST", f"/{provider}/disputes", body)

    def decide_dispute(self, provider: str, dispute: str | int, outcome: str) -> Json:
        """``won`` or ``lost``; for Paystack also ``remind``; for Stripe see the lever."""
        return self._call("POST", f"/{provider}/disputes/{dispute}", {"outcome": outcome})

    def conclude_refund(self, provider: str, refund: str | int, status: str) -> Json:
        return self._call("POST", f"/{provider}/refunds/{refund}", {"status": status})

    def conclude_transfer(self, provider: str, transfer: str | int, status: str) -> Json:
        """By code, reference or id (Paystack), by id (Stripe)."""
        return self._call("POST", f"/{provider}/transfers/{transfer}", {"status": status})

    def pay_out(self, provider: str, currency: str) -> Json:
        """All that is there goes to our own bank: an automatic payout (Stripe), a settlement (Paystack)."""
        return self._call("POST", f"/{provider}/payouts", {"currency": currency})

    def conclude_payout(self, payout: str | int, status: str, provider: str = "stripe") -> Json:
        return self._call("POST", f"/{provider}/payouts/{payout}", {"status": status})

    def own_top_up(self, currency: str, amount: int) -> Json:
        """From our own bank to our balance at Stripe."""
        return self._call("POST", "/stripe/topups", {"currency": currency, "amount": amount})

    def reverse_top_up(self, topup: str) -> Json:
        return self._call("POST", f"/stripe/topups/{topup}")

    def onboard(self, account: str) -> Json:
        return self._call("POST", f"/stripe/accounts/{account}", {"action": "onboard"})

    def restrict(self, account: str) -> Json:
        return self._call("POST", f"/stripe/accounts/{account}", {"action": "restrict"})

    # -- webhooks ------------------------------------------------------------------------------------------

    def webhooks(self, **filters: str) -> list[Json]:
        """Deliveries by provider, event, status, about; each with its attempts."""
        return cast(list[Json], self._call("GET", "/webhooks", query=filters)["webhooks"])

    def send_webhooks_to(self, **urls: str) -> None:
        """``paystack=`` and ``stripe=``: where later events go."""
        self._call("POST", "/webhooks/urls", dict(urls))

    def pause_webhooks(self, provider: str = "") -> None:
        self._call("POST", "/webhooks/pause", {"provider": provider} if provider else {})

    def resume_webhooks(self, provider: str = "") -> None:
        self._call("POST", "/webhooks/resume", {"provider": provider} if provider else {})

    def deliver(self, webhook: str | int) -> Json:
        """Try one delivery now and wait for its outcome, paused or not."""
        return self._call("POST", f"/webhooks/{webhook}/deliver")

    def deliver_all(self) -> list[str]:
        """Try everything undelivered once; answers what went through."""
        return cast(list[str], self._call("POST", "/webhooks/deliver")["delivered"])

    def duplicate(self, webhook: str | int, count: int = 1) -> Json:
        return self._call("POST", f"/webhooks/{webhook}/duplicate", {"count": count})

    def shuffle(self, seed: int = 0) -> list[str]:
        """Deliver all undelivered in an order that the seed decides; answers that order."""
        return cast(list[str], self._call("POST", "/webhooks/shuffle", {"seed": seed})["order"])

    def wait_for_webhook(self, event: str, status: str = "delivered", seconds: float = 10.0, **filters: str) -> Json:
        """The first delivery of this event in this status, once there is one."""
        found: list[Json] = []

        def there() -> bool:
            found[:] = self.webhooks(event=event, status=status, **filters)
            return bool(found)

        self.wait_until(there, seconds=seconds)
        return found[0]

    # -- requests ------------------------------------------------------------------------------------------

    def requests(self, **filters: str) -> list[Json]:
        """Logged calls with their answers: provider, method, path (its beginning), after, limit."""
        return cast(list[Json], self._call("GET", "/requests", query=filters)["requests"])

    def forget_requests(self) -> None:
        self._call("DELETE", "/requests")

    # -- inside --------------------------------------------------------------------------------------------

    def wait_until(self, condition: Callable[[], bool], *, seconds: float = 10.0) -> None:
        """Look again and again until a condition is true; :class:`WaitExpiredError` when it takes too
        long.
        """
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise WaitExpiredError(f"not true within {seconds} s")
            time.sleep(POLL_SECONDS)

    def _call(self, method: str, path: str, body: Json | None = None, query: Mapping[str, str] | None = None) -> Json:
        answer = self._session.request(
            method,
            f"{self._base}{path}",
            json=body if method == "POST" else None,
            params=query,
            timeout=TIMEOUT,
        )
        if not answer.ok:
            raise ControlError(f"{method} {path}: {answer.status_code} {answer.text}")
        return cast(Json, answer.json())
