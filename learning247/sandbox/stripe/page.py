"""Stripe's hosted pages: /stripe/c/pay/{session} to pay, /stripe/setup/{account}/{token} to be paid."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from learning247.sandbox.pages import Checkout, checkout_page, message_page, onboarding_page
from learning247.sandbox.stripe.accounts import Accounts
from learning247.sandbox.stripe.cards import CARDS, DECLINED, SUCCESS, card_of
from learning247.sandbox.stripe.checkout import Sessions
from learning247.sandbox.stripe.disputes import Disputes
from learning247.sandbox.stripe.objects import Objects
from learning247.sandbox.wire import Json, RefusalError

ACTIONS = ("pay", "decline", "abandon", "pay_later", "settle", "fail", "expire")
ON_PAGE = ACTIONS[:4]
LISTED = tuple((card.number, card.meaning) for card in CARDS.values())


class ActionError(ValueError):
    """A customer cannot do this here."""


class PaymentPage:
    def __init__(self, sessions: Sessions, disputes: Disputes, objects: Objects) -> None:
        self._sessions = sessions
        self._disputes = disputes
        self._objects = objects

    def act(self, identifier: str, action: str, card_number: str = "") -> Json:
        """Do what a customer (or, later, the bank) does; answers status and where the browser goes next."""
        session = self._sessions.find(identifier)
        message = self._act(session, action, card_number)
        return {
            "id": session["id"],
            "status": session["status"],
            "payment_status": session["payment_status"],
            "payment_intent": session["payment_intent"],
            "message": message,
            "redirect": _way_on(session, action),
        }

    def _act(self, session: Json, action: str, card_number: str) -> str:
        """The reason of a refused card; empty when all went well."""
        if action in ("pay", "decline"):
            card = DECLINED if action == "decline" else card_of(card_number or SUCCESS.number)
            if self._sessions.attempt(session, card) and card.disputed:
                self._disputes.open(session["id"], None, "fraudulent")
            return card.message()
        if action == "pay_later":
            self._sessions.attempt_later(session)
        elif action in ("settle", "fail"):
            self._sessions.settle(session, paid=action == "settle")
        elif action == "expire" and session["status"] == "open":
            self._sessions.end(session)
        elif action != "abandon":
            raise ActionError(f"action must be one of {', '.join(ACTIONS)}, and possible now")
        return ""

    async def serve(self, request: Request) -> Response:
        """GET shows the page, POST acts: paid and abandoned go back to the merchant, declined may try
        again.
        """
        try:
            session = self._sessions.find(request.path_params["session"])
        except RefusalError:
            return HTMLResponse(message_page("Payment not found", "This payment page does not exist."), 404)
        if request.method == "POST":
            return await self._submit(request, session)
        if session["status"] == "complete":
            return HTMLResponse(message_page("Already paid", "This payment was made.", _way_on(session, "pay")))
        if session["status"] == "expired":
            return HTMLResponse(message_page("Expired", "This payment page is no longer open."), 410)
        return HTMLResponse(self._page(session))

    async def _submit(self, request: Request, session: Json) -> Response:
        form = await request.form()
        action = str(form.get("action", "pay"))
        try:
            if action not in ON_PAGE:
                raise ActionError(f"action must be one of {', '.join(ON_PAGE)}")
            outcome = self.act(session["id"], action, str(form.get("card", "")))
        except ActionError as error:
            return HTMLResponse(message_page("Not possible", str(error)), 400)
        except RefusalError as refusal:
            return HTMLResponse(message_page("Not possible", refusal.reply.body["error"]["message"]), 400)
        if outcome["message"]:
            return HTMLResponse(self._page(session, f"{outcome['message']} You can try again."))
        if not outcome["redirect"]:
            return HTMLResponse(message_page("You left the payment", "Nothing was paid."))
        return RedirectResponse(outcome["redirect"], status_code=303)

    def _page(self, session: Json, notice: str = "") -> str:
        return checkout_page(
            Checkout(
                gateway="Stripe",
                merchant="Learning247",
                amount=session["amount_total"],
                currency=session["currency"],
                email=session["customer_email"] or "",
                reference=session["client_reference_id"] or session["id"],
                items=self._sessions.items_of(session),
                cards=LISTED,
                default_card=SUCCESS.number,
                notice=notice,
                pays_later=True,
            )
        )


class SetupPage:
    """Onboarding of a connected account."""

    def __init__(self, accounts: Accounts, objects: Objects) -> None:
        self._accounts = accounts
        self._objects = objects

    async def serve(self, request: Request) -> Response:
        identifier = request.path_params["account"]
        link = self._accounts.opened(identifier, request.path_params["token"])
        if link is None:
            return HTMLResponse(message_page("Link expired", "Ask for a new link to set up payouts."), 410)
        if request.method == "GET":
            account = self._objects.get("account", identifier)
            return HTMLResponse(onboarding_page(identifier, account["email"] or ""))
        form = await request.form()
        if str(form.get("action", "complete")) == "complete":
            self._accounts.onboard(identifier)
        return RedirectResponse(link["return_url"], status_code=303)


def _way_on(session: Json, action: str) -> str:
    if action == "abandon":
        return session["cancel_url"] or ""
    if session["status"] != "complete":
        return ""
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])
