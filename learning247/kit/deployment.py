"""What `manage.py check --deploy` looks at beside Django's own: what works, but not as an operator would expect."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Warning

PROXIES_NOT_NAMED = Warning(
    "TRUSTED_PROXIES is empty: behind a proxy everybody who is not signed in has the proxy's address, shares its rate "
    "limit, and stands under it in the audit trail.",
    hint="Set TRUSTED_PROXIES to the networks of the proxies in front of the web process, such as 10.0.0.0/8.",
    id="learning247.W001",
)
MAIL_IN_CLEAR = Warning(
    "EMAIL_USE_TLS and EMAIL_USE_SSL are off: links that let people into accounts, and our password at the mail "
    "server, go in clear.",
    hint="Leave EMAIL_USE_TLS alone and use the port that offers STARTTLS, most often 587; or set EMAIL_USE_SSL.",
    id="learning247.W002",
)


def deployment_check(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    findings: list[tuple[bool, CheckMessage]] = [
        (not settings.TRUSTED_PROXIES, PROXIES_NOT_NAMED),
        (not (settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL), MAIL_IN_CLEAR),
    ]
    return [message for found, message in findings if found]
