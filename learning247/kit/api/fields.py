"""Serializer fields for what JSON has no type for."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from learning247.kit.money import CURRENCIES, InvalidAmount, Money


@extend_schema_field({"type": "string", "pattern": r"^(0|[1-9][0-9]*)(\.[0-9]{1,3})?$", "example": "25000.00"})
class AmountField(serializers.Field):
    """A decimal string. Its currency stands beside it, so `validated_money` turns the pair into Money."""

    default_error_messages = {"not_a_string": 'Send the amount as a string, such as "25000.00".'}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("not_a_string")
        return str(data)

    def to_representation(self, value: Any) -> str:
        return str(value)


@extend_schema_field({"type": "string", "pattern": r"^-?(0|[1-9][0-9]*)(\.[0-9]{1,3})?$", "example": "-25000.00"})
class SignedAmountField(AmountField):
    """An amount that may be below zero: a movement, a balance."""


class CurrencyField(serializers.ChoiceField):
    """An ISO 4217 code that the platform knows."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=CURRENCIES, **kwargs)


def validated_money(amount: str, currency: str, *, attr: str = "amount") -> Money:
    """Money from a request's amount and currency; a 400 that names `attr` when the amount does not fit."""
    try:
        return Money.from_decimal_string(amount, currency)
    except InvalidAmount as error:
        raise serializers.ValidationError({attr: [str(error)]}) from None
