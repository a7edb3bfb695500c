"""`manage.py reset_second_factor EMAIL --reason TEXT`: for the last administrator who has lost phone and paper."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.management.people import person_named, reason_given
from accounts.services.second_factors import second_factor_reset
from learning247.kit.errors import DomainError


class Command(BaseCommand):
    help = "Switch somebody's second factor off. Every session of theirs ends, they are mailed, and it is on record."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--reason", required=True, help="For the record: how you made sure who asks.")

    def handle(self, *args: Any, email: str, reason: str, **options: Any) -> None:
        user, reason = person_named(email), reason_given(reason)
        try:
            second_factor_reset(user=user, actor=None, reason=reason)
        except DomainError as refusal:
            raise CommandError(refusal.detail) from None
        self.stdout.write(f"{user}: the second factor is off.")
