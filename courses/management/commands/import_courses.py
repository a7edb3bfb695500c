"""`manage.py import_courses FILE`: bring an operator's catalogue workbook in."""

import csv
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from tqdm import tqdm

from courses.services.catalogue import DEFAULT_PRICES, SheetOutcome, catalogue_import
from courses.workbooks import ReportedRow, Sheet, UnreadableWorkbook, read_workbook
from learning247.kit.money import InvalidAmount, Money, UnknownCurrency


class Command(BaseCommand):
    help = (
        "Imports an .xlsx catalogue: one sheet per department, with the headers Course Name, Course Link, Course"
        " Content, Course Curriculum and Course Duration. Courses are found again by department and name, so the same"
        " file again changes nothing. Each sheet comes in as a whole or not at all; rows that cannot are listed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen, and change nothing")
        parser.add_argument(
            "--prices",
            default="default",
            help='of new courses: "default" (NGN 25000 and USD 30), or a list such as NGN=20000,USD=25.50',
        )
        parser.add_argument("--report", type=Path, metavar="FILE.csv", help="also write the reported rows there")

    def handle(self, *args: Any, **options: Any) -> None:
        prices = _prices(options["prices"])
        outcomes: list[tuple[Sheet, SheetOutcome]] = []
        reported: list[ReportedRow] = []
        try:
            # The bar shows on a terminal only.
            for sheet in tqdm(read_workbook(options["file"]), desc="sheets", unit="", disable=None, leave=False):
                outcome = self._import(sheet, prices, dry_run=options["dry_run"])
                reported += sheet.reported
                outcomes.append((Sheet(sheet.name, sheet.department, sheet.has_headers), outcome))
        except UnreadableWorkbook as error:
            if outcomes:
                self._tell(outcomes, reported, dry_run=options["dry_run"])
            raise CommandError(str(error)) from None
        self._tell(outcomes, reported, dry_run=options["dry_run"])
        if options["report"]:
            _write_report(options["report"], reported)
        if not any(sheet.has_headers for sheet, _ in outcomes):
            raise CommandError("No sheet has the headers of a catalogue: nothing was imported.")

    def _import(self, sheet: Sheet, prices: Sequence[Money], *, dry_run: bool) -> SheetOutcome:
        try:
            return catalogue_import(sheet=sheet, prices=prices, dry_run=dry_run)
        except DatabaseError as error:
            # The other sheets may still come in; this one has left nothing behind.
            sheet.report(0, "", f"nothing of this sheet was imported: {str(error).splitlines()[0]}")
            return SheetOutcome(sheet.department)

    def _tell(
        self, outcomes: Sequence[tuple[Sheet, SheetOutcome]], reported: Sequence[ReportedRow], *, dry_run: bool
    ) -> None:
        line = "{:<34}{:>8}{:>9}{:>9}{:>11}{:>10}{:>10}"
        bad: dict[str, int] = {}
        for row in reported:
            bad[row.sheet] = bad.get(row.sheet, 0) + 1
        self.stdout.write(line.format("Department", "rows", "created", "updated", "unchanged", "repeated", "reported"))
        for sheet, outcome in outcomes:
            counts = (outcome.rows, outcome.created, outcome.updated, outcome.unchanged, len(outcome.repeated))
            self.stdout.write(line.format(sheet.department[:33], *counts, bad.get(sheet.name, 0)))
        for sheet, outcome in outcomes:
            for repeat in outcome.repeated:
                link = " under another link" if repeat.other_link else ""
                self.stdout.write(
                    f"repeated: {sheet.name}, row {repeat.number}: the name of row {repeat.earlier}{link};"
                    f" the later row counts ({repeat.title})"
                )
        for row in reported:
            self.stdout.write(
                f"reported: {row.sheet}, row {row.number}: {row.why}" + (f" ({row.title})" if row.title else "")
            )
        rows = sum(outcome.rows for _, outcome in outcomes)
        created = sum(outcome.created for _, outcome in outcomes)
        updated = sum(outcome.updated for _, outcome in outcomes)
        unchanged = sum(outcome.unchanged for _, outcome in outcomes)
        repeated = sum(len(outcome.repeated) for _, outcome in outcomes)
        self.stdout.write(
            f"{'Dry run, nothing was changed: ' if dry_run else ''}{rows} rows came in: {created} courses created,"
            f" {updated} updated, {unchanged} unchanged, {repeated} rows repeated a name. {len(reported)} rows were"
            " reported."
        )


def _prices(text: str) -> Sequence[Money]:
    if text == "default":
        return DEFAULT_PRICES
    prices = []
    for part in text.split(","):
        currency, _, amount = part.strip().partition("=")
        try:
            prices.append(Money.from_decimal_string(amount, currency))
        except (InvalidAmount, UnknownCurrency) as error:
            raise CommandError(f"--prices {text}: {error}") from None
    if len({price.currency for price in prices}) < len(prices):
        raise CommandError(f"--prices {text}: one price per currency.")
    return prices


def _write_report(path: Path, reported: Sequence[ReportedRow]) -> None:
    try:
        with path.open("w", newline="", encoding="utf-8-sig") as file:  # with a BOM, spreadsheets see that it is UTF-8
            writer = csv.writer(file)
            writer.writerow(["sheet", "row", "course name", "why"])
            for row in reported:
                writer.writerow([_inert(row.sheet), row.number, _inert(row.title), _inert(row.why)])
    except OSError as error:
        raise CommandError(f"The report cannot be written to {path}: {error.strerror}.") from None


def _inert(text: str) -> str:
    """A spreadsheet must not take an operator's text for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
