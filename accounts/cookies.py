"""The refresh token as a cookie: out of reach of scripts, sent to /auth alone."""

from typing import Literal, cast

from django.conf import settings
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.request import Request
from rest_framework.response import Response

PATH = "/auth"


def refresh_cookie_set(response: Response, refresh: str) -> None:
    """Set it for as long as the token is good."""
    response.set_cookie(
        settings.REFRESH_COOKIE_NAME,
        refresh,
        max_age=settings.SIMPLE_JWT["REFRESH_TOKEN_LIFETIME"],
        path=PATH,
        secure=settings.REFRESH_COOKIE_SECURE,
        httponly=True,
        samesite=_same_site(),
    )


def refresh_cookie_clear(response: Response) -> None:
    response.delete_cookie(settings.REFRESH_COOKIE_NAME, path=PATH, samesite=_same_site())


def refresh_cookie_of(request: Request) -> str | None:
    """The token in the cookie, for a request that no foreign page can have made.

    The web client may live on another site than the API (`REFRESH_COOKIE_SAMESITE` is then "None"), so browsers send
    the cookie along with any page's POST. What guards it is the content type: `application/json` cannot be sent by a
    form, and for a script of another origin the browser asks first (CORS preflight) and sends nothing unless our
    whitelist names that origin. A form's POST or a bare one would not ask, so they are refused here.
    Raises UnsupportedMediaType.
    """
    token = request.COOKIES.get(settings.REFRESH_COOKIE_NAME)
    if token and request.content_type.partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedMediaType(request.content_type or "none")
    return token


def _same_site() -> Literal["None", "Lax", "Strict"]:
    return cast('Literal["None", "Lax", "Strict"]', settings.REFRESH_COOKIE_SAMESITE)
