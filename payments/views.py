"""Paying over HTTP."""

from typing import cast
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.devices import device_of
from accounts.selectors import signed_in
from learning247.kit.api.bodies import read_body
from learning247.kit.api.fields import validated_money
from learning247.kit.api.pagination import CataloguePagination, HistoryPagination
from learning247.kit.api.schema import ErrorSerializer, refusals
from learning247.kit.money import Money
from learning247.records.idempotency import IdempotentThrottling, idempotent
from payments.models import Coupon, Payment, Refund
from payments.quotes import quote
from payments.selectors import (
    access_to,
    charged_currencies,
    coupon_list,
    coupon_of,
    item_detail,
    payment_list,
    payment_of,
    refund_list,
    refundable_payment,
)
from payments.serializers import (
    AccessQuery,
    AccessSerializer,
    ConfigSerializer,
    CouponCreateSerializer,
    CouponSerializer,
    CouponUpdateSerializer,
    InitializeSerializer,
    PaymentSerializer,
    QuoteSerializer,
    RefundSerializer,
    RefundStartSerializer,
    VerifiedSerializer,
)
from payments.services.checkout import checkout_start
from payments.services.coupons import CouponFields, coupon_create_own, coupon_delete, coupon_update
from payments.services.refunds import refund_start
from payments.services.settlement import payment_settle

COUPON_REFUSED = (
    "`currency_not_available`, `coupon_unknown`, `coupon_expired`, `coupon_used_up`, `coupon_not_applicable`, "
    "`coupon_minimum`"
)


class PaymentViewSet(IdempotentThrottling, GenericViewSet):
    throttle_scope = {"create": "payments"}
    serializer_class = PaymentSerializer
    pagination_class = HistoryPagination
    queryset = Payment.objects.none()

    def get_queryset(self) -> QuerySet[Payment]:
        return payment_list(user=signed_in(self.request.user))

    @extend_schema(operation_id="payments_list", summary="Your payments")
    def list(self, request: Request) -> Response:
        """Your own payments, newest first."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(operation_id="payments_retrieve", summary="One of your payments")
    def retrieve(self, request: Request, reference: str) -> Response:
        """One of your own payments."""
        return Response(PaymentSerializer(payment_of(user=signed_in(request.user), reference=reference)).data)

    @extend_schema(
        operation_id="payments_initialize",
        summary="Start buying something",
        request=InitializeSerializer,
        responses={
            201: PaymentSerializer,
            **refusals(
                e404="`product_not_found`",
                e409="`already_owned`; `checkout_lost`, `checkout_outdated`: begin again with a new key",
                e422=f"`purchase_refused`, `gateway_rejected`, `idempotency_key_reused`, {COUPON_REFUSED}",
                e503="`gateway_unavailable`: the same key may be sent again.",
            ),
        },
    )
    @idempotent("payments.initialize")
    def create(self, request: Request) -> Response:
        """Start buying something: a payment with the address of its checkout, or a paid one where nothing is to pay. A
        coupon's use is yours until the checkout ends."""
        wanted = InitializeSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        payment = checkout_start(
            buyer=signed_in(request.user),
            product_kind=wanted.validated_data["item_type"],
            item_id=wanted.validated_data["item_id"],
            currency=wanted.validated_data["currency"],
            details={},
            operation="payments.initialize",
            idempotency_key=request.idempotency_key,  # type: ignore[attr-defined]
            device=device_of(request),
            coupon=wanted.validated_data["coupon"],
        )
        return Response(PaymentSerializer(payment).data, status=201)


class QuoteViewSet(GenericViewSet):
    throttle_scope = "coupons"
    serializer_class = QuoteSerializer

    @extend_schema(
        operation_id="payments_quote",
        summary="What would it cost?",
        request=InitializeSerializer,
        responses={
            200: QuoteSerializer,
            **refusals(e404="`product_not_found`", e409="`already_owned`", e422=COUPON_REFUSED),
        },
    )
    def create(self, request: Request) -> Response:
        """Price, discount and what is left to pay, with a coupon or without. Nothing is begun, and nothing reserved."""
        wanted = read_body(InitializeSerializer, request)
        found = quote(
            user=signed_in(request.user),
            product_kind=wanted["item_type"],
            item_id=wanted["item_id"],
            currency=wanted["currency"],
            coupon=wanted["coupon"],
        )
        return Response(QuoteSerializer(found).data)


class CouponViewSet(GenericViewSet):
    serializer_class = CouponSerializer
    pagination_class = CataloguePagination
    queryset = Coupon.objects.none()

    def get_queryset(self) -> QuerySet[Coupon]:
        return coupon_list(owner=signed_in(self.request.user))

    @extend_schema(operation_id="coupons_list", summary="Your coupons")
    def list(self, request: Request) -> Response:
        """The coupons for what you sell, newest first, with how often each was used."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(CouponSerializer(page, many=True).data)

    @extend_schema(
        operation_id="coupons_create",
        summary="Make a coupon",
        request=CouponCreateSerializer,
        responses={
            201: CouponSerializer,
            403: OpenApiResponse(ErrorSerializer, description="`email_not_verified`"),
            404: OpenApiResponse(ErrorSerializer, description="`product_not_found`"),
            409: OpenApiResponse(ErrorSerializer, description="`coupon_code_taken`"),
            422: OpenApiResponse(ErrorSerializer, description="`coupon_window_invalid`"),
        },
    )
    def create(self, request: Request) -> Response:
        """Takes a percentage or fixed amounts off one of your items, or off all of them. The price is lower for both:
        your share is of what the buyer pays. What it takes off never changes; make another one for that."""
        wanted = read_body(CouponCreateSerializer, request)
        creator = signed_in(request.user)
        item = (wanted.pop("item_type", None), wanted.pop("item_id", None))
        coupon = coupon_create_own(
            creator=creator,
            code=wanted.pop("code", None),
            percent_bps=wanted.pop("percent_bps", None),
            amounts=wanted.pop("amounts", ()),
            item=None if item == (None, None) else item,
            fields=cast(CouponFields, wanted),
        )
        return Response(CouponSerializer(coupon_of(owner=creator, coupon_id=coupon.pk)).data, status=201)

    @extend_schema(operation_id="coupons_retrieve", summary="One of your coupons")
    def retrieve(self, request: Request, coupon_id: UUID) -> Response:
        """What it takes off, when, and how often it was used."""
        return Response(CouponSerializer(coupon_of(owner=signed_in(request.user), coupon_id=coupon_id)).data)

    @extend_schema(
        operation_id="coupons_update",
        summary="Change or pause a coupon",
        request=CouponUpdateSerializer,
        responses={
            200: CouponSerializer,
            422: OpenApiResponse(ErrorSerializer, description="`coupon_limit_below_use`, `coupon_window_invalid`"),
        },
    )
    def partial_update(self, request: Request, coupon_id: UUID) -> Response:
        """Fields that are left out stay. Checkouts that are open keep the discount that they began with."""
        changes = read_body(CouponUpdateSerializer, request)
        creator = signed_in(request.user)
        coupon_update(coupon_id=coupon_id, owner=creator, actor=creator, changes=cast(CouponFields, changes))
        return Response(CouponSerializer(coupon_of(owner=creator, coupon_id=coupon_id)).data)

    @extend_schema(
        operation_id="coupons_delete",
        summary="Delete a coupon",
        responses={204: None, 409: OpenApiResponse(ErrorSerializer, description="`coupon_redeemed`")},
    )
    def destroy(self, request: Request, coupon_id: UUID) -> Response:
        """Only one that nobody has used, nor holds in a checkout. Pause others."""
        coupon_delete(coupon_id=coupon_id, owner=signed_in(request.user))
        return Response(status=204)


class RefundViewSet(IdempotentThrottling, GenericViewSet):
    throttle_scope = {"create": "refunds"}
    serializer_class = RefundSerializer
    pagination_class = HistoryPagination
    queryset = Refund.objects.none()

    @extend_schema(operation_id="payments_refunds", summary="A payment's refunds")
    def list(self, request: Request, reference: str) -> Response:
        """The refunds of one of your payments, newest first. Staff who make refunds see anybody's."""
        payment = refundable_payment(user=signed_in(request.user), reference=reference)
        page = self.paginate_queryset(refund_list(payment=payment))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        operation_id="payments_refund",
        summary="Give money back",
        request=RefundStartSerializer,
        responses={
            201: RefundSerializer,
            **refusals(
                e403="`own_sale`: staff give nothing back of what they sold",
                e409="`nothing_to_refund`, `payment_disputed`, `payment_in_review`",
                e422="`refund_window_closed`, `refund_whole_only`, `refund_too_large`, `idempotency_key_reused`",
            ),
        },
    )
    @idempotent("payments.refund")
    def create(self, request: Request, reference: str) -> Response:
        """All of a payment back to its buyer, who may ask for that for some days; staff may give back any part. The
        creator's share and the platform's fee are taken back at once; should the gateway fail, they return."""
        wanted = RefundStartSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        person, fields = signed_in(request.user), wanted.validated_data
        payment = refundable_payment(user=person, reference=reference)
        amount = fields.get("amount")
        refund = refund_start(
            reference=reference,
            requested_by=person,
            amount_minor=None if amount is None else _money_to_move(amount, payment).minor,
            reason=fields["reason"],
            ends_access=fields["ends_access"],
            operation="payments.refund",
            idempotency_key=request.idempotency_key,  # type: ignore[attr-defined]
        )
        return Response(RefundSerializer(refund).data, status=201)


class VerificationViewSet(GenericViewSet):
    throttle_scope = "payments"
    permission_classes = [AllowAny]
    authentication_classes = []
    serializer_class = VerifiedSerializer

    @extend_schema(
        operation_id="payments_verify",
        summary="Was it paid?",
        request=None,
        responses={200: VerifiedSerializer},
    )
    def create(self, request: Request, reference: str) -> Response:
        """Ask the gateway, and settle if it was paid. For the page that the buyer comes back to; safe to repeat."""
        payment = payment_settle(reference=reference)
        item = item_detail(payment.product)
        return Response(
            VerifiedSerializer({"reference": payment.reference, "status": payment.status, "item": item}).data
        )


class AccessViewSet(GenericViewSet):
    serializer_class = AccessSerializer

    @extend_schema(
        operation_id="payments_access",
        summary="May you use it?",
        parameters=[AccessQuery],
        responses={
            200: AccessSerializer,
            404: OpenApiResponse(ErrorSerializer, description="`product_not_found`"),
        },
    )
    def retrieve(self, request: Request) -> Response:
        """May you use this item, by what and until when; or why not."""
        wanted = AccessQuery.read(request)
        return Response(AccessSerializer(access_to(user=signed_in(request.user), **wanted)).data)


class ConfigViewSet(GenericViewSet):
    permission_classes = [AllowAny]
    authentication_classes = []
    serializer_class = ConfigSerializer
    pagination_class = None

    @extend_schema(operation_id="payments_config", summary="What can be charged")
    def retrieve(self, request: Request) -> Response:
        """The currencies that are charged here, through which gateway, and from which amount."""
        return Response(ConfigSerializer({"currencies": charged_currencies()}).data)


def _money_to_move(amount: str, payment: Payment) -> Money:
    """An amount of what was captured, more than zero. Raises ValidationError."""
    money = validated_money(amount, payment.captured_currency or payment.currency)
    if money.minor == 0:
        raise ValidationError({"amount": ["Ask for more than zero."]})
    return money
