"""The page on which somebody chooses an account: /google/o/oauth2/v2/auth."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from learning247.sandbox.config import Config
from learning247.sandbox.google.dialect import Google
from learning247.sandbox.pages import account_page, message_page
from learning247.sandbox.wire import Json


class ConsentPage:
    def __init__(self, google: Google, config: Config) -> None:
        self._google = google
        self._config = config

    async def serve(self, request: Request) -> Response:
        """GET shows the page, POST acts: `sub` of who is listed, or `email` and the rest, or `action=deny`."""
        asked = dict(request.query_params)
        fault = self._fault(asked)
        if fault:
            return HTMLResponse(message_page("Access blocked: authorisation error", fault), 400)
        if request.method == "GET":
            return HTMLResponse(account_page(self._google.people.all()))
        form = {name: str(value) for name, value in (await request.form()).items()}
        if form.get("action") == "deny":
            return _back(asked, {"error": "access_denied"})
        person = self._person(form)
        if person is None:
            return HTMLResponse(account_page(self._google.people.all(), "Choose an account, or type an email."), 400)
        code = self._google.grants.allow(asked, person)
        return _back(asked, {"code": code, "scope": asked.get("scope", ""), "authuser": "0", "prompt": "consent"})

    def _person(self, form: Mapping[str, str]) -> Json | None:
        if "@" not in form.get("email", ""):
            return self._google.people.find(form.get("sub", ""))
        return self._google.people.keep(
            sub=form.get("sub", ""),
            email=form["email"].strip(),
            given_name=form.get("given_name", ""),
            family_name=form.get("family_name", ""),
            verified=form.get("unverified", "") == "",
        )

    def _fault(self, asked: Mapping[str, str]) -> str:
        """What the application asks wrongly is told to the person, and goes to no address that it names."""
        if asked.get("client_id") != self._config.google_client_id:
            return "Error 401: invalid_client. The OAuth client was not found."
        if asked.get("redirect_uri") not in self._config.google_redirect_uris:
            return "Error 400: redirect_uri_mismatch."
        if asked.get("response_type") != "code" or not asked.get("scope"):
            return "Error 400: invalid_request. Required parameter is missing or unknown."
        if asked.get("code_challenge_method", "S256") not in ("S256", "plain"):
            return "Error 400: invalid_request. Unknown code_challenge_method."
        return ""


def _back(asked: Mapping[str, str], answer: Mapping[str, str]) -> Response:
    parts = urlsplit(asked["redirect_uri"])
    state = {"state": asked["state"]} if "state" in asked else {}
    query = urlencode([*parse_qsl(parts.query), *state.items(), *answer.items()])
    return RedirectResponse(urlunsplit(parts._replace(query=query)), status_code=303)
