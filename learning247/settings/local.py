"""A laptop: embedded servers, sandbox gateways, a mailbox of its own; `learning247.embedded` made the secrets."""

from learning247.kit.logs import logging_config
from learning247.settings.base import *  # noqa: F403
from learning247.settings.base import FILES_IN_DIRECTORY, LOG_LEVEL
from learning247.settings.env import BASE_DIR, env
from learning247.settings.ratelimits import ratelimits

DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = ["*"]
REFRESH_COOKIE_SECURE = False  # plain http on localhost
# Mails stay on the machine and are read at /dev/mailbox.
KEEPS_MAILS = "learning247.mailbox.backend.EmailBackend"
EMAIL_BACKEND = env("EMAIL_BACKEND", default=KEEPS_MAILS)
MAILBOX_DIRECTORY = BASE_DIR / "var" / "mailbox"
SERVES_MAILBOX = EMAIL_BACKEND == KEEPS_MAILS
LOGGING = logging_config(level=LOG_LEVEL, json=env.bool("LOG_JSON", default=False))
STORAGES = {
    "default": FILES_IN_DIRECTORY,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
SERVES_FILES = True
OUTBOUND_WEBHOOKS_TO_PRIVATE = True
RATELIMIT_RATES = ratelimits(times=100)
STATIC_ROOT = None  # type: ignore[assignment] # files come straight from the apps; nothing to collect
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
