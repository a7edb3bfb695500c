"""What production cannot do without. Looked at before the settings are read, so that one message names all of it."""

from collections.abc import Iterator

from django.core.exceptions import ImproperlyConfigured

from learning247.settings.env import env

# bytes of HMAC-SHA256's key, and what Django's own deployment check asks for
SHORTEST = {"JWT_SECRET": 32, "SESSION_SECRET": 50}
SHORTEST_FIELD_KEY = 32
SHORTEST_TOKEN = 32
NEVER_EMPTY = {
    "DATABASE_URL": "postgres://user:password@host:5432/name",
    "REDIS_URL": "redis://host:6379/0",
    "PAYSTACK_SECRET_KEY": "Paystack's secret key (sk_live_…)",
    "STRIPE_SECRET_KEY": "Stripe's secret key (sk_live_… or rk_live_…)",
    "STRIPE_WEBHOOK_SECRET": "the signing secret of Stripe's webhook endpoint (whsec_…)",
    "EMAIL_HOST": "the SMTP server that sends the mails",
    "DEFAULT_FROM_EMAIL": 'who mails come from, such as "Learning247 <no-reply@example.com>"',
    "SUPPORT_EMAIL": "the address that mails name for questions",
    "AWS_BUCKET_NAME": "the S3 bucket that keeps images",
    "AWS_REGION": "the region of that bucket, such as eu-west-1",
}
SAME_SITES = ("None", "Lax", "Strict")


def refuse_what_is_unsafe() -> None:
    """Raise one ImproperlyConfigured that names every variable that is missing or weak, and what to do about it."""
    if faults := list(_faults()):
        lines = "".join(f"\n  {fault}" for fault in faults)
        raise ImproperlyConfigured(f"Production does not start like this (.env.example explains each):{lines}")


def _faults() -> Iterator[str]:
    for name, shortest in SHORTEST.items():
        if len(_value(name)) < shortest:
            made = 'python -c "import secrets; print(secrets.token_urlsafe(64))"'
            yield f"{name}: set at least {shortest} random characters, such as {made} prints."
    if _value("JWT_SECRET") and _value("JWT_SECRET") == _value("SESSION_SECRET"):
        yield "JWT_SECRET and SESSION_SECRET are the same: give each its own."
    keys = _value("FIELD_ENCRYPTION_KEY").split(",")
    if any(len(key.strip()) < SHORTEST_FIELD_KEY for key in keys):
        yield f"FIELD_ENCRYPTION_KEY: set at least {SHORTEST_FIELD_KEY} random characters; separate several by commas."
    if _value("METRICS_TOKEN") and len(_value("METRICS_TOKEN")) < SHORTEST_TOKEN:
        yield f"METRICS_TOKEN: set at least {SHORTEST_TOKEN} random characters, or none, and there is no /metrics."
    for name, meaning in NEVER_EMPTY.items():
        if not _value(name):
            yield f"{name}: set {meaning}."
    if _value("GOOGLE_CLIENT_ID"):
        if not _value("GOOGLE_CLIENT_SECRET"):
            yield "GOOGLE_CLIENT_SECRET: set the Google client's secret (GOCSPX-…), or leave GOOGLE_CLIENT_ID empty."
        if not _value("GOOGLE_CALLBACK_URL").startswith("https://"):
            yield "GOOGLE_CALLBACK_URL: set https://<this API>/auth/google/callback, as registered with Google."
    if _value("REFRESH_COOKIE_SAMESITE") not in ("", *SAME_SITES):
        yield f"REFRESH_COOKIE_SAMESITE: use one of {', '.join(SAME_SITES)}."


def _value(name: str) -> str:
    return str(env(name, default="")).strip()
