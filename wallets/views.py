"""A person's wallet over HTTP."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.selectors import signed_in
from learning247.kit.api.pagination import HistoryPagination
from wallets.models import JournalLine
from wallets.selectors import balances_of, entry_detail, transaction_list
from wallets.serializers import (
    BalanceQuerySerializer,
    BalancesSerializer,
    EntryDetailSerializer,
    TransactionQuerySerializer,
    TransactionSerializer,
)


class BalanceViewSet(GenericViewSet):
    serializer_class = BalancesSerializer
    pagination_class = None

    @extend_schema(parameters=[BalanceQuerySerializer], operation_id="wallet_balance", summary="What you have")
    def retrieve(self, request: Request) -> Response:
        """What you have, by currency."""
        query = BalanceQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        balances = balances_of(user=signed_in(request.user), currency=query.validated_data.get("currency"))
        return Response(BalancesSerializer({"balances": balances}).data)


class TransactionViewSet(GenericViewSet):
    serializer_class = TransactionSerializer
    pagination_class = HistoryPagination
    queryset = JournalLine.objects.none()
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[JournalLine]:
        query = TransactionQuerySerializer(data=self.request.query_params)
        query.is_valid(raise_exception=True)
        wanted: dict[str, Any] = query.validated_data
        return transaction_list(
            user=signed_in(self.request.user),
            currency=wanted.get("currency"),
            kind=wanted.get("type"),
            since=wanted.get("from"),
            before=wanted.get("to"),
        )

    @extend_schema(
        parameters=[TransactionQuerySerializer], operation_id="wallet_transactions", summary="What moved your balance"
    )
    def list(self, request: Request) -> Response:
        """What moved your available balance, newest first."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(responses=EntryDetailSerializer, operation_id="wallet_transaction", summary="One transaction")
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """One transaction: its lines and the business event behind it."""
        return Response(EntryDetailSerializer(entry_detail(user=signed_in(request.user), entry_uuid=pk)).data)
