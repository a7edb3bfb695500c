"""Deleting an account: whoever it was is forgotten, what was paid stays.

    asked for, by who knows the password --mailed link opened--> erased --a week of late events--> finished
    asked for otherwise -----------------by a superuser----------> erased

Rows that the ledger and payments point to stay and name nobody. Each app says what it forgets, what it keeps, and what
is in the way (`records/personal_tables.py`); all of it happens in one transaction, under the person's lock.
"""

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts.enums import LinkPurpose, Role
from accounts.errors import AccountNotSettled, ErasureTokenInvalid, StaffNotErasable
from accounts.locks import erasure_lock, user_lock
from accounts.models import Erasure, User
from accounts.services.identity import identity_confirm
from accounts.services.single_use_links import LIFETIME, link_find, link_issue, link_use
from learning247.kit.clock import now
from learning247.kit.ids import new_id
from learning247.kit.jobs import enqueue_on_commit
from learning247.kit.transactions import require_transaction
from learning247.records.personal_tables import addresses_of, erasure_obstacles, erasure_of, personal_tables
from learning247.records.reasons import required_reason
from learning247.records.services.audit import audit_record
from learning247.records.services.mail import mail_queue
from learning247.records.services.personal_data import events_forget, person_forget

NAME: Final = "Deleted user"
# Longer than gateways repeat their webhooks (Paystack: 72 hours, Stripe: three days).
LATE_EVENTS: Final = timedelta(days=7)
_SHORTEST_PART: Final = 3


def erasure_request(*, user: User, password: str, session_id: UUID) -> list[dict[str, str]]:
    """Mail the link that deletes the account of `user`; what will stay of what there is, and why: [{"what", "why"}].

    Raises PasswordIncorrect, FreshSignInRequired, StaffNotErasable, AccountNotSettled.
    """
    identity_confirm(user=user, password=password, session_id=session_id)
    with transaction.atomic(durable=True):
        locked = user_lock(user.id)
        _refuse(locked)
        kept = [
            {"what": table.section, "why": table.kept}
            for table in personal_tables()
            # The last one is made by the deletion.
            if table.kept and (any(rows.exists() for rows in table.rows(locked)) or table.model is Erasure)
        ]
        token = link_issue(user=locked, purpose=LinkPurpose.ERASURE)
        mail_queue(
            key=f"erasure:{user.id}:{new_id()}",
            to=locked.email,
            template="delete_account",
            context={
                "first_name": locked.name_for_mails,
                # In the fragment, which browsers send to no server: the token ends up in nobody's access log.
                "url": f"{settings.FRONTEND_URL}/delete-account#token={token}",
                "kept": sorted({entry["why"] for entry in kept}),
                "has_password": locked.has_usable_password(),
                "new_password_url": f"{settings.FRONTEND_URL}/forgot-password",
            },
            secret_until=now() + LIFETIME,
        )
    return kept


def erasure_confirm(*, token: str) -> None:
    """Delete the account of whoever was mailed `token`, for good. What is in the way leaves the link good.

    Raises ErasureTokenInvalid, StaffNotErasable, AccountNotSettled.
    """
    link = link_find(token=token, purpose=LinkPurpose.ERASURE)
    if link is None:
        raise ErasureTokenInvalid(attr="token")
    with transaction.atomic(durable=True):
        user = user_lock(link.user_id)
        if not (user.is_active and link.email == user.email):
            raise ErasureTokenInvalid(attr="token")
        _refuse(user)
        if not link_use(link):
            raise ErasureTokenInvalid(attr="token")
        _erase(user, actor=user, reason="Asked for by its owner.")


def erasure_by_staff(*, user: User, actor: User, reason: str) -> None:
    """Delete the account of `user`, who asked for it otherwise; quiet when that was done. Audited with the reason.

    Raises ReasonRequired, StaffNotErasable, AccountNotSettled.
    """
    reason = required_reason(reason)
    with transaction.atomic(durable=True):
        locked = user_lock(user.id)
        if Erasure.objects.filter(user=locked).exists():
            return
        _refuse(locked)
        _erase(locked, actor=actor, reason=reason)


def erasure_finish(user_id: UUID | str) -> None:
    """Forget what providers told us of the person's payments; finished a week after the erasure, when nothing waits to
    be handled. Safe to run any number of times."""
    with transaction.atomic(durable=True):
        erasure = erasure_lock(user_id)
        if erasure is None:
            return
        waiting = events_forget(erasure.user)
        if not waiting and erasure.erased_at < now() - LATE_EVENTS:
            erasure.finished_at = now()
            erasure.save(update_fields=["finished_at"])


def erasure_sweep() -> int:
    """Go on with the erasures that are not finished, one after the other; how many were looked at: all of a week's, as
    each may have an event to forget."""
    ids = list(Erasure.objects.filter(finished_at=None).order_by("erased_at").values_list("user_id", flat=True))
    for user_id in ids:
        erasure_finish(user_id)
    return len(ids)


def _refuse(user: User) -> None:
    """The guards lock what must hold still until the transaction ends."""
    if user.is_staff or user.is_superuser or user.role != Role.USER:
        raise StaffNotErasable
    obstacles = erasure_obstacles(user)
    if obstacles:
        raise AccountNotSettled(obstacles)


def _erase(user: User, *, actor: User, reason: str) -> None:
    require_transaction("Somebody is forgotten everywhere or nowhere.")
    erasure = erasure_of(
        user,
        # The random end of the id, by which support finds the account in the books: not a part of who it was.
        name=f"{NAME} {user.id.hex[-8:]}",
        email=f"deleted+{user.id.hex}@invalid",  # no address by RFC 2606: nothing is ever sent there
        words=(user.email, *(address.email for address in addresses_of(user)), user.full_name, user.phone),
        parts=[part for part in (user.first_name, user.last_name) if len(part) >= _SHORTEST_PART],
    )
    Erasure.objects.create(user=user)
    audit_record(actor=actor, action="user.erased", subject_kind="user", subject_id=user.id, reason=reason)
    person_forget(erasure)
    enqueue_on_commit("accounts.finish_erasure", user.id)
