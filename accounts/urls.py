"""Addresses under /auth."""

from django.urls import path

from accounts.views.account import AccountErasureViewSet, MeViewSet, PersonalDataViewSet
from accounts.views.google import GoogleSignInViewSet
from accounts.views.passwords import PasswordChangeViewSet, PasswordResetViewSet, RecoveryViewSet
from accounts.views.second_factor import RecoveryCodesViewSet, SecondFactorViewSet, TotpViewSet
from accounts.views.sessions import SessionViewSet
from accounts.views.sign_in import SignInViewSet
from accounts.views.sign_up import EmailVerificationResendViewSet, EmailVerificationViewSet, RegistrationViewSet

urlpatterns = [
    path("auth/register", RegistrationViewSet.as_view({"post": "create"}), name="auth-register"),
    path("auth/login", SignInViewSet.as_view({"post": "login"}), name="auth-login"),
    path(
        "auth/login/second-factor",
        SignInViewSet.as_view({"post": "second_factor"}),
        name="auth-login-second-factor",
    ),
    path("auth/refresh", SignInViewSet.as_view({"post": "refresh"}), name="auth-refresh"),
    path("auth/logout", SignInViewSet.as_view({"post": "logout"}), name="auth-logout"),
    path("auth/google", GoogleSignInViewSet.as_view({"get": "begin"}), name="auth-google"),
    path("auth/google/callback", GoogleSignInViewSet.as_view({"get": "callback"}), name="auth-google-callback"),
    path("auth/google/exchange", GoogleSignInViewSet.as_view({"post": "exchange"}), name="auth-google-exchange"),
    path("auth/sessions", SessionViewSet.as_view({"get": "list"}), name="auth-sessions"),
    path("auth/sessions/<uuid:session_id>", SessionViewSet.as_view({"delete": "destroy"}), name="auth-session"),
    path("auth/change-password", PasswordChangeViewSet.as_view({"post": "create"}), name="auth-change-password"),
    path("auth/forgot-password", RecoveryViewSet.as_view({"post": "create"}), name="auth-forgot-password"),
    path("auth/reset-password", PasswordResetViewSet.as_view({"post": "create"}), name="auth-reset-password"),
    path("auth/verify-email", EmailVerificationViewSet.as_view({"post": "create"}), name="auth-verify-email"),
    path(
        "auth/verify-email/resend",
        EmailVerificationResendViewSet.as_view({"post": "create"}),
        name="auth-verify-email-resend",
    ),
    path("auth/second-factor", SecondFactorViewSet.as_view({"get": "retrieve"}), name="auth-second-factor"),
    path(
        "auth/second-factor/totp",
        TotpViewSet.as_view({"post": "create", "delete": "destroy"}),
        name="auth-second-factor-totp",
    ),
    path(
        "auth/second-factor/totp/confirm",
        TotpViewSet.as_view({"post": "confirm"}),
        name="auth-second-factor-totp-confirm",
    ),
    path(
        "auth/second-factor/recovery-codes",
        RecoveryCodesViewSet.as_view({"post": "create"}),
        name="auth-second-factor-recovery-codes",
    ),
    path("auth/me", MeViewSet.as_view({"get": "retrieve", "patch": "partial_update"}), name="auth-me"),
    path("auth/me/export", PersonalDataViewSet.as_view({"post": "export"}), name="auth-me-export"),
    path("auth/me/delete", PersonalDataViewSet.as_view({"post": "request_erasure"}), name="auth-me-delete"),
    path("auth/delete-account", AccountErasureViewSet.as_view({"post": "create"}), name="auth-delete-account"),
]
