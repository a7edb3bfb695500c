"""Taking the catalogue out, and in again: nothing changes."""

import csv
import io
import os
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from accounts.tests.builders import build_creator
from courses.enums import CourseStatus
from courses.models import Course, Department
from courses.selectors import exports
from courses.tests.builders import build_course, build_department
from courses.workbooks import CatalogueRow, read_catalogue
from courses.workbooks.writing import sheet_name, write_delimited, write_workbook
from learning247.kit.spreadsheets import cell_text, line_text
from learning247.records.models import AuditEntry
from payments.models import Price, Product

LINK = "https://classroom.example.com/room"
FORMATS = pytest.mark.parametrize("ending", [".xlsx", ".csv"])
# Whatever a database can hold: no NUL, no lone surrogates.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)
ODD = st.one_of(
    TEXTS,
    st.builds(str.__add__, st.sampled_from(["=", "+", "-", "@", "'", "''=", "'@", "\t=", "＝"]), TEXTS),
    st.sampled_from(["_x000D_", "_x0_x000D_00D_", "\r\n", "a\rb", '"', ",;\t", "1.0", "TRUE", "2026-01-02", "</t>&"]),
)


def export(path: Path | str, *arguments: str) -> list[str]:
    out = io.StringIO()
    call_command("export_courses", str(path), *arguments, stdout=out)
    return out.getvalue().splitlines()


def bring_in(path: Path) -> str:
    out = io.StringIO()
    call_command("import_courses", str(path), stdout=out)
    return out.getvalue().splitlines()[-1]


def everything() -> list[Any]:
    return [list(model.objects.order_by("pk").values()) for model in (Course, Department, Product, Price, AuditEntry)]


@FORMATS
@pytest.mark.django_db
def test_an_export_brought_in_again_writes_nothing(tmp_path: Path, ending: str) -> None:
    law = build_department("Law")
    build_course(
        title="=Torts",
        department=law,
        description="- one\n- two",
        curriculum=' "Module", 1;\n\n Module 2\x0b ',
        duration="+3  hours",
    )
    build_course(title="İstanbul,  a  city", department=law, duration="2")
    build_course(title="Torts", department=build_department("Management (2)"))
    build_course(title="Torts", department=build_department("Care: old / new, and everything between them [sic]"))
    build_course(title="Torts", department=build_department("=Sums"))
    before = everything()
    path = tmp_path / f"catalogue{ending}"

    assert export(path) == [f"5 courses were written to {path}."]
    with CaptureQueriesContext(
        connection,
    ) as statements:
        said = bring_in(path)

    assert said == (
        "5 rows came in: 0 courses created, 0 updated, 5 unchanged, 0 rows repeated a name. 0 rows were reported."
    )
    assert everything() == before
    writes = ("INSERT", "UPDATE", "DELETE")
    assert [query["sql"] for query in statements if query["sql"].lstrip().upper().startswith(writes)] == []


@pytest.mark.django_db
def test_a_workbook_has_a_sheet_per_department_with_the_usual_headers(tmp_path: Path) -> None:
    course = build_course(title="Torts", department=build_department("Law"), description="@harm", duration="1 hour")
    build_course(title="Listening", department=build_department("Care (2)"))
    build_department("Empty")
    path = tmp_path / "catalogue.xlsx"

    export(path)

    workbook = load_workbook(path)
    assert workbook.sheetnames == ["Care (2)", "Law"]
    headers = ("Course Name", "Course Link", "Course Content", "Course Curriculum", "Course Duration")
    assert list(workbook["Law"].values) == [headers, ("Torts", course.link, "'@harm", None, "1 hour")]
    # "Care (2)" would be read as "Care", with a count.
    assert list(workbook["Care (2)"].values) == [
        (*headers, "Department"),
        ("Listening", LINK, None, None, None, "Care (2)"),
    ]


@pytest.mark.django_db
def test_what_is_exported_can_be_chosen(tmp_path: Path) -> None:
    law, care = build_department("Law"), build_department("Social Care")
    build_course(title="Torts", department=law)
    build_course(title="Draft", department=law, status=CourseStatus.DRAFT)
    build_course(title="Gone", department=care, status=CourseStatus.WITHDRAWN)
    build_course(title="Theirs", department=law, creator=build_creator())
    header = "Department,Course Name,Course Link,Course Content,Course Curriculum,Course Duration"

    assert export("-") == [header, f"Law,Torts,{LINK},,,"]
    assert export("-", "--all") == [
        header,
        f"Law,Torts,{LINK},,,",
        f"Law,Draft,{LINK},,,",
        f"Social Care,Gone,{LINK},,,",
    ]
    assert export("-", "--all", "--department", "social-care") == [header, f"Social Care,Gone,{LINK},,,"]
    assert export("-", "--department", "LAW", "--department", "Social Care") == [header, f"Law,Torts,{LINK},,,"]
    with pytest.raises(CommandError, match="There is no department 'Magic'"):
        export("-", "--department", "Magic")


@pytest.mark.django_db
def test_courses_come_in_batches_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    law = build_department("Law")
    for number in range(5):
        build_course(title=f"Course {number}", department=law)
    monkeypatch.setattr(exports, "BATCH", 2)

    with CaptureQueriesContext(connection) as statements:
        ((_, courses),) = exports.shelves()
        titles = [course[0] for course in courses]

    assert titles == [f"Course {number}" for number in range(5)]
    assert len(statements) == 5  # the departments, the last row, three batches


@pytest.mark.django_db
def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    build_course(department=build_department("Law"))
    old = tmp_path / "catalogue.csv"
    old.write_text("the old one")

    with pytest.raises(CommandError, match=r"ends in \.xlsx or \.csv"):
        export(tmp_path / "catalogue.pdf")
    with pytest.raises(CommandError, match="cannot be written: No such file"):
        export(tmp_path / "nowhere" / "catalogue.csv")
    with pytest.raises(CommandError, match="There is no department"):
        export(old, "--department", "Magic")
    Department.objects.create(name="LAW ", slug="law-2")
    with pytest.raises(CommandError, match="The departments 'Law' and 'LAW ' would be imported as one"):
        export(old)

    assert [entry.name for entry in tmp_path.iterdir()] == ["catalogue.csv"]
    assert old.read_text() == "the old one"


@pytest.mark.django_db
def test_a_text_that_no_cell_of_a_workbook_holds_is_left_blank_and_named(tmp_path: Path) -> None:
    course = build_course(title="Torts", department=build_department("Law"), description="é" * 32_768)
    path, errors = tmp_path / "catalogue.xlsx", io.StringIO()

    call_command("export_courses", str(path), stdout=io.StringIO(), stderr=errors)

    assert errors.getvalue() == (
        "left blank: Law, Torts: Course Content is longer than a cell of a workbook; a .csv holds it.\n"
    )
    assert bring_in(path).startswith("1 row came in: 0 courses created, 0 updated, 1 unchanged")
    course.refresh_from_db()
    assert len(course.description) == 32_768


def test_names_of_sheets_are_what_excel_takes_and_no_two_alike() -> None:
    taken: set[str] = set()

    names = [
        sheet_name(department, taken)
        for department in ("Law", "LAW", "a/b\\c:d*e?f[g]", "'Quoted'", "x" * 40, "x" * 41, "😀" * 20, "???", "History")
    ]

    assert names == [
        "Law",
        "LAW ~2",
        "a b c d e f g",
        "Quoted",
        "x" * 31,
        f"{'x' * 28} ~2",
        "😀" * 15,
        "Department",
        "History ~2",
    ]


@FORMATS
@pytest.mark.property
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    department=ODD.filter(lambda name: 0 < len(line_text(name)) < 100),
    titles=st.lists(ODD.filter(line_text), min_size=1, max_size=5),
    texts=st.tuples(ODD, ODD, ODD),
)
def test_odd_texts_go_out_and_come_in_the_same(
    tmp_path: Path, ending: str, department: str, titles: list[str], texts: tuple[str, str, str]
) -> None:
    path = tmp_path / f"catalogue{ending}"
    shelf = (department, [(title, LINK, *texts) for title in titles])

    if ending == ".csv":
        with path.open("w", newline="", encoding="utf-8-sig") as file:
            write_delimited(file, [shelf])
    else:
        assert write_workbook(path, [shelf]) == []
    (sheet,) = read_catalogue(path)

    assert (sheet.department, sheet.reported) == (line_text(department), [])
    assert sheet.rows == [
        CatalogueRow(number, line_text(title), LINK, cell_text(texts[0]), cell_text(texts[1]), line_text(texts[2]))
        for number, title in enumerate(titles, start=2)
    ]


@FORMATS
@pytest.mark.django_db
def test_the_catalogue_that_operators_really_have_goes_out_and_comes_in_the_same(tmp_path: Path, ending: str) -> None:
    given_path = Path(os.environ.get("SPECS_DIR", "/nowhere")) / ".." / "data" / "catalogue.xlsx"
    if not given_path.exists():
        pytest.skip("SPECS_DIR is not set, or there is no catalogue beside it")
    bring_in(given_path)
    before = everything()
    path = tmp_path / f"catalogue{ending}"

    export(path)

    assert bring_in(path) == (
        "3193 rows came in: 0 courses created, 0 updated, 3193 unchanged, 0 rows repeated a name. 0 rows were reported."
    )
    assert everything() == before


@pytest.mark.django_db
def test_the_report_and_the_export_guard_the_same_texts(tmp_path: Path) -> None:
    build_course(title="'=twice", department=build_department("Law"))

    (_, row) = csv.reader(io.StringIO("\n".join(export("-"))))

    assert row[1] == "''=twice"
