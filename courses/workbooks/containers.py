"""The zip of a workbook, capped by what its XML costs to read: a few bytes can be millions of elements."""

import io
import re
import zipfile
from typing import IO, Any, Final, cast

from courses.workbooks.limits import Limits, UnreadableWorkbook

# No spreadsheet program writes one, and its entities would multiply what is counted here. In UTF-16, too.
_DOCTYPE: Final = re.compile(rb"<\x00?!\x00?D")
_OVERLAP: Final = 4


class Container(zipfile.ZipFile):
    """Counts the elements of what is read. A reader makes an object of each, some hundred bytes large.

    Until `sheets_begin` every part is parsed whole; after it the sheets, row by row. Reading raises UnreadableWorkbook.
    """

    def __init__(self, file: IO[bytes], limits: Limits) -> None:
        super().__init__(file)
        self._limits = limits
        self._most = limits.parsed_elements
        self._seen = 0
        self._whole = True

    def sheets_begin(self) -> None:
        self._whole = False
        self._most = self._limits.sheet_elements
        self._seen = 0

    def open(self, name: Any, *args: Any, **kwargs: Any) -> IO[bytes]:
        size = self.getinfo(name).file_size if isinstance(name, str) else name.file_size
        if self._whole and size > self._limits.parsed_bytes:
            raise UnreadableWorkbook(
                f"The texts of the workbook (or another part) have {size:,} bytes; {self._limits.parsed_bytes:,} bytes"
                " is the most that is read. Split it."
            )
        return cast("IO[bytes]", _Part(super().open(name, *args, **kwargs), self))

    def count(self, chunk: bytes, before: bytes) -> None:
        if _DOCTYPE.search(before + chunk):
            raise UnreadableWorkbook("The file is not an .xlsx workbook, or it is broken.")
        self._seen += chunk.count(b"<") - chunk.count(b"</")
        if self._seen > self._most:
            raise UnreadableWorkbook(
                f"The workbook's {'texts' if self._whole else 'sheets'} have more than {self._most:,} elements, which"
                " is the most that is read. Split it."
            )


class _Part(io.BufferedIOBase):
    def __init__(self, source: IO[bytes], container: Container) -> None:
        self._source, self._container = source, container
        self._end = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        chunk = self._source.read(-1 if size is None else size)
        self._container.count(chunk, self._end)
        self._end = chunk[-_OVERLAP:]
        return chunk

    def close(self) -> None:
        self._source.close()
        super().close()
