"""What this server answers to: every route and method, as Django's own resolver has them."""

import re
from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.urls import URLPattern, get_resolver

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
CONSOLE = "/admin/"
_CONVERTED = re.compile(r"<(?:\w+:)?(\w+)>")
_CHOICE = re.compile(r"\(\?P<\w+>([\w|]+)\)")
_ANYTHING = re.compile(r"\(\?P<(\w+)>\.\*\)")


def api_routes() -> dict[str, tuple[str, ...]]:
    """Path with `{names}` for what varies -> the methods that it takes; all but the console's pages."""
    return {path: _methods(view) for path, view in _patterns() if not path.startswith(CONSOLE)}


def console_pages() -> set[str]:
    """Every path of the console. A page takes GET and POST and treats any other method as a GET."""
    return {path for path, _ in _patterns() if path.startswith(CONSOLE)}


def console_actions() -> set[str]:
    """Every action that some list of the console may offer, as `/admin/app/model/ action`."""
    everywhere = [name for name, _ in admin.site.actions]
    return {
        f"{CONSOLE}{page.opts.app_label}/{page.opts.model_name}/ {name}"
        for page in admin.site._registry.values()
        for name in [*everywhere, *_own_actions(page)]
    }


def _own_actions(page: ModelAdmin) -> list[str]:
    return [action if isinstance(action, str) else action.__name__ for action in page.actions or ()]


def _patterns() -> Iterator[tuple[str, Any]]:
    for route, view in _walk(get_resolver().url_patterns):
        choice = _CHOICE.search(route)
        for one in choice[1].split("|") if choice else [""]:
            text = _CONVERTED.sub(r"{\1}", _ANYTHING.sub(r"{\1}", _CHOICE.sub(one, route)))
            yield "/" + text.replace("^", "").replace("$", ""), view


def _walk(patterns: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for pattern in patterns:
        route = f"{prefix}{pattern.pattern}"
        if isinstance(pattern, URLPattern):
            yield route, pattern.callback
        else:
            yield from _walk(pattern.url_patterns, route)


def _methods(view: Any) -> tuple[str, ...]:
    """Of REST framework's views those that they have handlers for. A plain function does not say: GET and POST, and the
    table says what becomes of them."""
    actions = getattr(view, "actions", None)
    handler = getattr(view, "cls", None)
    if actions:
        return tuple(method for method in METHODS if method.lower() in actions)
    if handler is not None:
        return tuple(method for method in METHODS if hasattr(handler, method.lower()))
    return ("GET", "POST")
