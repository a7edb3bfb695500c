"""Getting back in without the password: by a link to the mailbox."""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction

from accounts.devices import UNKNOWN, Device
from accounts.enums import LinkPurpose
from accounts.errors import ResetTokenInvalid
from accounts.hashers import hashing_for
from accounts.locks import recovery_request_lock, user_lock
from accounts.models import RecoveryRequest, User, normalised_email
from accounts.services.passwords import password_replaced
from accounts.services.single_use_links import LIFETIME as LINK_LIFETIME
from accounts.services.single_use_links import link_find, link_issue, link_use
from accounts.services.users import password_check
from learning247.kit.clock import now
from learning247.kit.ids import new_id
from learning247.kit.jobs import enqueue_on_commit
from learning247.records.selectors import mail_times_since
from learning247.records.services.mail import mail_queue

# The least time between two mails to one person: nobody can have us flood a mailbox.
PAUSE = timedelta(seconds=60)
# How long a request may wait for its job before the sweep enqueues another.
GRACE = timedelta(seconds=15)


def recovery_request(*, email: str) -> None:
    """Take down that somebody asks for a link to `email`. Whether it is anybody's is looked at later, by a job.

    So the answer and its time are the same for everybody, by construction. Asking again before the job ran is one
    request: the table cannot be filled with one address.
    """
    request = RecoveryRequest(email=normalised_email(email))
    with transaction.atomic(durable=True):
        RecoveryRequest.objects.bulk_create([request], ignore_conflicts=True)
        # Where one was waiting, no row has this id, and the job finds nothing to do.
        _enqueue(request.id)


def recovery_answer(request_id: UUID | str) -> None:
    """Mail the link that was asked for, if the address is an account's; the request is gone then. Safe to run twice.

    After a mail that was sent lately (see `_mailed_enough`) none is: its link stays good.
    """
    with transaction.atomic(durable=True):
        request = recovery_request_lock(request_id)
        if request is None:
            return
        request.delete()
        user = User.objects.filter(email=request.email, is_active=True).first()
        if user is not None:
            _mail_link(user_lock(user.id))


def recovery_sweep(*, limit: int = 500) -> int:
    """Enqueue the requests that no job has answered; how many there are."""
    waiting = RecoveryRequest.objects.filter(created_at__lt=now() - GRACE).order_by("created_at")
    ids = list(waiting.values_list("id", flat=True)[:limit])
    for request_id in ids:
        _enqueue(request_id)
    return len(ids)


def password_reset(*, token: str, password: str, device: Device = UNKNOWN) -> User:
    """Replace the password of whoever was mailed `token`; every session ends. A weak password leaves the link good.

    The email counts as verified afterwards: opening a link that was mailed there proves what the verification link
    proves, and whoever signed up with somebody else's address has neither sessions nor password any more.
    Raises ResetTokenInvalid, PasswordTooWeak.
    """
    link = link_find(token=token, purpose=LinkPurpose.PASSWORD_RESET)
    if link is None:
        raise ResetTokenInvalid(attr="token")
    password_check(password, user=link.user)
    with hashing_for(link.user_id, known=True):  # the link has proved who it is
        hashed = make_password(password)
    with transaction.atomic(durable=True):
        user = user_lock(link.user_id)
        if not (link.email == user.email and user.is_active and link_use(link)):
            raise ResetTokenInvalid(attr="token")
        user.password = hashed
        user.email_verified_at = user.email_verified_at or now()
        user.save(update_fields=["password", "email_verified_at"])
        password_replaced(user=user, actor=user, action="user.password_reset", device=device)
    return user


def _mail_link(user: User) -> None:
    if _mailed_enough(user):
        return
    token = link_issue(user=user, purpose=LinkPurpose.PASSWORD_RESET)
    mail_queue(
        key=f"{_mails_of(user)}{new_id()}",
        to=user.email,
        template="reset_password",
        # In the fragment, which browsers send to no server: the token ends up in nobody's access log.
        context={"first_name": user.name_for_mails, "url": f"{settings.FRONTEND_URL}/reset-password#token={token}"},
        secret_until=now() + LINK_LIFETIME,
    )


def _mailed_enough(user: User) -> bool:
    """Whether the mailbox has enough of these mails for now: one, until PAUSE is over and a second may be sent in case
    the first was lost; then one for as long as a link is good. So it is five in any hour at most, and yet nobody who
    asks again and again keeps its owner out: whenever none is sent, a good link was.
    """
    times = mail_times_since(key_prefix=_mails_of(user), since=now() - timedelta(hours=1))
    return bool(times) and times[0] > now() - (PAUSE if len(times) == 1 else LINK_LIFETIME)


def _mails_of(user: User) -> str:
    return f"reset-password:{user.id}:"


def _enqueue(request_id: UUID) -> None:
    enqueue_on_commit("accounts.answer_recovery", request_id, queue="mail")
