"""Reading a catalogue workbook: one sheet per department, headers in the first row that has any. No database here.

Read as a stream, with caps before anything is unpacked, because operators' files come from anywhere. Macros are never
run and formulas never computed: what counts is the value that was saved with the file.
"""

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final
from xml.etree.ElementTree import ParseError

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

MAX_FILE_BYTES: Final = 50 * 2**20
MAX_UNPACKED_BYTES: Final = 256 * 2**20
MAX_PARTS: Final = 5_000
MAX_SHEETS: Final = 250
MAX_ROWS_PER_SHEET: Final = 50_000  # rows with something in them
MAX_BLANK_RUN: Final = 20_000  # blank rows in a row: formatted to the bottom, nothing follows
MAX_COLUMNS: Final = 64
MAX_TITLE: Final = 200
MAX_DURATION: Final = 100
MAX_LINK: Final = 1_000
MAX_DEPARTMENT: Final = 120

_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# "Management (363)", and what Excel leaves of a count when it cuts the name at 31 characters: "Primary (2".
_COUNT = re.compile(r"\s*\(\s*\d*\s*\)?\s*$")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|_x000D_")
_HEADERS: Final = {
    "title": ("coursename", "name", "coursetitle", "title"),
    "link": ("courselink", "link", "courseurl", "url"),
    "description": ("coursecontent", "content", "coursedescription", "description"),
    "curriculum": ("coursecurriculum", "curriculum"),
    "duration": ("courseduration", "duration"),
}
_is_web_address = URLValidator(schemes=["http", "https"])


class UnreadableWorkbook(Exception):
    """The file as a whole is of no use; the message is one line for the operator."""


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
    """What a sheet holds. Without headers it is no part of a catalogue, such as a page of notes."""

    name: str
    department: str
    has_headers: bool = False
    rows: list[CatalogueRow] = field(default_factory=list)
    reported: list[ReportedRow] = field(default_factory=list)

    def report(self, number: int, title: str, why: str) -> None:
        self.reported.append(ReportedRow(self.name, number, title, why))


def department_of_sheet(name: str) -> str:
    """`"Management (363)"` and `"Management (3"` are the department `"Management"`."""
    return " ".join(_COUNT.sub("", name).split())


def read_workbook(path: Path) -> Iterator[Sheet]:
    """Sheet after sheet, each read whole; blank rows are skipped. Raises UnreadableWorkbook."""
    try:
        with path.open("rb") as file:
            _check_container(file)
            yield from _sheets_of(file)
    except OSError as error:
        raise UnreadableWorkbook(f"{path.name} cannot be read: {error.strerror or error}.") from None


def _check_container(file: IO[bytes]) -> None:
    size = file.seek(0, 2)
    file.seek(0)
    start = file.read(len(_OLD_OFFICE))
    file.seek(0)
    if size == 0:
        raise UnreadableWorkbook("The file is empty.")
    if size > MAX_FILE_BYTES:
        raise UnreadableWorkbook(f"The file has {size:,} bytes; {MAX_FILE_BYTES:,} is the most that is read.")
    if start == _OLD_OFFICE:
        raise UnreadableWorkbook(
            "The file is protected by a password or in the old .xls format: save it as a plain .xlsx."
        )
    try:
        with zipfile.ZipFile(file) as container:
            parts = container.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        raise UnreadableWorkbook("The file is not an .xlsx workbook, or it is broken.") from None
    # What the directory declares is also the most that zipfile unpacks, so a lie here cannot grow later.
    unpacked = sum(part.file_size for part in parts)
    if len(parts) > MAX_PARTS or unpacked > MAX_UNPACKED_BYTES:
        raise UnreadableWorkbook(
            f"The file unpacks to {unpacked:,} bytes in {len(parts):,} parts;"
            f" {MAX_UNPACKED_BYTES:,} bytes in {MAX_PARTS:,} parts is the most that is read."
        )
    if any(part.flag_bits & 0x1 for part in parts):
        raise UnreadableWorkbook("The file is protected by a password: save it without one.")


def _sheets_of(file: IO[bytes]) -> Iterator[Sheet]:
    # What openpyxl and the libraries under it raise for files that only look like workbooks.
    broken = (
        InvalidFileException,
        zipfile.BadZipFile,
        ParseError,
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
        IndexError,
        EOFError,
        NotImplementedError,
    )
    file.seek(0)
    try:
        workbook = load_workbook(file, read_only=True, data_only=True, keep_links=False)
    except broken:
        raise UnreadableWorkbook("The file is not an .xlsx workbook, or it is broken.") from None
    try:
        worksheets = workbook.worksheets
        if not worksheets:
            raise UnreadableWorkbook("The workbook has no sheets.")
        if len(worksheets) > MAX_SHEETS:
            raise UnreadableWorkbook(f"The workbook has {len(worksheets)} sheets; {MAX_SHEETS} is the most.")
        for worksheet in worksheets:
            try:
                # The recorded dimensions are often wrong, and a row would be filled up to them.
                worksheet.reset_dimensions()
                sheet = _read_sheet(worksheet.title, worksheet.iter_rows(max_col=MAX_COLUMNS, values_only=True))
            except broken as error:
                raise UnreadableWorkbook(f"The sheet {worksheet.title!r} is broken ({type(error).__name__}).") from None
            yield sheet
    finally:
        workbook.close()


def _read_sheet(name: str, rows: Iterator[tuple[Any, ...]]) -> Sheet:
    sheet = Sheet(name=name, department=department_of_sheet(name))
    columns: dict[str, int] | None = None
    blank_run = 0
    for number, values in enumerate(rows, start=1):
        cells = [_text(value) for value in values]
        if not any(cells):
            blank_run += 1
            if blank_run > MAX_BLANK_RUN:
                break
            continue
        blank_run = 0
        if columns is None:
            columns = _columns(cells)
            if "title" not in columns or "link" not in columns:
                sheet.report(number, "", 'the headers "Course Name" and "Course Link" are not in the first row')
                return sheet
            sheet.has_headers = True
            continue
        if len(sheet.rows) + len(sheet.reported) >= MAX_ROWS_PER_SHEET:
            too_long = f"the sheet has more than {MAX_ROWS_PER_SHEET:,} rows: nothing of it was read"
            return Sheet(name, sheet.department, reported=[ReportedRow(name, number, "", too_long)])
        _read_row(sheet, number, {header: cells[at] if at < len(cells) else "" for header, at in columns.items()})
    if columns is None:
        sheet.report(0, "", "the sheet is empty")
    elif not sheet.department or len(sheet.department) > MAX_DEPARTMENT:
        return Sheet(name, "", reported=[ReportedRow(name, 0, "", "the sheet's name is no name for a department")])
    return sheet


def _read_row(sheet: Sheet, number: int, cells: dict[str, str]) -> None:
    title = " ".join(cells["title"].split())
    link = cells["link"]
    duration = " ".join(cells.get("duration", "").split())
    why = _why_not(title, link, duration)
    if why:
        sheet.report(number, title, why)
        return
    sheet.rows.append(
        CatalogueRow(
            number=number,
            title=title,
            link=link,
            description=cells.get("description", ""),
            curriculum=cells.get("curriculum", ""),
            duration=duration,
        )
    )


def _why_not(title: str, link: str, duration: str) -> str:
    if not title:
        return "no course name"
    if len(title) > MAX_TITLE:
        return f"the course name has {len(title)} characters, {MAX_TITLE} is the most"
    if len(duration) > MAX_DURATION:
        return f"the duration has {len(duration)} characters, {MAX_DURATION} is the most"
    if not link:
        return "no course link"
    try:
        _is_web_address(link)
    except ValidationError:
        return "the course link is not a web address (http or https)"
    return f"the course link has {len(link)} characters, {MAX_LINK} is the most" if len(link) > MAX_LINK else ""


def _columns(headers: list[str]) -> dict[str, int]:
    """Which column holds what; the first of several that match. Case, spaces, dots and a stray ending are forgiven."""
    plain = [re.sub(r"[^a-z]", "", header.lower()) for header in headers]
    columns: dict[str, int] = {}
    for meaning, spellings in _HEADERS.items():
        for at, header in enumerate(plain):
            if header in spellings or (meaning == "curriculum" and "curricul" in header):
                columns[meaning] = at
                break
    return columns


def _text(value: Any) -> str:
    """A cell as people see it: whole numbers without `.0`, lines kept, control characters gone."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = value if isinstance(value, str) else str(value)
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
