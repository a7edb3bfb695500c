"""Cells of spreadsheets: the text that people see in one, and a way to write it that no program takes for a formula."""

import re
from typing import Any

# What XML or PostgreSQL cannot hold, and how Excel writes a carriage return.
_DROPPED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]|_x000D_")
# Blanks too: some programs drop them and look at what comes then. Full-width signs are signs in East Asia.
_RISKY = re.compile(r"'*[\t\r\n=+\-@＝＋－＠]")


def cell_text(value: Any) -> str:
    """Whole numbers without `.0`, lines kept (as `\\n`), control characters and outer blanks gone.

    The same again changes nothing.
    """
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = value if isinstance(value, str) else str(value)
    while True:
        cleaned = _DROPPED.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
        if cleaned == text:
            return cleaned
        text = cleaned  # dropping a piece may have joined what stood around it to another


def line_text(value: Any) -> str:
    """The same on one line, with single blanks."""
    return " ".join(cell_text(value).split())


def guarded(text: str) -> str:
    """With an apostrophe before what a spreadsheet would run as a formula; `unguarded` takes it off again."""
    return f"'{text}" if _RISKY.match(text) else text


def unguarded(text: str) -> str:
    """Without the apostrophe that guards a formula's first character; any other apostrophe stays."""
    return text[1:] if text.startswith("'") and _RISKY.match(text) else text


def cell_read(value: Any) -> str:
    """The text of a cell that may have been written by `guarded`."""
    return cell_text(unguarded(cell_text(value)))
