"""Settings that hold everywhere. What differs stands in local.py, test.py and production.py.

Every variable is explained in `.env.example`. Nothing secret has a default here.
"""

from datetime import timedelta
from urllib.parse import urlsplit

from celery.schedules import crontab
from django.core.exceptions import ImproperlyConfigured

from learning247.kit.logs import logging_config
from learning247.settings.env import BASE_DIR, env
from learning247.settings.networks import networks
from learning247.settings.ratelimits import ratelimits

# --- Core -----------------------------------------------------------------------------------------------------------

SECRET_KEY = env("SESSION_SECRET")
# The first seals what is encrypted at rest, each of them opens it.
FIELD_ENCRYPTION_KEYS = [key.strip() for key in env.list("FIELD_ENCRYPTION_KEY", default=[]) if key.strip()]
DEBUG = False
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[])
PORT = env.int("PORT", default=8080)
# Where clients reach us, without a slash at the end.
PUBLIC_BASE_URL = (env("PUBLIC_BASE_URL", default="") or f"http://localhost:{PORT}").rstrip("/")
METRICS_TOKEN = env("METRICS_TOKEN", default="")  # without one there is no /metrics
# Whose X-Forwarded-For is believed.
TRUSTED_PROXIES = networks("TRUSTED_PROXIES", env.list("TRUSTED_PROXIES", default=[]))
ROOT_URLCONF = "learning247.urls"
WSGI_APPLICATION = "learning247.wsgi.application"
ASGI_APPLICATION = "learning247.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
APPEND_SLASH = False  # the API's paths have no trailing slash, and a redirect would lose a POST's body

INSTALLED_APPS = [
    "adminpanel.apps.StaffConsoleConfig",
    "accounts",  # before django.contrib.auth, whose `changepassword` it replaces
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "corsheaders",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "drf_standardized_errors",
    "django_celery_beat",
    # The Google provider's protocol (accounts/google.py) and its table of linked accounts; none of its pages is routed.
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "learning247.records",
    "learning247.outbound_webhooks",
    "learning247.risk",
    "wallets",
    "payments",
    "courses",
    "adminpanel.apps.AdminpanelConfig",
]

MIDDLEWARE = [
    "learning247.kit.request_ids.RequestIdMiddleware",
    "learning247.kit.metrics.MetricsMiddleware",
    "learning247.kit.api.throttles.RateLimitMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "learning247.kit.api.headers.SecurityHeadersMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "adminpanel.refusals.ConsoleRefusalMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "learning247.kit.api.errors.DomainErrorMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "var" / "static"
# Names of stored files are made from their contents: the same name again is the same file.
FILES_IN_DIRECTORY = {
    "BACKEND": "django.core.files.storage.FileSystemStorage",
    "OPTIONS": {"allow_overwrite": True},
}
STORAGES = {
    "default": FILES_IN_DIRECTORY,
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
MEDIA_ROOT = BASE_DIR / "var" / "media"
MEDIA_URL = f"{PUBLIC_BASE_URL}/files/"  # whole: clients elsewhere read it as it stands
SERVES_FILES = False  # whether this process answers below /files/

# --- Database, Redis ------------------------------------------------------------------------------------------------

DATABASES = {
    "default": {
        **env.db("DATABASE_URL"),
        "ENGINE": "learning247.kit.postgresql",
        # Every thread keeps its own connection: nothing waits on a pool. Keep workers x threads below max_connections.
        "CONN_MAX_AGE": env.int("DATABASE_CONN_MAX_AGE", default=60),
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": False,  # one entry point = one transaction, opened by the service, not by the view
        # PgBouncer in transaction mode gives no session state to rely on.
        "DISABLE_SERVER_SIDE_CURSORS": True,
    }
}
# Migrations run as the owner of the tables (`manage.py migrate --database owner`), so that the app's own role
# owns no ledger table and can neither drop nor disable a guard.
if env("MIGRATION_DATABASE_URL", default=""):
    DATABASES["owner"] = {
        **env.db("MIGRATION_DATABASE_URL"),
        "ENGINE": "learning247.kit.postgresql",
        "TEST": {"MIRROR": "default"},
    }

REDIS_URL = env("REDIS_URL")
CACHES = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "learning247",
        "OPTIONS": {
            # A cache that is away must not take the site with it; a stuck one must not hang it (seconds).
            "IGNORE_EXCEPTIONS": True,
            "SOCKET_CONNECT_TIMEOUT": 0.5,
            "SOCKET_TIMEOUT": 0.5,
        },
    },
    "counters": {"BACKEND": "learning247.kit.api.counters.CounterCache"},
}

# --- People ---------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
PASSWORD_HASHERS = ["accounts.hashers.NormalisingBCryptSHA256PasswordHasher"]
# In one process, by strangers; half as many more by who is known. The next is told to come back (accounts/hashers.py).
# Keep both together well below the threads of a worker.
PASSWORD_HASHES_AT_ONCE = env.int("PASSWORD_HASHES_AT_ONCE", default=8)
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
SIMPLE_JWT = {
    "SIGNING_KEY": env("JWT_SECRET"),
    "ALGORITHM": "HS256",
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=env.int("JWT_ACCESS_MINUTES", default=15)),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=env.int("JWT_REFRESH_DAYS", default=30)),
    "UPDATE_LAST_LOGIN": False,
}
REFRESH_COOKIE_NAME = "refresh_token"
REFRESH_COOKIE_SECURE = True
REFRESH_COOKIE_SAMESITE = env("REFRESH_COOKIE_SAMESITE", default="") or "Lax"  # None, Lax or Strict
# Google sends people back from another site: Lax is the strictest with which the browser still sends the cookie that
# knows the sign-in's state (it comes along when a page is opened, never with another site's forms or scripts).
SESSION_COOKIE_SAMESITE = "Lax"
# Without an id there is no Google sign-in. The addresses: https://accounts.google.com/.well-known/openid-configuration.
GOOGLE_CLIENT_ID = env("GOOGLE_CLIENT_ID", default="")
GOOGLE_CLIENT_SECRET = env("GOOGLE_CLIENT_SECRET", default="")
GOOGLE_CALLBACK_URL = env("GOOGLE_CALLBACK_URL", default="") or f"{PUBLIC_BASE_URL}/auth/google/callback"
GOOGLE_AUTHORIZE_URL = env("GOOGLE_AUTHORIZE_URL", default="https://accounts.google.com/o/oauth2/v2/auth")
GOOGLE_TOKEN_URL = env("GOOGLE_TOKEN_URL", default="https://oauth2.googleapis.com/token")
GOOGLE_ISSUER = env("GOOGLE_ISSUER", default="https://accounts.google.com")
SOCIALACCOUNT_REQUESTS_TIMEOUT = 10  # seconds for Google's token endpoint
# People have no user name here; allauth's checks want to hear it.
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
# Whether staff come in (console, /api/admin) only with a second factor.
STAFF_SECOND_FACTOR_REQUIRED = env.bool("STAFF_SECOND_FACTOR_REQUIRED", default=False)
LOGIN_REDIRECT_URL = "/admin/"  # only staff have sessions, and Django's own default is a page that is not there

# --- API ------------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.AccessTokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["learning247.kit.api.renderers.OrjsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["learning247.kit.api.parsers.OrjsonParser"],
    "DEFAULT_PAGINATION_CLASS": "learning247.kit.api.pagination.CataloguePagination",
    "DEFAULT_THROTTLE_CLASSES": ["learning247.kit.api.throttles.RateLimit"],
    "DEFAULT_METADATA_CLASS": "learning247.kit.api.metadata.AllowedMethods",
    "DEFAULT_SCHEMA_CLASS": "learning247.kit.api.schema.AutoSchema",
    "EXCEPTION_HANDLER": "learning247.kit.api.errors.exception_handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "COERCE_DECIMAL_TO_STRING": True,
}
DRF_STANDARDIZED_ERRORS = {
    "EXCEPTION_HANDLER_CLASS": "learning247.kit.api.errors.ExceptionHandler",
    "EXCEPTION_FORMATTER_CLASS": "learning247.kit.api.errors.ExceptionFormatter",
    "ENABLE_IN_DEBUG_FOR_UNHANDLED_EXCEPTIONS": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Learning247 Creators Platform",
    "DESCRIPTION": "Educators sell courses, learners buy them in their own currency, creators earn.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",  # in 3.0 an object that may be null cannot be said
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": r"/(api|auth)",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "learning247.records.webhooks.document_webhooks",
    ],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "ENUM_NAME_OVERRIDES": {
        "EntryKindEnum": "wallets.enums.EntryKind.choices",
        "ItemTypeEnum": "payments.enums.ProductKind.choices",
        "PaymentStatusEnum": "payments.enums.PaymentStatus.choices",
        "PayoutMethodEnum": "wallets.enums.PayoutMethod.choices",
        "WithdrawalStatusEnum": "wallets.enums.WithdrawalStatus.choices",
        "GatewayEnum": "payments.enums.GatewayName.choices",
        "EntitlementSourceEnum": "payments.enums.EntitlementSource.choices",
        "EnrollmentStateEnum": "courses.enums.EnrollmentState.choices",
        "DeliveryStatusEnum": "learning247.outbound_webhooks.enums.DeliveryStatus.choices",
        "EndpointStatusEnum": "learning247.outbound_webhooks.enums.EndpointStatus.choices",
    },
}
RATELIMIT_ENABLE = env.bool("RATELIMIT_ENABLE", default=True)
RATELIMIT_USE_CACHE = "counters"
RATELIMIT_IPV6_MASK = 56  # what a home or an office is given
RATELIMIT_RATES = ratelimits()
FRONTEND_URL = env("FRONTEND_URL", default="http://localhost:3000")
# An origin is scheme and host (RFC 6454); the client itself may live below a path.
_FRONTEND_ORIGIN = urlsplit(FRONTEND_URL)._replace(path="", query="", fragment="").geturl()
CORS_ALLOWED_ORIGINS = sorted({_FRONTEND_ORIGIN, *env.list("CORS_ALLOWED_ORIGINS", default=[])})
CORS_ALLOW_CREDENTIALS = True
CORS_EXPOSE_HEADERS = [
    "X-Request-ID",
    "Idempotency-Replayed",
    "Retry-After",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
]
CORS_ALLOW_HEADERS = ["accept", "authorization", "content-type", "idempotency-key", "x-request-id"]
CSRF_FAILURE_VIEW = "learning247.kit.api.errors.csrf_failure"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576  # bytes; JSON bodies are small
WEBHOOK_MAX_BODY_BYTES = env.int("WEBHOOK_MAX_BODY_BYTES", default=262_144)
# Attempts before an event or a mail is parked. The wait between them doubles from 15 s (mail: 30 s) up to an hour, so
# that twelve take about four hours and ten of a mail about three.
INBOX_MAX_ATTEMPTS = env.int("INBOX_MAX_ATTEMPTS", default=12)
MAIL_MAX_ATTEMPTS = env.int("MAIL_MAX_ATTEMPTS", default=10)

# Seconds for which a catalogue answer is kept under its version; `enrollment_count` in it may be that much older.
CATALOGUE_CACHE_SECONDS = env.int("CATALOGUE_CACHE_SECONDS", default=60)

# --- Jobs -----------------------------------------------------------------------------------------------------------

# Four queues, so that a flood of mail never delays a settlement: money, default, mail, webhooks.
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_CREATE_MISSING_QUEUES = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True  # every task is safe to run twice; a killed worker's task comes back
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 4
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Publishing must fail fast when Redis is away: the row is written, and a sweeper picks it up (seconds).
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 600,
    "socket_timeout": 5,
    "socket_connect_timeout": 1,
    "max_retries": 0,
}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "sweep the inbox": {"task": "records.sweep_inbox", "schedule": 15.0},
    "sweep outbound mail": {"task": "records.sweep_mail", "schedule": 30.0},
    "sweep requests for a new password": {"task": "accounts.sweep_recovery", "schedule": 30.0},
    "finish erasures": {"task": "accounts.sweep_erasures", "schedule": 600.0},
    "sweep unsettled payments": {
        "task": "payments.sweep_unsettled",
        "schedule": 60.0,
        "options": {"queue": "money"},
    },
    "refunds that are under way": {
        "task": "payments.sweep_refunds",
        "schedule": 60.0,
        "options": {"queue": "money"},
    },
    "webhooks that are due": {"task": "outbound_webhooks.sweep", "schedule": 60.0},
    "disputes that are open": {
        "task": "payments.sweep_disputes",
        "schedule": 300.0,
        "options": {"queue": "money"},
    },
    "disputes that nobody told us of": {
        "task": "payments.find_disputes",
        "schedule": crontab(minute=40),
        "options": {"queue": "money"},
    },
    "what the gateways paid out to us": {
        "task": "payments.find_payouts",
        "schedule": crontab(minute=50),
        "options": {"queue": "money"},
    },
    "gateways' fees that were not known": {
        "task": "payments.sweep_gateway_fees",
        "schedule": 300.0,
        "options": {"queue": "money"},
    },
    "withdrawals that are under way": {
        "task": "wallets.sweep_withdrawals",
        "schedule": 60.0,
        "options": {"queue": "money"},
    },
    "counters of the checks for fraud": {"task": "risk.rebuild_counters", "schedule": 15.0},
    "escalate overdue reviews": {"task": "payments.escalate_reviews", "schedule": 300.0},
    "paid withdrawals that came back unheard": {
        "task": "wallets.recheck_paid_withdrawals",
        "schedule": crontab(hour=4, minute=10),
        "options": {"queue": "money"},
    },
    "escalate overdue reviews of withdrawals": {"task": "wallets.escalate_withdrawal_reviews", "schedule": 300.0},
    "prove the books, or pause payouts": {"task": "wallets.check_books", "schedule": crontab(minute="*/15")},
    "seal the ledger": {"task": "wallets.seal_ledger", "schedule": 60.0},
    "count enrollments": {"task": "courses.count_enrollments", "schedule": 30.0},
    "count all enrollments": {"task": "courses.recount_enrollments", "schedule": crontab(hour=3, minute=25)},
    "take in new search words": {"task": "courses.refresh_search_words", "schedule": 60.0},
    "renew the search words": {"task": "courses.renew_search_words", "schedule": crontab(hour=3, minute=40)},
    "beat heartbeat": {"task": "records.worker_heartbeat", "schedule": 15.0},
    "drop old one-time codes": {"task": "accounts.purge_one_time_codes", "schedule": crontab(hour=3, minute=20)},
    "drop expired sign-in challenges": {
        "task": "accounts.purge_sign_in_challenges",
        "schedule": crontab(hour=3, minute=15),
    },
    "drop sign-ins that were not finished": {
        "task": "accounts.purge_google_codes",
        "schedule": crontab(minute=15),
    },
    "drop expired browser sessions": {"task": "accounts.purge_browser_sessions", "schedule": crontab(minute=20)},
    "drop expired idempotency keys": {"task": "records.purge_idempotency_keys", "schedule": crontab(hour=3, minute=10)},
}

# --- Mail -----------------------------------------------------------------------------------------------------------

EMAIL_BACKEND = "learning247.kit.smtp.EmailBackend"
EMAIL_HOST = env("EMAIL_HOST", default="")
EMAIL_USE_SSL = env.bool("EMAIL_USE_SSL", default=False)  # TLS from the first byte; else STARTTLS
EMAIL_PORT = env.int("EMAIL_PORT", default=465 if EMAIL_USE_SSL else 587)
EMAIL_HOST_USER = env("EMAIL_USER", default="")
EMAIL_HOST_PASSWORD = env("EMAIL_PASSWORD", default="")
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", default=not EMAIL_USE_SSL)
if EMAIL_USE_SSL and EMAIL_USE_TLS:
    raise ImproperlyConfigured("EMAIL_USE_SSL and EMAIL_USE_TLS (STARTTLS) exclude each other: set one of them.")
EMAIL_SSL_CAFILE = env("EMAIL_SSL_CAFILE", default="")
EMAIL_TIMEOUT = 20  # seconds, for one answer
SERVES_MAILBOX = False  # whether this process answers below /dev/mailbox
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", default="Learning247 <no-reply@learning247.example>")
SUPPORT_EMAIL = env("SUPPORT_EMAIL", default="support@learning247.example")  # whom mails name for questions

# --- Money ----------------------------------------------------------------------------------------------------------

PLATFORM_FEE_BPS = env.int("PLATFORM_FEE_BPS", default=2000)
# Whether webhooks may go to addresses that are not public, and by plain http: on a laptop, to see them arrive.
OUTBOUND_WEBHOOKS_TO_PRIVATE = False
REFUND_WINDOW_DAYS = env.int("REFUND_WINDOW_DAYS", default=7)
# Within how many hours staff decide over a payment in review, before it is escalated; and who then gets a mail.
REVIEW_DUE_HOURS = env.int("REVIEW_DUE_HOURS", default=24)
REVIEW_ESCALATION_EMAIL = env("REVIEW_ESCALATION_EMAIL", default="") or SUPPORT_EMAIL
CHECKOUT_LIFETIME_MINUTES = env.int("CHECKOUT_LIFETIME_MINUTES", default=60)
# Currency -> gateway. A currency that stands here can be charged.
PAYMENT_GATEWAY_BY_CURRENCY = env.dict(
    "PAYMENT_GATEWAY_BY_CURRENCY",
    default={
        "NGN": "paystack",
        "GHS": "paystack",
        "ZAR": "paystack",
        "KES": "paystack",
        "USD": "stripe",
        "GBP": "stripe",
        "EUR": "stripe",
        "JPY": "stripe",
        "KWD": "stripe",
    },
)
# The smallest price that a gateway charges, in minor units (paystack.com/docs, docs.stripe.com/currencies).
PAYMENT_MINIMUMS = {
    code: int(minor)
    for code, minor in env.dict(
        "PAYMENT_MINIMUMS",
        default={
            "NGN": 5000,
            "GHS": 10,
            "ZAR": 100,
            "KES": 300,
            "USD": 50,
            "GBP": 30,
            "EUR": 50,
            "JPY": 50,
            "KWD": 10,
        },
    ).items()
}
# How money leaves, by currency: paystack (transfer), stripe (Connect), bank (finance transfers it and says so).
PAYOUT_METHOD_BY_CURRENCY = env.dict(
    "PAYOUT_METHOD_BY_CURRENCY",
    default={"NGN": "paystack", "USD": "stripe", "GBP": "stripe", "EUR": "stripe"}
    | dict.fromkeys(("GHS", "KES", "ZAR", "JPY", "KWD"), "bank"),
)
# The least that leaves at a time, in minor units.
WITHDRAWAL_MINIMUMS = {
    code: int(minor)
    for code, minor in env.dict(
        "WITHDRAWAL_MINIMUMS", default={"NGN": 100_000, "USD": 1_000, "GBP": 1_000, "EUR": 1_000}
    ).items()
}
# Who bears a transfer's fee: platform or creator. A creator is told before: these are by what leaves at most, minor
# units.
WITHDRAWAL_FEE_BEARER = env("WITHDRAWAL_FEE_BEARER", default="platform")
WITHDRAWAL_FEES = {"NGN": ((500_000, 1_000), (5_000_000, 2_500), (None, 5_000))}
# For so many minutes a withdrawal waits for its code; each code is good for ten.
WITHDRAWAL_CODE_MINUTES = env.int("WITHDRAWAL_CODE_MINUTES", default=60)
# A new bank account waits so long before more than this goes to it, in minor units.
PAYOUT_COOLING_HOURS = env.int("PAYOUT_COOLING_HOURS", default=24)
PAYOUT_COOLING_ABOVE = {
    code: int(minor)
    for code, minor in env.dict(
        "PAYOUT_COOLING_ABOVE", default={"NGN": 10_000_000, "USD": 50_000, "GBP": 50_000, "EUR": 50_000}
    ).items()
}
# Days and months of the limits begin in this time zone.
WITHDRAWAL_TIME_ZONE = env("WITHDRAWAL_TIME_ZONE", default="Africa/Lagos")
# Single, daily and monthly, in minor units, for everybody; a tier multiplies the first two. A currency that is missing
# goes to people.
WITHDRAWAL_LIMITS = {
    "NGN": (100_000_000, 200_000_000, 5_000_000_000),
    **dict.fromkeys(("USD", "GBP", "EUR"), (250_000, 500_000, 10_000_000)),
}
WITHDRAWAL_TIERS = {"standard": 1, "vip": 5, "business": 25}
# From so much on, in minor units, two people have to approve it.
WITHDRAWAL_TWO_PEOPLE_FROM = {
    code: int(minor)
    for code, minor in env.dict(
        "WITHDRAWAL_TWO_PEOPLE_FROM",
        default={"NGN": 1_000_000_000, "USD": 1_000_000, "GBP": 1_000_000, "EUR": 1_000_000},
    ).items()
}
# Who is told of withdrawals that need a hand: a code at Paystack, a bank transfer to make.
FINANCE_EMAIL = env("FINANCE_EMAIL", default="") or SUPPORT_EMAIL
# Who is told that the books do not prove, and payouts are paused.
OPERATORS_EMAIL = env("OPERATORS_EMAIL", default="") or SUPPORT_EMAIL

# Seconds to connect and to read. A gateway that takes longer has an unknown outcome, which verify resolves.
GATEWAY_CONNECT_TIMEOUT = env.int("GATEWAY_CONNECT_TIMEOUT", default=5)
GATEWAY_READ_TIMEOUT = env.int("GATEWAY_READ_TIMEOUT", default=20)

PAYSTACK_SECRET_KEY = env("PAYSTACK_SECRET_KEY", default="")
PAYSTACK_BASE_URL = env("PAYSTACK_BASE_URL", default="https://api.paystack.co")
STRIPE_SECRET_KEY = env("STRIPE_SECRET_KEY", default="")
STRIPE_API_BASE = env("STRIPE_API_BASE", default="https://api.stripe.com")
# Several while a secret is being rolled: a signature by any of them is genuine.
STRIPE_WEBHOOK_SECRETS = [secret.strip() for secret in env.list("STRIPE_WEBHOOK_SECRET", default=[]) if secret.strip()]
STRIPE_WEBHOOK_TOLERANCE = 300  # seconds, Stripe's own default

# --- Logs -----------------------------------------------------------------------------------------------------------

LOG_LEVEL = env("LOG_LEVEL", default="INFO")
LOGGING = logging_config(level=LOG_LEVEL, json=env.bool("LOG_JSON", default=True))
