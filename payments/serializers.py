"""Shapes of the payments' requests and answers."""

from typing import Any

from rest_framework import serializers

from learning247.kit.api.fields import AmountField, CurrencyCodeField, CurrencyField, LineField, validated_money
from learning247.kit.api.queries import Query
from learning247.kit.lengths import longest
from learning247.kit.money import BASIS_POINTS, Money
from payments.coupon_codes import MOST_TYPED
from payments.enums import (
    AccessReason,
    CouponState,
    EntitlementSource,
    GatewayName,
    PaymentStatus,
    ProductKind,
    RefundStatus,
)
from payments.models import Coupon, Payment, Refund
from payments.quotes import Quote
from payments.selectors import coupon_detail, item_detail, payment_detail, refund_detail

MOST_USES = 1_000_000_000


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
    amount = AmountField(help_text="What is to pay: the price less the discount.")
    currency = CurrencyField()
    price = AmountField()
    discount = AmountField()
    coupon = serializers.CharField(allow_null=True, help_text="Its code, as it is kept.")
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
    coupon = serializers.CharField(
        required=False,
        allow_null=True,
        allow_blank=True,
        default=None,
        max_length=MOST_TYPED,
        help_text="A code, in either case.",
    )


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


class CouponAmountSerializer(serializers.Serializer):
    currency = CurrencyField()
    amount = AmountField()

    def to_internal_value(self, data: Any) -> Money:
        fields = super().to_internal_value(data)
        money = validated_money(fields["amount"], fields["currency"])
        if money.minor == 0:
            raise serializers.ValidationError({"amount": ["Take more than zero off."]})
        return money

    def to_representation(self, money: Any) -> dict[str, Any]:
        return {"currency": money.currency, "amount": money.amount}


class CouponSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    code = serializers.CharField()
    state = serializers.ChoiceField(choices=CouponState.choices)
    percent_bps = serializers.IntegerField(allow_null=True, help_text="Hundredths of a percent: 2500 is 25 %.")
    amounts = CouponAmountSerializer(many=True, help_text="By currency, where it is no percentage.")
    item = ItemSerializer(allow_null=True, help_text="Null: for all that you sell.")
    active = serializers.BooleanField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField(allow_null=True)
    max_uses = serializers.IntegerField(allow_null=True)
    max_uses_per_user = serializers.IntegerField(allow_null=True)
    uses = serializers.IntegerField(help_text="Paid, or free of charge.")
    reserved = serializers.IntegerField(help_text="Held by checkouts that are open.")
    created_at = serializers.DateTimeField()

    def to_representation(self, coupon: Coupon) -> dict[str, Any]:
        return coupon_detail(coupon)


class CouponUpdateSerializer(serializers.Serializer):
    active = serializers.BooleanField(required=False, help_text="False: paused.")
    starts_at = serializers.DateTimeField(required=False)
    ends_at = serializers.DateTimeField(required=False, allow_null=True)
    max_uses = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=MOST_USES, help_text="In all. Null: any number."
    )
    max_uses_per_user = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=MOST_USES, help_text="Null: any number."
    )


class CouponCreateSerializer(CouponUpdateSerializer):
    code = serializers.CharField(
        required=False,
        allow_null=True,
        max_length=MOST_TYPED,
        help_text="4 to 40 letters of A to Z, digits, - and _, in either case. Left out: one is made.",
    )
    percent_bps = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=BASIS_POINTS, help_text="Or `amounts`."
    )
    amounts = CouponAmountSerializer(many=True, required=False, help_text="One per currency. Or `percent_bps`.")
    item_type = serializers.ChoiceField(choices=ProductKind.choices, required=False, allow_null=True)
    item_id = serializers.UUIDField(required=False, allow_null=True, help_text="Left out: for all that you sell.")

    def validate_amounts(self, amounts: list[Money]) -> list[Money]:
        if len({amount.currency for amount in amounts}) < len(amounts):
            raise serializers.ValidationError("Give one amount per currency.")
        return amounts

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if (attrs.get("percent_bps") is None) == (not attrs.get("amounts")):
            raise serializers.ValidationError({"percent_bps": ["Give either this or amounts."]})
        if (attrs.get("item_type") is None) != (attrs.get("item_id") is None):
            raise serializers.ValidationError({"item_id": ["Give the item's type and id, or neither."]})
        return attrs


class QuoteSerializer(serializers.Serializer):
    currency = CurrencyField()
    price = AmountField()
    discount = AmountField()
    total = AmountField(help_text="What is to pay. Zero: it opens without a gateway.")
    coupon = serializers.CharField(allow_null=True, help_text="The code, as it is kept.")
    item = ItemSerializer()

    def to_representation(self, quote: Quote) -> dict[str, Any]:
        return {
            "currency": quote.discounted.price.currency,
            "price": quote.discounted.price.amount,
            "discount": quote.discounted.discount.amount,
            "total": quote.discounted.total.amount,
            "coupon": quote.coupon.code if quote.coupon else None,
            "item": item_detail(quote.product),
        }
