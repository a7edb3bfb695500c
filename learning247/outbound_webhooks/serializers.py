"""Shapes of the outbound webhooks' requests and answers."""

from typing import Any

from rest_framework import serializers

from learning247.kit.api.fields import LineField
from learning247.kit.api.queries import FilterQuery
from learning247.kit.lengths import longest
from learning247.outbound_webhooks.enums import DeliveryStatus, EndpointStatus
from learning247.outbound_webhooks.event_types import PING, event_types
from learning247.outbound_webhooks.models import LONGEST_URL, OutboundEvent, WebhookDelivery, WebhookEndpoint


class EventTypesField(serializers.ListField):
    """Names of events, each once; none means all."""

    child = serializers.CharField(max_length=60)
    default_error_messages = {"unknown": "These are no events: {names}. There are {known}."}

    def to_internal_value(self, data: Any) -> list[str]:
        wanted = sorted(set(super().to_internal_value(data)))
        known = event_types()
        unknown = [name for name in wanted if name not in known]
        if unknown:
            self.fail("unknown", names=", ".join(unknown)[:200], known=", ".join(known))
        return wanted


class EndpointSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    url = serializers.URLField()
    description = serializers.CharField()
    event_types = serializers.ListField(child=serializers.CharField(), help_text="Empty: all of them.")
    status = serializers.ChoiceField(choices=EndpointStatus.choices)
    disabled_reason = serializers.CharField(allow_null=True)
    failing_since = serializers.DateTimeField(allow_null=True, help_text="Null: the last delivery worked.")
    created_at = serializers.DateTimeField()

    def to_representation(self, endpoint: WebhookEndpoint) -> dict[str, Any]:
        return {
            "id": endpoint.pk,
            "url": endpoint.url,
            "description": endpoint.description,
            "event_types": endpoint.event_types,
            "status": endpoint.status,
            "disabled_reason": endpoint.disabled_reason or None,
            "failing_since": endpoint.failing_since,
            "created_at": endpoint.created_at,
        }


class EndpointMadeSerializer(EndpointSerializer):
    secret = serializers.CharField(help_text="Signs what is sent there (Standard Webhooks). Shown this once.")

    def to_representation(self, made: Any) -> dict[str, Any]:
        return {**super().to_representation(made.endpoint), "secret": made.secret}


class EndpointCreateSerializer(serializers.Serializer):
    url = serializers.CharField(max_length=LONGEST_URL, help_text="A public https address.")
    description = LineField(
        max_length=longest(WebhookEndpoint, "description"), required=False, default="", allow_blank=True
    )
    event_types = EventTypesField(required=False, default=list, max_length=50)


class EndpointUpdateSerializer(serializers.Serializer):
    url = serializers.CharField(max_length=LONGEST_URL, required=False)
    description = LineField(max_length=longest(WebhookEndpoint, "description"), required=False, allow_blank=True)
    event_types = EventTypesField(required=False, max_length=50)


class AttemptSerializer(serializers.Serializer):
    attempted_at = serializers.DateTimeField()
    status_code = serializers.IntegerField(allow_null=True, help_text="Null: no answer.")
    failure = serializers.CharField(allow_null=True)
    milliseconds = serializers.IntegerField()


class DeliverySerializer(serializers.Serializer):
    id = serializers.UUIDField()
    event_id = serializers.UUIDField(help_text="The header `webhook-id`.")
    event_type = serializers.CharField()
    status = serializers.ChoiceField(choices=DeliveryStatus.choices)
    next_attempt_at = serializers.DateTimeField(allow_null=True)
    delivered_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    attempts = AttemptSerializer(many=True)

    def to_representation(self, delivery: WebhookDelivery) -> dict[str, Any]:
        return {
            "id": delivery.pk,
            "event_id": delivery.event_id,
            "event_type": delivery.event.event_type,
            "status": delivery.status,
            "next_attempt_at": delivery.due_at if delivery.status == DeliveryStatus.PENDING else None,
            "delivered_at": delivery.delivered_at,
            "created_at": delivery.created_at,
            "attempts": [
                {
                    "attempted_at": attempt.attempted_at,
                    "status_code": attempt.status_code,
                    "failure": attempt.failure or None,
                    "milliseconds": attempt.milliseconds,
                }
                for attempt in delivery.log.all()
            ],
        }


class OutboundEventSerializer(serializers.Serializer):
    id = serializers.UUIDField(help_text="The header `webhook-id` of its deliveries.")
    type = serializers.CharField()
    timestamp = serializers.DateTimeField()

    def get_fields(self) -> dict[str, serializers.Field]:
        fields = super().get_fields()
        fields["data"] = serializers.DictField()  # every serializer has an attribute of this name
        return fields

    def to_representation(self, event: OutboundEvent) -> dict[str, Any]:
        return {"id": event.pk, "type": event.event_type, "timestamp": event.created_at, "data": event.data}


class OutboundEventQuery(FilterQuery):
    type = serializers.CharField(required=False, max_length=60, help_text="One of the event types.")

    def validate_type(self, value: str) -> str:
        if value != PING and value not in event_types():
            raise serializers.ValidationError(f"There is no such event. There are {', '.join(event_types())}.")
        return value
