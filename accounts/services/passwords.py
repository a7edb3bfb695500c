"""Changing a password, and what follows wherever one was replaced."""

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction

from accounts.devices import UNKNOWN, Device
from accounts.enums import SessionEnd
from accounts.errors import PasswordIncorrect
from accounts.hashers import hashing_for
from accounts.locks import user_lock
from accounts.models import User
from accounts.services.sessions import SignedIn, session_end_all, session_open
from accounts.services.sign_in_challenges import challenge_revoke_all
from accounts.services.single_use_links import link_revoke_all
from accounts.services.users import password_check
from learning247.kit.clock import now
from learning247.kit.ids import new_id
from learning247.kit.transactions import require_transaction
from learning247.records.services.audit import audit_record
from learning247.records.services.mail import mail_queue

# Whoever runs manage.py: the audit trail shows it where it shows browsers.
OPERATOR = Device(user_agent="manage.py")


def password_change(*, user: User, current_password: str, new_password: str, device: Device = UNKNOWN) -> SignedIn:
    """Replace the password that `user` has and knows; every session ends, and the device that asks gets a new one.

    Raises PasswordIncorrect, PasswordTooWeak.
    """
    with hashing_for(user.id, known=True):
        if not check_password(current_password, user.password):
            raise PasswordIncorrect(attr="current_password")
        password_check(new_password, user=user, attr="new_password")
        hashed = make_password(new_password)
    with transaction.atomic(durable=True):
        locked = user_lock(user.id)
        # Two at once: the second was checked against a password that is no longer the one.
        if locked.password != user.password:
            raise PasswordIncorrect(attr="current_password")
        locked.password = hashed
        locked.save(update_fields=["password"])
        password_replaced(user=locked, actor=locked, action="user.password_changed", device=device)
        return session_open(locked, device=device)


def password_set(*, user: User, password: str) -> int:
    """Give `user` another password at the machine, where nobody is signed in; how many sessions ended.

    Raises PasswordTooWeak.
    """
    password_check(password, user=user)
    hashed = make_password(password)
    with transaction.atomic(durable=True):
        locked = user_lock(user.id)
        locked.password = hashed
        locked.save(update_fields=["password"])
        return password_replaced(user=locked, actor=None, action="user.password_changed", device=OPERATOR)


def password_replaced(
    *, user: User, actor: User | None, action: str, device: Device = UNKNOWN, reason: str = ""
) -> int:
    """What follows when `user` has got another password, in the transaction that gave it.

    Whoever knew the old one, or holds a token or a mailed link from that time, or is between the two factors, is out;
    the owner hears of it; and who did it is on record. The second factor stays as it is. How many sessions ended.
    """
    require_transaction("Sessions end in the transaction that replaces the password.")
    ended = session_end_all(user=user, reason=SessionEnd.PASSWORD_CHANGED)
    link_revoke_all(user=user)
    challenge_revoke_all(user=user)
    mail_queue(
        key=f"password-changed:{user.id}:{new_id()}",
        to=user.email,
        template="password_changed",
        context={
            "first_name": user.name_for_mails,
            "ip": device.ip,
            "when": now(),
            "url": f"{settings.FRONTEND_URL}/forgot-password",
        },
    )
    audit_record(
        actor=actor,
        action=action,
        subject_kind="user",
        subject_id=user.pk,
        reason=reason,
        after={"sessions_ended": ended, "ip": device.ip, "user_agent": device.user_agent},
    )
    return ended
