"""The test suite: real PostgreSQL and Redis, the gateways' real wire protocol against the sandbox."""

from urllib.parse import urlsplit

from learning247.settings.base import CACHES, DATABASES, REDIS_URL
from learning247.settings.env import env
from learning247.settings.local import *  # noqa: F403

EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
SERVES_MAILBOX = False
# bcrypt at its lowest cost: the algorithm under test stays the real one, the suite stays quick.
PASSWORD_HASHERS = ["learning247.tests.hashers.QuickBCryptSHA256PasswordHasher"]
PASSWORD_HASHES_AT_ONCE = 1_000  # races send more at once than threads of a worker could
# Each run has a database and a numbered Redis database of its own (learning247/tests/embedded_servers.py).
REDIS_URL = urlsplit(REDIS_URL)._replace(path=f"/{env.int('TEST_REDIS_DATABASE', default=15)}").geturl()
CELERY_BROKER_URL = REDIS_URL
CACHES = {**CACHES, "default": {**CACHES["default"], "LOCATION": REDIS_URL}}
DATABASES = {
    "default": {
        **DATABASES["default"],
        "CONN_MAX_AGE": 0,
        "TEST": {"NAME": env("TEST_DATABASE_NAME", default="test_learning247")},
    }
}
ALLOWED_HOSTS = ["*"]
RATELIMIT_ENABLE = env.bool("RATELIMIT_ENABLE", default=False)  # a test that is about limits switches them on
PAYSTACK_SECRET_KEY = "sk_test_paystack_of_the_test_suite"  # noqa: S105 - opens the sandbox only
STRIPE_SECRET_KEY = "sk_test_stripe_of_the_test_suite"  # noqa: S105
STRIPE_WEBHOOK_SECRETS = ["whsec_of_the_test_suite"]
GOOGLE_CLIENT_ID = "test-suite.apps.googleusercontent.com"
GOOGLE_CLIENT_SECRET = "GOCSPX-of-the-test-suite"  # noqa: S105
