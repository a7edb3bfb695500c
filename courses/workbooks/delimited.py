"""Reading separated text (.csv, .tsv): encoding and separator found out, quotes that do not balance survived."""

import codecs
import csv
import io
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Final

from courses.workbooks.limits import Limits, UnreadableWorkbook, check_size_and_kind
from courses.workbooks.sheets import (
    HEADER_DEPTH,
    MAX_COLUMNS,
    Sheet,
    SheetReader,
    columns_of,
    department_of_sheet,
    is_header,
)
from learning247.kit.spreadsheets import cell_read, cell_text

MAX_CELL: Final = 1_000_000  # characters; an opening quote without an end would swallow the file
MAX_FAULTS: Final = 100  # rows with broken quotes
_SEPARATORS: Final = (",", ";", "\t")
_SAMPLE: Final = 256 * 1024  # characters in which separator and headers must show
_CHUNK: Final = 2**20
_WINDOWS_NOTE: Final = "is not UTF-8: read as Windows-1252; look at its accented letters, or save it as CSV UTF-8"

Record = list[str] | str  # the cells, or why it cannot be cut into cells


def read_delimited(path: Path, *, department: str = "", seen: Callable[[str], Any], limits: Limits) -> list[Sheet]:
    """The one table of the file; its department is `department`, else the file's name, unless it has a column for it.

    Raises UnreadableWorkbook; OSError when the file cannot be opened.
    """
    named = department or department_of_sheet(path.stem.replace("_", " "))
    rows, note = open_table(path, limits=limits, fit=lambda cells: _fit(columns_of(cells)))
    reader = SheetReader(path.name, named, whole_rows=True, note=note)
    for number, cells in rows:
        seen(path.name)
        if isinstance(cells, str):
            reader.fault(number, cells)
        elif not reader.add(number, cells):
            break
    return reader.sheets()


def open_table(
    path: Path, *, limits: Limits, fit: Callable[[list[str]], int]
) -> tuple[Iterator[tuple[int, Record]], str]:
    """Numbered rows of cell texts, and a note about the encoding or "". Rows are numbered as a spreadsheet shows them.

    `fit` says how well a row serves as headers (0: not at all); the separator that gives the best ones is the file's.
    Raises UnreadableWorkbook, also while the rows are taken; OSError.
    """
    with path.open("rb") as file:
        check_size_and_kind(file, limits)
        encoding = _encoding(file)
    with path.open(encoding=encoding, newline="") as text:
        sample = text.read(_SAMPLE)
    # A tie goes to the first.
    separator = max(_SEPARATORS, key=lambda candidate: _best_headers(sample, candidate, fit))
    return _numbered(path, encoding, separator), _WINDOWS_NOTE if encoding == "cp1252" else ""


def _encoding(file: IO[bytes]) -> str:
    start = file.read(_CHUNK)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        candidates: tuple[str, ...] = ("utf-16",)
    elif start.count(0) * 10 > len(start):
        raise UnreadableWorkbook("The file is not text: save the sheet as CSV UTF-8, or as .xlsx.")
    else:
        candidates = ("utf-8-sig", "cp1252")
    for encoding in candidates:
        if _decodes(file, encoding):
            return encoding
    raise UnreadableWorkbook("The file is neither UTF-8 nor Windows-1252 text: save the sheet as CSV UTF-8.")


def _decodes(file: IO[bytes], encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    file.seek(0)
    try:
        while chunk := file.read(_CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _best_headers(sample: str, separator: str, fit: Callable[[list[str]], int]) -> int:
    best = filled = 0
    try:
        for cells in _records(io.StringIO(sample, newline=""), separator):
            if isinstance(cells, str) or not any(cells):
                continue
            best, filled = max(best, fit([cell_text(cell) for cell in cells])), filled + 1
            if filled == HEADER_DEPTH:
                break
    except UnreadableWorkbook:
        pass  # hopeless with this separator; what was found before counts
    return best


def _fit(columns: dict[str, int]) -> int:
    return len(columns) if is_header(columns) else 0


def _numbered(path: Path, encoding: str, separator: str) -> Iterator[tuple[int, Record]]:
    with path.open(encoding=encoding, newline="") as text:
        for number, cells in enumerate(_records(text, separator), start=1):
            if isinstance(cells, str):
                yield number, cells
            else:
                yield number, [cell_read(cell) for cell in cells[:MAX_COLUMNS]]


def _records(lines: Iterator[str], separator: str) -> Iterator[Record]:
    """Records as cells. Where quotes do not balance, the line that opens them is a fault and reading goes on below it.

    Raises UnreadableWorkbook when that happens too often.
    """
    csv.field_size_limit(MAX_CELL)
    again: deque[str] = deque()
    taken: list[str] = []
    faults = 0

    def feed() -> Iterator[str]:
        while True:
            line = again.popleft() if again else next(lines, None)
            if line is None:
                return
            taken.append(line)
            yield line

    reader = csv.reader(feed(), delimiter=separator, strict=True)
    while True:
        taken.clear()
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error:
            faults += 1
            if faults > MAX_FAULTS:
                raise UnreadableWorkbook(
                    f"The quotation marks of more than {MAX_FAULTS} rows do not balance: save the sheet as CSV again."
                ) from None
            again.extendleft(reversed(taken[1:]))
            reader = csv.reader(feed(), delimiter=separator, strict=True)
            yield 'a quotation mark is not closed, or not doubled inside the cell ("")'
