"""`manage.py prove`: no money was made or lost. Exit code 1 on any breach."""

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from learning247.records.registry import registered_checks
from learning247.records.services.prove import CheckResult, checks_run


class Command(BaseCommand):
    help = "Check every invariant over the whole database; name the rows that break one; exit 1 if there are any."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON document instead of the table")
        parser.add_argument("--only", default="", metavar="I1,I2", help="run these checks alone")

    def handle(self, *args: Any, **options: Any) -> None:
        only = frozenset(code for code in options["only"].upper().split(",") if code)
        unknown = only - {registered.code for registered in registered_checks()}
        if unknown:
            raise CommandError(f"There is no check {', '.join(sorted(unknown))}.")
        results = self._as_json(only) if options["json"] else self._as_table(only)
        if not all(result.holds for result in results):
            sys.exit(1)

    def _as_json(self, only: frozenset[str]) -> list[CheckResult]:
        results = list(checks_run(only=only))
        document = {
            "holds": all(result.holds for result in results),
            "checks": [asdict(result) | {"holds": result.holds} for result in results],
        }
        self.stdout.write(json.dumps(document, indent=2))
        return results

    def _as_table(self, only: frozenset[str]) -> list[CheckResult]:
        width = max((len(registered.title) for registered in registered_checks()), default=5)
        self.stdout.write(f"{'code':<5} {'what must hold':<{width}} {'examined':>12} {'breaches':>9} {'seconds':>8}")
        results = []
        for result in checks_run(only=only):
            results.append(result)
            self.stdout.write(
                f"{result.code:<5} {result.title:<{width}} {result.examined:>12,} {result.breaches:>9,}"
                f" {result.seconds:>8.2f}"
            )
            for detail in result.named:
                self.stdout.write(f"      ! {detail}")
            if result.breaches > len(result.named):
                self.stdout.write(f"      ! and {result.breaches - len(result.named):,} more")
            if result.failure:
                self.stdout.write(f"      ! could not be checked: {result.failure}")
        broken = sum(not result.holds for result in results)
        self.stdout.write(f"{broken} of {len(results)} checks do not hold." if broken else "Everything holds.")
        return results
