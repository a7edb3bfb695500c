"""Whose account a Google account opens.

Google's `sub` decides once an account is linked, and nothing else: an email that changes at Google moves nobody. Before
that the email does, where both sides have proved it:

* Google has not verified it: refused, for anybody can type any address there.
* Nobody's here: a new account, verified, without a password; `forgot-password` gives it one.
* Somebody's who has verified it: linked, and begun anew; the owner is told by mail. That the email is verified says
  that a link was opened in its mailbox, not that whoever chose the password has read it: the owner, or a scanner of
  their mails, may have clicked on what a stranger's sign-up sent them. So every session, challenge and mailed link ends
  here, and a password from before opens nothing any more. An owner who had chosen it loses a password that
  `forgot-password` gives back; an owner who had not loses a stranger in their account. Google, which has just proved
  who they are, opens it meanwhile. A second factor from before goes as well: a stranger who has set one up would
  otherwise keep the owner out for good. From the next one on Google does not stand in for it.
* Somebody's who has not: refused. Whoever registered it may not be who owns the mailbox. Linking would let the owner
  work, and be paid out, in an account whose password, sessions and whatever else was prepared in it are somebody
  else's (pre-hijacking: Sudhodanan and Paverd, USENIX Security 2022); throwing those away would let Google take over
  an account whose owner has merely not opened the mail yet. A mailed link for a new password settles it: it proves the
  mailbox, ends every session and replaces the password; then Google links.
* Somebody's who signs in with another Google account: refused. An address that was given to somebody else at the
  domain must not bring them the account.
"""

from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction

from accounts.devices import UNKNOWN, Device
from accounts.enums import SessionEnd
from accounts.errors import (
    AccountDisabled,
    EmailTaken,
    GoogleAccountDiffers,
    GoogleEmailNotVerified,
    GoogleEmailUnproven,
)
from accounts.google import PROVIDER, GoogleIdentity, GoogleReturn
from accounts.locks import user_lock
from accounts.models import User
from accounts.services.google_codes import google_code_issue
from accounts.services.second_factors import second_factor_end
from accounts.services.sessions import session_end_all
from accounts.services.sign_in_records import GOOGLE, sign_in_refusal_record
from accounts.services.single_use_links import link_revoke_all
from accounts.services.users import user_insert
from learning247.kit.clock import now
from learning247.records.services.audit import audit_record
from learning247.records.services.mail import mail_queue


def google_account_sign_in(returned: GoogleReturn, *, device: Device = UNKNOWN) -> str:
    """A one-time code for the person whom Google has named, who is made or linked where they are new.

    Raises GoogleEmailNotVerified, GoogleEmailUnproven, GoogleAccountDiffers, AccountDisabled; then nothing has changed
    but the audit trail.
    """
    try:
        with transaction.atomic(durable=True):
            user = _person(returned.identity, device)
            if user.is_active:
                return google_code_issue(user=user, code_challenge=returned.code_challenge)
    except (GoogleEmailUnproven, GoogleAccountDiffers):
        sign_in_refusal_record(email=returned.identity.email, device=device, door=GOOGLE)
        raise
    sign_in_refusal_record(email=user.email, device=device, door=GOOGLE)
    raise AccountDisabled


def _person(identity: GoogleIdentity, device: Device) -> User:
    """The account, locked where it was there before; a disabled one is not linked."""
    linked = SocialAccount.objects.filter(provider=PROVIDER, uid=identity.subject).first()
    if linked is not None:
        return user_lock(linked.user_id)
    if not identity.email_verified:
        raise GoogleEmailNotVerified
    known = User.objects.filter(email=identity.email).first()
    if known is None:
        try:
            return _new(identity, device)
        except EmailTaken:  # in the meantime, by another request
            known = User.objects.get(email=identity.email)
    user = user_lock(known.id)
    if user.email != identity.email or not user.email_verified:
        raise GoogleEmailUnproven
    if user.is_active and _link(user, identity, device):
        _begin_anew(user, device)
    return user


def _new(identity: GoogleIdentity, device: Device) -> User:
    """Raises EmailTaken."""
    user = User(
        email=identity.email,
        first_name=identity.first_name,
        last_name=identity.last_name,
        email_verified_at=now(),
        password=make_password(None),
    )
    user_insert(user)
    _link(user, identity, device)
    return user


def _link(user: User, identity: GoogleIdentity, device: Device) -> bool:
    """Whether it is new; the database has one Google account per person and one person per Google account.

    Raises GoogleAccountDiffers.
    """
    link = SocialAccount(user=user, provider=PROVIDER, uid=identity.subject)
    before = SocialAccount.objects.filter(user=user, provider=PROVIDER).first()
    if before is None:
        SocialAccount.objects.bulk_create([link], ignore_conflicts=True)
    if not SocialAccount.objects.filter(user=user, provider=PROVIDER, uid=identity.subject).exists():
        raise GoogleAccountDiffers
    if before is None:
        audit_record(
            actor=user,
            action="user.google_linked",
            subject_kind="user",
            subject_id=user.pk,
            after={"subject": identity.subject, "ip": device.ip, "user_agent": device.user_agent},
        )
    return before is None


def _begin_anew(user: User, device: Device) -> None:
    """Whoever was in the account, or could get in by what they know or were mailed, is out; the owner hears of it."""
    had_password = user.has_usable_password()
    if had_password:
        user.password = make_password(None)
        user.save(update_fields=["password"])
    ended = session_end_all(user=user, reason=SessionEnd.PASSWORD_CHANGED)
    link_revoke_all(user=user)
    had_second_factor = second_factor_end(user=user)
    audit_record(
        actor=user,
        action="user.password_removed" if had_password else "user.sessions_ended",
        subject_kind="user",
        subject_id=user.pk,
        after={
            "sessions_ended": ended,
            "second_factor_ended": had_second_factor,
            "ip": device.ip,
            "user_agent": device.user_agent,
        },
    )
    mail_queue(
        key=f"google-linked:{user.id}",
        to=user.email,
        template="google_linked",
        context={
            "first_name": user.name_for_mails,
            "when": now(),
            "had_password": had_password,
            "had_second_factor": had_second_factor,
            "url": f"{settings.FRONTEND_URL}/forgot-password",
        },
    )
