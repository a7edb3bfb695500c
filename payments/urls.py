from django.urls import path, register_converter

from payments.views import (
    AccessViewSet,
    ConfigViewSet,
    CouponViewSet,
    PaymentViewSet,
    QuoteViewSet,
    RefundViewSet,
    VerificationViewSet,
)
from payments.webhooks import paystack_webhook, stripe_webhook


class ReferenceConverter:
    """What a reference of ours can look like; anything else (a NUL, say) is a 404 before it meets the database."""

    regex = "[A-Za-z0-9.=-]{1,40}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(ReferenceConverter, "payment_reference")

urlpatterns = [
    path("api/payments/config", ConfigViewSet.as_view({"get": "retrieve"})),
    path("api/payments/initialize", PaymentViewSet.as_view({"post": "create"})),
    path("api/payments/quote", QuoteViewSet.as_view({"post": "create"})),
    path("api/payments/coupons", CouponViewSet.as_view({"get": "list", "post": "create"})),
    path(
        "api/payments/coupons/<uuid:coupon_id>",
        CouponViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}),
    ),
    path("api/payments/access", AccessViewSet.as_view({"get": "retrieve"})),
    path("api/payments/verify/<payment_reference:reference>", VerificationViewSet.as_view({"post": "create"})),
    path("api/payments", PaymentViewSet.as_view({"get": "list"})),
    path("api/payments/<payment_reference:reference>", PaymentViewSet.as_view({"get": "retrieve"})),
    path(
        "api/payments/<payment_reference:reference>/refunds",
        RefundViewSet.as_view({"get": "list", "post": "create"}),
    ),
    path("api/webhooks/paystack", paystack_webhook),
    path("api/webhooks/stripe", stripe_webhook),
]
