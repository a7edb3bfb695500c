"""Connected accounts and their onboarding: a creator is paid out once transfers and payouts are enabled."""

from __future__ import annotations

from learning247.sandbox.stripe.errors import refusal, wrong
from learning247.sandbox.stripe.events import Events
from learning247.sandbox.stripe.objects import Objects, address, empty_list
from learning247.sandbox.stripe.parameters import Parameters
from learning247.sandbox.wire import Call, Json, Reply
from learning247.sandbox.world import World

LINK_SECONDS = 5 * 60
CURRENCIES = {"GB": "gbp", "US": "usd"}
EURO = ("AT", "BE", "DE", "ES", "FI", "FR", "IE", "IT", "NL", "PT")
WANTED = ["external_account", "tos_acceptance.date", "tos_acceptance.ip"]
LINK_TYPES = ("account_onboarding", "account_update")
KINDS = ("express", "standard", "custom", "none")


class Accounts:
    def __init__(self, world: World, objects: Objects, events: Events) -> None:
        self._world = world
        self._objects = objects
        self._events = events

    def create(self, call: Call) -> Reply:
        """POST /v1/accounts, by ``type`` or by ``controller``."""
        parameters = Parameters(call)
        controller = parameters.mapping("controller")
        kind = parameters.choice("type", KINDS, "none" if controller else "standard")
        country = (parameters.optional_text("country") or "US").upper()
        if len(country) != 2:
            raise wrong("country", f"Country '{country}' is unknown.")
        requested = _requested(parameters.mapping("capabilities"))
        email, metadata = parameters.optional_text("email"), parameters.metadata()
        profile = parameters.mapping("business_profile")
        business, code = (
            parameters.optional_text("business_type"),
            parameters.optional_text("default_currency"),
        )
        parameters.ignore("company", "individual", "settings", "tos_acceptance", "external_account")
        parameters.finish()
        account = self._account(kind, country, requested, email, metadata, controller)
        account["business_profile"] |= profile
        account["business_type"] = business or None
        account["default_currency"] = code.lower() or account["default_currency"]
        self._objects.keep(account)
        return self._objects.reply(account, parameters)

    def retrieve(self, call: Call) -> Reply:
        """GET /v1/accounts/{id}."""
        parameters = Parameters(call)
        parameters.finish()
        return self._objects.reply(self._objects.get("account", call.arguments["id"], "account"), parameters)

    def link(self, call: Call) -> Reply:
        """POST /v1/account_links: a page where the person answers Stripe's questions, good for five
        minutes.
        """
        parameters = Parameters(call)
        account = self._objects.get("account", parameters.text("account"), "account")
        refresh, way_back = parameters.text("refresh_url"), parameters.text("return_url")
        parameters.choice("type", LINK_TYPES, "")
        parameters.ignore("collect", "collection_options")
        parameters.finish()
        now = self._world.clock.seconds()
        token = self._world.ids.mixed("", 16)
        link = {
            "account": account["id"],
            "return_url": way_back,
            "refresh_url": refresh,
            "expires_at": now + LINK_SECONDS,
        }
        self._world.store.table("stripe.account_links")[token] = link
        url = f"{self._world.config.public_url}/stripe/setup/{account['id']}/{token}"
        return Reply(200, {"object": "account_link", "created": now, "expires_at": now + LINK_SECONDS, "url": url})

    def opened(self, account: str, token: str) -> Json | None:
        """The link of an onboarding page while it is good."""
        link = self._world.store.table("stripe.account_links").get(token)
        if link is None or link["account"] != account or link["expires_at"] <= self._world.clock.now():
            return None
        return link

    def onboard(self, identifier: str) -> Json:
        """All questions answered: requested capabilities become active, charges and payouts enabled."""
        return self._change(identifier, enabled=True, capability="active", due=[], reason=None)

    def restrict(self, identifier: str) -> Json:
        """Stripe wants to know more: payouts stop."""
        return self._change(
            identifier,
            enabled=False,
            capability="inactive",
            due=["individual.verification.document"],
            reason="requirements.past_due",
        )

    def require_transfers(self, identifier: str) -> Json:
        """The account money may be sent to, or the refusal that the API gives."""
        account = self._objects.table("account").get(identifier)
        if account is None:
            raise refusal(
                f"No such destination: '{identifier}'",
                code="resource_missing",
                param="destination",
            )
        if account["capabilities"].get("transfers") != "active":
            raise refusal(
                "Your destination account needs to have at least one of the following capabilities enabled: "
                "transfers, crypto_transfers, legacy_payments",
                code="insufficient_capabilities_for_transfer",
            )
        return account

    def _change(self, identifier: str, *, enabled: bool, capability: str, due: list[str], reason: str | None) -> Json:
        account = self._objects.get("account", identifier, "account")
        before = {
            "payouts_enabled": account["payouts_enabled"],
            "charges_enabled": account["charges_enabled"],
        }
        account.update(
            charges_enabled=enabled,
            payouts_enabled=enabled,
            details_submitted=True,
            capabilities=dict.fromkeys(account["capabilities"], capability),
            requirements=_requirements(due, reason),
        )
        self._events.emit("account.updated", account, account=identifier, previous=before)
        return account

    def _account(
        self, kind: str, country: str, requested: list[str], email: str, metadata: Json, controller: Json
    ) -> Json:
        identifier = self._world.ids.mixed("acct_1", 15)
        return {
            "id": identifier,
            "object": "account",
            "business_profile": {
                "annual_revenue": None,
                "estimated_worker_count": None,
                "mcc": None,
                "name": None,
                "product_description": None,
                "support_address": address(),
                "support_email": None,
                "support_phone": None,
                "support_url": None,
                "url": None,
            },
            "business_type": None,
            "capabilities": dict.fromkeys(requested, "inactive"),
            "charges_enabled": False,
            "controller": _controller(controller),
            "country": country,
            "created": self._world.clock.seconds(),
            "default_currency": _home_currency(country),
            "details_submitted": False,
            "email": email or None,
            "external_accounts": empty_list(f"/v1/accounts/{identifier}/external_accounts"),
            "future_requirements": _requirements([], None),
            "metadata": metadata,
            "payouts_enabled": False,
            "requirements": _requirements(WANTED, "requirements.past_due"),
            "settings": {
                "payouts": {
                    "debit_negative_balances": True,
                    "schedule": {"delay_days": 2, "interval": "daily"},
                    "statement_descriptor": None,
                }
            },
            "tos_acceptance": {"date": None, "ip": None, "user_agent": None},
            "type": kind,
        }


def _requested(capabilities: Json) -> list[str]:
    """Names with ``requested`` true."""
    return [
        name
        for name, wish in capabilities.items()
        if isinstance(wish, dict) and str(wish.get("requested")).lower() == "true"
    ]


def _controller(wanted: Json) -> Json:
    return wanted | {"is_controller": True, "type": "application"}


def _home_currency(country: str) -> str:
    return "eur" if country in EURO else CURRENCIES.get(country, "usd")


def _requirements(due: list[str], reason: str | None) -> Json:
    return {
        "alternatives": [],
        "current_deadline": None,
        "currently_due": list(due),
        "disabled_reason": reason,
        "errors": [],
        "eventually_due": list(due),
        "past_due": list(due),
        "pending_verification": [],
    }
