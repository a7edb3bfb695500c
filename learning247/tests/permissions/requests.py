"""How each route is asked, so that whoever may is served: what stands in the path, and a body that works."""

import io
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

import stripe
from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from PIL import Image

from accounts.enums import LinkPurpose
from accounts.models import OneTimeCode, User
from accounts.services.google_codes import google_code_issue
from accounts.services.second_factors import second_factor_begin
from accounts.services.sign_in_challenges import challenge_issue
from accounts.services.single_use_links import link_issue
from accounts.services.verification import verification_token
from accounts.tests.builders import PASSWORD, build_totp
from accounts.totp import totp_code, totp_step
from learning247.kit.clock import now
from learning247.outbound_webhooks.enums import EndpointStatus
from learning247.outbound_webhooks.models import WebhookEndpoint
from learning247.sandbox.signatures import paystack_signature
from learning247.tests.permissions.world import ANONYMOUS, World, new_key, upload
from payments.enums import ProductKind
from wallets.tests.withdrawing import Creator

NEW_PASSWORD = "another horse battery"


@dataclass(frozen=True, slots=True)
class Ask:
    """`path` fills names of the route otherwise than PATH does; a body that is bytes is sent as it is."""

    body: dict[str, Any] | bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    query: str = ""
    format: str = "json"
    path: dict[str, object] = field(default_factory=dict)


Asks = Callable[[World, str], Ask]

# What a name in a path stands for: something of the owner's.
PATH: dict[str, Callable[[World], object]] = {
    "account_id": lambda world: world.account.pk,
    "coupon_id": lambda world: world.coupon.pk,
    "course": lambda world: world.course.id,
    "delivery_id": lambda world: world.delivery.pk,
    "department": lambda world: world.department.id,
    "endpoint_id": lambda world: world.endpoint.pk,
    "enrollment": lambda world: world.enrollment.id,
    "path": lambda world: "courses/image.webp",
    "pk": lambda world: world.entry.uuid,
    "reference": lambda world: world.payment.reference,
    "review": lambda world: world.review.id,
    "session_id": lambda world: world.session.session_id,
    "withdrawal_id": lambda world: world.withdrawal.pk,
}


def prepare(world: World, person: str, row: str) -> Callable[[], HttpResponse]:
    """What `person` sends for a row of the table, and whatever has to be there before.

    A row is `METHOD /route`, or `METHOD /route, what is special about it`.
    """
    method, _, route = row.partition(",")[0].partition(" ")
    asks = ASKS.get(row.replace("HEAD ", "GET "), lambda world, person: Ask())(world, person)
    values = {name: str(value(world)) for name, value in PATH.items()} | {k: str(v) for k, v in asks.path.items()}
    body: dict[str, Any] = {}
    if isinstance(asks.body, bytes):
        body = {"data": asks.body, "content_type": "application/json"}
    elif asks.body is not None:
        body = {"data": asks.body, "format": asks.format}
    send = getattr(world.api(person), method.lower())
    return partial(send, f"{route.format_map(values)}{asks.query}", headers=asks.headers, **body)


def _refresh(world: World, person: str) -> Ask:
    return Ask({} if person == ANONYMOUS else {"refresh": world.tokens[person].refresh})


def _email(world: World, person: str) -> str:
    return world.people.get(person, world.owner).email


def _unverified(world: World, person: str) -> Ask:
    User.objects.update(email_verified_at=None)
    return Ask()


def _verify(world: World, person: str) -> Ask:
    User.objects.update(email_verified_at=None)
    return Ask({"token": verification_token(world.owner)})


def _reset(world: World, person: str) -> Ask:
    with transaction.atomic():
        token = link_issue(user=world.owner, purpose=LinkPurpose.PASSWORD_RESET)
    return Ask({"token": token, "password": NEW_PASSWORD})


def _erasure(world: World, person: str) -> Ask:
    with transaction.atomic():
        return Ask({"token": link_issue(user=world.people["user"], purpose=LinkPurpose.ERASURE)})


def _challenge(world: World, person: str) -> Ask:
    code = _code(build_totp(world.owner))
    with transaction.atomic():
        challenge, _ = challenge_issue(user=world.owner)
    return Ask({"challenge": challenge, "code": code})


def _from_google(world: World, person: str) -> Ask:
    with transaction.atomic():
        return Ask({"code": google_code_issue(user=world.owner, code_challenge="")})


def _totp_begun(world: World, person: str) -> Ask:
    user = world.people.get(person, world.owner)
    begun = second_factor_begin(user=user, password=PASSWORD, session_id=world.session.session_id)
    return Ask({"code": _code(begun.secret)})


def _totp(world: World, person: str) -> Ask:
    return Ask({"password": PASSWORD, "code": _code(build_totp(world.people.get(person, world.owner)))})


def _code(secret: str) -> str:
    """Good for a minute and a half around now."""
    return totp_code(secret=secret, step=totp_step(now()))


def _paystack(world: World, person: str) -> Ask:
    body = b'{"event": "charge.success", "data": {"id": 7, "reference": "x"}}'
    return Ask(body, {"x-paystack-signature": paystack_signature(body, settings.PAYSTACK_SECRET_KEY)})


def _stripe(world: World, person: str) -> Ask:
    body = b'{"id": "evt_7", "object": "event", "type": "checkout.session.completed", "data": {"object": {}}}'
    signature = stripe.WebhookSignature.generate_signature_header(
        body.decode(), settings.STRIPE_WEBHOOK_SECRETS[0], timestamp=int(time.time())
    )
    return Ask(body, {"stripe-signature": signature})


def _image(world: World, person: str) -> Ask:
    file = io.BytesIO()
    Image.new("RGB", (32, 20), (20, 200, 20)).save(file, "PNG")
    return Ask({"image": upload("photo.png", file.getvalue(), "image/png")}, format="multipart")


def _course(world: World, person: str) -> Ask:
    return Ask({"title": "Contracts", "department": str(world.department.id)})


def _draft(world: World, person: str) -> Ask:
    return Ask(path={"course": world.draft.id})


def _enrol(world: World, person: str) -> Ask:
    body = {"email": world.people["user"].email, "course": str(world.platform_course.id), "reason": "A prize"}
    return Ask(body)


def _initialize(world: World, person: str) -> Ask:
    return Ask({"item_type": ProductKind.COURSE, "item_id": str(world.free.id), "currency": "NGN"}, new_key())


def _withdraw(world: World, person: str) -> Ask:
    return Ask({"amount": "1.000", "currency": "KWD", "bank_account_id": str(world.account.pk)}, new_key())


def _confirm(world: World, person: str) -> Ask:
    return Ask({"code": Creator.code(world.withdrawal.pk)})


def _minute_later(world: World, person: str) -> Ask:
    OneTimeCode.objects.update(sent_at=now() - timedelta(minutes=2))
    return Ask()


def _disabled(world: World, person: str) -> Ask:
    WebhookEndpoint.objects.update(status=EndpointStatus.DISABLED, disabled_reason="It answered 410 Gone.")
    return Ask()


def _say(body: dict[str, Any]) -> Asks:
    return lambda world, person: Ask(body)


# A row that does not stand here is asked without a body.
ASKS: dict[str, Asks] = {
    "POST /auth/register": _say(
        {"email": "new@example.com", "password": NEW_PASSWORD, "first_name": "New", "last_name": "Person"}
    ),
    "POST /auth/login": lambda world, person: Ask({"email": _email(world, person), "password": PASSWORD}),
    "POST /auth/login/second-factor": _challenge,
    "POST /auth/google/exchange": _from_google,
    "POST /auth/second-factor/totp": _say({"password": PASSWORD}),
    "DELETE /auth/second-factor/totp": _totp,
    "POST /auth/second-factor/totp/confirm": _totp_begun,
    "POST /auth/second-factor/recovery-codes": _totp,
    "POST /auth/refresh": _refresh,
    "POST /auth/logout": _refresh,
    "POST /auth/change-password": _say({"current_password": PASSWORD, "new_password": NEW_PASSWORD}),
    "POST /auth/forgot-password": lambda world, person: Ask({"email": _email(world, person)}),
    "POST /auth/reset-password": _reset,
    "POST /auth/verify-email": _verify,
    "POST /auth/verify-email/resend": _unverified,
    "POST /auth/me/export": _say({"password": PASSWORD}),
    "POST /auth/me/delete": _say({"password": PASSWORD}),
    "POST /auth/delete-account": _erasure,
    "PATCH /auth/me": _say({"country": "NG"}),
    "GET /api/payments/access": lambda world, person: Ask(
        query=f"?item_type=course&item_id={world.platform_course.id}"
    ),
    "POST /api/payments/coupons": _say({"percent_bps": 1_000}),
    "PATCH /api/payments/coupons/{coupon_id}": _say({"active": False}),
    "POST /api/payments/initialize": _initialize,
    "POST /api/payments/quote": lambda world, person: Ask(
        {"item_type": ProductKind.COURSE, "item_id": str(world.free.id), "currency": "NGN"}
    ),
    "GET /api/payments/{reference}/refunds": lambda world, person: Ask(path={"reference": world.captured.reference}),
    "POST /api/payments/{reference}/refunds": lambda world, person: Ask(
        {"reason": "Cancelled"}, new_key(), path={"reference": world.captured.reference}
    ),
    "GET /api/wallet/banks": lambda world, person: Ask(query="?currency=KWD"),
    "POST /api/wallet/bank-accounts": _say(
        {"account_number": "KW81CBKU0000", "currency": "KWD", "bank_name": "Bank", "account_name": "Person"}
    ),
    "POST /api/wallet/bank-accounts/resolve": _say(
        {"account_number": "0123456789", "bank_code": "058", "currency": "KWD"}
    ),
    "POST /api/wallet/withdraw": _withdraw,
    "POST /api/wallet/withdrawals/{withdrawal_id}/confirm": _confirm,
    "POST /api/wallet/withdrawals/{withdrawal_id}/resend-code": _minute_later,
    "POST /api/webhook-endpoints": _say({"url": "https://hooks.example.com/"}),
    "PATCH /api/webhook-endpoints/{endpoint_id}": _say({"description": "Changed"}),
    "POST /api/webhook-endpoints/{endpoint_id}/enable": _disabled,
    "POST /api/webhooks/paystack, signed": _paystack,
    "POST /api/webhooks/stripe, signed": _stripe,
    "GET /api/courses/search": lambda world, person: Ask(query="?q=torts"),
    "POST /api/courses": _course,
    "GET /api/courses/{course}, a draft": _draft,
    "PATCH /api/courses/{course}": _say({"duration": "3 weeks"}),
    "DELETE /api/courses/{course}, a draft": _draft,
    "PUT /api/courses/{course}/image": _image,
    "POST /api/courses/{course}/publish": lambda world, person: Ask(path={"course": world.withdrawn.id}),
    "POST /api/courses/{course}/purchase": lambda world, person: Ask(
        {"currency": "NGN"}, new_key(), path={"course": world.free.id}
    ),
    "GET /api/admin/course-enrollments/export": lambda world, person: Ask(query="?reason=For+the+year%27s+report"),
    "POST /api/admin/course-enrollments": _enrol,
    "POST /api/admin/course-enrollments/mark-sent": lambda world, person: Ask({"ids": [str(world.enrollment.id)]}),
    "PATCH /api/admin/course-enrollments/{enrollment}/mark-sent": _say({"sent": True}),
    "POST /api/admin/course-enrollments/{enrollment}/revoke": _say({"reason": "Left"}),
    "PATCH /api/admin/reviews/{review}": _say({"notes": "Asked the bank"}),
    "POST /api/admin/reviews/{review}/approve": _say({}),
    "POST /api/admin/reviews/{review}/reject": _say({"reason": "Stolen card"}),
}
