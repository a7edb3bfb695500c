"""Money on its way out."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from learning247.kit.clock import now
from learning247.kit.ids import new_id
from learning247.kit.money import Money
from wallets.enums import WITHDRAWAL_OPEN, PayoutMethod, WithdrawalReason, WithdrawalStatus
from wallets.explanations import explanation_of
from wallets.models.ledger import CURRENCY_CHOICES, JournalEntry
from wallets.models.payout_accounts import PayoutAccount

_NEVER_HELD = (WithdrawalStatus.OTP_REQUIRED, WithdrawalStatus.EXPIRED)
_PUT_BACK = (WithdrawalStatus.FAILED, WithdrawalStatus.REJECTED)
_WAS_PAID = (WithdrawalStatus.PAID, WithdrawalStatus.REVERSED)


class Withdrawal(models.Model):
    """One wish of one person to be paid so much to one account. What becomes of it, and what is booked at each step:
    `services/withdrawal_states.py`.

    Amount, currency and account never change: the mailed code is bound to them. `reference` is the gateway's key, the
    only one that this withdrawal ever has there.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    reference = models.CharField(max_length=40, unique=True, help_text="Ours; also the gateway's.")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="withdrawals")
    account = models.ForeignKey(PayoutAccount, on_delete=models.PROTECT, related_name="withdrawals")
    method = models.CharField(max_length=10, choices=PayoutMethod)
    status = models.CharField(max_length=20, choices=WithdrawalStatus, default=WithdrawalStatus.OTP_REQUIRED)
    reason = models.CharField(max_length=30, choices=WithdrawalReason, blank=True)
    note = models.CharField(max_length=200, blank=True, help_text="The gateway's or the staff's own words.")
    currency = models.CharField(max_length=3, choices=CURRENCY_CHOICES)
    amount_minor = models.BigIntegerField(help_text="What leaves the wallet, minor units.")
    fee_minor = models.BigIntegerField(default=0, help_text="Of which the creator bears the transfer fee.")
    gateway_fee_minor = models.BigIntegerField(null=True, blank=True, help_text="As the gateway reports it.")
    gateway_transfer_id = models.CharField(max_length=64, blank=True)
    operation = models.CharField(max_length=60)
    idempotency_key = models.CharField(max_length=255)
    hold_entry = models.OneToOneField(
        JournalEntry, on_delete=models.PROTECT, null=True, blank=True, related_name="+", help_text="Set aside."
    )
    paid_entry = models.OneToOneField(
        JournalEntry, on_delete=models.PROTECT, null=True, blank=True, related_name="+", help_text="Paid out."
    )
    back_entry = models.OneToOneField(
        JournalEntry, on_delete=models.PROTECT, null=True, blank=True, related_name="+", help_text="Back in the wallet."
    )

    # Asking the gateway: one worker at a time, again when due.
    attempts = models.PositiveIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True, help_text="When the gateway was last told to make it.")
    refusals = models.PositiveIntegerField(
        default=0, help_text="How often the gateway showed conclusively that it did not make it; part of its key."
    )
    due_at = models.DateTimeField(null=True, blank=True, help_text="Not before this time is anything done about it.")
    lease_until = models.DateTimeField(null=True, blank=True)

    expires_at = models.DateTimeField(help_text="Until when a code may confirm it.")
    created_at = models.DateTimeField(default=now, editable=False)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    paid_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True, help_text="Since when nothing is under way any more.")

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("owner", "operation", "idempotency_key"), name="wallets_withdrawal_once_per_key"
            ),
            models.UniqueConstraint(
                fields=("method", "gateway_transfer_id"),
                condition=~Q(gateway_transfer_id=""),
                name="wallets_withdrawal_once_per_transfer",
            ),
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0, fee_minor__gte=0, fee_minor__lt=F("amount_minor")),
                name="wallets_withdrawal_pays_something",
            ),
            models.CheckConstraint(
                condition=Q(status__in=_NEVER_HELD, hold_entry__isnull=True, confirmed_at__isnull=True)
                | Q(status=WithdrawalStatus.CANCELLED)
                | (~Q(status__in=_NEVER_HELD) & Q(hold_entry__isnull=False, confirmed_at__isnull=False)),
                name="wallets_withdrawal_held_once_confirmed",
            ),
            models.CheckConstraint(
                condition=Q(status__in=_WAS_PAID, paid_entry__isnull=False, paid_at__isnull=False)
                | (~Q(status__in=_WAS_PAID) & Q(paid_entry__isnull=True)),
                name="wallets_withdrawal_paid_is_booked",
            ),
            models.CheckConstraint(
                condition=Q(status__in=(*_PUT_BACK, WithdrawalStatus.REVERSED), back_entry__isnull=False)
                | Q(status=WithdrawalStatus.CANCELLED, hold_entry__isnull=True, back_entry__isnull=True)
                | Q(status=WithdrawalStatus.CANCELLED, hold_entry__isnull=False, back_entry__isnull=False)
                | (
                    ~Q(status__in=(*_PUT_BACK, WithdrawalStatus.REVERSED, WithdrawalStatus.CANCELLED))
                    & Q(back_entry__isnull=True)
                ),
                name="wallets_withdrawal_put_back_is_booked",
            ),
        )
        indexes = (
            models.Index(fields=("due_at",), condition=Q(status__in=WITHDRAWAL_OPEN), name="wallets_withdrawal_due"),
            models.Index(fields=("owner", "currency", "confirmed_at"), name="wallets_withdrawal_by_owner"),
        )

    def __str__(self) -> str:
        return self.reference

    @property
    def money(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def net(self) -> Money:
        """What the gateway is told to pay."""
        return Money(self.amount_minor - self.fee_minor, self.currency)

    @property
    def explanation(self) -> str:
        """Why it is as it is and what there is to do, in words for its owner; "" where nothing needs explaining."""
        return explanation_of(self.reason)
