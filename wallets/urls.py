from django.urls import path

from wallets.views import BalanceViewSet, TransactionViewSet

urlpatterns = [
    path("api/wallet/balance", BalanceViewSet.as_view({"get": "retrieve"})),
    path("api/wallet/transactions", TransactionViewSet.as_view({"get": "list"})),
    path("api/wallet/transactions/<uuid:pk>", TransactionViewSet.as_view({"get": "retrieve"})),
]
