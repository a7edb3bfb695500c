"""The double-entry ledger. PostgreSQL enforces its rules (see migration 0002); the ORM only describes the tables.

Signs: + is a credit (what the platform owes the account's owner, or has earned), - a debit. An entry's lines sum to
zero. Nothing here is ever updated or deleted; a mistake is mended by another entry.
"""

from django.conf import settings
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Cast, Coalesce, Concat, Now

from learning247.kit.ids import new_id
from learning247.kit.money import EXPONENTS
from wallets.enums import PERSON_ACCOUNT_KINDS, AccountKind, EntryKind

CURRENCY_CHOICES = [(code, code) for code in EXPONENTS]
PERSON_KIND_VALUES = [kind.value for kind in PERSON_ACCOUNT_KINDS]


class LedgerAccount(models.Model):
    """One account per owner (a person, or none: the platform), kind and currency; opened on demand.

    A person's balance is cached here and changed by the database alone, as lines arrive. The platform's accounts have
    no cached balance: it would be one row that every sale has to lock. Theirs is derived: checkpoint plus tail.
    """

    id = models.BigAutoField(primary_key=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="ledger_accounts",
    )
    kind = models.CharField(max_length=20, choices=AccountKind)
    currency = models.CharField(max_length=3, choices=CURRENCY_CHOICES)
    balance_minor = models.BigIntegerField(null=True, blank=True, help_text="Minor units; null for the platform's.")
    code = models.GeneratedField(
        expression=Concat(
            Coalesce(Cast("owner", models.TextField()), Value("platform"), output_field=models.TextField()),
            Value(":"),
            F("kind"),
            Value(":"),
            F("currency"),
            output_field=models.TextField(),
        ),
        output_field=models.TextField(),
        db_persist=True,
        unique=True,
    )
    opened_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ("code",)
        constraints = (
            models.CheckConstraint(
                condition=(Q(owner__isnull=False) & Q(kind__in=PERSON_KIND_VALUES))
                | (Q(owner__isnull=True) & ~Q(kind__in=PERSON_KIND_VALUES)),
                name="ledger_account_kind_fits_owner",
            ),
            models.CheckConstraint(
                condition=Q(owner__isnull=False, balance_minor__isnull=False)
                | Q(owner__isnull=True, balance_minor__isnull=True),
                name="ledger_account_balance_only_for_persons",
            ),
            models.CheckConstraint(condition=Q(currency__in=list(EXPONENTS)), name="ledger_account_currency_known"),
        )
        indexes = (models.Index(fields=("owner", "currency"), name="ledger_account_by_owner"),)

    def __str__(self) -> str:
        return str(self.code)


class JournalEntry(models.Model):
    """One business event in the books. `key` is unique: the same event cannot be booked twice (I5).

    `id` and `transaction_id` are given by a trigger, in that order of need: the transaction has its id before the
    entry takes its number, so a seal can tell which numbers may still appear (see `Seal`).
    """

    id = models.BigAutoField(primary_key=True)
    uuid = models.UUIDField(unique=True, default=new_id, editable=False)
    key = models.CharField(max_length=120, unique=True, help_text="Purpose and subject: payment:ID:sale.")
    kind = models.CharField(max_length=30, choices=EntryKind)
    currency = models.CharField(max_length=3, choices=CURRENCY_CHOICES)
    source_kind = models.CharField(max_length=30, help_text="What caused it: payment, withdrawal, …")
    source_id = models.CharField(max_length=64)
    reference = models.CharField(max_length=64, help_text="The reference that people see.")
    description = models.CharField(max_length=200)
    transaction_id = models.BigIntegerField(editable=False)
    posted_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ("-id",)
        verbose_name_plural = "journal entries"
        constraints = (
            models.CheckConstraint(
                condition=Q(kind__in=[kind.value for kind in EntryKind]), name="journal_entry_kind_known"
            ),
            models.CheckConstraint(condition=Q(id__gte=1), name="journal_entry_number_is_positive"),
        )
        indexes = (models.Index(fields=("source_kind", "source_id"), name="journal_entry_by_source"),)

    def __str__(self) -> str:
        return self.key


class JournalLine(models.Model):
    """One posting of an entry to an account, signed, with the balance that it left (persons' accounts).

    `id` is given by a trigger after the account's row is locked, so per account it rises in the order of balances.
    No foreign key constraints: their row share locks would make every sale touch the platform accounts' rows; the
    trigger checks more than they would, and accounts and entries cannot be deleted.
    """

    id = models.BigAutoField(primary_key=True)
    entry = models.ForeignKey(
        JournalEntry, on_delete=models.DO_NOTHING, related_name="lines", db_constraint=False, db_index=False
    )
    account = models.ForeignKey(
        LedgerAccount, on_delete=models.DO_NOTHING, related_name="lines", db_constraint=False, db_index=False
    )
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    balance_after_minor = models.BigIntegerField(null=True, editable=False)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=("entry", "account"), name="journal_line_once_per_account"),
            models.CheckConstraint(condition=~Q(amount_minor=0), name="journal_line_moves_something"),
        )
        indexes = (models.Index(fields=("account", "id"), name="journal_line_by_account"),)

    def __str__(self) -> str:
        return f"{self.entry_id}: {self.account_id} {self.amount_minor:+d} {self.currency}"


class Seal(models.Model):
    """A link of the hash chain over the journal: entries `first_entry_id`..`last_entry_id` and all their lines.

    `digest` = SHA-256(previous digest || canonical text of the range). Who changes, adds or removes anything in a
    sealed range has to recompute every later seal, and cannot make it agree with a digest kept elsewhere (I12).
    """

    id = models.BigAutoField(primary_key=True)
    first_entry_id = models.BigIntegerField()
    last_entry_id = models.BigIntegerField(unique=True)
    entry_count = models.PositiveIntegerField()
    previous_digest = models.BinaryField(max_length=32, unique=True, help_text="32 zero bytes before the first seal.")
    digest = models.BinaryField(max_length=32, unique=True)
    sealed_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(condition=Q(first_entry_id__lte=F("last_entry_id")), name="seal_covers_a_range"),
        )

    def __str__(self) -> str:
        return f"Seal {self.id}: entries {self.first_entry_id}–{self.last_entry_id}"


class SealHorizon(models.Model):
    """How far the next seal may reach, once every transaction that ran when it was placed has ended. One row.

    A lower number may commit after a higher one. When the horizon is placed, every number up to it has been handed
    out to a transaction with a lower id than `transaction_id`; when all of those have ended, nothing at or below the
    horizon can appear any more.
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    entry_id = models.BigIntegerField()
    line_id = models.BigIntegerField()
    transaction_id = models.BigIntegerField()
    placed_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = (models.CheckConstraint(condition=Q(id=1), name="seal_horizon_is_one_row"),)

    def __str__(self) -> str:
        return f"Horizon at entry {self.entry_id}"


class AccountCheckpoint(models.Model):
    """A platform account's balance over its lines up to `last_line_id`; the tail after it is summed when asked."""

    account = models.OneToOneField(LedgerAccount, on_delete=models.PROTECT, primary_key=True, related_name="checkpoint")
    last_line_id = models.BigIntegerField()
    balance_minor = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.account_id} at line {self.last_line_id}"
