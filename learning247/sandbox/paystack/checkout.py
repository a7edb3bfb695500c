"""Paystack's hosted payment page: /paystack/checkout/{access_code}."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from learning247.sandbox.pages import Checkout, checkout_page, message_page
from learning247.sandbox.paystack.cards import CARDS, DECLINED, SUCCESS, card_of
from learning247.sandbox.paystack.transactions import Transactions
from learning247.sandbox.wire import Json, RefusalError

ACTIONS = ("pay", "decline", "abandon")
LISTED = tuple((card.number, card.meaning) for card in CARDS.values())


class ActionError(ValueError):
    """A customer cannot do this here."""


class PaymentPage:
    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def act(self, key: str, action: str, card_number: str = "") -> Json:
        """Do what a customer does on the page; answers status and where the browser goes next."""
        record = self._transactions.find(key)
        if action not in ACTIONS:
            raise ActionError(f"action must be one of {', '.join(ACTIONS)}")
        if action == "abandon":
            self._transactions.abandon(record)
        else:
            card = DECLINED if action == "decline" else card_of(card_number or SUCCESS.number)
            self._transactions.attempt(record, card)
        return {
            "reference": record["reference"],
            "status": self._transactions.status(record),
            "redirect": _way_back(record),
            "gateway_response": record["gateway_response"],
        }

    async def serve(self, request: Request) -> Response:
        """GET shows the page, POST acts: paid and abandoned go back to the merchant, declined may try
        again.
        """
        try:
            record = self._transactions.find(request.path_params["access_code"])
        except RefusalError:
            return HTMLResponse(message_page("Payment not found", "This payment page does not exist."), 404)
        if request.method == "POST":
            return await self._submit(request, record)
        if record["status"] in ("success", "reversed"):
            return HTMLResponse(message_page("Already paid", "This payment was made.", _way_back(record)))
        self._transactions.open_page(record)
        return HTMLResponse(self._page(record))

    async def _submit(self, request: Request, record: Json) -> Response:
        form = await request.form()
        action, card = str(form.get("action", "pay")), str(form.get("card", ""))
        try:
            outcome = self.act(record["access_code"], action, card)
        except ActionError as error:
            return HTMLResponse(message_page("Not possible", str(error)), 400)
        if action != "abandon" and outcome["status"] == "failed":
            return HTMLResponse(self._page(record, f"Declined: {record['gateway_response']}. You can try again."))
        if not outcome["redirect"]:
            return HTMLResponse(message_page("Done", f"The payment is {outcome['status']}."))
        return RedirectResponse(outcome["redirect"], status_code=303)

    def _page(self, record: Json, notice: str = "") -> str:
        return checkout_page(
            Checkout(
                gateway="Paystack",
                merchant="Learning247",
                amount=record["amount"],
                currency=record["currency"],
                email=record["email"],
                reference=record["reference"],
                items=(),
                cards=LISTED,
                default_card=SUCCESS.number,
                notice=notice,
            )
        )


def _way_back(record: Json) -> str:
    """The callback URL with ``trxref`` and ``reference`` added to whatever query it has."""
    if not record["callback_url"]:
        return ""
    parts = urlsplit(record["callback_url"])
    query = parse_qsl(parts.query, keep_blank_values=True)
    query += [("trxref", record["reference"]), ("reference", record["reference"])]
    return urlunsplit(parts._replace(query=urlencode(query)))
