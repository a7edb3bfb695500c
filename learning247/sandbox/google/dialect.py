"""Google around its handlers: the routes, which Google spreads over several hosts, below one prefix."""

from __future__ import annotations

from learning247.sandbox.gateway import Route
from learning247.sandbox.google.errors import refusal
from learning247.sandbox.google.grants import Grants
from learning247.sandbox.google.keys import ALGORITHM, SigningKey
from learning247.sandbox.google.people import People
from learning247.sandbox.wire import Call, Handler, Reply
from learning247.sandbox.world import World

AUTHORIZE = "/o/oauth2/v2/auth"


class Google:
    """The whole provider but its page."""

    provider = "google"

    def __init__(self, world: World) -> None:
        self._key = SigningKey()
        self.people = People(world.store)
        self.grants = Grants(world, self._key)
        self.routes = [
            Route("GET", "/.well-known/openid-configuration", self.discovery),
            Route("POST", "/token", self.grants.token),
            Route("GET", "/oauth2/v2/userinfo", self.grants.userinfo),
            Route("GET", "/oauth2/v1/certs", lambda call: Reply(200, self._key.certificates())),
            Route("GET", "/oauth2/v3/certs", lambda call: Reply(200, self._key.key_set())),
        ]

    def discovery(self, call: Call) -> Reply:
        """As at accounts.google.com, with this server's addresses."""
        issuer = self.grants.issuer
        return Reply(
            200,
            {
                "issuer": issuer,
                "authorization_endpoint": f"{issuer}{AUTHORIZE}",
                "token_endpoint": f"{issuer}/token",
                "userinfo_endpoint": f"{issuer}/oauth2/v2/userinfo",
                "jwks_uri": f"{issuer}/oauth2/v3/certs",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": [ALGORITHM],
                "scopes_supported": ["openid", "email", "profile"],
                "token_endpoint_auth_methods_supported": ["client_secret_post"],
                "grant_types_supported": ["authorization_code"],
                "code_challenge_methods_supported": ["plain", "S256"],
            },
        )

    def authenticate(self, call: Call) -> None:
        """Each endpoint has its own way."""

    def missing(self, call: Call) -> Reply:
        return refusal("not_found", f"{call.method} {call.path} is not here.", status=404).reply

    def broken(self, call: Call, status: int) -> Reply:
        return refusal("internal_failure", "Internal error", status=status).reply

    def begin(self, call: Call) -> Reply | None:
        return None

    def execute(self, call: Call, handler: Handler) -> Reply:
        return handler(call)

    def finish(self, call: Call, reply: Reply) -> None:
        """Nothing is kept: Google has no idempotency keys here."""

    def release(self, call: Call) -> None:
        """As above."""

    def stamp(self, call: Call, reply: Reply) -> Reply:
        return Reply(reply.status, reply.body, {"cache-control": "no-store"} | reply.headers)
