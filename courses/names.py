"""When two names are the same: what an import finds again, and what would be imported as one."""

from collections.abc import Sequence

from django.db import connection

from learning247.kit.spreadsheets import line_text


def course_keys(titles: Sequence[str]) -> list[str]:
    """For each title, what is equal where two name the same course of a department: case and blanks do not count.

    The database says what case is (one query for all): its idea decides in the unique index, and Python's is another,
    which has "Straße" for "STRASSE" and takes "İ" apart.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT lower(title) FROM unnest(%s::text[]) WITH ORDINALITY AS given (title, at) ORDER BY at",
            [[line_text(title) for title in titles]],
        )
        return [key for (key,) in cursor.fetchall()]


def department_key(name: str) -> str:
    """What is equal where two names are one department's: case and blanks do not count.

    No index decides here, so Python's idea of case holds, which needs no database while a file is read.
    """
    return line_text(name).casefold()
