"""`manage.py import_courses FILE`: bring an operator's catalogue in."""

import csv
from argparse import ArgumentParser
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from courses.services.catalogue import REPORT_HEADERS, ImportReport, catalogue_import
from courses.services.sheets import DEFAULT_PRICES
from learning247.kit.money import InvalidAmount, Money, UnknownCurrency
from learning247.kit.spreadsheets import guarded
from payments.selectors import charge_refusal


class Command(BaseCommand):
    help = (
        "Imports a catalogue: an .xlsx or .xlsm workbook with one sheet per department, a .csv with one department"
        " (its file's name) or a column Department, or a directory of such files. Headers: Course Name, Course Link,"
        " Course Content, Course Curriculum, Course Duration. Courses are found again by department and name, so the"
        " same file again changes nothing. Each sheet comes in as a whole or not at all; rows that cannot are listed."
        " Macros are never run and formulas never computed: the values that were saved with the file count."
        " Departments that have no description get it from departments.csv (name, description) in the directory."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help=".xlsx, .xlsm, .csv, .tsv, or a directory of them")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen, and change nothing")
        parser.add_argument(
            "--prices",
            default="default",
            help='of new courses: "default" (NGN 25000 and USD 30), or a list such as NGN=20000,USD=25.50',
        )
        parser.add_argument(
            "--report", type=Path, metavar="FILE.csv", help="also write the reported and the repeated rows there"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        prices = _prices(options["prices"])
        with ExitStack() as opened:
            file = None
            if options["report"]:
                report_path = options["report"].resolve()
                if options["file"].resolve() in (report_path, report_path.parent):
                    raise CommandError(
                        "The report would be written over, or among, what is imported: put it elsewhere."
                    )
                try:
                    # Before anything is imported; with a BOM, spreadsheets see that it is UTF-8.
                    file = opened.enter_context(options["report"].open("w", newline="", encoding="utf-8-sig"))
                except OSError as error:
                    why = error.strerror or error
                    raise CommandError(f"The report cannot be written to {options['report']}: {why}.") from None
            # The bar shows on a terminal only.
            bar = opened.enter_context(tqdm(unit=" rows", disable=None, leave=False))

            def seen(where: str) -> None:
                if not bar.disable and bar.desc != where:
                    bar.set_description_str(where)
                bar.update()

            report = catalogue_import(path=options["file"], prices=prices, dry_run=options["dry_run"], seen=seen)
            bar.close()
            if file is not None:
                writer = csv.writer(file)
                writer.writerow(REPORT_HEADERS)
                for line in report.lines():
                    texts = (guarded(line.sheet), line.row, guarded(line.title), line.outcome, guarded(line.why))
                    writer.writerow(texts)
        if report.sheets:
            self._tell(report)
        if report.problem:
            raise CommandError(report.problem)

    def _tell(self, report: ImportReport) -> None:
        table = "{:<34}{:>8}{:>9}{:>9}{:>11}{:>10}{:>10}"
        self.stdout.write(table.format("Department", "rows", "created", "updated", "unchanged", "repeated", "reported"))
        for part in report.sheets:
            done = part.outcome
            counts = (done.rows, done.created, done.updated, done.unchanged, len(done.repeated), len(part.reported))
            self.stdout.write(table.format((part.department or part.sheet)[:33], *counts))
        for part in report.sheets:
            if part.outcome.new_department:
                self.stdout.write(f"new department: {part.department}")
        for note in report.notes:
            self.stdout.write(f"note: {note}")
        for line in report.lines():
            title = f" ({line.title})" if line.title else ""
            self.stdout.write(f"{line.outcome}: {line.sheet}, row {line.row}: {line.why}{title}")
        self.stdout.write(report.summary())


def _prices(text: str) -> Sequence[Money]:
    if text == "default":
        return DEFAULT_PRICES
    prices = []
    for part in text.split(","):
        currency, _, amount = part.strip().partition("=")
        try:
            price = Money.from_decimal_string(amount, currency)
        except (InvalidAmount, UnknownCurrency) as error:
            raise CommandError(f"--prices {text}: {error}") from None
        refusal = charge_refusal(price)
        if refusal is not None:
            raise CommandError(f"--prices {text}: {refusal}")
        prices.append(price)
    if len({price.currency for price in prices}) < len(prices):
        raise CommandError(f"--prices {text}: one price per currency.")
    return prices
