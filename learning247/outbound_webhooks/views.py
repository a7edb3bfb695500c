"""Webhook endpoints over HTTP, for the creators whose they are."""

from typing import Any
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from learning247.kit.api.pagination import CataloguePagination, HistoryPagination
from learning247.kit.api.schema import ErrorSerializer
from learning247.outbound_webhooks.models import OutboundEvent, WebhookDelivery, WebhookEndpoint
from learning247.outbound_webhooks.selectors import delivery_list, endpoint_list, endpoint_of, event_list
from learning247.outbound_webhooks.serializers import (
    DeliverySerializer,
    EndpointCreateSerializer,
    EndpointMadeSerializer,
    EndpointSerializer,
    EndpointUpdateSerializer,
    OutboundEventQuery,
    OutboundEventSerializer,
)
from learning247.outbound_webhooks.services.deliveries import delivery_repeat
from learning247.outbound_webhooks.services.endpoints import (
    endpoint_create,
    endpoint_delete,
    endpoint_enable,
    endpoint_ping,
    endpoint_rotate_secret,
    endpoint_update,
)

_REFUSED_URL = OpenApiResponse(ErrorSerializer, description="`webhook_url_refused`")
_DISABLED = OpenApiResponse(ErrorSerializer, description="`webhook_endpoint_disabled`")


class WebhookEndpointViewSet(GenericViewSet):
    serializer_class = EndpointSerializer
    pagination_class = CataloguePagination
    queryset = WebhookEndpoint.objects.none()

    def get_queryset(self) -> QuerySet[WebhookEndpoint]:
        return endpoint_list(user=_person(self.request))

    @extend_schema(operation_id="webhook_endpoints", summary="Your webhook endpoints")
    def list(self, request: Request) -> Response:
        """Where you are told of events, newest first."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(EndpointSerializer(page, many=True).data)

    @extend_schema(
        operation_id="webhook_endpoint_create",
        summary="Be told of events",
        request=EndpointCreateSerializer,
        responses={201: EndpointMadeSerializer, 400: _REFUSED_URL},
    )
    def create(self, request: Request) -> Response:
        """What happens in your business is sent there as JSON, signed with the secret in this answer (Standard
        Webhooks). Answer 2xx within 15 seconds; anything else is tried again for three days."""
        wanted = _read(EndpointCreateSerializer, request)
        person = _person(request)
        made = endpoint_create(owner=person, actor=person, **wanted)
        return Response(EndpointMadeSerializer(made).data, status=201)

    @extend_schema(operation_id="webhook_endpoint", summary="One of your webhook endpoints")
    def retrieve(self, request: Request, endpoint_id: UUID) -> Response:
        """Where it is, what it wants, whether it works."""
        return Response(EndpointSerializer(endpoint_of(user=_person(request), endpoint_id=endpoint_id)).data)

    @extend_schema(
        operation_id="webhook_endpoint_update",
        summary="Change a webhook endpoint",
        request=EndpointUpdateSerializer,
        responses={200: EndpointSerializer, 400: _REFUSED_URL},
    )
    def partial_update(self, request: Request, endpoint_id: UUID) -> Response:
        """Fields that are left out stay. The secret stays too."""
        changes = _read(EndpointUpdateSerializer, request)
        endpoint = endpoint_update(endpoint_id=endpoint_id, owner=_person(request), **changes)
        return Response(EndpointSerializer(endpoint).data)

    @extend_schema(operation_id="webhook_endpoint_delete", summary="Delete a webhook endpoint", responses={204: None})
    def destroy(self, request: Request, endpoint_id: UUID) -> Response:
        """It and the log of its deliveries."""
        endpoint_delete(endpoint_id=endpoint_id, owner=_person(request))
        return Response(status=204)

    @extend_schema(
        operation_id="webhook_endpoint_rotate_secret",
        summary="A new secret",
        request=None,
        responses={200: EndpointMadeSerializer},
    )
    def rotate_secret(self, request: Request, endpoint_id: UUID) -> Response:
        """The old one signs beside it for a day, so that you can change over without losing anything."""
        made = endpoint_rotate_secret(endpoint_id=endpoint_id, owner=_person(request))
        return Response(EndpointMadeSerializer(made).data)

    @extend_schema(
        operation_id="webhook_endpoint_enable",
        summary="Deliver there again",
        request=None,
        responses=EndpointSerializer,
    )
    def enable(self, request: Request, endpoint_id: UUID) -> Response:
        """After it was disabled because nothing arrived. What was missed stands in the events, or can be sent again."""
        endpoint = endpoint_enable(endpoint_id=endpoint_id, owner=_person(request))
        return Response(EndpointSerializer(endpoint).data)

    @extend_schema(
        operation_id="webhook_endpoint_ping",
        summary="Try a webhook endpoint",
        request=None,
        responses={202: OutboundEventSerializer, 409: _DISABLED},
    )
    def ping(self, request: Request, endpoint_id: UUID) -> Response:
        """Sends a `ping` there; the log of deliveries says whether it arrived."""
        event = endpoint_ping(endpoint_id=endpoint_id, owner=_person(request))
        return Response(OutboundEventSerializer(event).data, status=202)


class WebhookDeliveryViewSet(GenericViewSet):
    serializer_class = DeliverySerializer
    pagination_class = HistoryPagination
    queryset = WebhookDelivery.objects.none()

    @extend_schema(operation_id="webhook_deliveries", summary="What was sent there")
    def list(self, request: Request, endpoint_id: UUID) -> Response:
        """The deliveries to one of your endpoints, newest first, each with every try."""
        endpoint = endpoint_of(user=_person(request), endpoint_id=endpoint_id)
        page = self.paginate_queryset(delivery_list(endpoint=endpoint))
        return self.get_paginated_response(DeliverySerializer(page, many=True).data)

    @extend_schema(
        operation_id="webhook_redeliver",
        summary="Send it again",
        request=None,
        responses={202: DeliverySerializer, 409: _DISABLED},
    )
    def redeliver(self, request: Request, delivery_id: UUID) -> Response:
        """Whatever became of it; under the same `webhook-id`."""
        delivery = delivery_repeat(delivery_id=delivery_id, owner=_person(request))
        return Response(DeliverySerializer(delivery).data, status=202)


class OutboundEventViewSet(GenericViewSet):
    serializer_class = OutboundEventSerializer
    pagination_class = HistoryPagination
    queryset = OutboundEvent.objects.none()

    @extend_schema(operation_id="webhook_events", summary="What happened", parameters=[OutboundEventQuery])
    def list(self, request: Request) -> Response:
        """The events of your business since your first endpoint, newest first: read here what you missed."""
        wanted = OutboundEventQuery.read(request)
        page = self.paginate_queryset(event_list(user=_person(request), event_type=wanted.get("type")))
        return self.get_paginated_response(OutboundEventSerializer(page, many=True).data)


def _person(request: Request) -> AbstractBaseUser:
    assert isinstance(request.user, AbstractBaseUser)  # IsAuthenticated let nobody else through
    return request.user


def _read(shape: Any, request: Request) -> dict[str, Any]:
    body = shape(data=request.data)
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)
