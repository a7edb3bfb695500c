from django.urls import path

from wallets.views.ledger import BalanceViewSet, TransactionViewSet
from wallets.views.payout_accounts import BankAccountViewSet, BankViewSet, StripeAccountViewSet
from wallets.views.withdrawals import WithdrawalViewSet

urlpatterns = [
    path("api/wallet/balance", BalanceViewSet.as_view({"get": "retrieve"})),
    path("api/wallet/transactions", TransactionViewSet.as_view({"get": "list"})),
    path("api/wallet/transactions/<uuid:pk>", TransactionViewSet.as_view({"get": "retrieve"})),
    path("api/wallet/banks", BankViewSet.as_view({"get": "retrieve"})),
    path("api/wallet/bank-accounts", BankAccountViewSet.as_view({"get": "list", "post": "create"})),
    path("api/wallet/bank-accounts/resolve", BankAccountViewSet.as_view({"post": "resolve"})),
    path("api/wallet/bank-accounts/<uuid:account_id>", BankAccountViewSet.as_view({"delete": "destroy"})),
    path("api/wallet/payout-accounts/stripe", StripeAccountViewSet.as_view({"post": "create"})),
    path("api/wallet/withdraw", WithdrawalViewSet.as_view({"post": "create"})),
    path("api/wallet/withdrawals", WithdrawalViewSet.as_view({"get": "list"})),
    path("api/wallet/withdrawals/<uuid:withdrawal_id>", WithdrawalViewSet.as_view({"get": "retrieve"})),
    path("api/wallet/withdrawals/<uuid:withdrawal_id>/confirm", WithdrawalViewSet.as_view({"post": "confirm"})),
    path("api/wallet/withdrawals/<uuid:withdrawal_id>/resend-code", WithdrawalViewSet.as_view({"post": "resend_code"})),
    path("api/wallet/withdrawals/<uuid:withdrawal_id>/cancel", WithdrawalViewSet.as_view({"post": "cancel"})),
]
