"""`manage.py reconcile paystack|stripe --from DAY --to DAY`: our books against the gateway's."""

import csv
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from learning247.kit.errors import DomainError
from learning247.kit.spreadsheets import guarded
from payments.enums import GatewayName, LineClass
from payments.gateways import gateway_named
from payments.gateways.port import GatewayLine
from payments.gateways.statements import statement_read
from payments.services.reconciliation import TOLERANCE, ReconciledLine, reconcile
from payments.services.repairs import REPAIRABLE, repair_of, source_key
from wallets.services.adjustments import (
    AdjustmentDraft,
    adjustments_draft,
    adjustments_outdate,
    open_source_keys,
)

SHOWN = 50
MOST_PROPOSED = 1_000
COLUMNS = (
    "class", "kind", "key", "reference", "our_currency", "our_amount_minor", "our_fee_minor", "our_time",
    "their_currency", "their_amount_minor", "their_fee_minor", "their_time",
)  # fmt: skip


class Command(BaseCommand):
    help = "Compare the books with a gateway's list, or with a file that it exported; exit 1 where they differ."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("gateway", choices=GatewayName.values)
        parser.add_argument("--from", dest="since", type=date.fromisoformat, required=True, help="first day, UTC")
        parser.add_argument("--to", dest="until", type=date.fromisoformat, required=True, help="last day, UTC")
        parser.add_argument("--csv", type=Path, metavar="FILE", help="the gateway's export, instead of its API")
        parser.add_argument("--propose", action="store_true", help="propose adjustments, for two people to approve")
        parser.add_argument("--report", type=Path, metavar="FILE", help="where all lines are written")

    def handle(self, *args: Any, **options: Any) -> None:
        gateway = GatewayName(options["gateway"])
        since = datetime.combine(options["since"], time(), UTC)
        until = datetime.combine(options["until"], time(), UTC) + timedelta(days=1)
        if until <= since:
            raise CommandError("--from is after --to.")
        name = f"{gateway.value}-{options['since']}-{options['until']}.csv"
        report = options["report"] or Path("var", "reconciliation", name)
        report.parent.mkdir(parents=True, exist_ok=True)
        try:
            if options["csv"] is not None:
                with options["csv"].open(encoding="utf-8-sig", newline="") as file:
                    counts = self._compare(gateway, since, until, statement_read(gateway, file), report)
            else:
                lines = gateway_named(gateway).list_lines(since=since - TOLERANCE, until=until + TOLERANCE)
                counts = self._compare(gateway, since, until, lines, report)
        except (DomainError, OSError, UnicodeDecodeError) as error:
            raise CommandError(str(error)) from error
        if options["propose"]:
            self._propose(gateway, report)
        if set(counts) - {LineClass.MATCHED}:
            raise SystemExit(1)

    def _compare(
        self, gateway: GatewayName, since: datetime, until: datetime, lines: Iterable[GatewayLine], report: Path
    ) -> Counter[LineClass]:
        """Write all lines to the file, the first that differ and the sums to the screen."""
        counts: Counter[LineClass] = Counter()
        differing = 0
        self._drafts: list[AdjustmentDraft] = []
        self._repaired: set[str] = set()
        open_keys = open_source_keys(gateway.value)
        with report.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            for line in reconcile(gateway=gateway, since=since, until=until, lines=lines):
                counts[line.line_class] += 1
                writer.writerow(_row_of(line))
                draft = repair_of(gateway, line, report=str(report))
                if draft is not None and len(self._drafts) < MOST_PROPOSED:
                    self._drafts.append(draft)
                stale = {source_key(gateway, line, one) for one in REPAIRABLE if one != line.line_class}
                self._repaired |= stale & open_keys
                if line.line_class != LineClass.MATCHED:
                    differing += 1
                    if differing <= SHOWN:
                        self.stdout.write(" ".join(_row_of(line)))
        if differing > SHOWN:
            self.stdout.write(f"… and {differing - SHOWN:,} more, in {report}")
        for line_class in LineClass:
            self.stdout.write(f"{line_class.value:<12} {counts[line_class]:>12,}")
        return counts

    def _propose(self, gateway: GatewayName, report: Path) -> None:
        """What can be repaired is proposed; a proposal whose line is right by now is closed."""
        drafted = {draft.source_key for draft in self._drafts}
        outdated = adjustments_outdate(source_keys=self._repaired - drafted)
        made = adjustments_draft(drafts=self._drafts)
        self.stdout.write(f"proposed {made:,}, outdated {outdated:,}: two people decide, in the console")
        if len(self._drafts) == MOST_PROPOSED:
            self.stdout.write(f"… and more of {gateway.label} in {report}: repair these first, then run it again")


def _row_of(line: ReconciledLine) -> list[str]:
    return [
        line.line_class.value,
        line.kind,
        guarded(line.key),
        line.reference,
        line.our_currency,
        _text(line.our_amount_minor),
        _text(line.our_fee_minor),
        _text(line.our_time),
        line.their_currency,
        _text(line.their_amount_minor),
        _text(line.their_fee_minor),
        _text(line.their_time),
    ]


def _text(value: int | datetime | None) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return "" if value is None else str(value)
