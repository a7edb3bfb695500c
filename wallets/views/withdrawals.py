"""Money out over HTTP."""

from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.devices import device_of
from accounts.selectors import signed_in
from learning247.kit.api.fields import validated_money
from learning247.kit.api.pagination import HistoryPagination
from learning247.kit.api.schema import ErrorSerializer
from learning247.records.idempotency import IdempotentThrottling, idempotent
from wallets.models import Withdrawal
from wallets.selectors import withdrawal_list, withdrawal_of
from wallets.serializers.withdrawals import ConfirmSerializer, WithdrawalSerializer, WithdrawSerializer
from wallets.services.withdrawals import (
    withdrawal_cancel,
    withdrawal_code_resend,
    withdrawal_confirm,
    withdrawal_start,
)

_LIMITS = "`insufficient_balance`, `withdrawal_limit_exceeded`, `withdrawal_below_minimum`, `bank_account_cooling`"
_NOT_THERE = OpenApiResponse(ErrorSerializer, description="`withdrawal_not_found`")


class WithdrawalViewSet(IdempotentThrottling, GenericViewSet):
    throttle_scope = {"create": "wallet", "confirm": "codes", "resend_code": "codes", "cancel": "wallet"}
    serializer_class = WithdrawalSerializer
    pagination_class = HistoryPagination
    queryset = Withdrawal.objects.none()

    def get_queryset(self) -> QuerySet[Withdrawal]:
        return withdrawal_list(user=signed_in(self.request.user))

    @extend_schema(operation_id="wallet_withdrawals", summary="Your withdrawals")
    def list(self, request: Request) -> Response:
        """Your own withdrawals, newest first."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(WithdrawalSerializer(page, many=True).data)

    @extend_schema(operation_id="wallet_withdrawal", summary="One of your withdrawals", responses=WithdrawalSerializer)
    def retrieve(self, request: Request, withdrawal_id: UUID) -> Response:
        """How it stands, why, and what there is to do."""
        return Response(
            WithdrawalSerializer(withdrawal_of(user=signed_in(request.user), withdrawal_id=withdrawal_id)).data
        )

    @extend_schema(
        operation_id="wallet_withdraw",
        summary="Withdraw",
        request=WithdrawSerializer,
        responses={
            202: WithdrawalSerializer,
            403: OpenApiResponse(ErrorSerializer, description="`email_not_verified`, `withdrawals_suspended`"),
            409: OpenApiResponse(ErrorSerializer, description="`payouts_paused`"),
            404: OpenApiResponse(ErrorSerializer, description="`bank_account_not_found`"),
            422: OpenApiResponse(
                ErrorSerializer, description=f"{_LIMITS}, `currency_mismatch`, `bank_account_not_ready`"
            ),
        },
    )
    @idempotent("wallet.withdraw")
    def create(self, request: Request) -> Response:
        """A code goes out by mail, unless you have an authenticator app; nothing leaves your wallet before it came
        back."""
        wanted = WithdrawSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        fields = wanted.validated_data
        amount = validated_money(fields["amount"], fields["currency"])
        if amount.minor == 0:
            raise ValidationError({"amount": ["Withdraw more than zero."]})
        withdrawal = withdrawal_start(
            owner=signed_in(request.user),
            account_id=fields["bank_account_id"],
            amount=amount,
            operation="wallet.withdraw",
            idempotency_key=request.idempotency_key,  # type: ignore[attr-defined]
        )
        return Response(WithdrawalSerializer(withdrawal).data, status=202)

    @extend_schema(
        operation_id="wallet_withdrawal_confirm",
        summary="Confirm by the code",
        request=ConfirmSerializer,
        responses={
            200: WithdrawalSerializer,
            404: _NOT_THERE,
            409: OpenApiResponse(ErrorSerializer, description="`withdrawal_over`, `code_used`, `payouts_paused`"),
            422: OpenApiResponse(ErrorSerializer, description=f"`code_invalid`, `code_attempts_used_up`, {_LIMITS}"),
        },
    )
    def confirm(self, request: Request, withdrawal_id: UUID) -> Response:
        """The money is set aside and goes out, or waits for people who look at it. Confirmed before: nothing
        changes."""
        wanted = ConfirmSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        withdrawal = withdrawal_confirm(
            owner=signed_in(request.user),
            withdrawal_id=withdrawal_id,
            code=wanted.validated_data["code"],
            device=device_of(request),
        )
        return Response(WithdrawalSerializer(withdrawal).data)

    @extend_schema(
        operation_id="wallet_withdrawal_resend_code",
        summary="Another code",
        request=None,
        responses={
            200: WithdrawalSerializer,
            404: _NOT_THERE,
            409: OpenApiResponse(
                ErrorSerializer, description="`withdrawal_over`, `withdrawal_confirmed`, `code_comes_from_app`"
            ),
            429: OpenApiResponse(ErrorSerializer, description="`code_too_soon`"),
        },
    )
    def resend_code(self, request: Request, withdrawal_id: UUID) -> Response:
        """Mailed a minute after the last at the earliest; the one before is worth nothing then."""
        withdrawal = withdrawal_code_resend(owner=signed_in(request.user), withdrawal_id=withdrawal_id)
        return Response(WithdrawalSerializer(withdrawal).data)

    @extend_schema(
        operation_id="wallet_withdrawal_cancel",
        summary="Cancel",
        request=None,
        responses={
            200: WithdrawalSerializer,
            404: _NOT_THERE,
            409: OpenApiResponse(ErrorSerializer, description="`withdrawal_not_cancellable`, `withdrawal_over`"),
        },
    )
    def cancel(self, request: Request, withdrawal_id: UUID) -> Response:
        """While it waits for its code or for people. What was set aside is available again."""
        withdrawal = withdrawal_cancel(owner=signed_in(request.user), withdrawal_id=withdrawal_id)
        return Response(WithdrawalSerializer(withdrawal).data)
