"""What the console refuses is a page where a browser asks: what happened, what to do next, and the request's id.

Whatever else asks there (a script, a client without `Accept: text/html`) gets the API's JSON, as everywhere.
"""

from collections.abc import Callable
from typing import Any, Final

import orjson
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from learning247.kit.request_ids import request_id_of

_CONSOLE: Final = "/admin/"
# Status -> title, and what to do next.
_SAID: Final[dict[int, tuple[str, str]]] = {
    400: ("This request makes no sense", "Go back, and use what the page itself offers."),
    403: (
        "You may not do this",
        "Your account does not have the right for it. An administrator gives rights: ask one, and name this page. If"
        " you have another account, sign out and in again.",
    ),
    404: (
        "There is nothing here",
        "It may have been removed, or the address is mistyped. Look for it from the start page.",
    ),
    405: ("This page does not take that", "Open it by its link, from the start page."),
    409: ("This cannot be done now", "Nothing was changed. Go back, load the page again and see what is there now."),
    413: ("This is too large", "Choose fewer rows, or split the file, and send it again."),
    429: ("These were too many tries", "Wait, and try again later."),
    500: ("Something went wrong on our side", "Try again. If it happens again, pass the id below on to the engineers."),
    503: ("The service is busy", "Nothing is lost. Try again in a moment."),
}
# Code -> the same, where it knows better than the status.
_OF_CODE: Final[dict[str, tuple[str, str]]] = {
    "csrf_failed": ("This form is out of date", "Go back, load the page again, and send the form anew."),
}
# Where it is known who asks, and asking the database is no part of the trouble.
_WITH_MENU: Final = frozenset({403, 404, 405, 409})


class ConsoleRefusalMiddleware:
    """Stands around whatever may refuse: sessions, hosts, forms without their token, and the pages themselves."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code >= 400 and _is_asked_for(request) and _is_bare(response):
            response.content = _page(request, response).encode()
            response["Content-Type"] = "text/html; charset=utf-8"
            if response.has_header("Content-Length"):
                response["Content-Length"] = str(len(response.content))
        return response


def _is_asked_for(request: HttpRequest) -> bool:
    return request.path.startswith(_CONSOLE) and "text/html" in request.headers.get("Accept", "")


def _is_bare(response: HttpResponse) -> bool:
    """The envelope, or nothing at all."""
    if response.streaming:
        return False
    return not response.content or response.headers.get("Content-Type", "").startswith("application/json")


def _page(request: HttpRequest, response: HttpResponse) -> str:
    status = response.status_code
    error: dict[str, Any] = orjson.loads(response.content)["errors"][0] if response.content else {}
    title, next_step = _OF_CODE.get(error.get("code", ""), _SAID.get(status, _SAID[400]))
    knows_who = status in _WITH_MENU and hasattr(request, "user")
    context = {
        **(admin.site.each_context(request) if knows_who else _NOBODY),
        "title": title,
        "detail": error.get("detail", ""),
        "next_step": next_step,
        "request_id": request_id_of(request),
        "status": status,
    }
    return render_to_string("admin/refusal.html", context, request if knows_who else None)


_NOBODY: Final = {"site_title": "Learning247", "site_header": "Learning247 staff console", "has_permission": False}
