"""Production: every secret is required, HTTPS everywhere, logs as JSON lines."""

from learning247.settings.env import env
from learning247.settings.required import refuse_what_is_unsafe

# Both before base reads the environment.
refuse_what_is_unsafe()
if not env("FRONTEND_URL", default=""):
    env.ENVIRON["FRONTEND_URL"] = "https://www.hallos.net"

from learning247.settings.base import *  # noqa: E402, F403
from learning247.settings.base import STORAGES  # noqa: E402
from learning247.settings.storage import bucket_storage  # noqa: E402

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["prod-api.aahbibi.com"])
CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in ALLOWED_HOSTS if not host.startswith(".")]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
# The balancer's probes and the scraper speak plain HTTP from inside.
SECURE_REDIRECT_EXEMPT = [r"^health/", r"^metrics$"]
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
# The web client is on another site than the API: a cookie that is less than None would not come with its fetches.
REFRESH_COOKIE_SAMESITE = env("REFRESH_COOKIE_SAMESITE", default="") or "None"
# Whoever is in the console sets anybody's password and sees everybody's payments; one leaked password must not do.
STAFF_SECOND_FACTOR_REQUIRED = env.bool("STAFF_SECOND_FACTOR_REQUIRED", default=True)
STORAGES = {
    **STORAGES,
    "default": bucket_storage(
        bucket=env("AWS_BUCKET_NAME"),
        region=env("AWS_REGION"),
        access_key=env("AWS_ACCESS_KEY_ID", default=""),
        secret_key=env("AWS_SECRET_ACCESS_KEY", default=""),
        endpoint=env("AWS_S3_ENDPOINT_URL", default=""),
        domain=env("AWS_S3_CUSTOM_DOMAIN", default=""),
    ),
}
