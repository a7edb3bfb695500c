"""Rows of cells become rows of a catalogue: headers are found, each row is checked, bad ones are reported."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator

from courses.models import Course, Department
from courses.names import department_key
from learning247.kit.lengths import longest

MAX_ROWS_PER_SHEET: Final = 200_000  # rows with something in them
MAX_CHARACTERS_PER_SHEET: Final = 64_000_000
MAX_BLANK_RUN: Final = 20_000  # blank rows in a row: formatted to the bottom, nothing follows
MAX_COLUMNS: Final = 64
HEADER_DEPTH: Final = 10  # rows with something in them above the headers, such as a title and a date
MAX_TITLE: Final = longest(Course, "title")
MAX_DURATION: Final = longest(Course, "duration")
MAX_LINK: Final = longest(Course, "link")
MAX_DEPARTMENT: Final = longest(Department, "name")

# Stands for a cell in which a formula was saved without a value. No text of a cell can be equal to it.
NOT_CALCULATED: Final = "\x00formula"
ERROR_VALUES: Final = frozenset({"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A"})

HEADERS: Final = ("Course Name", "Course Link", "Course Content", "Course Curriculum", "Course Duration")
DEPARTMENT_HEADER: Final = "Department"
_SPELLINGS: Final = {
    "title": ("coursename", "coursetitle", "name", "title"),
    "link": ("courselink", "courseurl", "link", "url"),
    "description": ("coursecontent", "coursedescription", "content", "description"),
    "curriculum": ("coursecurriculum", "curriculum"),
    "duration": ("courseduration", "duration"),
    "department": ("department", "departmentname", "coursedepartment"),
}
_CALLED: Final = {
    "title": "course name",
    "link": "course link",
    "description": "course content",
    "curriculum": "curriculum",
    "duration": "duration",
    "department": "department",
}
_STRAY_ENDING: Final = 2  # letters: "Course Names", "Course Curriculumn"
# "Management (363)", and what Excel leaves of a count when it cuts the name at 31 characters: "Primary (2".
_COUNT = re.compile(r"\s*\(\s*\d*\s*\)?\s*$")
_IN_BRACKETS = re.compile(r"\(.*?\)|\[.*?\]")
_is_web_address = URLValidator(schemes=["http", "https"])


@dataclass(frozen=True, slots=True)
class CatalogueRow:
    """A row that can become a course. `number` is the one that the operator sees in the spreadsheet."""

    number: int
    title: str
    link: str
    description: str
    curriculum: str
    duration: str


@dataclass(frozen=True, slots=True)
class ReportedRow:
    """A row that cannot, and why. Row 0 is the sheet as a whole."""

    sheet: str
    number: int
    title: str
    why: str


@dataclass(slots=True)
class Sheet:
    """What a sheet holds for one department. Without headers it is no part of a catalogue, such as a page of notes.

    `note` is something to know that is nobody's fault; `unreadable`: a whole file that was of no use.
    """

    name: str
    department: str
    has_headers: bool = False
    rows: list[CatalogueRow] = field(default_factory=list)
    reported: list[ReportedRow] = field(default_factory=list)
    note: str = ""
    unreadable: bool = False

    def report(self, number: int, title: str, why: str) -> None:
        self.reported.append(ReportedRow(self.name, number, title, why))


def department_of_sheet(name: str) -> str:
    """`"Management (363)"` and `"Management (3"` are the department `"Management"`."""
    return " ".join(_COUNT.sub("", name).split())


def columns_of(headers: Sequence[str]) -> dict[str, int]:
    """Which column holds what (the keys of `CatalogueRow`, and `department`); the first of several that match.

    Case, blanks, punctuation, brackets, plurals and stray endings are forgiven. An exact spelling goes before those.
    """
    plain = [re.sub(r"[^a-z]", "", _IN_BRACKETS.sub("", header.lower())) for header in headers]
    columns: dict[str, int] = {}
    for meaning, spellings in _SPELLINGS.items():
        at = _find(plain, spellings)
        if at is None and meaning == "curriculum":
            at = next((at for at, header in enumerate(plain) if "curricul" in header), None)
        if at is not None:
            columns[meaning] = at
    return columns


def is_header(columns: dict[str, int]) -> bool:
    """A row of headers names at least the course and its link."""
    return "title" in columns and "link" in columns


def _find(plain: Sequence[str], spellings: Sequence[str]) -> int | None:
    for at, header in enumerate(plain):
        if header in spellings:
            return at
    for at, header in enumerate(plain):
        if any(header.startswith(word) and len(header) <= len(word) + _STRAY_ENDING for word in spellings):
            return at
    return None


class SheetReader:
    """Takes the rows of one sheet in order; then `sheets` says what they hold, department by department.

    `whole_rows`: a row with more cells than there are headers is a fault (in separated text, a separator that stands
    in a cell without quotes), not a remark beside the table.
    """

    def __init__(self, name: str, department: str, *, whole_rows: bool = False, note: str = "") -> None:
        self._own = Sheet(name, department, note=note)
        self._by_department: dict[str, Sheet] = {}
        self._whole_rows = whole_rows
        self._columns: dict[str, int] | None = None
        self._width = 0
        self._above = 0
        self._blank_run = 0
        self._rows = 0
        self._characters = 0
        self._refused = ""

    def add(self, number: int, cells: Sequence[str]) -> bool:
        """Take a row; False when nothing after it is worth reading."""
        if not any(cells):
            self._blank_run += 1
            return self._blank_run <= MAX_BLANK_RUN
        self._blank_run = 0
        if self._columns is None:
            return self._look_for_headers(cells)
        self._rows += 1
        self._characters += sum(map(len, cells))
        if self._rows > MAX_ROWS_PER_SHEET:
            self._refused = f"the sheet has more than {MAX_ROWS_PER_SHEET:,} rows: nothing of it was read"
        elif self._characters > MAX_CHARACTERS_PER_SHEET:
            self._refused = f"the sheet has more than {MAX_CHARACTERS_PER_SHEET:,} characters: nothing of it was read"
        else:
            self._take(number, cells)
        return not self._refused

    def fault(self, number: int, why: str) -> None:
        """Report a row that could not even be cut into cells."""
        self._blank_run = 0
        self._own.report(number, "", why)

    def sheets(self) -> list[Sheet]:
        """What was taken, one Sheet per department; at least one, to carry the reports."""
        own = self._own
        if self._refused:
            own.rows, own.reported = [], []
            own.report(0, "", self._refused)
            return [own]
        if self._columns is None:
            if self._above:
                why = f'the headers "Course Name" and "Course Link" are not in the first {HEADER_DEPTH} rows'
                own.report(0, "", why)
            elif not own.reported:
                own.report(0, "", "the sheet is empty")
            return [own]
        if "department" in self._columns:
            carries = [own] if own.reported or own.note or not self._by_department else []
            return [*carries, *self._by_department.values()]
        if not own.department or len(own.department) > MAX_DEPARTMENT:
            own.rows, own.reported = [], []
            own.report(0, "", "its name is no name for a department")
        else:
            own.has_headers = True
        return [own]

    def _look_for_headers(self, cells: Sequence[str]) -> bool:
        columns = columns_of(cells)
        if is_header(columns):
            self._columns = columns
            self._width = len(cells)
            return True
        self._above += 1
        return self._above < HEADER_DEPTH

    def _take(self, number: int, cells: Sequence[str]) -> None:
        assert self._columns is not None
        known = {header: cells[at] if at < len(cells) else "" for header, at in self._columns.items()}
        title = " ".join(known["title"].split()) if known["title"] != NOT_CALCULATED else ""
        sheet, why = self._own, _why_not_calculated(known)
        if not why and "department" in known:
            name = " ".join(known["department"].split())
            if not name or len(name) > MAX_DEPARTMENT:
                why = (
                    f"the department has {len(name)} characters, {MAX_DEPARTMENT} is the most"
                    if name
                    else ("no department")
                )
            else:
                sheet = self._by_department.setdefault(
                    department_key(name), Sheet(self._own.name, name, has_headers=True)
                )
        if not why and self._whole_rows and any(cells[self._width :]):
            why = f"{len(cells)} cells under {self._width} headers: put quotes around a cell that holds the separator"
        duration = " ".join(known.get("duration", "").split())
        why = why or _why_not(title, known["link"], duration)
        if why:
            sheet.report(number, title, why)
            return
        texts = {name: known.get(name, "") for name in ("link", "description", "curriculum")}
        sheet.rows.append(CatalogueRow(number=number, title=title, duration=duration, **texts))


def _why_not_calculated(cells: dict[str, str]) -> str:
    for header, text in cells.items():
        if text == NOT_CALCULATED:
            return (
                f"the {_CALLED[header]} is a formula that was saved without its value:"
                " open the file in a spreadsheet program and save it"
            )
        if text in ERROR_VALUES:
            return f"the {_CALLED[header]} is the error {text}"
    return ""


def _why_not(title: str, link: str, duration: str) -> str:
    if not title:
        return "no course name"
    if len(title) > MAX_TITLE:
        return f"the course name has {len(title)} characters, {MAX_TITLE} is the most"
    if len(duration) > MAX_DURATION:
        return f"the duration has {len(duration)} characters, {MAX_DURATION} is the most"
    if not link:
        return "no course link"
    if len(link) > MAX_LINK:
        return f"the course link has {len(link)} characters, {MAX_LINK} is the most"
    try:
        _is_web_address(link)
    except ValidationError:
        return "the course link is not a web address (http or https)"
    return ""
