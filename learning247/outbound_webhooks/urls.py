from django.urls import path

from learning247.outbound_webhooks.views import OutboundEventViewSet, WebhookDeliveryViewSet, WebhookEndpointViewSet

_ENDPOINT = "api/webhook-endpoints/<uuid:endpoint_id>"

urlpatterns = [
    path("api/webhook-endpoints", WebhookEndpointViewSet.as_view({"get": "list", "post": "create"})),
    path(
        _ENDPOINT,
        WebhookEndpointViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}),
    ),
    path(f"{_ENDPOINT}/rotate-secret", WebhookEndpointViewSet.as_view({"post": "rotate_secret"})),
    path(f"{_ENDPOINT}/enable", WebhookEndpointViewSet.as_view({"post": "enable"})),
    path(f"{_ENDPOINT}/ping", WebhookEndpointViewSet.as_view({"post": "ping"})),
    path(f"{_ENDPOINT}/deliveries", WebhookDeliveryViewSet.as_view({"get": "list"})),
    path("api/webhook-deliveries/<uuid:delivery_id>/redeliver", WebhookDeliveryViewSet.as_view({"post": "redeliver"})),
    path("api/webhook-events", OutboundEventViewSet.as_view({"get": "list"})),
]
