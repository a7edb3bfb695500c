"""Shapes of the wallet's answers."""

from typing import Any

from rest_framework import serializers

from learning247.kit.api.fields import CurrencyField, SignedAmountField
from learning247.kit.money import Money
from wallets.enums import EntryKind
from wallets.models import JournalLine
from wallets.selectors import Balance


class BalanceSerializer(serializers.Serializer):
    currency = CurrencyField()
    available = SignedAmountField()
    clearing = SignedAmountField()
    held = SignedAmountField()
    disputed = SignedAmountField()
    total = SignedAmountField()

    def to_representation(self, balance: Balance) -> dict[str, str]:
        def amount(minor: int) -> str:
            return Money(minor, balance.currency).amount

        return {
            "currency": balance.currency,
            "available": amount(balance.available),
            "clearing": amount(balance.clearing),
            "held": amount(balance.held),
            "disputed": amount(balance.disputed),
            "total": amount(balance.total),
        }


class BalancesSerializer(serializers.Serializer):
    balances = BalanceSerializer(many=True)


class TransactionSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    type = serializers.ChoiceField(choices=EntryKind.choices)
    amount = SignedAmountField(help_text="Signed: what came in is positive.")
    currency = CurrencyField()
    balance_after = SignedAmountField()
    description = serializers.CharField()
    reference = serializers.CharField()
    created_at = serializers.DateTimeField()

    def to_representation(self, line: JournalLine) -> dict[str, Any]:
        return {
            "id": line.entry.uuid,
            "type": line.entry.kind,
            "amount": Money(line.amount_minor, line.currency).amount,
            "currency": line.currency,
            "balance_after": Money(line.balance_after_minor or 0, line.currency).amount,
            "description": line.entry.description,
            "reference": line.entry.reference,
            "created_at": line.entry.posted_at,
        }


class EntryLineSerializer(serializers.Serializer):
    account = serializers.CharField(help_text="Yours: available, clearing, held, disputed; the rest is the platform's.")
    yours = serializers.BooleanField()
    amount = SignedAmountField()
    balance_after = SignedAmountField(allow_null=True)


class EntrySourceSerializer(serializers.Serializer):
    kind = serializers.CharField()
    id = serializers.CharField()


class EntryDetailSerializer(serializers.Serializer):
    """`source` is the name of an attribute of every field, so that field is added by name."""

    id = serializers.UUIDField()
    type = serializers.ChoiceField(choices=EntryKind.choices)
    currency = CurrencyField()
    description = serializers.CharField()
    reference = serializers.CharField()
    created_at = serializers.DateTimeField()
    lines = EntryLineSerializer(many=True)

    def get_fields(self) -> dict[str, serializers.Field]:
        fields = super().get_fields()
        fields["source"] = EntrySourceSerializer(help_text="The business event behind the entry.")
        return fields


class BalanceQuerySerializer(serializers.Serializer):
    currency = CurrencyField(required=False)


class TransactionQuerySerializer(serializers.Serializer):
    """`from` and `to` are reserved words in Python, so those two fields are added by name."""

    currency = CurrencyField(required=False)
    type = serializers.ChoiceField(choices=EntryKind.choices, required=False)

    def get_fields(self) -> dict[str, serializers.Field]:
        fields = super().get_fields()
        fields["from"] = serializers.DateTimeField(required=False, help_text="Posted at or after this time.")
        fields["to"] = serializers.DateTimeField(required=False, help_text="Posted before this time.")
        return fields
