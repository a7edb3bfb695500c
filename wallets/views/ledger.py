"""A person's wallet over HTTP."""

from functools import partial
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.selectors import signed_in
from learning247.kit.api.pagination import History, HistoryPagination
from wallets.models import JournalLine
from wallets.selectors import balances_of, entry_detail, transaction_list
from wallets.serializers.ledger import (
    BalanceQuery,
    BalancesSerializer,
    EntryDetailSerializer,
    TransactionQuery,
    TransactionSerializer,
)


class BalanceViewSet(GenericViewSet):
    serializer_class = BalancesSerializer
    pagination_class = None

    @extend_schema(parameters=[BalanceQuery], operation_id="wallet_balance", summary="What you have")
    def retrieve(self, request: Request) -> Response:
        """What you have, by currency."""
        balances = balances_of(user=signed_in(request.user), currency=BalanceQuery.read(request).get("currency"))
        return Response(BalancesSerializer({"balances": balances}).data)


class TransactionViewSet(GenericViewSet):
    serializer_class = TransactionSerializer
    pagination_class = HistoryPagination
    queryset = JournalLine.objects.none()
    lookup_value_converter = "uuid"

    @extend_schema(parameters=[TransactionQuery], operation_id="wallet_transactions", summary="What moved your balance")
    def list(self, request: Request) -> Response:
        """What moved your available balance, newest first."""
        wanted = TransactionQuery.read(request)
        read = partial(
            transaction_list,
            user=signed_in(request.user),
            currency=wanted.get("currency"),
            kind=wanted.get("type"),
            since=wanted.get("from"),
            before=wanted.get("to"),
        )
        page = self.paginate_queryset(History(JournalLine._meta.pk, read))  # type: ignore[arg-type] # no queryset
        return self.get_paginated_response(TransactionSerializer(page, many=True).data)

    @extend_schema(responses=EntryDetailSerializer, operation_id="wallet_transaction", summary="One transaction")
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """One transaction: its lines and the business event behind it."""
        return Response(EntryDetailSerializer(entry_detail(user=signed_in(request.user), entry_uuid=pk)).data)
