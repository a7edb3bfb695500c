"""What an operator points at: a workbook, a separated text, or a directory of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from django.utils.text import slugify

from courses.models import Department
from courses.workbooks.delimited import open_table, read_delimited
from courses.workbooks.excel import read_workbook
from courses.workbooks.limits import Limits, UnreadableWorkbook
from courses.workbooks.sheets import ReportedRow, Sheet
from learning247.kit.lengths import longest
from learning247.kit.spreadsheets import line_text

DEPARTMENTS_FILE: Final = "departments.csv"
MAX_DEPARTMENT_TEXT: Final = longest(Department, "description")
_TEXT_ENDINGS: Final = frozenset({".csv", ".tsv", ".txt"})
_ENDINGS: Final = frozenset({".csv", ".tsv", ".xlsx", ".xlsm"})
_ZIP: Final = b"PK\x03\x04"
_NAME: Final = frozenset({"name", "department", "department name"})
_DESCRIPTION: Final = frozenset({"description", "department description"})
_ANY_LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class DepartmentText:
    """A row of `departments.csv`. Numbered as a spreadsheet shows it."""

    number: int
    name: str
    description: str


def read_catalogue(
    path: Path, *, seen: Callable[[str], Any] = lambda where: None, limits: Limits = _ANY_LIMITS
) -> Iterator[Sheet]:
    """Sheet after sheet of a file, or of every .csv, .tsv, .xlsx and .xlsm of a directory in the order of their names.

    `seen` is called for each row with where it stands. In a directory a file of no use is reported as row 0 of itself
    (`Sheet.unreadable`) and the others are read; alone it raises UnreadableWorkbook.
    """
    if not path.is_dir():
        yield from _read_file(path, seen=seen, limits=limits)
        return
    files = _files_of(path)
    if not files:
        raise UnreadableWorkbook(f"The directory {path.name} holds no .csv or .xlsx file.")
    names = _names_by_slug(path, limits)
    for at, file in enumerate(files, start=1):
        try:
            for sheet in _read_file(
                file,
                seen=lambda where, at=at: seen(f"{where}, file {at}/{len(files)}"),  # type: ignore[misc]
                limits=limits,
                department=names.get(slugify(file.stem.replace("_", " ")), ""),
            ):
                yield sheet if sheet.name == file.name else _renamed(sheet, f"{file.name}: {sheet.name}")
        except UnreadableWorkbook as error:
            yield Sheet(file.name, "", reported=[ReportedRow(file.name, 0, "", str(error))], unreadable=True)


def read_department_texts(
    path: Path, *, limits: Limits = _ANY_LIMITS
) -> tuple[list[DepartmentText], list[ReportedRow]]:
    """What `departments.csv` in the directory `path` says of departments, and its bad rows; nothing without that file.

    Its columns are name and description. Raises UnreadableWorkbook.
    """
    file = path / DEPARTMENTS_FILE
    if not file.is_file():
        return [], []
    found: list[DepartmentText] = []
    reported: list[ReportedRow] = []
    columns: dict[str, int] = {}
    rows, _ = _open(file, limits)
    for number, cells in rows:
        if isinstance(cells, str):
            reported.append(ReportedRow(file.name, number, "", cells))
        elif not any(cells):
            continue
        elif not columns:
            columns = _department_columns(cells)
            if len(columns) < 2:
                raise UnreadableWorkbook(f'{file.name} does not begin with the headers "name" and "description".')
        else:
            name, text = (cells[at] if at < len(cells) else "" for at in (columns["name"], columns["description"]))
            if len(text) > MAX_DEPARTMENT_TEXT:
                why = f"the description has {len(text)} characters, {MAX_DEPARTMENT_TEXT:,} is the most"
                reported.append(ReportedRow(file.name, number, line_text(name), why))
            elif name and text:
                found.append(DepartmentText(number, line_text(name), text))
    return found, reported


def _read_file(path: Path, *, seen: Callable[[str], Any], limits: Limits, department: str = "") -> Iterator[Sheet]:
    try:
        # A workbook is one under any name; a text has to say so.
        if path.suffix.lower() in _TEXT_ENDINGS and not _is_zip(path):
            yield from read_delimited(path, department=department, seen=seen, limits=limits)
        else:
            yield from read_workbook(path, seen=seen, limits=limits)
    except OSError as error:
        raise UnreadableWorkbook(f"{path.name} cannot be read: {error.strerror or error}.") from None


def _is_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_ZIP)) == _ZIP


def _files_of(directory: Path) -> list[Path]:
    try:
        entries = sorted(directory.iterdir(), key=lambda entry: entry.name)
    except OSError as error:
        raise UnreadableWorkbook(f"{directory.name} cannot be read: {error.strerror or error}.") from None
    # "~$law.xlsx" is what Excel leaves beside an open workbook.
    return [
        entry
        for entry in entries
        if entry.suffix.lower() in _ENDINGS
        and entry.is_file()
        and entry.name != DEPARTMENTS_FILE
        and not entry.name.startswith((".", "~$"))
    ]


def _names_by_slug(directory: Path, limits: Limits) -> dict[str, str]:
    """`health-and-safety.csv` is the department "Health and Safety" when `departments.csv` names that."""
    texts, _ = read_department_texts(directory, limits=limits)
    return {slugify(text.name): text.name for text in texts}


def _renamed(sheet: Sheet, name: str) -> Sheet:
    sheet.name = name
    sheet.reported = [replace(row, sheet=name) for row in sheet.reported]
    return sheet


def _open(file: Path, limits: Limits) -> Any:
    try:
        return open_table(file, limits=limits, fit=lambda cells: len(_department_columns(cells)))
    except OSError as error:
        raise UnreadableWorkbook(f"{file.name} cannot be read: {error.strerror or error}.") from None


def _department_columns(cells: list[str]) -> dict[str, int]:
    plain = [line_text(cell).casefold() for cell in cells]
    columns = {}
    for meaning, spellings in (("name", _NAME), ("description", _DESCRIPTION)):
        at = next((at for at, header in enumerate(plain) if header in spellings), None)
        if at is not None:
            columns[meaning] = at
    return columns
