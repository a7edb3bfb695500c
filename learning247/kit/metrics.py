"""What the web processes count of themselves, for Prometheus.

Each of gunicorn's workers counts in files of its own below PROMETHEUS_MULTIPROC_DIR, which `gunicorn.conf.py` makes;
the one that is asked adds all of them up. Without the variable there is one process, which knows its own numbers.

Labels have few values, whatever clients send: the pattern of a route and never its path, methods that HTTP knows.
"""

import os
import time
from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

DIRECTORY: Final = "PROMETHEUS_MULTIPROC_DIR"
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# Of what no route answers: addresses that are none, and static files.
UNMATCHED: Final = "unmatched"

_OWN = CollectorRegistry()
REQUESTS = Counter("http_requests", "Requests that were answered.", ("method", "route", "status"), registry=_OWN)
SECONDS = Histogram(
    "http_request_duration_seconds",
    "From a request to the beginning of its answer.",
    ("method", "route"),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
    registry=_OWN,
)
THROTTLED = Counter("http_requests_throttled", "Requests that a rate limit refused.", ("scope",), registry=_OWN)


def metrics_registry(*more: Collector) -> CollectorRegistry:
    """What all web processes have counted, and what `more` says at the moment."""
    registry = CollectorRegistry()
    registry.register(MultiProcessCollector(None) if os.environ.get(DIRECTORY) else _OWN)
    for collector in more:
        registry.register(collector)
    return registry


class MetricsMiddleware:
    """Counts every request by its route, status and time."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        begun = time.perf_counter()
        response = self.get_response(request)
        seconds = time.perf_counter() - begun
        method = request.method if request.method in METHODS else "other"
        match = request.resolver_match
        route = f"/{match.route}" if match else UNMATCHED
        REQUESTS.labels(method, route, str(response.status_code)).inc()
        SECONDS.labels(method, route).observe(seconds)
        return response
