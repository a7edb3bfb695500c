"""`manage.py payout_limits EMAIL --reason …`: what one person may withdraw, as an operator at the machine says."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from learning247.kit.errors import DomainError
from learning247.kit.money import CURRENCIES, InvalidAmount, Money
from wallets.enums import PayoutTier
from wallets.services.payout_limits import payout_limit_set, payout_profile_set, payouts_resume, payouts_suspend


class Command(BaseCommand):
    help = "Give a person another tier, limits of their own in a currency, or suspend their withdrawals; on record."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--reason", required=True, help="For the record.")
        parser.add_argument("--tier", choices=PayoutTier.values)
        parser.add_argument("--suspend", action="store_true")
        parser.add_argument("--resume", action="store_true")
        parser.add_argument(
            "--currency", choices=CURRENCIES, help="For the next three; what is left out is the tier's."
        )
        for name in ("single", "daily", "monthly"):
            parser.add_argument(f"--{name}", metavar="AMOUNT", help='Such as "25000.00".')

    def handle(self, *args: Any, email: str, reason: str, **options: Any) -> None:
        owner = User.objects.filter(email__iexact=email).first()
        if owner is None:
            raise CommandError(f"There is no account with the email {email}.")
        try:
            if options["tier"]:
                payout_profile_set(owner=owner, actor=None, tier=PayoutTier(options["tier"]), reason=reason)
            if options["currency"]:
                payout_limit_set(
                    owner=owner,
                    actor=None,
                    currency=options["currency"],
                    single=_minor(options["single"], options["currency"]),
                    daily=_minor(options["daily"], options["currency"]),
                    monthly=_minor(options["monthly"], options["currency"]),
                    reason=reason,
                )
            if options["suspend"]:
                payouts_suspend(owner=owner, actor=None, reason=reason)
            if options["resume"]:
                payouts_resume(owner=owner, actor=None, reason=reason)
        except (DomainError, InvalidAmount) as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write("Done, and on record.")


def _minor(amount: str | None, currency: str) -> int | None:
    return None if amount is None else Money.from_decimal_string(amount, currency).minor
