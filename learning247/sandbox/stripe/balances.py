"""Balances, and the balance transactions that explain them. Minor units, lower-case currencies."""

from __future__ import annotations

from learning247.sandbox.stripe.errors import refusal
from learning247.sandbox.stripe.objects import PLATFORM, Objects
from learning247.sandbox.stripe.parameters import Parameters
from learning247.sandbox.wire import Call, Json, Reply
from learning247.sandbox.world import World

# The usual list price of a card payment: 2.9 % and 30 minor units.
RATE_BASIS_POINTS = 290
FLAT = 30


def card_fee(amount: int) -> int:
    """What Stripe keeps of a card payment, never more than the payment."""
    return min(amount, (amount * RATE_BASIS_POINTS + 5_000) // 10_000 + FLAT)


class Balances:
    def __init__(self, world: World, objects: Objects) -> None:
        self._world = world
        self._objects = objects
        self._rows = world.store.table("stripe.balances")
        # Of each movement: whose balance it moved, and which automatic payout paid it out.
        self._facts = world.store.table("stripe.balance_facts")

    def available(self, account: str, currency: str) -> int:
        row = self._rows.get(f"{account}:{currency}")
        if row is not None:
            return int(row["amount"])
        return self._world.config.opening_balances.get(currency.upper(), 0) if account == PLATFORM else 0

    def add(self, account: str, currency: str, difference: int) -> None:
        amount = self.available(account, currency) + difference
        self._rows[f"{account}:{currency}"] = {"account": account, "currency": currency, "amount": amount}

    def require(self, account: str, currency: str, amount: int) -> None:
        if self.available(account, currency) < amount:
            raise refusal(
                "You have insufficient available funds in your Stripe account.",
                code="balance_insufficient",
            )

    def book(
        self,
        source: Json,
        amount: int,
        category: str,
        *,
        fee: int = 0,
        account: str = PLATFORM,
        kind: str = "",
    ) -> str:
        """Move a balance by ``amount`` less ``fee`` because of an object; answers the balance
        transaction's id.
        """
        now = self._world.clock.seconds()
        details = [
            {
                "amount": fee,
                "application": None,
                "currency": source["currency"],
                "description": "Stripe processing fees",
                "type": "stripe_fee",
            }
        ]
        transaction = self._objects.keep(
            {
                "id": self._world.ids.mixed("txn_"),
                "object": "balance_transaction",
                "amount": amount,
                "available_on": now,
                "balance_type": "payments",
                "created": now,
                "currency": source["currency"],
                "description": source.get("description"),
                "exchange_rate": None,
                "fee": fee,
                "fee_details": details if fee else [],
                "net": amount - fee,
                "reporting_category": category,
                "source": source["id"],
                "status": "available",
                "type": kind or category,
            }
        )
        self._facts[transaction["id"]] = {"account": account, "payout": ""}
        self.add(account, source["currency"], amount - fee)
        return str(transaction["id"])

    def unpaid(self, account: str, currency: str) -> list[Json]:
        """The movements of a balance that no automatic payout has paid out, nor moved by paying out."""
        return [
            row
            for row in self._objects.table("balance_transaction").values()
            if row["currency"] == currency
            and self._facts[row["id"]] == {"account": account, "payout": ""}
            and not row["type"].startswith("payout")
        ]

    def pay_out(self, payout: str, transactions: list[str]) -> None:
        for identifier in transactions:
            self._facts[identifier]["payout"] = payout

    def show(self, call: Call) -> Reply:
        """GET /v1/balance, of the platform or of the account in ``Stripe-Account``."""
        parameters = Parameters(call)
        parameters.finish()
        account = call.headers.get("stripe-account", PLATFORM)
        codes = [row["currency"] for row in self._rows.values() if row["account"] == account]
        if account == PLATFORM:
            codes += [code.lower() for code in self._world.config.opening_balances]
        rows = [_part(code, self.available(account, code)) for code in sorted(set(codes)) or ["usd"]]
        return Reply(
            200,
            {
                "object": "balance",
                "available": rows,
                "livemode": False,
                "pending": [_part(row["currency"], 0) for row in rows],
            },
        )

    def retrieve(self, call: Call) -> Reply:
        """GET /v1/balance_transactions/{id}."""
        parameters = Parameters(call)
        parameters.finish()
        return self._objects.reply(self._objects.get("balance_transaction", call.arguments["id"]), parameters)

    def index(self, call: Call) -> Reply:
        """GET /v1/balance_transactions of an account, by source, type, currency or automatic payout."""
        parameters = Parameters(call)
        account, payout = call.headers.get("stripe-account", PLATFORM), parameters.optional_text("payout")
        wanted = {name: parameters.optional_text(name) for name in ("source", "type", "currency")}

        def listed(row: Json) -> bool:
            facts = self._facts[row["id"]]
            return (
                facts["account"] == account
                and (not payout or facts["payout"] == payout)
                and all(not value or row[name] == value for name, value in wanted.items())
            )

        return self._objects.listing("balance_transaction", "/v1/balance_transactions", parameters, listed)


def _part(currency: str, amount: int) -> Json:
    return {"amount": amount, "currency": currency, "source_types": {"card": amount}}
