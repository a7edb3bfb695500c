"""What comes in over the wire: signed and forged webhooks, requests of a learner, and waiting for an outcome."""

import json
import time
from collections.abc import Callable
from typing import Any

import requests
import stripe
from django.conf import settings

from accounts.models import User
from accounts.services.sessions import session_open
from learning247.kit.ids import new_id
from learning247.records.models import InboundEvent
from learning247.records.services.inbox import inbox_sweep
from learning247.sandbox.signatures import paystack_signature

TIMEOUT = 60.0
POLL_SECONDS = 0.02


def poll(look: Callable[[], Any], *, seconds: float = 20.0) -> Any:
    """Look again and again until there is something, and return it; the last look's answer when time is up."""
    deadline = time.monotonic() + seconds
    while not (found := look()) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return found


def paystack_headers(body: bytes, *, key: str | None = None) -> dict[str, str]:
    """As Paystack signs `body`."""
    return {"x-paystack-signature": paystack_signature(body, key or settings.PAYSTACK_SECRET_KEY)}


def stripe_headers(body: bytes, *, secret: str | None = None, age: int = 0) -> dict[str, str]:
    """As Stripe's own library signs `body`, `age` seconds ago."""
    header = stripe.WebhookSignature.generate_signature_header(
        body.decode(), secret or settings.STRIPE_WEBHOOK_SECRETS[0], timestamp=int(time.time()) - age
    )
    return {"stripe-signature": header}


SIGNERS: dict[str, Callable[[bytes], dict[str, str]]] = {"paystack": paystack_headers, "stripe": stripe_headers}


def deliver(url: str, provider: str, body: bytes, headers: dict[str, str] | None = None) -> requests.Response:
    """POST `body` to the provider's webhook address, genuinely signed unless `headers` are given."""
    signed = SIGNERS[provider](body) if headers is None else headers
    return requests.post(
        f"{url}/api/webhooks/{provider}", body, headers={"Content-Type": "application/json", **signed}, timeout=TIMEOUT
    )


def paystack_event(reference: str, *, event: str = "charge.success", number: int = 1, **data: Any) -> bytes:
    return json.dumps({"event": event, "data": {"id": number, "reference": reference, **data}}).encode()


def stripe_event(
    reference: str, *, session: str = "cs_1", event: str = "checkout.session.completed", number: str = "evt_1"
) -> bytes:
    about = {"id": session, "object": "checkout.session", "client_reference_id": reference}
    return json.dumps({"id": number, "object": "event", "type": event, "data": {"object": about}}).encode()


def signed_in(user: User) -> dict[str, str]:
    """Headers that speak for `user`."""
    return {"Authorization": f"Bearer {session_open(user).access}"}


def initialize(
    url: str, headers: dict[str, str], *, item_id: object, currency: str = "NGN", key: str | None = "", **body: Any
) -> requests.Response:
    """POST /api/payments/initialize for a video; a fresh Idempotency-Key unless `key` says (None: without)."""
    keyed = {} if key is None else {"Idempotency-Key": key or new_id().hex}
    wanted = {"item_type": "video", "item_id": str(item_id), "currency": currency} | body
    return requests.post(f"{url}/api/payments/initialize", json=wanted, headers=headers | keyed, timeout=TIMEOUT)


def verify(url: str, reference: str) -> requests.Response:
    return requests.post(f"{url}/api/payments/verify/{reference}", timeout=TIMEOUT)


def code_of(answer: requests.Response) -> str:
    """The error's code, after a look at the envelope that all errors have."""
    body = answer.json()
    assert set(body) - {"extra"} == {"type", "errors", "request_id"}, body
    code: str = body["errors"][0]["code"]
    return code


def time_passes() -> list[Any]:
    """Every lease runs out and every pending event is due; the sweep enqueues them. Returns their ids."""
    past = InboundEvent.objects.earliest("received_at").received_at
    InboundEvent.objects.filter(status="pending", lease_until__isnull=False).update(lease_until=past)
    InboundEvent.objects.filter(status="pending").update(due_at=past)
    return inbox_sweep()
