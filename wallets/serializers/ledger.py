"""Shapes of the wallet's answers."""

from typing import Any

from rest_framework import serializers

from learning247.kit.api.fields import AmountField, CurrencyField, SignedAmountField
from learning247.kit.api.queries import FilterQuery
from learning247.kit.money import Money
from wallets.enums import EntryKind
from wallets.selectors import Balance, Transaction


class BalanceSerializer(serializers.Serializer):
    currency = CurrencyField()
    available = SignedAmountField()
    clearing = SignedAmountField()
    held = SignedAmountField()
    disputed = SignedAmountField()
    total = SignedAmountField()
    debt = AmountField(help_text="How far `available` is below zero after a refund. Your next sales repay it.")

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
            "debt": amount(balance.debt),
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

    def to_representation(self, movement: Transaction) -> dict[str, Any]:
        return {
            "id": movement.entry,
            "type": movement.kind,
            "amount": Money(movement.amount_minor, movement.currency).amount,
            "currency": movement.currency,
            "balance_after": Money(movement.balance_after_minor, movement.currency).amount,
            "description": movement.description,
            "reference": movement.reference,
            "created_at": movement.posted_at,
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


class BalanceQuery(FilterQuery):
    currency = CurrencyField(required=False)


class TransactionQuery(FilterQuery):
    """`from` and `to` are reserved words in Python, so those two fields are added by name."""

    currency = CurrencyField(required=False)
    type = serializers.ChoiceField(choices=EntryKind.choices, required=False)

    def get_fields(self) -> dict[str, serializers.Field]:
        fields = super().get_fields()
        fields["from"] = serializers.DateTimeField(required=False, help_text="Posted at or after this time.")
        fields["to"] = serializers.DateTimeField(required=False, help_text="Posted before this time.")
        return fields
