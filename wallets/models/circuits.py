"""Whether a gateway answers."""

from django.db import models

from wallets.enums import PayoutMethod


class GatewayCircuit(models.Model):
    """How often in a row a gateway of payouts did not answer, and until when it is left alone because of that.

    A row and no counter in memory: every worker sees the same, also after a restart.
    """

    method = models.CharField(max_length=10, choices=PayoutMethod, primary_key=True)
    failures = models.PositiveIntegerField(default=0, help_text="In a row.")
    open_until = models.DateTimeField(null=True, blank=True, help_text="Nobody asks it before this time.")

    def __str__(self) -> str:
        return f"{self.method}: {self.failures} failures"
