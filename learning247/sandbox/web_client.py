"""A stand-in for the web client, so that links in mails and the way back from a checkout lead somewhere.

A few pages that call the API from the browser as the real client would: by its public address, across origins.
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
<p id="said" role="status">%(greeting)s</p>%(body)s
<script>
const api = %(api)s;
const said = document.getElementById("said");
let refusal = null;
async function call(path, body, access) {
  const headers = {"Content-Type": "application/json"};
  if (access) headers.Authorization = "Bearer " + access;
  try {
    // With credentials, or the browser would neither keep the refresh cookie nor send it.
    const answer = await fetch(api + path, {credentials: "include", headers, method: body ? "POST" : "GET",
      body: body ? JSON.stringify(body) : undefined});
    const data = answer.status === 204 ? {} : await answer.json();
    if (!answer.ok) refusal = data;
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

# RFC 7636: only the browser that began can end it, so nobody is signed in by a link that somebody else sends.
_SIGN_IN = """
const text = bytes => btoa(String.fromCharCode(...bytes)).replace(/[+]/g, "-").replace(/[/]/g, "_").replace(/=/g, "");
document.getElementById("google").addEventListener("click", async () => {
  const verifier = text(crypto.getRandomValues(new Uint8Array(32)));
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  sessionStorage.setItem("code_verifier", verifier);
  location.assign(api + "/auth/google?code_challenge=" + text(new Uint8Array(digest)));
});
"""
_SIGN_IN_BODY = '<button class="go" id="google" type="button">Sign in with Google</button>'

_CALLBACK = """
const reasons = {
  google_cancelled: "You cancelled at Google. Nothing has changed.",
  google_email_not_verified: "Google has not verified this email. Verify it there, or sign in by password.",
  google_email_unproven: "There is an account with this email that nobody has verified yet. "
    + "Set a new password by “Forgot password”; that proves the email, and Google works from then on.",
  google_account_differs: "This account signs in with another Google account. Choose that one.",
  account_disabled: "This account is disabled. Write to support.",
};
const answer = new URLSearchParams(location.hash.slice(1));
history.replaceState(null, "", location.pathname);  // the code stays neither in the address nor in the history
const verifier = sessionStorage.getItem("code_verifier");
sessionStorage.removeItem("code_verifier");
async function finish() {
  if (answer.get("error")) throw reasons[answer.get("error")] || "This did not work. Please try again.";
  if (!verifier) throw "This sign-in was not begun in this window. Please begin again.";
  return call("/auth/google/exchange", {code: answer.get("code") || "", code_verifier: verifier}).catch(reason =>
    refusal && refusal.errors[0].code === "second_factor_required"
      ? secondFactor(refusal.extra.challenge) : Promise.reject(reason));
}
function secondFactor(challenge) {
  const form = document.getElementById("second_factor");
  form.hidden = false;
  said.textContent = "Enter a code of your authenticator app, or a recovery code.";
  return new Promise(done => form.addEventListener("submit", event => {
    event.preventDefault();
    call("/auth/login/second-factor", {challenge, code: document.getElementById("code").value}).then(
      signedIn => { form.hidden = true; done(signedIn); }, reason => { said.textContent = reason; });
  }));
}
finish().then(signedIn => call("/auth/me", null, signedIn.access)).then(
  user => {
    said.textContent = "You are signed in.";
    for (const id of ["first_name", "last_name", "email"]) document.getElementById(id).textContent = user[id];
    document.getElementById("email_verified").textContent = user.email_verified ? "verified" : "not verified";
    document.getElementById("profile").hidden = false;
  },
  reason => { said.textContent = reason; document.getElementById("again").hidden = false; });
"""
_CALLBACK_BODY = (
    '<dl id="profile" hidden><dt>First name</dt><dd id="first_name"></dd><dt>Last name</dt><dd id="last_name"></dd>'
    '<dt>Email</dt><dd id="email"></dd><dt>This email is</dt><dd id="email_verified"></dd></dl>'
    '<form id="second_factor" hidden><label for="code">Code</label>'
    '<input id="code" inputmode="numeric" autocomplete="one-time-code"><button class="go">Continue</button></form>'
    f'<p id="again" hidden><a href="{PREFIX}/sign-in">Back to signing in</a></p>'
)


# One form whose fields go to one call; `fixed` holds what the link brought.
_FORM = """
const fixed = %(fixed)s ? {token: new URLSearchParams(location.hash.slice(1)).get("token") || ""} : {};
const form = document.getElementById("form");
form.addEventListener("submit", event => {
  event.preventDefault();
  call(%(path)s, {...Object.fromEntries(new FormData(form)), ...fixed}).then(
    () => { form.hidden = true; said.textContent = %(done)s; },
    reason => { said.textContent = reason; });
});
"""
_FIELD = '<label for="{name}">{label}</label><input id="{name}" name="{name}" type="{kind}" autocomplete="{fills}">'


class WebClient:
    """The pages, told where the API is by the address to which the gateways' events go."""

    def __init__(self, webhook_url: str) -> None:
        address = urlsplit(webhook_url)
        self._api = f"{address.scheme}://{address.netloc}"

    def routes(self) -> list[Route]:
        return [
            Route(f"{PREFIX}/payments/{{reference}}", self.payment),
            Route(f"{PREFIX}/verify-email", self.email),
            Route(f"{PREFIX}/forgot-password", self.forgotten),
            Route(f"{PREFIX}/reset-password", self.reset),
            Route(f"{PREFIX}/delete-account", self.deletion),
            Route(f"{PREFIX}/sign-in", self.sign_in),
            Route(f"{PREFIX}/auth/callback", self.callback),
            Route(PREFIX, self.index),
            Route(f"{PREFIX}/{{rest:path}}", self.elsewhere),
        ]

    async def index(self, request: Request) -> Response:
        links = {"sign-in": "Sign in with Google", "forgot-password": "Forgot password"}
        items = "".join(f'<li><a href="{PREFIX}/{path}">{label}</a></li>' for path, label in links.items())
        return self._plain("The web client", f"<ul>{items}</ul><p>Mailed links lead to the other pages.</p>")

    async def elsewhere(self, request: Request) -> Response:
        """Where a link leads that this stand-in has no page for."""
        return self._plain(
            "A page of the web client", f'<p>The real one is here; this stand-in has <a href="{PREFIX}">a few</a>.</p>'
        )

    async def forgotten(self, request: Request) -> Response:
        field = _FIELD.format(name="email", label="Email", kind="email", fills="email")
        return self._form(
            "Forgot password", "/auth/forgot-password", field, "If there is an account, a mail is coming."
        )

    async def reset(self, request: Request) -> Response:
        """Where the link in the mail about a new password leads."""
        field = _FIELD.format(name="password", label="New password", kind="password", fills="new-password")
        return self._form("A new password", "/auth/reset-password", field, "Your new password is set.", token=True)

    async def deletion(self, request: Request) -> Response:
        """Where the link in the mail about deleting an account leads."""
        return self._form("Delete your account", "/auth/delete-account", "", "Your account is deleted.", token=True)

    async def payment(self, request: Request) -> Response:
        """Where a gateway sends the buyer back to."""
        return self._page("Your payment", _PAYMENT % {"reference": _literal(request.path_params["reference"])})

    async def email(self, request: Request) -> Response:
        """Where the link in the verification mail leads; the token is in the fragment, which no server sees."""
        return self._page("Your email", _EMAIL)

    async def sign_in(self, request: Request) -> Response:
        return self._page("Sign in", _SIGN_IN, greeting="Welcome.", body=_SIGN_IN_BODY)

    async def callback(self, request: Request) -> Response:
        """Where the way by Google ends: a one-time code or a refusal, in the fragment."""
        return self._page("Signing in", _CALLBACK, body=_CALLBACK_BODY)

    def _form(self, title: str, path: str, fields: str, done: str, *, token: bool = False) -> Response:
        script = _FORM % {"path": _literal(path), "done": _literal(done), "fixed": "true" if token else "false"}
        body = f'<form id="form">{fields}<button class="go">{title}</button></form>'
        return self._page(title, script, greeting="", body=body)

    def _plain(self, title: str, body: str) -> Response:
        return HTMLResponse(page(title, f'<p class="tag">stand-in for the web client</p><h1>{title}</h1>{body}'))

    def _page(self, title: str, script: str, *, greeting: str = "Asking the API …", body: str = "") -> Response:
        call = _CALL % {"api": _literal(self._api), "script": script, "greeting": greeting, "body": body}
        tag = '<p class="tag">stand-in for the web client</p>'
        return HTMLResponse(page(title, f"{tag}<h1>{title}</h1>{call}"))


def _literal(text: str) -> str:
    """A JavaScript string that cannot end its script element."""
    return json.dumps(text).replace("<", "\\u003c")
