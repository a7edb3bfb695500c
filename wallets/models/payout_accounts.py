"""Where a person's money may go."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q

from learning247.kit.clock import now
from learning247.kit.ids import new_id
from learning247.kit.money import EXPONENTS
from wallets.enums import PayoutMethod
from wallets.models.ledger import CURRENCY_CHOICES

LONGEST_NAME = 200
# An IBAN has at most 34 characters (ISO 13616), a Nigerian account number ten.
LONGEST_NUMBER = 34


class PayoutAccount(models.Model):
    """A bank account, or an account at Stripe, to which its owner withdraws. The API calls it `bank_account`.

    What it is never changes: another number is another row, with a waiting time of its own. `removed_at` takes it away
    from its owner's list; what was paid to it still points here. The number itself is sealed and shown to nobody;
    `number_digest` recognises it without opening it.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="payout_accounts")
    method = models.CharField(max_length=10, choices=PayoutMethod)
    currency = models.CharField(
        max_length=3, choices=CURRENCY_CHOICES, blank=True, help_text="Empty: every currency of its method."
    )
    bank_code = models.CharField(max_length=20, blank=True, help_text="The gateway's; SWIFT where finance transfers.")
    bank_name = models.CharField(max_length=LONGEST_NAME, blank=True)
    account_name = models.CharField(
        max_length=LONGEST_NAME, blank=True, help_text="Where a gateway resolves accounts: the bank's own name for it."
    )
    last4 = models.CharField(max_length=4, blank=True)
    sealed_number = models.TextField(blank=True)
    number_digest = models.CharField(max_length=64, blank=True)
    gateway_account_id = models.CharField(
        max_length=64, blank=True, help_text="Paystack's recipient code, Stripe's acct_…"
    )
    ready_at = models.DateTimeField(null=True, blank=True, help_text="None: the gateway does not pay to it (yet).")
    not_ready_reason = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=now, editable=False)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("owner", "method", "currency", "bank_code", "number_digest"),
                condition=Q(removed_at__isnull=True),
                name="wallets_payoutaccount_once_per_owner",
            ),
            models.CheckConstraint(
                condition=Q(method=PayoutMethod.STRIPE, currency="")
                | (~Q(method=PayoutMethod.STRIPE) & Q(currency__in=list(EXPONENTS))),
                name="wallets_payoutaccount_currency_fits_method",
            ),
        )
        indexes = (models.Index(fields=("number_digest",), name="wallets_payoutaccount_number"),)

    def __str__(self) -> str:
        return f"{self.bank_name or self.get_method_display()} ••••{self.last4}" if self.last4 else self.bank_name

    @property
    def new_since(self) -> datetime:
        """From when on it counts as new: a bank account when it was added, one at Stripe when Stripe said it is
        ready."""
        return self.ready_at or self.created_at if self.method == PayoutMethod.STRIPE else self.created_at

    @property
    def masked_number(self) -> str:
        """`••••••1234`, or "" where there is none."""
        return f"••••••{self.last4}" if self.last4 else ""
