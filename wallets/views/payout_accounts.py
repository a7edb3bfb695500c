"""Banks, and the accounts that a person withdraws to."""

from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.viewsets import GenericViewSet

from accounts.selectors import signed_in
from learning247.kit.api.pagination import CataloguePagination
from learning247.kit.api.schema import ErrorSerializer
from wallets.models import PayoutAccount
from wallets.selectors import payout_account_list
from wallets.serializers.payout_accounts import (
    AccountNumberSerializer,
    BankAccountRequestSerializer,
    BankAccountSerializer,
    BankQuery,
    BanksSerializer,
    ResolvedAccountSerializer,
    StripeAccountRequestSerializer,
    StripeAccountSerializer,
)
from wallets.services.payout_accounts import (
    bank_account_add,
    bank_account_resolve,
    bank_list,
    finance_account_add,
    payout_account_remove,
)
from wallets.services.stripe_accounts import stripe_account_begin

_UNKNOWN = OpenApiResponse(ErrorSerializer, description="`bank_account_unknown`, `currency_not_available`")


class BankViewSet(GenericViewSet):
    serializer_class = BanksSerializer
    pagination_class = None

    @extend_schema(
        parameters=[BankQuery],
        operation_id="wallet_banks",
        summary="Banks that can be paid to",
        responses={200: BanksSerializer, 422: OpenApiResponse(ErrorSerializer, description="`currency_not_available`")},
    )
    def retrieve(self, request: Request) -> Response:
        """All banks of a currency that is paid out by transfer."""
        banks = bank_list(currency=BankQuery.read(request)["currency"])
        return Response(BanksSerializer({"banks": banks}).data)


class BankAccountViewSet(GenericViewSet):
    throttle_scope = {"create": "wallet", "resolve": "wallet", "destroy": "wallet"}
    serializer_class = BankAccountSerializer
    pagination_class = CataloguePagination
    queryset = PayoutAccount.objects.none()

    def get_queryset(self) -> QuerySet[PayoutAccount]:
        return payout_account_list(user=signed_in(self.request.user))

    @extend_schema(operation_id="wallet_bank_accounts", summary="Where your money may go")
    def list(self, request: Request) -> Response:
        """The accounts that you withdraw to, numbers masked, newest first."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(BankAccountSerializer(page, many=True).data)

    @extend_schema(
        operation_id="wallet_bank_account_resolve",
        summary="Whose account is it?",
        request=AccountNumberSerializer,
        responses={200: ResolvedAccountSerializer, 422: _UNKNOWN},
    )
    def resolve(self, request: Request) -> Response:
        """What the bank itself calls an account; look at it before you add it."""
        wanted = self._read(request, AccountNumberSerializer)
        name, bank = bank_account_resolve(**wanted)
        return Response(
            ResolvedAccountSerializer(
                {
                    "account_name": name,
                    "account_number": f"••••••{wanted['account_number'][-4:]}",
                    "bank_code": bank.code,
                    "bank_name": bank.name,
                    "currency": bank.currency,
                }
            ).data
        )

    @extend_schema(
        operation_id="wallet_bank_account_add",
        summary="Add a bank account",
        request=BankAccountRequestSerializer,
        responses={201: BankAccountSerializer, 422: _UNKNOWN},
    )
    def create(self, request: Request) -> Response:
        """You are told of it by mail. For a day after it, only small amounts go there. Adding it again changes
        nothing."""
        owner, wanted = signed_in(request.user), self._read(request, BankAccountRequestSerializer)
        if wanted.get("bank_name"):
            account = finance_account_add(owner=owner, **({"bank_code": ""} | wanted))
        else:
            account = bank_account_add(owner=owner, **wanted)
        return Response(BankAccountSerializer(account).data, status=201)

    @extend_schema(
        operation_id="wallet_bank_account_remove",
        summary="Remove an account",
        responses={204: None, 404: OpenApiResponse(ErrorSerializer, description="`bank_account_not_found`")},
    )
    def destroy(self, request: Request, account_id: UUID) -> Response:
        """Nothing goes there any more; what is on its way still arrives."""
        payout_account_remove(owner=signed_in(request.user), account_id=account_id)
        return Response(status=204)

    def _read(self, request: Request, shape: type[Serializer]) -> dict[str, str]:
        wanted = shape(data=request.data)
        wanted.is_valid(raise_exception=True)
        return dict(wanted.validated_data)


class StripeAccountViewSet(GenericViewSet):
    throttle_scope = "wallet"
    serializer_class = StripeAccountSerializer
    pagination_class = None

    @extend_schema(
        operation_id="wallet_payout_account_stripe",
        summary="Be paid through Stripe",
        request=StripeAccountRequestSerializer,
        responses={
            201: StripeAccountSerializer,
            403: OpenApiResponse(ErrorSerializer, description="`email_not_verified`"),
            422: OpenApiResponse(ErrorSerializer, description="`payout_refused`"),
        },
    )
    def create(self, request: Request) -> Response:
        """For USD, GBP and EUR. Open `url` and answer Stripe's questions; the account is ready when Stripe says so.
        Asked again it is the same account, with a fresh page."""
        wanted = StripeAccountRequestSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        owner = signed_in(request.user)
        country = wanted.validated_data.get("country") or owner.country
        if not country:
            raise ValidationError({"country": ["Say in which country you are paid."]})
        account, link = stripe_account_begin(owner=owner, country=country)
        onboarding = {"url": link.url, "expires_at": link.expires_at}
        return Response(StripeAccountSerializer({"bank_account": account, "onboarding": onboarding}).data, status=201)
