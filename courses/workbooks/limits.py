"""How much of a file is read, and what is said when it is too much or no use."""

from dataclasses import dataclass
from typing import IO, Final

MAX_FILE_BYTES: Final = 50 * 2**20
MAX_UNPACKED_BYTES: Final = 256 * 2**20

_OLD_OFFICE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


class UnreadableWorkbook(Exception):
    """The file as a whole is of no use; the message is one line for the operator."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest file that is opened, and the most that a workbook may unpack to, in bytes.

    And what its XML may cost: bytes of any part that is parsed whole (its texts above all), XML elements of all those
    parts together, and elements of all sheets together. A text in a cell is about two elements here and two there.
    """

    file_bytes: int = MAX_FILE_BYTES
    unpacked_bytes: int = MAX_UNPACKED_BYTES
    parsed_bytes: int = 64 * 2**20
    parsed_elements: int = 2_000_000
    sheet_elements: int = 4_000_000


def check_size_and_kind(file: IO[bytes], limits: Limits) -> None:
    """Leaves the file at its beginning. Raises UnreadableWorkbook for an empty, too large or old-format one."""
    size = file.seek(0, 2)
    file.seek(0)
    start = file.read(len(_OLD_OFFICE))
    file.seek(0)
    if size == 0:
        raise UnreadableWorkbook("The file is empty.")
    if size > limits.file_bytes:
        raise UnreadableWorkbook(f"The file has {size:,} bytes; {limits.file_bytes:,} is the most that is read.")
    if start == _OLD_OFFICE:
        raise UnreadableWorkbook(
            "The file is protected by a password or in the old .xls format: save it as a plain .xlsx."
        )
