"""Reading an .xlsx or .xlsm workbook, as a stream, with caps before anything is unpacked.

Macros are never run and formulas never computed: what counts is the value that was saved with the file.
"""

import lzma
import re
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from itertools import repeat
from pathlib import Path
from typing import IO, Any, Final
from xml.etree.ElementTree import ParseError

from openpyxl import Workbook
from openpyxl.reader.excel import ExcelReader
from openpyxl.utils.exceptions import InvalidFileException

from courses.workbooks.containers import Container
from courses.workbooks.limits import Limits, UnreadableWorkbook, check_size_and_kind
from courses.workbooks.sheets import MAX_COLUMNS, NOT_CALCULATED, Sheet, SheetReader, department_of_sheet
from learning247.kit.spreadsheets import cell_read

MAX_PARTS: Final = 5_000
MAX_SHEETS: Final = 250
# What it does not support (validations, styles) is nothing that a catalogue needs.
warnings.filterwarnings("ignore", category=UserWarning, module="openpyxl")

_CHUNK: Final = 2**20
_NO_WORKBOOK: Final = "The file is not an .xlsx workbook, or it is broken."
_FORMULA = re.compile(rb"<(?:[\w.-]+:)?f[\s/>]")
# What openpyxl and the libraries under it raise for files that only look like workbooks.
_BROKEN: Final = (
    InvalidFileException,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    ParseError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)


def read_workbook(path: Path, *, seen: Callable[[str], Any], limits: Limits) -> Iterator[Sheet]:
    """Sheet after sheet, each read whole; `seen` is called for each row with where it stands.

    Raises UnreadableWorkbook; OSError when the file cannot be opened.
    """
    with ExitStack() as opened:
        file = opened.enter_context(path.open("rb"))
        _check_container(file, limits)
        workbook, missing = _open(file, opened, limits, data_only=True)
        formulas = None
        if _has_formulas(file):
            formulas, _ = _open(opened.enter_context(path.open("rb")), opened, limits, data_only=False)
        for name in missing:
            yield _lost(name)
        names = [worksheet.title for worksheet in workbook.worksheets]
        if not names:
            raise UnreadableWorkbook("The workbook has no sheets.")
        if len(names) > MAX_SHEETS:
            raise UnreadableWorkbook(f"The workbook has {len(names)} sheets; {MAX_SHEETS} is the most.")
        for at, name in enumerate(names):
            yield from _read_sheet(workbook, formulas, at, partial(seen, f"{name}, sheet {at + 1}/{len(names)}"))


def _check_container(file: IO[bytes], limits: Limits) -> None:
    check_size_and_kind(file, limits)
    try:
        with zipfile.ZipFile(file) as container:
            parts = container.infolist()
    except _BROKEN:
        raise UnreadableWorkbook(_NO_WORKBOOK) from None
    # What the directory declares is also the most that zipfile unpacks, so a lie here cannot grow later.
    unpacked = sum(part.file_size for part in parts)
    if len(parts) > MAX_PARTS or unpacked > limits.unpacked_bytes:
        raise UnreadableWorkbook(
            f"The file unpacks to {unpacked:,} bytes in {len(parts):,} parts;"
            f" {limits.unpacked_bytes:,} bytes in {MAX_PARTS:,} parts is the most that is read."
        )
    if any(part.flag_bits & 0x1 for part in parts):
        raise UnreadableWorkbook("The file is protected by a password: save it without one.")


def _open(file: IO[bytes], opened: ExitStack, limits: Limits, *, data_only: bool) -> tuple[Workbook, list[str]]:
    """The workbook, and the names of sheets that it lists and does not hold; the library passes over those."""
    file.seek(0)
    try:
        container = opened.enter_context(Container(file, limits))
        reader = ExcelReader(file, read_only=True, data_only=data_only, keep_vba=False, keep_links=False)
        reader.archive = container
        reader.read()
        container.sheets_begin()
        missing = [sheet.name for sheet, part in reader.parser.find_sheets() if part.target not in reader.valid_files]
    except _BROKEN:
        raise UnreadableWorkbook(_NO_WORKBOOK) from None
    return reader.wb, missing


def _lost(name: str) -> Sheet:
    sheet = Sheet(name, department_of_sheet(name))
    sheet.report(0, "", "the workbook lists this sheet and does not hold it: save it again in a spreadsheet program")
    return sheet


def _has_formulas(file: IO[bytes]) -> bool:
    """Whether any sheet may have one: only then are the sheets read a second time, for the formulas themselves."""
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as container:
            for part in container.infolist():
                if "worksheets/" not in part.filename:
                    continue
                with container.open(part) as content:
                    end = b""
                    while chunk := content.read(_CHUNK):
                        if _FORMULA.search(end + chunk):
                            return True
                        end = chunk[-64:]
    except _BROKEN:
        raise UnreadableWorkbook(_NO_WORKBOOK) from None
    return False


def _read_sheet(workbook: Workbook, formulas: Workbook | None, at: int, seen: Callable[[], Any]) -> list[Sheet]:
    name = workbook.worksheets[at].title
    reader = SheetReader(name, department_of_sheet(name))
    saved = repeat(()) if formulas is None else _rows(formulas, at)
    for number, (values, sources) in enumerate(zip(_rows(workbook, at), saved, strict=False), start=1):
        seen()
        cells = [cell_read(value) for value in values]
        for column, source in enumerate(sources[: len(cells)]):
            if source is not None and values[column] is None:
                cells[column] = NOT_CALCULATED
        if not reader.add(number, cells):
            break
    return reader.sheets()


def _rows(workbook: Workbook, at: int) -> Iterator[tuple[Any, ...]]:
    worksheet = workbook.worksheets[at]
    try:
        # The recorded dimensions are often wrong, and a row would be filled up to them.
        worksheet.reset_dimensions()
        yield from worksheet.iter_rows(max_col=MAX_COLUMNS, values_only=True)
    except _BROKEN as error:
        raise UnreadableWorkbook(f"The sheet {worksheet.title!r} is broken ({type(error).__name__}).") from None
