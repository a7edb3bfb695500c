"""What a sandbox is started with. Every value has an environment variable; every one has a safe default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

PAYSTACK_EVENTS = "/api/webhooks/paystack"
STRIPE_EVENTS = "/api/webhooks/stripe"
GOOGLE_CALLBACK = "/auth/google/callback"


class ConfigError(ValueError):
    """An environment variable that cannot be understood; the message names it."""


@dataclass(frozen=True)
class Config:
    """Settings of one sandbox. Seconds are real seconds before ``time_scale`` divides them."""

    host: str = "127.0.0.1"
    port: int = 8090
    public_url: str = ""
    paystack_secret_key: str = "sk_test_sandbox_paystack"  # noqa: S105 - opens nothing but this
    stripe_secret_key: str = "sk_test_sandbox_stripe"  # noqa: S105 - opens nothing but this
    stripe_webhook_secrets: tuple[str, ...] = ("whsec_sandbox",)
    paystack_webhook_url: str = f"http://127.0.0.1:8080{PAYSTACK_EVENTS}"
    stripe_webhook_url: str = f"http://127.0.0.1:8080{STRIPE_EVENTS}"
    google_client_id: str = "sandbox.apps.googleusercontent.com"
    google_client_secret: str = "GOCSPX-sandbox"  # noqa: S105 - opens nothing but this
    google_redirect_uris: tuple[str, ...] = (f"http://127.0.0.1:8080{GOOGLE_CALLBACK}",)
    state_path: str = ""
    time_scale: int = 1
    opening_balances: Mapping[str, int] = field(default_factory=dict)
    """Minor units per upper-case currency, put on the Paystack and the Stripe balance of an empty sandbox."""

    def with_port(self, port: int) -> Config:
        """The same settings once the real port is known (port 0 asks the system for a free one)."""
        public_url = self.public_url or f"http://{self.host}:{port}"
        return replace(self, port=port, public_url=public_url.rstrip("/"))


def read_config(environment: Mapping[str, str]) -> Config:
    """Build the settings from environment variables; empty variables count as absent."""
    default = Config()

    def text(name: str, fallback: str) -> str:
        return environment.get(name, "").strip() or fallback

    secrets = text("STRIPE_WEBHOOK_SECRET", ",".join(default.stripe_webhook_secrets))
    return Config(
        host=text("SANDBOX_HOST", default.host),
        port=_whole("SANDBOX_PORT", text("SANDBOX_PORT", str(default.port)), lowest=0),
        public_url=text("SANDBOX_PUBLIC_URL", "").rstrip("/"),
        paystack_secret_key=text("PAYSTACK_SECRET_KEY", default.paystack_secret_key),
        stripe_secret_key=text("STRIPE_SECRET_KEY", default.stripe_secret_key),
        stripe_webhook_secrets=tuple(part.strip() for part in secrets.split(",") if part.strip()),
        paystack_webhook_url=text("SANDBOX_PAYSTACK_WEBHOOK_URL", default.paystack_webhook_url),
        stripe_webhook_url=text("SANDBOX_STRIPE_WEBHOOK_URL", default.stripe_webhook_url),
        google_client_id=text("GOOGLE_CLIENT_ID", default.google_client_id),
        google_client_secret=text("GOOGLE_CLIENT_SECRET", default.google_client_secret),
        google_redirect_uris=(text("GOOGLE_CALLBACK_URL", default.google_redirect_uris[0]),),
        state_path=text("SANDBOX_STATE", ""),
        time_scale=_whole("SANDBOX_TIME_SCALE", text("SANDBOX_TIME_SCALE", "1"), lowest=1),
        opening_balances=_balances(text("SANDBOX_OPENING_BALANCES", "")),
    )


def _whole(name: str, value: str, *, lowest: int) -> int:
    if not value.isdecimal() or int(value) < lowest:
        raise ConfigError(f"{name} must be a whole number of at least {lowest}, not {value!r}")
    return int(value)


def _balances(value: str) -> dict[str, int]:
    """Read ``NGN:500000000,USD:100000`` (minor units)."""
    balances: dict[str, int] = {}
    for part in filter(None, (piece.strip() for piece in value.split(","))):
        currency, _, amount = part.partition(":")
        balances[currency.strip().upper()] = _whole("SANDBOX_OPENING_BALANCES", amount.strip(), lowest=0)
    return balances
