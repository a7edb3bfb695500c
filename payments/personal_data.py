"""What payments holds about people: what they sell, what they bought, and what that opens."""

from accounts.models import User
from learning247.records.personal_tables import (
    PersonalTable,
    register_audit_subject,
    register_event_subject,
    register_personal_data,
)
from payments.models import Entitlement, Payment, Price, Product


def register_tables() -> None:
    """Called from `apps.ready()`."""
    register_personal_data(
        PersonalTable("products", Product, lambda user: [Product.objects.filter(seller_id=user.id)]),
        PersonalTable("prices", Price, lambda user: [Price.objects.filter(product__seller_id=user.id)]),
        PersonalTable(
            "payments",
            Payment,
            lambda user: [Payment.objects.filter(buyer_id=user.id)],
            also=("product__kind", "product__title"),
            currencies={"captured_minor": "captured_currency"},
        ),
        PersonalTable(
            "entitlements",
            Entitlement,
            lambda user: [Entitlement.objects.filter(user_id=user.id)],
            also=("product__kind", "product__title"),
        ),
    )
    register_audit_subject(
        "payment", lambda user: Payment.objects.filter(buyer_id=user.id).values_list("id", flat=True)
    )
    register_audit_subject(
        "entitlement", lambda user: Entitlement.objects.filter(user_id=user.id).values_list("id", flat=True)
    )
    register_event_subject(payment_references)


def payment_references(user: User) -> list[str]:
    """By which gateways' events name this person's payments."""
    return list(Payment.objects.filter(buyer_id=user.id).values_list("reference", flat=True))
