"""Row locks of the records that are no leases. Several rows are locked in the order of their ids."""

from collections.abc import Iterable
from uuid import UUID

from learning247.kit.locks import bound_lock_wait
from learning247.records.models import OutboundMail


def mail_lock_all(mail_ids: Iterable[UUID]) -> list[OutboundMail]:
    """These mails, as far as they exist, locked until the transaction ends."""
    bound_lock_wait()
    return list(OutboundMail.objects.select_for_update(no_key=True).filter(pk__in=list(mail_ids)).order_by("pk"))
