"""Bringing a workbook in: what comes in, what is reported, and files that are no workbooks."""

import csv
import io
import os
import re
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from accounts.tests.builders import build_creator
from courses.admin.imports import UPLOAD_LIMITS
from courses.models import Course, Department
from courses.services.sheets import sheet_import
from courses.tests.builders import build_course, build_department, build_enrollment
from courses.workbooks import CatalogueRow, Sheet, UnreadableWorkbook, department_of_sheet, read_catalogue
from learning247.kit.money import Money
from learning247.records.models import AuditEntry
from payments.models import Price, Product

HEADERS = ("SL.", "Course Name", "Course Link", "Course Content", "Course Curriculumn", "Course Duration")
WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE)")
Rows = Sequence[Sequence[Any]]
Write = Callable[[dict[str, Rows]], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a workbook of sheets, each a list of rows with its header, and says where."""

    def write_workbook(sheets: dict[str, Rows]) -> Path:
        workbook = Workbook()
        workbook.remove(workbook.worksheets[0])
        for name, rows in sheets.items():
            worksheet = workbook.create_sheet(name)
            for row in rows:
                worksheet.append(list(row))
        path = tmp_path / "catalogue.xlsx"
        workbook.save(path)
        return path

    return write_workbook


def run(path: Path, *arguments: str) -> list[str]:
    out = io.StringIO()
    call_command("import_courses", str(path), *arguments, stdout=out)
    return out.getvalue().splitlines()


def row(title: Any, link: Any = "https://classroom.example.com/a", *texts: Any) -> tuple[Any, ...]:
    return (1.0, title, link, *texts)


@pytest.mark.parametrize(
    ("sheet", "department"),
    [
        ("Management (363)", "Management"),
        ("Sales(250)", "Sales"),
        ("Teaching & Academics Primary(25", "Teaching & Academics Primary"),
        ("Accounting & Finance Primary (2", "Accounting & Finance Primary"),
        ("Accounting and Finance Primary (", "Accounting and Finance Primary"),
        ("Law", "Law"),
        ("  Health   and Safety(392)  ", "Health and Safety"),
        ("Maths (advanced)", "Maths (advanced)"),
    ],
)
def test_a_sheet_names_its_department_without_the_count(sheet: str, department: str) -> None:
    assert department_of_sheet(sheet) == department


@pytest.mark.django_db
def test_rows_become_platform_courses_on_sale_at_the_default_prices(write: Write) -> None:
    path = write(
        {
            "Law (2)": [
                (*HEADERS, None, " "),
                row(
                    " Contract   Law ",
                    "https://classroom.example.com/c",
                    "Paper.",
                    "Module 1\r\nModule 2",
                    3.0,
                ),
                (None, "  "),
                row("Torts", "http://classroom.example.com/t"),
            ]
        }
    )

    said = run(path)

    assert said[-1] == (
        "2 rows came in: 2 courses created, 0 updated, 0 unchanged, 0 rows repeated a name. 0 rows were reported."
    )
    course = Course.objects.get(title="Contract Law")
    assert (course.department.name, course.department.slug, course.creator, course.status) == (
        "Law",
        "law",
        None,
        "published",
    )
    assert (course.link, course.description, course.curriculum, course.duration) == (
        "https://classroom.example.com/c",
        "Paper.",
        "Module 1\nModule 2",
        "3",
    )
    product = course.product
    assert (product.kind, product.item_id, product.title, product.seller, product.active) == (
        "course",
        course.id,
        "Contract Law",
        None,
        True,
    )
    assert list(product.prices.values_list("currency", "amount_minor")) == [("NGN", 2_500_000), ("USD", 3_000)]


@pytest.mark.django_db
def test_headers_are_matched_without_case_spaces_and_order(write: Write) -> None:
    path = write(
        {
            "Law": [
                ("COURSE LINK ", "course  name", "Duration", "Course curriculum"),
                ("https://classroom.example.com/t", "Torts", "2 hours", "Module 01"),
            ]
        }
    )

    run(path)

    course = Course.objects.get()
    assert (course.title, course.link, course.duration, course.curriculum, course.description) == (
        "Torts",
        "https://classroom.example.com/t",
        "2 hours",
        "Module 01",
        "",
    )


@pytest.mark.django_db
def test_each_bad_row_is_reported_with_sheet_row_and_reason_and_the_good_ones_come_in(
    write: Write, tmp_path: Path
) -> None:
    path = write(
        {
            "Law (6)": [
                HEADERS,
                row("No link", None),
                row(None),
                row("Torts"),
                row("=cmd|'/c calc'!A1", "not a link"),
                row("Script", "javascript:alert(1)"),
                row("x" * 201),
                row("Slow", "https://classroom.example.com/s", "", "", "y" * 101),
            ],
            "Notes": [("Remember to call the printer",)],
            "Blank": [],
        }
    )
    report = tmp_path / "report.csv"

    said = run(path, "--report", str(report))

    assert [line for line in said if line.startswith("reported")] == [
        "reported: Law (6), row 2: no course link (No link)",
        "reported: Law (6), row 3: no course name",
        "reported: Law (6), row 5: the course name is a formula that was saved without its value: open the file in a"
        " spreadsheet program and save it",
        "reported: Law (6), row 6: the course link is not a web address (http or https) (Script)",
        f"reported: Law (6), row 7: the course name has 201 characters, 200 is the most ({'x' * 201})",
        "reported: Law (6), row 8: the duration has 101 characters, 100 is the most (Slow)",
        'reported: Notes, row 0: the headers "Course Name" and "Course Link" are not in the first 10 rows',
        "reported: Blank, row 0: the sheet is empty",
    ]
    assert [course.title for course in Course.objects.all()] == ["Torts"]
    assert [department.name for department in Department.objects.all()] == ["Law"]
    with report.open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.reader(file))
    assert lines[:2] == [
        ["sheet", "row", "course name", "outcome", "why"],
        ["Law (6)", "2", "No link", "reported", "no course link"],
    ]
    assert len(lines) == 9


@pytest.mark.django_db
def test_text_that_a_spreadsheet_would_run_is_inert_in_the_report(tmp_path: Path, write: Write) -> None:
    workbook = Workbook()
    worksheet = workbook.worksheets[0]
    worksheet.append(HEADERS)
    worksheet.append(row("x", None))
    worksheet["B2"].value = "@SUM(1+1)"
    path = tmp_path / "formula.xlsx"
    workbook.save(path)

    run(path, "--report", str(tmp_path / "r.csv"))

    assert "'@SUM(1+1)" in (tmp_path / "r.csv").read_text(encoding="utf-8-sig")


@pytest.mark.django_db
def test_the_same_file_again_changes_nothing(write: Write) -> None:
    path = write({"Law": [HEADERS, row("Torts"), row("torts", "https://classroom.example.com/b"), row("Contracts")]})
    run(path)
    before = list(Course.objects.order_by("id").values())

    with CaptureQueriesContext(connection) as statements:
        said = run(path)

    assert said[-1] == (
        "3 rows came in: 0 courses created, 0 updated, 2 unchanged, 1 row repeated a name. 0 rows were reported."
    )
    assert [query["sql"] for query in statements if WRITES.match(query["sql"])] == []
    assert list(Course.objects.order_by("id").values()) == before
    assert (
        Product.objects.filter(kind="course").count(),
        Price.objects.filter(product__kind="course").count(),
        AuditEntry.objects.count(),
    ) == (2, 4, 1)


@pytest.mark.django_db
@pytest.mark.parametrize("title", ["İstanbul", "ΟΔΟΣ", "straße", "Ǆ", "École"])
def test_titles_are_found_again_in_any_alphabet(write: Write, title: str) -> None:
    path = write({"Law": [HEADERS, row(title), row(f"{title} 2")]})

    run(path)

    assert run(path)[-1].startswith("2 rows came in: 0 courses created, 0 updated, 2 unchanged")


@pytest.mark.django_db
def test_a_course_that_differs_in_blanks_and_case_is_found_again(write: Write) -> None:
    law = build_department("Law  and Order")
    course = build_course(title="Contract  LAW ", department=law, description="Paper.\r\n")

    said = run(write({" law AND  order (1)": [HEADERS, row("Contract LAW", course.link, "Paper.")]}))

    assert said[-1].startswith("1 row came in: 0 courses created, 0 updated, 1 unchanged")
    assert [department.name for department in Department.objects.all()] == ["Law  and Order"]
    course.refresh_from_db()
    assert (course.title, course.description) == ("Contract  LAW ", "Paper.\r\n")


@pytest.mark.django_db
def test_what_an_import_changed_is_on_record(write: Write) -> None:
    run(write({"Law": [HEADERS, row("Torts")], "Care": [HEADERS, row("No link", None)]}))
    run(write({"Law": [HEADERS, row("Torts", "https://classroom.example.com/b"), row("Contracts")]}))

    law, torts = Department.objects.get(name="Law"), Course.objects.get(title="Torts")
    links = [{"link": f"https://classroom.example.com/{name}"} for name in ("a", "b")]
    entries = AuditEntry.objects.order_by("id")
    assert [(entry.action, entry.subject_id, entry.before, entry.after) for entry in entries] == [
        (
            "catalogue.imported",
            str(law.id),
            {"courses": 0},
            {"sheet": "Law", "courses": 1, "created": 1, "updated": 0},
        ),
        ("course.changed", str(torts.id), *links),
        (
            "catalogue.imported",
            str(law.id),
            {"courses": 1},
            {"sheet": "Law", "courses": 2, "created": 1, "updated": 1},
        ),
    ]


@pytest.mark.django_db
def test_a_workbook_may_name_departments_in_a_column(write: Write) -> None:
    run(
        write(
            {"Everything": [("Department", "Name", "Link"), ("Law", *row("Torts")[1:]), ("'=Sums", *row("Adding")[1:])]}
        )
    )

    assert sorted(Course.objects.values_list("department__name", "title")) == [("=Sums", "Adding"), ("Law", "Torts")]


@pytest.mark.django_db
def test_a_name_that_repeats_in_a_sheet_is_one_course_and_the_later_row_counts(write: Write) -> None:
    path = write(
        {
            "Law": [
                HEADERS,
                row("Torts", "https://classroom.example.com/old", "Harm.", "Module 01", "1 hour"),
                row(" TORTS", "https://classroom.example.com/new", "", "", "2 hours"),
            ],
            "Care": [HEADERS, row("Torts")],
        }
    )

    said = run(path)

    assert "repeated: Law, row 3: the name of row 2, with another link; the later row counts (TORTS)" in said
    course = Course.objects.get(department__name="Law")
    assert (course.title, course.link, course.description, course.duration) == (
        "TORTS",
        "https://classroom.example.com/new",
        "Harm.",
        "2 hours",
    )
    assert Course.objects.filter(department__name="Care").count() == 1


@pytest.mark.django_db
def test_a_changed_row_changes_its_course_and_nothing_that_staff_decided(write: Write) -> None:
    run(write({"Law": [HEADERS, row("Torts", "https://classroom.example.com/a", "Harm.", "", "1 hour")]}))
    course = Course.objects.get()
    Course.objects.update(status="withdrawn")
    Product.objects.update(active=False)
    Price.objects.filter(currency="NGN").update(amount_minor=1)
    buyer = build_enrollment(course).user

    said = run(write({"Law (1)": [HEADERS, row("TORTS", "https://classroom.example.com/b", "", "Module 01", None)]}))

    assert said[-1].startswith("1 row came in: 0 courses created, 1 updated, 0 unchanged")
    changed = Course.objects.get()
    assert (changed.id, changed.slug, changed.status) == (course.id, course.slug, "withdrawn")
    assert (changed.title, changed.product.title, changed.product.active) == ("TORTS", "TORTS", False)
    assert (changed.link, changed.description, changed.curriculum, changed.duration) == (
        "https://classroom.example.com/b",
        "Harm.",
        "Module 01",
        "1 hour",
    )
    assert sorted(Price.objects.filter(product__kind="course").values_list("currency", "amount_minor")) == [
        ("NGN", 1),
        ("USD", 3_000),
    ]
    assert changed.enrollments.get().user == buyer


@pytest.mark.django_db
def test_a_creators_course_of_the_same_name_is_left_alone(write: Write) -> None:
    theirs = build_course(title="Torts", department=build_department("Law"), creator=build_creator())

    run(write({"Law": [HEADERS, row("Torts", "https://classroom.example.com/b")]}))

    theirs.refresh_from_db()
    assert theirs.link == "https://classroom.example.com/room"
    assert Course.objects.filter(title="Torts").count() == 2


@pytest.mark.django_db
def test_a_dry_run_says_the_same_and_changes_nothing(write: Write) -> None:
    path = write({"Law": [HEADERS, row("Torts"), row("Bad", None)]})

    dry = run(path, "--dry-run")

    assert not Course.objects.exists()
    assert not Department.objects.exists()
    assert not Product.objects.filter(kind="course").exists()
    wet = run(path)
    assert dry == [*wet[:-1], f"Dry run, nothing was changed: {wet[-1]}"]


@pytest.mark.django_db
def test_prices_of_new_courses_can_be_given(write: Write) -> None:
    path = write({"Law": [HEADERS, row("Torts")]})

    run(path, "--prices", "NGN=20000,GBP=12.50")

    assert list(Price.objects.filter(product__kind="course").values_list("currency", "amount_minor")) == [
        ("GBP", 1_250),
        ("NGN", 2_000_000),
    ]
    for wrong in ("cheap", "NGN=1.001", "XXX=1", "NGN=1000,NGN=2000"):
        with pytest.raises(CommandError, match="--prices"):
            run(path, "--prices", wrong)


@pytest.mark.django_db
def test_prices_that_no_gateway_charges_are_refused_before_the_file_is_read(write: Write) -> None:
    path = write({"Law": [HEADERS, row("Torts")]})

    with pytest.raises(CommandError, match=r"--prices NGN=20000,USD=0\.01: The smallest price in USD is"):
        run(path, "--prices", "NGN=20000,USD=0.01")

    assert not Course.objects.exists()
    run(path, "--prices", "NGN=0")
    assert list(Price.objects.filter(product__kind="course").values_list("currency", "amount_minor")) == [("NGN", 0)]


def test_a_sheet_that_fails_leaves_nothing_behind_and_the_others_come_in(committed_db: str, write: Write) -> None:
    # An operator's rows are checked before; a title that PostgreSQL itself refuses shows what the transaction is for.
    good = CatalogueRow(2, "Torts", "https://classroom.example.com/t", "", "", "")
    bad = CatalogueRow(3, "x" * 300, "https://classroom.example.com/x", "", "", "")
    with pytest.raises(Exception, match="too long"):
        sheet_import(sheet=Sheet("Law", "Law", has_headers=True, rows=[good, bad]))

    assert not Course.objects.exists()
    assert not Department.objects.exists()
    assert sheet_import(sheet=Sheet("Care", "Care", has_headers=True, rows=[good])).created == 1


def _encrypted(path: Path) -> None:
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4096))


def _bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as container:
        for number in range(3):
            with container.open(f"xl/worksheets/sheet{number}.xml", "w") as part:
                for _ in range(100):
                    part.write(bytes(2**20))


def _not_a_workbook(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as container:
        container.writestr("hello.txt", "hello")


def _truncated(path: Path) -> None:
    workbook = Workbook()
    workbook.save(path)
    path.write_bytes(path.read_bytes()[:-200])


def _broken_xml(path: Path) -> None:
    workbook = Workbook()
    workbook.worksheets[0].append(HEADERS)
    whole = path.with_suffix(".whole")
    workbook.save(whole)
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(path, "w") as target:
        for part in source.infolist():
            content = source.read(part)
            target.writestr(part.filename, content[: len(content) // 2] if "sheet1" in part.filename else content)


def _entities(path: Path) -> None:
    """Ten levels of ten: ten thousand million characters, if anybody unfolds them."""
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 11))
    sheet = f'<!DOCTYPE x [<!ENTITY e0 "lol">{levels}]><worksheet><sheetData>&e10;</sheetData></worksheet>'
    whole = path.with_suffix(".whole")
    Workbook().save(whole)
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(path, "w") as target:
        for part in source.infolist():
            target.writestr(part, sheet if "sheet1" in part.filename else source.read(part))


def _binary_workbook(path: Path) -> None:
    whole = path.with_suffix(".whole")
    Workbook().save(whole)
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(path, "w") as target:
        for part in source.infolist():
            target.writestr(part.filename.replace("workbook.xml", "workbook.bin"), bytes(64))


def _no_headers(path: Path) -> None:
    workbook = Workbook()
    workbook.worksheets[0].append(["some", "other", "table"])
    workbook.save(path)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "cannot be read: No such file"),
        (lambda path: path.mkdir(), "holds no .csv or .xlsx file"),
        (lambda path: path.touch(), "The file is empty."),
        (lambda path: path.write_text("Course Name;Course Link"), "is not an .xlsx workbook, or it is broken"),
        (_encrypted, "protected by a password or in the old .xls format"),
        (_bomb, "unpacks to 314,572,800 bytes"),
        (_not_a_workbook, "is not an .xlsx workbook, or it is broken"),
        (_truncated, "is not an .xlsx workbook, or it is broken"),
        (_broken_xml, "The sheet 'Sheet' is broken"),
        (_entities, "is not an .xlsx workbook, or it is broken"),
        (_binary_workbook, "is not an .xlsx workbook, or it is broken"),
        (_no_headers, "No sheet has the headers of a catalogue"),
    ],
)
def test_a_file_of_no_use_is_refused_in_one_line(tmp_path: Path, make: Callable[[Path], Any], message: str) -> None:
    path = tmp_path / "catalogue.xlsx"
    make(path)

    with pytest.raises(CommandError, match=message) as refused:
        run(path)

    assert "\n" not in str(refused.value)
    assert not Course.objects.exists()
    assert not Department.objects.exists()


@pytest.mark.django_db
def test_a_row_of_formulas_without_values_and_of_errors_is_reported_as_that(write: Write) -> None:
    path = write(
        {
            "Law": [
                ("Course Name", "Course Link", "Course Content"),
                ('=CONCAT("a","b")', '=CONCAT("c","d")'),
                ("Torts", "https://classroom.example.com/t", "=1+1"),
                ("#REF!", "https://classroom.example.com/t"),
                ("Contracts", "https://classroom.example.com/c", "plain"),
            ]
        }
    )
    saved = "is a formula that was saved without its value: open the file in a spreadsheet program and save it"

    assert [line for line in run(path) if line.startswith("reported")] == [
        f"reported: Law, row 2: the course name {saved}",
        f"reported: Law, row 3: the course content {saved} (Torts)",
        "reported: Law, row 4: the course name is the error #REF! (#REF!)",
    ]
    assert [course.title for course in Course.objects.all()] == ["Contracts"]


@pytest.mark.django_db
def test_of_formulas_that_were_calculated_the_value_counts(tmp_path: Path, write: Write) -> None:
    whole = write({"Law": [HEADERS, row("=1+1"), row("Torts")]})
    path = tmp_path / "calculated.xlsx"
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(path, "w") as target:
        for part in source.infolist():
            content = source.read(part)
            target.writestr(
                part,
                content.replace(b"<v></v>", b"<v>2</v>").replace(b"<v/>", b"<v>2</v>").replace(b"<v />", b"<v>2</v>"),
            )

    run(path)

    assert sorted(course.title for course in Course.objects.all()) == ["2", "Torts"]


@pytest.mark.django_db
def test_a_workbook_with_macros_gives_its_values(tmp_path: Path, write: Write) -> None:
    whole = write({"Law": [HEADERS, row("Torts")]})
    path = tmp_path / "catalogue.xlsm"
    macro = b"application/vnd.ms-excel.sheet.macroEnabled.main+xml"
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(path, "w") as target:
        for part in source.infolist():
            plain = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
            target.writestr(part, source.read(part).replace(plain, macro))
        target.writestr("xl/vbaProject.bin", b"\xd0\xcf\x11\xe0 not even a real one")

    run(path)

    assert [course.title for course in Course.objects.all()] == ["Torts"]


@pytest.mark.property
@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=8),
    kept=st.one_of(st.just(1.0), st.floats(0.5, 1)),
)
def test_a_damaged_workbook_is_read_or_refused_and_nothing_else(
    tmp_path: Path, write: Write, changes: list[tuple[float, int]], kept: float
) -> None:
    whole = bytearray(write({"Law": [HEADERS, row("Torts"), row("=1+1")], "Care": [HEADERS]}).read_bytes())
    for where, byte in changes:
        whole[int(where * len(whole))] = byte
    path = tmp_path / "damaged.xlsx"
    path.write_bytes(whole[: int(kept * len(whole))])

    _read_or_refused(path)


@pytest.mark.property
@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    part=st.sampled_from(
        [
            "[Content_Types].xml",
            "xl/workbook.xml",
            "xl/worksheets/sheet1.xml",
            "xl/styles.xml",
            "xl/_rels/workbook.xml.rels",
        ]
    ),
    where=st.floats(0, 1),
    rubbish=st.sampled_from([b"", b"<", b"9", b"x", b"-1", b"</a>", b"1e400", b"&amp;", b'"', b"\xff"]),
    gone=st.integers(0, 12),
)
def test_a_workbook_with_a_damaged_part_is_read_or_refused_and_nothing_else(
    tmp_path: Path, write: Write, part: str, where: float, rubbish: bytes, gone: int
) -> None:
    whole = write({"Law": [HEADERS, row("Torts"), row("=1+1")]})
    path = tmp_path / "damaged.xlsx"
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == part:
                at = int(where * len(content))
                content = content[:at] + rubbish + content[at + gone :]
            target.writestr(name, content)

    _read_or_refused(path)


def _read_or_refused(path: Path) -> None:
    try:
        sheets = list(read_catalogue(path))
    except UnreadableWorkbook as refusal:
        assert "\n" not in str(refusal)
    else:
        assert all(isinstance(sheet, Sheet) for sheet in sheets)


def test_a_file_over_the_cap_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.xlsx"
    with path.open("wb") as file:
        file.truncate(100 * 2**20)

    with pytest.raises(UnreadableWorkbook, match="The file has 104,857,600 bytes; 52,428,800 is the most"):
        list(read_catalogue(path))


def test_a_sheet_formatted_down_to_the_bottom_is_read_to_its_last_row(tmp_path: Path) -> None:
    workbook = Workbook()
    worksheet = workbook.worksheets[0]
    worksheet.append(HEADERS)
    worksheet.append(row("Torts"))
    worksheet.cell(row=1_048_576, column=1).value = " "
    path = tmp_path / "tall.xlsx"
    workbook.save(path)

    (sheet,) = read_catalogue(path)

    assert [found.title for found in sheet.rows] == ["Torts"]


def _with_part(path: Path, name: str, content: str | None, *rows: Any) -> None:
    """A saved workbook of these rows in which one part is another, or (None) is not there."""
    workbook = Workbook()
    for cells in (HEADERS, *rows):
        workbook.worksheets[0].append(cells)
    workbook.create_sheet("Law").append(HEADERS)
    whole = path.with_suffix(".whole")
    workbook.save(whole)
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for part in source.infolist():
            if part.filename == "[Content_Types].xml" and name == "xl/sharedStrings.xml":
                target.writestr(part, source.read(part).replace(b"</Types>", SHARED_STRINGS + b"</Types>"))
            elif part.filename != name:
                target.writestr(part, source.read(part))
        if content is not None:
            target.writestr(name, content)


SHARED_STRINGS = (
    b'<Override PartName="/xl/sharedStrings.xml" ContentType='
    b'"application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml" />'
)
SPREADSHEET = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


@pytest.mark.parametrize(
    ("part", "content", "message"),
    [
        ("xl/sharedStrings.xml", f"<sst {SPREADSHEET}>{'<si/>' * 6_000_000}</sst>", "texts have more than 200,000"),
        ("xl/sharedStrings.xml", f"<sst {SPREADSHEET}><si>{'<r/>' * 300_000}</si></sst>", "texts have more than"),
        (
            "xl/sharedStrings.xml",
            f"<sst {SPREADSHEET}><si><t>{'a' * 40_000_000}</t></si></sst>",
            "have 40,000,093 bytes; 33,554,432 bytes is the most",
        ),
        ("xl/styles.xml", f"<styleSheet {SPREADSHEET}>{'<font/>' * 300_000}</styleSheet>", "texts have more than"),
        (
            "xl/worksheets/sheet1.xml",
            f"<worksheet {SPREADSHEET}><sheetData>{'<c/>' * 1_200_000}</sheetData></worksheet>",
            "have more than 200,000",
        ),
        (
            "xl/sharedStrings.xml",
            f'<!DOCTYPE sst [<!ENTITY a "{"<si/>" * 1_000}">]><sst {SPREADSHEET}>{"&a;" * 1_000}</sst>',
            "is not an .xlsx workbook",
        ),
    ],
    ids=["texts", "runs in one text", "one long text", "styles", "cells", "entities"],
)
def test_a_small_file_of_millions_of_elements_is_refused_before_they_are_objects(
    tmp_path: Path, part: str, content: str, message: str
) -> None:
    path = tmp_path / "catalogue.xlsx"
    _with_part(path, part, content, row("Torts"))
    assert path.stat().st_size < 1_000_000

    with pytest.raises(UnreadableWorkbook, match=message):
        list(read_catalogue(path, limits=UPLOAD_LIMITS))


def test_cells_that_never_end_a_row_are_counted_too(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.xlsx"
    cells = "<c/>" * 1_200_000
    sheet = f"<worksheet {SPREADSHEET}><dimension ref='A1'/><sheetData><row>{cells}</row></sheetData></worksheet>"
    _with_part(path, "xl/worksheets/sheet1.xml", sheet)

    with pytest.raises(UnreadableWorkbook, match="sheets have more than 1,000,000"):
        list(read_catalogue(path, limits=UPLOAD_LIMITS))


def test_five_times_the_texts_of_a_real_catalogue_are_within_the_consoles_limits(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.xlsx"
    texts = "".join(f"<si><t>Text {number}</t></si>" for number in range(45_000))
    _with_part(path, "xl/sharedStrings.xml", f"<sst {SPREADSHEET}>{texts}</sst>", *[row(str(n)) for n in range(4_000)])

    sheet, _ = read_catalogue(path, limits=UPLOAD_LIMITS)

    assert (len(sheet.rows), sheet.reported) == (4_000, [])


@pytest.mark.django_db
def test_a_sheet_that_is_listed_and_not_there_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.xlsx"
    _with_part(path, "xl/worksheets/sheet2.xml", None, row("Torts"))

    sheets = list(read_catalogue(path))

    assert [(found.sheet, found.number, found.why) for sheet in sheets for found in sheet.reported] == [
        ("Law", 0, "the workbook lists this sheet and does not hold it: save it again in a spreadsheet program")
    ]
    assert run(path)[-1] == (
        "1 row came in: 1 course created, 0 updated, 0 unchanged, 0 rows repeated a name. 1 row was reported."
    )
    assert set(Department.objects.values_list("name", flat=True)) == {"Sheet"}


@pytest.mark.django_db
def test_the_catalogue_that_operators_really_have_comes_in() -> None:
    path = Path(os.environ.get("SPECS_DIR", "/nowhere")) / ".." / "data" / "catalogue.xlsx"
    if not path.exists():
        pytest.skip("SPECS_DIR is not set, or there is no catalogue beside it")

    first, second = run(path), run(path)

    assert first[-1] == (
        "3234 rows came in: 3193 courses created, 0 updated, 0 unchanged, 41 rows repeated a name."
        " 314 rows were reported."
    )
    assert second[-1] == (
        "3234 rows came in: 0 courses created, 0 updated, 3193 unchanged, 41 rows repeated a name."
        " 314 rows were reported."
    )
    assert (
        Department.objects.count(),
        Course.objects.count(),
        Price.objects.filter(product__kind="course").count(),
    ) == (24, 3193, 6386)
    assert Course.objects.filter(department__name="Management").count() == 317
    assert set(Price.objects.filter(product__kind="course").values_list("currency", "amount_minor").distinct()) == {
        ("NGN", Money(2_500_000, "NGN").minor),
        ("USD", 3_000),
    }


@pytest.mark.django_db
def test_a_new_department_is_named_once_also_in_a_dry_run(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Department,Course Name,Course Link\nLaw,Torts,https://classroom.example.com/a\n")
    (tmp_path / "b.csv").write_text("Department,Course Name,Course Link\nLAW,Wills,https://classroom.example.com/b\n")

    for arguments in (["--dry-run"], []):
        assert [line for line in run(tmp_path, *arguments) if "new department" in line] == ["new department: Law"]
    assert [line for line in run(tmp_path) if "new department" in line] == []
    assert Department.objects.count() == 1
