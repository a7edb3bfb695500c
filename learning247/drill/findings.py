"""What a drill found, and the table of all of it."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One promise, what it must be, what was seen, and whether that is the same."""

    what: str
    wanted: str
    seen: str
    holds: bool


def found(what: str, *, wanted: object, seen: object) -> Finding:
    """A promise that holds where both are equal."""
    return Finding(what, _text(wanted), _text(seen), wanted == seen)


def measured(what: str, seen: str) -> Finding:
    """A number that promises nothing."""
    return Finding(what, "", seen, True)


def table(findings: Sequence[tuple[str, Finding]]) -> str:
    """One line for each finding, with the drill that it is of."""
    rows = [("drill", "what", "must be", "was", "")] + [
        (drill, finding.what, finding.wanted, finding.seen, "ok" if finding.holds else "NOT SO")
        for drill, finding in findings
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def _text(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
