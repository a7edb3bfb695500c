"""The refresh token as a cookie: out of reach of scripts, sent to /auth alone."""

from typing import Final

from django.conf import settings
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.request import Request
from rest_framework.response import Response

PATH = "/auth"
SAME_SITE: Final = "Lax"


def refresh_cookie_set(response: Response, refresh: str) -> None:
    """Set it for as long as the token is good."""
    response.set_cookie(
        settings.REFRESH_COOKIE_NAME,
        refresh,
        max_age=settings.SIMPLE_JWT["REFRESH_TOKEN_LIFETIME"],
        path=PATH,
        secure=settings.REFRESH_COOKIE_SECURE,
        httponly=True,
        samesite=SAME_SITE,
    )


def refresh_cookie_clear(response: Response) -> None:
    response.delete_cookie(settings.REFRESH_COOKIE_NAME, path=PATH, samesite=SAME_SITE)


def refresh_cookie_of(request: Request) -> str | None:
    """The token in the cookie, for a request that no foreign page can have made.

    `SameSite=Lax` keeps it out of other sites' POSTs. A page on a sibling domain is the same site but another
    origin: for `application/json` its browser asks first (CORS), and our whitelist answers; a form or a bare
    POST would not ask, so they are refused here. Raises UnsupportedMediaType.
    """
    token = request.COOKIES.get(settings.REFRESH_COOKIE_NAME)
    if token and request.content_type.partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedMediaType(request.content_type or "none")
    return token
