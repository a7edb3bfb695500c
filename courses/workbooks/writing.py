"""Writing a catalogue in the format that is read here, as a stream: nothing of it changes what it is imported over."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final, Protocol

from openpyxl import Workbook

from courses.workbooks.sheets import DEPARTMENT_HEADER, HEADERS, department_of_sheet
from learning247.kit.spreadsheets import cell_text, guarded, line_text

MAX_SHEET_NAME: Final = 31
MAX_EXCEL_CELL: Final = 32_767  # UTF-16 units
_NOT_IN_SHEET_NAMES = re.compile(r"[\[\]:*?/\\]")
_RESERVED: Final = frozenset({"history"})  # Excel's own
_WIDTHS: Final = {"A": 50, "B": 40, "C": 60, "D": 60, "E": 20, "F": 30}

# A course as its cells, in the order of HEADERS.
CourseCells = Sequence[str]
# A department's name, and its courses.
Shelf = tuple[str, Iterable[CourseCells]]


class Written(Protocol):
    """What `csv.writer` needs of a file."""

    def write(self, text: str, /) -> object: ...


@dataclass(frozen=True, slots=True)
class LeftBlank:
    """A text that is longer than a cell of a workbook can be. Its blank cell leaves what is stored."""

    department: str
    title: str
    header: str


def write_delimited(file: Written, shelves: Iterable[Shelf]) -> None:
    """Comma-separated, with the department in a column of its own."""
    writer = csv.writer(file)
    writer.writerow([DEPARTMENT_HEADER, *HEADERS])
    for department, courses in shelves:
        for cells in courses:
            writer.writerow([_cell(line_text(department)), *map(_cell, cells)])


def write_workbook(path: Path, shelves: Iterable[Shelf]) -> list[LeftBlank]:
    """One sheet per department that has courses; one more column where a sheet's name cannot carry the department's.

    Says which texts did not fit. A workbook needs a sheet: without any course it has one with headers alone.
    """
    workbook = Workbook(write_only=True)
    left_blank: list[LeftBlank] = []
    taken: set[str] = set()
    for department, courses in shelves:
        rows = iter(courses)
        first = next(rows, None)
        if first is None:
            continue
        name = sheet_name(department, taken)
        extra = [] if department_of_sheet(name) == line_text(department) else [_cell(line_text(department))]
        _write_sheet(workbook, name, extra, _fitting(department, chain([first], rows), left_blank))
    if not taken:
        _write_sheet(workbook, "Courses", [""], iter(()))
    workbook.save(path)
    return left_blank


def sheet_name(department: str, taken: set[str]) -> str:
    """A name that Excel takes, unlike any in `taken` (in lower case), to which it is added."""
    plain = " ".join(_NOT_IN_SHEET_NAMES.sub(" ", line_text(department)).split()).strip("'")
    name, number = _cut(plain, MAX_SHEET_NAME).strip("' ") or "Department", 1
    base = name
    while name.lower() in taken or name.lower() in _RESERVED:
        number += 1
        end = f" ~{number}"
        name = _cut(base, MAX_SHEET_NAME - len(end)) + end
    taken.add(name.lower())
    return name


def _write_sheet(workbook: Workbook, name: str, extra: Sequence[str], rows: Iterator[list[str]]) -> None:
    worksheet = workbook.create_sheet(name)
    for column, width in _WIDTHS.items():
        worksheet.column_dimensions[column].width = width
    worksheet.freeze_panes = "A2"
    worksheet.append([*HEADERS, DEPARTMENT_HEADER] if extra else list(HEADERS))
    for row in rows:
        worksheet.append([*row, *extra])
    worksheet.close()


def _fitting(department: str, courses: Iterable[CourseCells], left_blank: list[LeftBlank]) -> Iterator[list[str]]:
    for cells in courses:
        row = [_cell(text) for text in cells]
        for at, text in enumerate(row):
            if len(text) * 2 > MAX_EXCEL_CELL and _units(text) > MAX_EXCEL_CELL:
                left_blank.append(LeftBlank(department, line_text(cells[0]), HEADERS[at]))
                row[at] = ""
        yield row


def _cell(text: str) -> str:
    return guarded(cell_text(text))


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _cut(text: str, units: int) -> str:
    while _units(text) > units:
        text = text[:-1]
    return text.strip()
