"""The shape of a pass on sale."""

from typing import Any

from rest_framework import serializers

from courses.enums import AccessType
from courses.serializers.catalogue import MoneySerializer


class PassOfferSerializer(serializers.Serializer[Any]):
    access_type = serializers.ChoiceField(
        choices=AccessType.choices, help_text="What a purchase names; never individual."
    )
    title = serializers.CharField()
    term_months = serializers.IntegerField(help_text="Calendar months.")
    prices = MoneySerializer(many=True)
