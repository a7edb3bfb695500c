"""Structured logs: one event per line, JSON in production, with secrets masked before anything is written."""

import re
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

_SECRET_KEY = re.compile(
    r"passw|secret|token|authorization|cookie|signature|api_key|card|cvv|pin\b|otp|code_hash", re.I
)
_SECRET_TEXT = re.compile(
    r"((?:sk|rk|whsec)_[A-Za-z0-9]{3})[A-Za-z0-9_]+"  # gateway keys
    r"|(Bearer\s+)[A-Za-z0-9._~+/=-]+"
    r"|(eyJ[A-Za-z0-9_-]{4})[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"  # JWTs
    r"|(://[^:/\s@]+:)[^@\s]+(?=@)"  # passwords in URLs
)
MASK = "***"


def mask_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A structlog processor: values under secret-looking keys, and secret-looking text anywhere, become `***`."""
    for key, value in event.items():
        event[key] = MASK if _SECRET_KEY.search(key) and value is not None else _masked(value)
    return event


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return _SECRET_TEXT.sub(lambda match: next(filter(None, match.groups()), "") + MASK, value)
    if isinstance(value, dict):
        return {k: MASK if _SECRET_KEY.search(str(k)) else _masked(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(item) for item in value]
    return value


_SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
    structlog.processors.format_exc_info,
    mask_secrets,
]


def logging_config(*, level: str, json: bool) -> dict[str, Any]:
    """Django's LOGGING: everything, ours and the libraries', through one formatter to stderr."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    renderer = structlog.processors.JSONRenderer() if json else structlog.dev.ConsoleRenderer(colors=False)
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
                "foreign_pre_chain": _SHARED,
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Paths and bodies of providers' calls would carry keys and people's data at DEBUG.
            "urllib3": {"level": "WARNING"},
            "stripe": {"level": "WARNING"},
            "httpx": {"level": "WARNING"},
            "celery.beat": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
            "django.request": {"level": "ERROR"},
        },
    }
