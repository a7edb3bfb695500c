"""The integration's balance at Paystack: one row per movement, in subunits."""

from __future__ import annotations

from learning247.sandbox.paystack.errors import refusal
from learning247.sandbox.paystack.parameters import page_of
from learning247.sandbox.wire import Call, Json, Reply
from learning247.sandbox.world import World

INTEGRATION = 463_433
CURRENCIES = ("NGN", "GHS", "ZAR", "KES", "USD")


class Ledger:
    """Balances by currency, and the history behind them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._balances = world.store.table("paystack.balances")

    def balance(self, currency: str) -> int:
        opening = self._world.config.opening_balances.get(currency, 0)
        row = self._balances.get(currency)
        return int(row["balance"]) if row else opening

    def move(self, currency: str, difference: int, *, reason: str, model: str, row: int) -> None:
        """Add to the balance (or take from it); ``model`` and ``row`` name the cause."""
        balance = self.balance(currency) + difference
        self._balances[currency] = {"balance": balance}
        number, now = self._world.ids.number(), self._world.clock.iso()
        self._world.store.table("paystack.ledger")[str(number)] = {
            "integration": INTEGRATION,
            "domain": "test",
            "balance": balance,
            "currency": currency,
            "difference": difference,
            "reason": reason,
            "model_responsible": model,
            "model_row": row,
            "id": number,
            "createdAt": now,
            "updatedAt": now,
        }

    def require(self, currency: str, amount: int) -> None:
        if self.balance(currency) < amount:
            raise refusal(
                "Your balance is not enough to fulfill this request",
                code="insufficient_balance",
                kind="api_error",
                step="Top up your balance, or try with a smaller amount",
            )

    def show(self, call: Call) -> Reply:
        """GET /balance. The home currency is always listed, others once they have moved."""
        listed = [code for code in CURRENCIES if code == "NGN" or self.balance(code) or code in self._balances]
        rows = [{"currency": code, "balance": self.balance(code)} for code in listed]
        return Reply(200, {"status": True, "message": "Balances retrieved", "data": rows})

    def history(self, call: Call) -> Reply:
        """GET /balance/ledger, newest first."""
        rows: list[Json] = list(self._world.store.newest("paystack.ledger"))
        page, meta = page_of(call, rows)
        return Reply(200, {"status": True, "message": "Balance ledger retrieved", "data": page, "meta": meta})
