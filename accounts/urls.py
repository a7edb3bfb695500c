"""Addresses under /auth."""

from django.urls import path

from accounts.views import (
    EmailVerificationResendViewSet,
    EmailVerificationViewSet,
    MeViewSet,
    PasswordChangeViewSet,
    PasswordResetViewSet,
    PersonalDataViewSet,
    RecoveryViewSet,
    RegistrationViewSet,
    SessionViewSet,
    SignInViewSet,
)

urlpatterns = [
    path("auth/register", RegistrationViewSet.as_view({"post": "create"}), name="auth-register"),
    path("auth/login", SignInViewSet.as_view({"post": "login"}), name="auth-login"),
    path("auth/refresh", SignInViewSet.as_view({"post": "refresh"}), name="auth-refresh"),
    path("auth/logout", SignInViewSet.as_view({"post": "logout"}), name="auth-logout"),
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
    path("auth/me", MeViewSet.as_view({"get": "retrieve", "patch": "partial_update"}), name="auth-me"),
    path("auth/me/export", PersonalDataViewSet.as_view({"post": "export"}), name="auth-me-export"),
]
