"""Bringing an operator's whole file or directory in, sheet by sheet, and what is to be told about it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from django.db import DatabaseError

from accounts.models import User
from courses.names import course_keys, department_key
from courses.services.departments import departments_describe
from courses.services.sheets import DEFAULT_PRICES, SheetOutcome, sheet_import
from courses.workbooks import (
    DepartmentText,
    Limits,
    ReportedRow,
    Sheet,
    UnreadableWorkbook,
    read_catalogue,
    read_department_texts,
)
from learning247.kit.money import Money
from learning247.records.reasons import required_reason

REPORT_HEADERS: Final = ("sheet", "row", "course name", "outcome", "why")
NO_HEADERS: Final = "No sheet has the headers of a catalogue: nothing was imported."
_ANY_LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class ReportLine:
    """Something the operator should look at. `outcome`: "reported" rows did not come in, "repeated" ones did, as
    another row of the same course. Row 0 is the sheet as a whole."""

    sheet: str
    row: int
    title: str
    outcome: str
    why: str


@dataclass(slots=True)
class SheetReport:
    """What became of one sheet's rows for one department."""

    sheet: str
    department: str
    outcome: SheetOutcome
    reported: list[ReportedRow]


@dataclass(slots=True)
class ImportReport:
    """What became of a file. `problem`, when not empty, is why all of it, or the rest of it, is of no use."""

    dry_run: bool
    sheets: list[SheetReport] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    departments: list[ReportedRow] = field(default_factory=list)
    problem: str = ""

    def lines(self) -> Iterator[ReportLine]:
        """Repeated rows first, then reported ones, each in the order of the file."""
        for part in self.sheets:
            for repeat in part.outcome.repeated:
                link = "with another link" if repeat.other_link else "with the same link"
                why = f"the name of row {repeat.earlier}, {link}; the later row counts"
                yield ReportLine(part.sheet, repeat.number, repeat.title, "repeated", why)
        for rows in (*(part.reported for part in self.sheets), self.departments):
            for row in rows:
                yield ReportLine(row.sheet, row.number, row.title, "reported", row.why)

    def summary(self) -> str:
        """One line of totals."""
        outcomes = [part.outcome for part in self.sheets]
        repeated = sum(len(outcome.repeated) for outcome in outcomes)
        reported = sum(len(part.reported) for part in self.sheets) + len(self.departments)
        return (
            f"{'Dry run, nothing was changed: ' if self.dry_run else ''}"
            f"{_counted(sum(outcome.rows for outcome in outcomes), 'row')} came in:"
            f" {_counted(sum(outcome.created for outcome in outcomes), 'course')} created,"
            f" {sum(outcome.updated for outcome in outcomes)} updated,"
            f" {sum(outcome.unchanged for outcome in outcomes)} unchanged,"
            f" {_counted(repeated, 'row')} repeated a name."
            f" {_counted(reported, 'row')} {'was' if reported == 1 else 'were'} reported."
        )


def catalogue_import(
    *,
    path: Path,
    prices: Sequence[Money] = DEFAULT_PRICES,
    dry_run: bool = False,
    actor: User | None = None,
    reason: str = "",
    limits: Limits = _ANY_LIMITS,
    seen: Callable[[str], Any] = lambda where: None,
) -> ImportReport:
    """Import every sheet of a file, or of every file of a directory; each commits as a whole or not at all.

    A sheet that the database refuses is reported and the others still come in. When several sheets speak of one
    department, the first that names a course counts, so that the same file again changes nothing. In a directory,
    `departments.csv` then describes departments that have no description. `seen` is called for each row read.

    `actor` is a person's name in the audit; None, who stands at the machine. Raises ReasonRequired of an `actor` who
    does more than try it.
    """
    if actor is not None and not dry_run:
        reason = required_reason(reason)
    report = ImportReport(dry_run)
    came_in: dict[str, dict[str, str]] = {}
    new: set[str] = set()
    try:
        texts, report.departments = read_department_texts(path, limits=limits)
        for sheet in read_catalogue(path, seen=seen, limits=limits):
            named = came_in.setdefault(department_key(sheet.department), {}) if sheet.has_headers else {}
            counting = _leave_out(sheet, named)
            outcome = _import(sheet, prices, dry_run=dry_run, actor=actor, reason=reason)
            if outcome is not None:
                named.update(dict.fromkeys(counting, sheet.name))
                # In a dry run every sheet of a new department finds it missing; it would be made once.
                if outcome.new_department:
                    outcome.new_department = department_key(sheet.department) not in new
                    new.add(department_key(sheet.department))
            report.sheets.append(
                SheetReport(sheet.name, sheet.department, outcome or SheetOutcome(sheet.department), sheet.reported)
            )
            if sheet.note:
                report.notes.append(f"{sheet.name} {sheet.note}")
            if sheet.unreadable:
                report.problem = "A file could not be read; see its line above."
        _describe(report, texts)
    except UnreadableWorkbook as error:
        report.problem = str(error)
        return report
    if not came_in and not report.problem:
        report.problem = NO_HEADERS
    return report


def _import(
    sheet: Sheet, prices: Sequence[Money], *, dry_run: bool, actor: User | None, reason: str
) -> SheetOutcome | None:
    try:
        return sheet_import(sheet=sheet, prices=prices, dry_run=dry_run, actor=actor, reason=reason)
    except DatabaseError as error:
        # The other sheets may still come in; this one has left nothing behind.
        sheet.report(0, "", f"nothing of this sheet was imported: {str(error).splitlines()[0]}")
        return None


def _leave_out(sheet: Sheet, named: Mapping[str, str]) -> set[str]:
    """Report the rows of courses that an earlier sheet (`named`: key to sheet) of the same department has named.

    Returns the keys of the others, which stay.
    """
    rows, counting = [], set()
    for key, row in zip(course_keys([row.title for row in sheet.rows]), sheet.rows, strict=True):
        if key in named:
            sheet.report(row.number, row.title, f"the sheet {named[key]!r} names this course too, and counts")
        else:
            rows.append(row)
            counting.add(key)
    sheet.rows = rows
    return counting


def _describe(report: ImportReport, texts: Sequence[DepartmentText]) -> None:
    if report.dry_run or not texts:
        return
    number_of = {text.name: text.number for text in texts}
    _, unknown = departments_describe(descriptions={text.name: text.description for text in texts})
    report.departments += [
        ReportedRow("departments.csv", number_of[name], "", f"there is no department {name!r}") for name in unknown
    ]


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
