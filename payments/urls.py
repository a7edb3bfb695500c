from django.urls import path

from payments.views import AccessViewSet, ConfigViewSet, PaymentViewSet, VerificationViewSet
from payments.webhooks import paystack_webhook, stripe_webhook

urlpatterns = [
    path("api/payments/config", ConfigViewSet.as_view({"get": "retrieve"})),
    path("api/payments/initialize", PaymentViewSet.as_view({"post": "create"})),
    path("api/payments/access", AccessViewSet.as_view({"get": "retrieve"})),
    path("api/payments/verify/<str:reference>", VerificationViewSet.as_view({"post": "create"})),
    path("api/payments", PaymentViewSet.as_view({"get": "list"})),
    path("api/payments/<str:reference>", PaymentViewSet.as_view({"get": "retrieve"})),
    path("api/webhooks/paystack", paystack_webhook),
    path("api/webhooks/stripe", stripe_webhook),
]
