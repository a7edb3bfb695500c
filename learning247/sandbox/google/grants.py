"""From consent to tokens: authorization codes, access tokens, ID tokens (RFC 6749, RFC 7636, OpenID Connect Core)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import parse_qsl

from learning247.sandbox.google.errors import refusal
from learning247.sandbox.google.keys import SigningKey
from learning247.sandbox.wire import Call, Json, Reply
from learning247.sandbox.world import World

CODE_SECONDS = 600
TOKEN_SECONDS = 3599
_SOMEBODY_ELSE = "somebody-else.apps.googleusercontent.com"


class Grants:
    def __init__(self, world: World, key: SigningKey) -> None:
        self._world = world
        self._key = key
        self._codes = world.store.table("google.codes")
        self._tokens = world.store.table("google.tokens")

    @property
    def issuer(self) -> str:
        return f"{self._world.config.public_url}/google"

    def allow(self, asked: Mapping[str, str], person: Json) -> str:
        """The code with which the application asks for the tokens: once, within ten minutes."""
        code = self._world.ids.mixed("4/0A", 60)
        self._codes[code] = {
            "code": code,
            "used": False,
            "expires": self._world.clock.seconds() + CODE_SECONDS,
            "person": person,
            **{
                name: asked.get(name, "")
                for name in ("redirect_uri", "scope", "nonce", "code_challenge", "code_challenge_method")
            },
        }
        return code

    def token(self, call: Call) -> Reply:
        """`POST /token`: a code for an access token and an ID token."""
        form = dict(parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True))
        self._check_client(form)
        if form.get("grant_type") != "authorization_code":
            raise refusal("unsupported_grant_type", f"Invalid grant_type: {form.get('grant_type', '')}")
        grant = self._codes.get(form.get("code", ""))
        if grant is None or grant["used"] or grant["expires"] < self._world.clock.seconds():
            raise refusal("invalid_grant", "Bad Request" if grant else "Malformed auth code.")
        if form.get("redirect_uri") != grant["redirect_uri"]:
            raise refusal("redirect_uri_mismatch", "Bad Request")
        if not _proves(form.get("code_verifier", ""), grant):
            raise refusal("invalid_grant", "Invalid code verifier.")
        grant["used"] = True
        access = self._world.ids.mixed("ya29.", 80)
        self._tokens[access] = {
            "token": access,
            "expires": self._world.clock.seconds() + TOKEN_SECONDS,
            "person": grant["person"],
        }
        body = {"access_token": access, "expires_in": TOKEN_SECONDS, "scope": grant["scope"], "token_type": "Bearer"}
        return Reply(200, body | self._id_token(grant, access))

    def userinfo(self, call: Call) -> Reply:
        """`GET /oauth2/v2/userinfo`."""
        token = self._tokens.get(call.headers.get("authorization", "").removeprefix("Bearer "))
        if token is None or token["expires"] < self._world.clock.seconds():
            raise refusal("invalid_request", "Invalid Credentials", status=401)
        person = token["person"]
        renamed = {"id": person["sub"], "verified_email": person["email_verified"]}
        return Reply(200, renamed | {name: person[name] for name in ("email", "name", "given_name", "family_name")})

    def _check_client(self, form: Mapping[str, str]) -> None:
        config = self._world.config
        known = form.get("client_id") == config.google_client_id
        if not known or not hmac.compare_digest(
            form.get("client_secret", "").encode(), config.google_client_secret.encode()
        ):
            raise refusal("invalid_client", "The OAuth client was not found.", status=401)

    def _id_token(self, grant: Json, access: str) -> Json:
        """The field of the answer, with the fault that `google_id_token` asks for."""
        fault = self._world.behaviour["google_id_token"]
        if fault == "missing":
            return {}
        moment, client = self._world.clock.seconds(), self._world.config.google_client_id
        claims = grant["person"] | {
            "iss": "https://accounts.example.net" if fault == "wrong_issuer" else self.issuer,
            "azp": _SOMEBODY_ELSE if fault == "wrong_party" else client,
            "aud": _SOMEBODY_ELSE if fault == "wrong_audience" else client,
            "at_hash": _half_hash(access),
            "iat": moment,
            "exp": moment - 3600 if fault == "expired" else moment + TOKEN_SECONDS + 1,
        }
        if grant["nonce"]:
            claims["nonce"] = "another-nonce" if fault == "wrong_nonce" else grant["nonce"]
        if fault == "without_expiry":
            del claims["exp"]
        return {"id_token": self._key.sign(claims)}


def _proves(verifier: str, grant: Json) -> bool:
    """RFC 7636, 4.6."""
    if not grant["code_challenge"]:
        return not verifier
    made = (
        verifier if grant["code_challenge_method"] == "plain" else _url_safe(hashlib.sha256(verifier.encode()).digest())
    )
    return hmac.compare_digest(made.encode(), grant["code_challenge"].encode())


def _half_hash(text: str) -> str:
    """`at_hash` of OpenID Connect Core, 3.1.3.6."""
    return _url_safe(hashlib.sha256(text.encode()).digest()[:16])


def _url_safe(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
