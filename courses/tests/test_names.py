"""When two names are the same: one rule for courses and one for departments, wherever names meet."""

from pathlib import Path

import pytest

from courses.models import Course, Department
from courses.selectors.exports import namesakes, shelves
from courses.services.catalogue import catalogue_import
from courses.services.departments import department_ensure

HEADER = "Department,Course Name,Course Link\n"
SAME = pytest.mark.parametrize(
    ("first", "second", "courses"),
    [
        ("Straße", "STRASSE", 2),
        ("İlk yardım", "ilk yardım", 1),
        ("  Contract  law", "CONTRACT Law ", 1),
        ("Contract law", "Contractlaw", 2),
        ("École", "éCOLE", 1),
    ],
)


def line(title: str, at: str) -> str:
    return f"Law,{title},https://classroom.example.com/{at}\n"


@SAME
@pytest.mark.django_db
def test_in_one_sheet(tmp_path: Path, first: str, second: str, courses: int) -> None:
    (tmp_path / "law.csv").write_text(HEADER + line(first, "a") + line(second, "b"))

    (sheet,) = catalogue_import(path=tmp_path).sheets

    assert (sheet.outcome.created, len(sheet.outcome.repeated)) == (courses, 2 - courses)
    assert Course.objects.count() == courses


@SAME
@pytest.mark.django_db
def test_in_two_sheets_of_one_department(tmp_path: Path, first: str, second: str, courses: int) -> None:
    (tmp_path / "a.csv").write_text(HEADER + line(first, "a"))
    (tmp_path / "b.csv").write_text(HEADER + line(second, "b"))

    done, again = catalogue_import(path=tmp_path), catalogue_import(path=tmp_path)

    assert [sheet.outcome.created for sheet in done.sheets] == [1, courses - 1]
    assert [sheet.outcome.unchanged for sheet in again.sheets] == [1, courses - 1]
    for report in (done, again):
        assert [row.why for sheet in report.sheets for row in sheet.reported] == [
            "the sheet 'a.csv' names this course too, and counts"
        ] * (2 - courses)
    assert Course.objects.count() == courses


@pytest.mark.django_db
def test_a_department_is_one_wherever_it_is_named(tmp_path: Path) -> None:
    department = department_ensure(name="Straße  und Verkehr")
    (tmp_path / "a.csv").write_text(
        f"{HEADER}STRASSE und VERKEHR,Roads,https://classroom.example.com/a\n"
        f" strasse und verkehr ,Rails,https://classroom.example.com/b\n"
    )

    (sheet,) = catalogue_import(path=tmp_path).sheets

    assert sheet.outcome.created == 2
    assert Department.objects.get() == department
    ((name, courses),) = shelves(names=["strasse UND verkehr"])
    assert (name, sorted(course[0] for course in courses)) == ("Straße  und Verkehr", ["Rails", "Roads"])
    Department.objects.create(name="STRASSE UND VERKEHR", slug="strasse-2")
    assert namesakes() == [("Straße  und Verkehr", "STRASSE UND VERKEHR")]
