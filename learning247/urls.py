"""Every address of the platform. Paths have no trailing slash; each app brings its own `urls.py`."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView
from drf_spectacular.utils import extend_schema, inline_serializer
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework import serializers
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from learning247 import health
from learning247.kit.api.renderers import OrjsonRenderer
from learning247.metrics import MetricsView
from learning247.stored_files import stored_file

handler400 = "learning247.kit.api.errors.bad_request"
handler403 = "learning247.kit.api.errors.forbidden"
handler404 = "learning247.kit.api.errors.not_found"
handler500 = "learning247.kit.api.errors.server_error"

FRONT_DOOR = {
    "name": "Learning247 Creators Platform",
    "docs": "/api/docs",
    "schema": "/api/schema",
    "health": "/health/ready",
}


@extend_schema(
    operation_id="front_door",
    summary="Where to go from here",
    tags=["platform"],
    responses=inline_serializer("FrontDoor", {name: serializers.CharField() for name in FRONT_DOOR}),
)
@api_view(["GET", "HEAD"])
@authentication_classes([])
@permission_classes([AllowAny])
def front_door(request: Request) -> Response:
    return Response(FRONT_DOOR)


admin.site.site_header = admin.site.site_title = "Learning247 administration"


class SchemaView(SpectacularAPIView):
    """There is one version; the parent would copy a `version` from the query into the answer and its headers."""

    def _get_version_parameter(self, request: Request) -> None:
        return None


class DocsView(SpectacularSwaggerView):
    """Its page is HTML; what it refuses is the API's JSON like everything else."""

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        if not response.template_name:
            request.accepted_renderer, request.accepted_media_type = OrjsonRenderer(), OrjsonRenderer.media_type
        return super().finalize_response(request, response, *args, **kwargs)


urlpatterns: list[URLPattern | URLResolver] = [
    path("", front_door, name="front-door"),
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
    path("metrics", MetricsView.as_view(), name="metrics"),
    path("api/schema", SchemaView.as_view(), name="schema"),
    path("api/docs", DocsView.as_view(url_name="schema"), name="docs"),
    path("", include("accounts.urls")),
    path("", include("wallets.urls")),
    path("", include("payments.urls")),
    path("", include("courses.urls")),
    path("", include("learning247.outbound_webhooks.urls")),
    path("", include("adminpanel.urls")),
]
if settings.SERVES_FILES:
    urlpatterns.append(path("files/<path:path>", stored_file, name="stored-file"))
if settings.SERVES_MAILBOX:
    urlpatterns.append(path("", include("learning247.mailbox.urls")))
