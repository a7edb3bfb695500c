"""Shapes of the payments' requests and answers."""

from typing import Any

from rest_framework import serializers

from learning247.kit.api.fields import AmountField, CurrencyCodeField, CurrencyField, LineField
from learning247.kit.api.queries import Query
from learning247.kit.lengths import longest
from learning247.kit.money import Money
from payments.enums import AccessReason, EntitlementSource, GatewayName, PaymentStatus, ProductKind, RefundStatus
from payments.models import Payment, Refund
from payments.selectors import payment_detail, refund_detail


class ItemSerializer(serializers.Serializer):
    type = serializers.ChoiceField(choices=ProductKind.choices)
    id = serializers.UUIDField()
    title = serializers.CharField()


class TermSerializer(serializers.Serializer):
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()


class PaymentSerializer(serializers.Serializer):
    reference = serializers.CharField()
    status = serializers.ChoiceField(choices=PaymentStatus.choices)
    gateway = serializers.ChoiceField(choices=GatewayName.choices, allow_null=True, help_text="Null: free of charge.")
    amount = AmountField()
    currency = CurrencyField()
    refunded_amount = AmountField(help_text="What has gone back, or is on its way.")
    item = ItemSerializer()
    checkout_url = serializers.URLField(allow_null=True, help_text="Send the buyer here to pay.")
    expires_at = serializers.DateTimeField()
    created_at = serializers.DateTimeField()
    settled_at = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField(
        allow_null=True, help_text="Why it failed, is in review, or was given back by itself."
    )
    term = TermSerializer(
        allow_null=True, help_text="When what was bought begins and ends. Null: not paid yet, or for good."
    )

    def to_representation(self, payment: Payment) -> dict[str, Any]:
        return payment_detail(payment)


class RefundSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    reference = serializers.CharField()
    payment_reference = serializers.CharField()
    status = serializers.ChoiceField(choices=RefundStatus.choices)
    amount = AmountField()
    currency = CurrencyField()
    reason = serializers.CharField()
    ends_access = serializers.BooleanField(help_text="The buyer's access ended with it.")
    failure_reason = serializers.CharField(allow_null=True, help_text="Why it failed or needs attention.")
    created_at = serializers.DateTimeField()
    done_at = serializers.DateTimeField(allow_null=True)

    def to_representation(self, refund: Refund) -> dict[str, Any]:
        return refund_detail(refund)


class RefundStartSerializer(serializers.Serializer):
    amount = AmountField(required=False, help_text="In the payment's currency. Left out: all that is left.")
    reason = LineField(max_length=longest(Refund, "reason"))
    ends_access = serializers.BooleanField(
        required=False,
        allow_null=True,
        default=None,
        help_text="For staff. Left out: all of the money back ends the access, a part does not.",
    )


class InitializeSerializer(serializers.Serializer):
    item_type = serializers.ChoiceField(choices=ProductKind.choices)
    item_id = serializers.UUIDField()
    currency = CurrencyCodeField()


class VerifiedSerializer(serializers.Serializer):
    """No more than this: the call needs no token."""

    reference = serializers.CharField()
    status = serializers.ChoiceField(choices=PaymentStatus.choices)
    item = ItemSerializer()


class AccessQuery(Query):
    item_type = serializers.ChoiceField(choices=ProductKind.choices)
    item_id = serializers.UUIDField()


class GrantSerializer(serializers.Serializer):
    """`source` is the name of an attribute of every field, so that field is added by name."""

    payment_reference = serializers.CharField(allow_null=True)
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField(allow_null=True)

    def get_fields(self) -> dict[str, serializers.Field]:
        fields = super().get_fields()
        fields["source"] = serializers.ChoiceField(choices=EntitlementSource.choices)
        return fields


class AccessSerializer(serializers.Serializer):
    granted = serializers.BooleanField()
    reason = serializers.ChoiceField(choices=AccessReason.choices)
    grant = GrantSerializer(allow_null=True)


class CurrencyConfigSerializer(serializers.Serializer):
    currency = CurrencyField()
    gateway = serializers.ChoiceField(choices=GatewayName.choices)
    minimum_amount = AmountField()

    def to_representation(self, row: dict[str, Any]) -> dict[str, Any]:
        minimum = Money(row["minimum_minor"], row["currency"])
        return {"currency": row["currency"], "gateway": row["gateway"], "minimum_amount": minimum.amount}


class ConfigSerializer(serializers.Serializer):
    currencies = CurrencyConfigSerializer(many=True)
