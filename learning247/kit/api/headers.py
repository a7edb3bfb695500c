"""What every answer tells browsers and caches to leave alone."""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse

# An answer of the API is no page: nothing in it is to be run, fetched or framed.
API_POLICY: Final = "default-src 'none'; frame-ancestors 'none'"
PAGE_POLICY: Final = "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"


class SecurityHeadersMiddleware:
    """Beside Django's own (nosniff, HSTS, referrer, opener, frames). What a view says itself stands."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        headers = response.headers
        is_page = headers.get("Content-Type", "").startswith("text/html")
        headers.setdefault("Content-Security-Policy", PAGE_POLICY if is_page else API_POLICY)
        if not is_page:
            headers.setdefault("Cache-Control", "no-store")
        return response
