"""A stand-in for the web client, so that links in mails and the way back from a checkout lead somewhere.

Two pages that call the API from the browser as the real client would: by its public address, across origins.
"""

from __future__ import annotations

import json
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from learning247.sandbox.pages import page

PREFIX = "/client"

_CALL = """
<p id="said" role="status">Asking the API …</p>
<script>
const api = %(api)s;
const said = document.getElementById("said");
async function call(path, body) {
  try {
    const answer = await fetch(api + path, {
      method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(body)});
    const data = await answer.json();
    return answer.ok ? data : Promise.reject(data.errors[0].detail);
  } catch (error) {
    return Promise.reject(typeof error === "string" ? error : "The API does not answer at " + api + ".");
  }
}
%(script)s
</script>
"""

_PAYMENT = """
call("/api/payments/verify/" + encodeURIComponent(%(reference)s), {}).then(
  payment => { said.textContent = "“" + payment.item.title + "”: the payment is " + payment.status + "."; },
  reason => { said.textContent = reason; });
"""

_EMAIL = """
const token = new URLSearchParams(location.hash.slice(1)).get("token");
call("/auth/verify-email", {token: token || ""}).then(
  () => { said.textContent = "Your email is verified."; },
  reason => { said.textContent = reason; });
"""


class WebClient:
    """The pages, told where the API is by the address to which the gateways' events go."""

    def __init__(self, webhook_url: str) -> None:
        address = urlsplit(webhook_url)
        self._api = f"{address.scheme}://{address.netloc}"

    def routes(self) -> list[Route]:
        return [
            Route(f"{PREFIX}/payments/{{reference}}", self.payment),
            Route(f"{PREFIX}/verify-email", self.email),
        ]

    async def payment(self, request: Request) -> Response:
        """Where a gateway sends the buyer back to."""
        return self._page("Your payment", _PAYMENT % {"reference": _literal(request.path_params["reference"])})

    async def email(self, request: Request) -> Response:
        """Where the link in the verification mail leads; the token is in the fragment, which no server sees."""
        return self._page("Your email", _EMAIL)

    def _page(self, title: str, script: str) -> Response:
        call = _CALL % {"api": _literal(self._api), "script": script}
        tag = '<p class="tag">stand-in for the web client</p>'
        return HTMLResponse(page(title, f"{tag}<h1>{title}</h1>{call}"))


def _literal(text: str) -> str:
    """A JavaScript string that cannot end its script element."""
    return json.dumps(text).replace("<", "\\u003c")
