"""The test suite: real PostgreSQL and Redis, the gateways' real wire protocol against the sandbox."""

from learning247.settings.local import *  # noqa: F403
from learning247.settings.base import DATABASES, REDIS_URL, CACHES

EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
# bcrypt at its lowest cost: the algorithm under test stays the real one, the suite stays quick.
PASSWORD_HASHERS = ["learning247.tests.hashers.QuickBCryptSHA256PasswordHasher"]
# Tests get a numbered Redis database of their own, so that they never touch a running `make run`.
_redis_root = REDIS_URL.rsplit("/", 1)[0] if REDIS_URL.count("/") > 2 else REDIS_URL
REDIS_URL = f"{_redis_root}/9"
CELERY_BROKER_URL = REDIS_URL
CACHES = {"default": {**CACHES["default"], "LOCATION": REDIS_URL}}
DATABASES = {"default": {**DATABASES["default"], "CONN_MAX_AGE": 0, "TEST": {"NAME": "test_learning247"}}}
ALLOWED_HOSTS = ["*"]
PAYSTACK_SECRET_KEY = "sk_test_paystack_of_the_test_suite"
STRIPE_SECRET_KEY = "sk_test_stripe_of_the_test_suite"
STRIPE_WEBHOOK_SECRETS = ["whsec_of_the_test_suite"]
