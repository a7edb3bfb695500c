"""A worker of its own process that is killed (`kill -9`, by itself) at a named step.

`python -m payments.tests.dying_worker settle <step> <event id>`
`python -m payments.tests.dying_worker checkout <step> <JSON: buyer, item_id, currency, idempotency_key>`
"""

# ruff: noqa: PLC0415 - the apps stand only after django.setup()

import json
import os
import signal
import sys
from typing import Any

import django


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_before(place: Any, name: str) -> None:
    setattr(place, name, lambda *args, **kwargs: die())


def die_after(place: Any, name: str) -> None:
    work = getattr(place, name)

    def work_and_die(*args: Any, **kwargs: Any) -> None:
        work(*args, **kwargs)
        die()

    setattr(place, name, work_and_die)


def main(what: str, step: str, subject: str) -> None:
    django.setup()
    from accounts.models import User
    from learning247.records.services import inbox
    from payments.enums import ProductKind
    from payments.kinds import register_product_kind
    from payments.models import Payment
    from payments.services import checkout, settlement

    register_product_kind(
        ProductKind.VIDEO, on_granted=lambda *_: None, on_revoked=lambda *_: None, on_restored=lambda *_: None
    )
    steps = {
        "claimed": (die_before, inbox, "event_handler_for"),
        "asking the gateway": (die_before, settlement, "gateway_named"),
        "fetched": (die_before, settlement, "_report_record"),
        "locked": (die_after, settlement, "payment_lock"),
        "entitled": (die_after, settlement, "entitlement_grant"),
        "posted": (die_after, settlement, "entry_post"),
        "granted": (die_after, settlement, "notify_granted"),
        "mails queued": (die_after, settlement, "_tell_about_sale"),
        "saved": (die_after, Payment, "save"),
        "committed": (die_after, settlement, "_report_record"),
        "handled": (die_before, inbox, "lease_stamp"),
        "stamped": (die_after, inbox, "lease_stamp"),
        "row committed": (die_before, checkout, "gateway_named"),
        "checkout opened": (die_before, checkout, "_checkout_record"),
        "checkout recorded": (die_after, checkout, "_checkout_record"),
    }
    how, place, name = steps[step]
    how(place, name)
    if what == "settle":
        inbox.event_handle(subject)
        return
    wanted = json.loads(subject)
    checkout.checkout_start(
        buyer=User.objects.get(pk=wanted.pop("buyer")),
        product_kind=ProductKind.VIDEO,
        details={},
        operation="payments.initialize",
        **wanted,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
