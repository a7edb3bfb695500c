"""Production: every secret is required, HTTPS everywhere, logs as JSON lines."""

from django.core.exceptions import ImproperlyConfigured

from learning247.settings.base import *  # noqa: F403
from learning247.settings.base import PAYSTACK_SECRET_KEY, STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRETS
from learning247.settings.env import env

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["prod-api.aahbibi.com"])
CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in ALLOWED_HOSTS if not host.startswith(".")]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
# The balancer's probes speak plain HTTP from inside.
SECURE_REDIRECT_EXEMPT = [r"^health/"]
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True

if not (PAYSTACK_SECRET_KEY and STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRETS):
    raise ImproperlyConfigured(
        "Production takes real money: set PAYSTACK_SECRET_KEY, STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET."
    )
