"""Serializer fields for what JSON has no type for."""

import unicodedata
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from learning247.kit.money import CURRENCIES, InvalidAmount, Money

# Control characters, line and paragraph separators; and what turns the direction of the text around it.
_INVISIBLE = frozenset({"Cc", "Zl", "Zp"})
_TURNING = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))


class LineField(serializers.CharField):
    """One line of text as people write it: a JSON string that shows nothing other than what it says."""

    default_error_messages = {"not_one_line": "Leave out line breaks and control characters."}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        text = str(super().to_internal_value(data))
        if any(unicodedata.category(character) in _INVISIBLE or character in _TURNING for character in text):
            self.fail("not_one_line")
        return text


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


class CurrencyCodeField(serializers.RegexField):
    """Shaped like an ISO 4217 code: whether something has a price in it is for a rule to say, not for the shape."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", f"ISO 4217, such as {', '.join(CURRENCIES[:4])}.")
        super().__init__(r"^[A-Z]{3}\Z", **kwargs)


def validated_money(amount: str, currency: str, *, attr: str = "amount") -> Money:
    """Money from a request's amount and currency; a 400 that names `attr` when the amount does not fit."""
    try:
        return Money.from_decimal_string(amount, currency)
    except InvalidAmount as error:
        raise serializers.ValidationError({attr: [str(error)]}) from None
