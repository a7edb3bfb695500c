"""Row locks of the records that are no leases. Several rows are locked in the order of their ids."""

from collections.abc import Iterable
from uuid import UUID

from learning247.kit.locks import bound_lock_wait
from learning247.records.models import InboundEvent, OutboundMail


def mail_lock_all(mail_ids: Iterable[UUID]) -> list[OutboundMail]:
    """These mails, as far as they exist, locked until the transaction ends."""
    bound_lock_wait()
    return list(OutboundMail.objects.select_for_update(no_key=True).filter(pk__in=list(mail_ids)).order_by("pk"))


def event_lock_all(event_ids: Iterable[UUID]) -> list[InboundEvent]:
    """These events, as far as they exist and without their bodies, locked until the transaction ends."""
    bound_lock_wait()
    chosen = InboundEvent.objects.select_for_update(no_key=True).filter(pk__in=list(event_ids))
    return list(chosen.defer("body", "headers").order_by("pk"))
