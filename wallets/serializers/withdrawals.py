"""Shapes of withdrawals."""

from typing import Any

from rest_framework import serializers

from learning247.kit.api.fields import AmountField, CurrencyField, LineField
from learning247.kit.money import Money
from wallets.enums import PayoutMethod, WithdrawalReason, WithdrawalStatus
from wallets.models import Withdrawal
from wallets.serializers.payout_accounts import BankAccountSerializer

REASONS = [choice for choice in WithdrawalReason.choices if choice[0]]


class WithdrawSerializer(serializers.Serializer):
    amount = AmountField()
    currency = CurrencyField()
    bank_account_id = serializers.UUIDField()


class ConfirmSerializer(serializers.Serializer):
    code = LineField(max_length=16, help_text="Of the newest mail, or of the authenticator app where that is on.")


class WithdrawalSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=WithdrawalStatus.choices)
    amount = AmountField(help_text="What leaves the wallet.")
    fee = AmountField(help_text="Of which you bear the transfer fee.")
    net = AmountField(help_text="What arrives.")
    currency = CurrencyField()
    method = serializers.ChoiceField(choices=PayoutMethod.choices)
    bank_account = BankAccountSerializer()
    reference = serializers.CharField(help_text="Ours, also at the gateway. Quote it to support.")
    reason = serializers.ChoiceField(choices=REASONS, allow_null=True, help_text="Why it is as it is.")
    detail = serializers.CharField(allow_null=True, help_text="The same in words, with what there is to do.")
    expires_at = serializers.DateTimeField(allow_null=True, help_text="Until when it waits for its code.")
    created_at = serializers.DateTimeField()
    confirmed_at = serializers.DateTimeField(allow_null=True)
    paid_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)

    def to_representation(self, withdrawal: Withdrawal) -> dict[str, Any]:
        waiting = withdrawal.status == WithdrawalStatus.OTP_REQUIRED
        return {
            "id": withdrawal.pk,
            "status": withdrawal.status,
            "amount": withdrawal.money.amount,
            "fee": Money(withdrawal.fee_minor, withdrawal.currency).amount,
            "net": withdrawal.net.amount,
            "currency": withdrawal.currency,
            "method": withdrawal.method,
            "bank_account": BankAccountSerializer(withdrawal.account).data,
            "reference": withdrawal.reference,
            "reason": withdrawal.reason or None,
            "detail": withdrawal.explanation or None,
            "expires_at": withdrawal.expires_at if waiting else None,
            "created_at": withdrawal.created_at,
            "confirmed_at": withdrawal.confirmed_at,
            "paid_at": withdrawal.paid_at,
            "ended_at": withdrawal.ended_at,
        }
