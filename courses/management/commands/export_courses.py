"""`manage.py export_courses FILE`: the platform's courses in the format that `import_courses` reads."""

import tempfile
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from courses.errors import DepartmentNotFound
from courses.selectors.exports import namesakes, shelves
from courses.workbooks.writing import CourseCells, Shelf, write_delimited, write_workbook


class Command(BaseCommand):
    help = (
        "Exports the published courses of the platform as import_courses reads them: .xlsx with a sheet per"
        " department, or .csv with a column Department. Importing the file again changes nothing. An apostrophe"
        " stands before texts that a spreadsheet would take for a formula; the import takes it off."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", help=".xlsx or .csv; - writes .csv to the standard output")
        parser.add_argument(
            "--department", action="append", default=[], metavar="NAME", help="only this one; repeatable"
        )
        parser.add_argument("--all", action="store_true", help="drafts and withdrawn courses too")

    def handle(self, *args: Any, **options: Any) -> None:
        for one, other in namesakes():
            raise CommandError(f"The departments {one!r} and {other!r} would be imported as one: rename one of them.")
        # The bar shows on a terminal only.
        with tqdm(unit=" courses", disable=None, leave=False) as bar:
            counter = _Counter(bar)
            every = shelves(names=options["department"], every_state=options["all"])
            try:
                self._write(options["file"], counter.shelves(every))
            except DepartmentNotFound as error:
                raise CommandError(error.detail) from None
            except OSError as error:
                raise CommandError(f"{options['file']} cannot be written: {error.strerror or error}.") from None
        if options["file"] != "-":
            self.stdout.write(f"{counter.courses} courses were written to {options['file']}.")

    def _write(self, file: str, counted: Iterable[Shelf]) -> None:
        if file == "-":
            write_delimited(self.stdout, counted)
            return
        path = Path(file)
        ending = path.suffix.lower()
        if ending not in (".csv", ".xlsx"):
            raise CommandError(f"{file}: name a file that ends in .xlsx or .csv, or - for the standard output.")
        # A file of the same name is replaced by a whole one or not at all.
        with tempfile.TemporaryDirectory(prefix=".export-", dir=path.parent) as directory:
            unfinished = Path(directory) / f"catalogue{ending}"
            if ending == ".csv":
                with unfinished.open("w", newline="", encoding="utf-8-sig") as text:
                    write_delimited(text, counted)
            else:
                for left in write_workbook(unfinished, counted):
                    self.stderr.write(
                        f"left blank: {left.department}, {left.title}: {left.header} is longer than a cell of a"
                        " workbook; a .csv holds it."
                    )
            unfinished.replace(path)


class _Counter:
    """Counts the courses that pass, and shows it on the bar (which does not count where it is not shown)."""

    def __init__(self, bar: tqdm) -> None:
        self.courses = 0
        self._bar = bar

    def shelves(self, every: Iterable[Shelf]) -> Iterator[Shelf]:
        for department, courses in every:
            self._bar.set_description_str(department)
            yield department, self._of(courses)

    def _of(self, courses: Iterable[CourseCells]) -> Iterator[CourseCells]:
        for cells in courses:
            self.courses += 1
            self._bar.update()
            yield cells
