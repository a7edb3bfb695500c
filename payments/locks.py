"""The rows that payments contends for, in the order in which they are locked: payment, then ledger accounts (which the
posting statement locks by id)."""

from uuid import UUID

from learning247.kit.locks import bound_lock_wait
from payments.models import Payment


def payment_lock(payment_id: UUID) -> Payment:
    """The payment, locked until the transaction ends; its product and buyer come along unlocked.

    NO KEY UPDATE, so that rows which refer to it can still be written.
    """
    bound_lock_wait()
    return (
        Payment.objects.select_for_update(of=("self",), no_key=True)
        .select_related("product__seller", "buyer")
        .get(pk=payment_id)
    )
