"""The platform's administrator."""

from django.contrib.auth.hashers import make_password
from django.db import transaction

from accounts.enums import Role
from accounts.errors import AdminEmailTaken
from accounts.models import User, normalised_email
from accounts.services.passwords import password_replaced
from accounts.services.users import password_check, user_register
from learning247.kit.clock import now
from learning247.records.services.audit import audit_record

RIGHTS = {"role": Role.ADMIN, "is_staff": True, "is_superuser": True, "is_active": True}


def admin_seed(*, email: str, password: str, take_over: bool = False) -> tuple[User, bool]:
    """The administrator, and whether anything had to be done; safe to run on every deployment.

    An administrator is left as they are, password included. An account of anybody else with this email is touched only
    with `take_over`: it gets the rights *and* this password, and its sessions end, for whoever signed up with the
    operator's address first must not become administrator by it. Raises AdminEmailTaken, PasswordTooWeak.
    """
    with transaction.atomic(durable=True):
        user = User.objects.select_for_update(of=("self",), no_key=True).filter(email=normalised_email(email)).first()
        if user is not None and all(getattr(user, name) == value for name, value in RIGHTS.items()):
            return user, False
        if user is None:
            user = user_register(email=email, password=password, first_name="Platform", last_name="Administrator")
        elif not take_over:
            raise AdminEmailTaken
        else:
            password_check(password, user=user)
            user.password = make_password(password)
            password_replaced(user=user, actor=None, action="user.password_changed")
        before = {name: getattr(user, name) for name in RIGHTS}
        for name, value in RIGHTS.items():
            setattr(user, name, value)
        user.email_verified_at = user.email_verified_at or now()
        user.save(update_fields=[*RIGHTS, "password", "email_verified_at"])
        audit_record(
            actor=None, action="user.seeded", subject_kind="user", subject_id=user.pk, before=before, after=RIGHTS
        )
    return user, True
