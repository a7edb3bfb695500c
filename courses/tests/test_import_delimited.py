"""Bringing separated text in, alone and by the directory: encodings, separators, quotes, rubbish."""

import csv
import io
import shutil
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from courses.models import Course, Department
from courses.tests.builders import build_department
from courses.workbooks import Sheet, UnreadableWorkbook, read_catalogue
from courses.workbooks.delimited import MAX_FAULTS

HEADER = "Course Name,Course Link,Course Content,Course Curriculum,Course Duration\r\n"
LINK = "https://classroom.example.com/a"


def run(path: Path, *arguments: str) -> list[str]:
    out = io.StringIO()
    call_command("import_courses", str(path), *arguments, stdout=out)
    return out.getvalue().splitlines()


def read(path: Path) -> Sheet:
    (sheet,) = read_catalogue(path)
    return sheet


@pytest.mark.django_db
def test_a_text_is_the_department_that_its_name_says(tmp_path: Path) -> None:
    path = tmp_path / "Health_and_Safety (2).csv"
    path.write_text(f'{HEADER}First Aid,{LINK},"Cuts, burns","Module 1\r\nModule 2",3 hours\r\nFire,{LINK}\r\n')

    said = run(path)

    assert said[-1] == (
        "2 rows came in: 2 courses created, 0 updated, 0 unchanged, 0 rows repeated a name. 0 rows were reported."
    )
    course = Course.objects.get(title="First Aid")
    assert (course.department.name, course.link, course.description, course.curriculum, course.duration) == (
        "Health and Safety",
        LINK,
        "Cuts, burns",
        "Module 1\nModule 2",
        "3 hours",
    )


@pytest.mark.django_db
def test_a_column_of_departments_makes_one_text_many_departments(tmp_path: Path) -> None:
    care = build_department("Social  Care")
    path = tmp_path / "all.csv"
    path.write_text(
        f"Department,Course Name,Course Link\nLaw,Torts,{LINK}\nsocial care,Listening,{LINK}\n"
        f"LAW,Contracts,{LINK}\n,Lost,{LINK}\n{'x' * 121},Long,{LINK}\nLaw,No link,\n"
    )

    said = run(path)

    assert sorted(Course.objects.values_list("department__name", "title")) == [
        ("Law", "Contracts"),
        ("Law", "Torts"),
        ("Social  Care", "Listening"),
    ]
    assert Course.objects.get(title="Listening").department == care
    assert [line for line in said if line.startswith("reported")] == [
        "reported: all.csv, row 5: no department (Lost)",
        "reported: all.csv, row 6: the department has 121 characters, 120 is the most (Long)",
        "reported: all.csv, row 7: no course link (No link)",
    ]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_separator_and_encoding_are_found_out(tmp_path: Path, separator: str, encoding: str) -> None:
    path = tmp_path / "cafe.csv"
    cells = ("Café, crème; thé\tnoir", LINK, 'He said "hi", twice;\nthen – left')
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=separator)
        writer.writerow(("Our courses, 2026", "", ""))
        writer.writerow(())
        writer.writerow(("Course Name", "Course Link", "Course Content"))
        writer.writerow(cells)

    sheet = read(path)

    assert [(row.number, row.title, row.link, row.description) for row in sheet.rows] == [
        (4, "Café, crème; thé noir", LINK, cells[2])
    ]
    assert sheet.reported == []
    assert sheet.note == (
        "is not UTF-8: read as Windows-1252; look at its accented letters, or save it as CSV UTF-8"
        if encoding == "cp1252"
        else ""
    )


@pytest.mark.django_db
def test_the_operator_is_told_that_a_text_was_read_as_windows_1252(tmp_path: Path) -> None:
    path = tmp_path / "law.csv"
    path.write_bytes(f"{HEADER}Procédure,{LINK}\n".encode("cp1252"))

    said = run(path)

    assert (
        "note: law.csv is not UTF-8: read as Windows-1252; look at its accented letters, or save it as CSV UTF-8"
    ) in said
    assert Course.objects.get().title == "Procédure"


@pytest.mark.parametrize(
    "headers",
    [
        "COURSE NAMES;Course Link ;contents;Course Curriculumn;Course Duration:",
        "SL.;Course link (URL);Duration;course_name;Course-Content;Remarks;Course Curriculums*",
        "Title;URL;Description;The Curriculum;Durations",
    ],
)
def test_headers_are_matched_without_case_punctuation_plural_endings_and_order(tmp_path: Path, headers: str) -> None:
    path = tmp_path / "law.csv"
    written = {"n": "Torts", "l": LINK, "c": "Harm.", "u": "Module 1", "d": "1 hour"}
    meaning = {"title": "n", "course_name": "n", "course names": "n", "url": "l", "description": "c", "contents": "c"}
    order = [
        meaning.get(header.lower().strip())
        or next(
            (
                key
                for word, key in (("link", "l"), ("content", "c"), ("curri", "u"), ("dura", "d"))
                if word in header.lower()
            ),
            "",
        )
        for header in headers.split(";")
    ]
    path.write_text(f"{headers}\n{';'.join(written.get(key, '7') for key in order)}\n")

    (row,) = read(path).rows

    assert (row.title, row.link, row.description, row.curriculum, row.duration) == (
        "Torts",
        LINK,
        "Harm.",
        "Module 1",
        "1 hour",
    )


def test_headers_stand_at_most_ten_rows_down(tmp_path: Path) -> None:
    path = tmp_path / "law.csv"
    path.write_text("\n\n" + "about this list,\n" * 9 + f"{HEADER}Torts,{LINK}\n")
    assert [row.title for row in read(path).rows] == ["Torts"]

    path.write_text("about this list,\n" * 10 + f"{HEADER}Torts,{LINK}\n")
    assert [row.why for row in read(path).reported] == [
        'the headers "Course Name" and "Course Link" are not in the first 10 rows'
    ]


def test_a_quote_that_is_not_closed_costs_its_row_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "law.csv"
    path.write_text(
        f'{HEADER}Torts,{LINK},"never closed\nContracts,{LINK},"one\ntwo"\n"He said "no" again",{LINK}\n'
        f'Pipes of 5",{LINK},plain\nEvidence,{LINK},"open to the end\n'
    )

    sheet = read(path)

    assert [(row.number, row.title, row.description) for row in sheet.rows] == [
        (3, "Contracts", "one\ntwo"),
        (5, 'Pipes of 5"', "plain"),
    ]
    assert [(row.number, row.why) for row in sheet.reported] == [
        (number, 'a quotation mark is not closed, or not doubled inside the cell ("")') for number in (2, 4, 6)
    ]


def test_rows_of_other_lengths_are_filled_or_reported(tmp_path: Path) -> None:
    path = tmp_path / "law.csv"
    path.write_text(f"{HEADER}Short,{LINK}\nLong,{LINK},a,b,c,d\nTrailing,{LINK},a,b,c,,,\n")

    sheet = read(path)

    assert [(row.title, row.duration) for row in sheet.rows] == [("Short", ""), ("Trailing", "c")]
    assert [(row.number, row.why) for row in sheet.reported] == [
        (3, "6 cells under 5 headers: put quotes around a cell that holds the separator")
    ]


def test_nul_bytes_and_other_control_characters_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / "law.csv"
    path.write_bytes(f"{HEADER}To\x00rts\x07,{LINK},a\x0bb\n".encode())

    (row,) = read(path).rows

    assert (row.title, row.description) == ("Torts", "ab")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "The file is empty."),
        (bytes(range(256)) * 64, "neither UTF-8 nor Windows-1252"),
        (b"\x89PNG\r\n\x1a\n" + bytes(4096), "The file is not text"),
        (b"\xff\xfe\x00\xd8\x00\xd8", "neither UTF-8 nor Windows-1252"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), "old .xls format"),
        (b"PK\x03\x04 and no more", "not an .xlsx workbook, or it is broken"),
        (b"Course Name,Course Link\n" + b'a,"b\n' * (MAX_FAULTS + 1), "quotation marks of more than 100 rows"),
        (b"x" * 3_000_000, "No sheet has the headers of a catalogue"),
        (b"\n" * 2_000_000, "No sheet has the headers of a catalogue"),
        (b'"' * 3_000_001, "No sheet has the headers of a catalogue"),
    ],
)
@pytest.mark.django_db
def test_a_text_of_no_use_is_refused_in_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "law.csv"
    path.write_bytes(content)

    with pytest.raises(CommandError, match=message) as refused:
        run(path)

    assert "\n" not in str(refused.value)
    assert not Course.objects.exists()
    assert not Department.objects.exists()


def test_a_text_over_the_cap_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "law.csv"
    with path.open("wb") as file:
        file.truncate(100 * 2**20)

    with pytest.raises(UnreadableWorkbook, match="The file has 104,857,600 bytes; 52,428,800 is the most"):
        read(path)


def test_more_text_than_a_sheet_may_hold_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("courses.workbooks.sheets.MAX_CHARACTERS_PER_SHEET", 100)
    path = tmp_path / "law.csv"
    path.write_text(f"{HEADER}Torts,{LINK},{'x' * 40}\nContracts,{LINK},{'x' * 40}\n")

    sheet = read(path)

    assert (sheet.rows, sheet.has_headers) == ([], False)
    assert [row.why for row in sheet.reported] == ["the sheet has more than 100 characters: nothing of it was read"]


@pytest.mark.django_db
def test_a_directory_brings_every_file_in_and_describes_departments_that_have_no_description(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    report = tmp_path_factory.mktemp("reports") / "report.csv"
    build_department("Care", description="Written by staff.")
    (tmp_path / "law-order.csv").write_text(f"{HEADER}Torts,{LINK}\n")
    (tmp_path / "care.csv").write_text(f"{HEADER}Listening,{LINK}\n")
    (tmp_path / "broken.xlsx").write_bytes(b"PK\x03\x04")
    (tmp_path / "~$law.xlsx").write_bytes(b"lock")
    (tmp_path / "notes.md").write_text("no catalogue")
    (tmp_path / "departments.csv").write_text(
        'Name;Description\nLaw & Order;"The courts; and the police."\nCare;Of people.\nLaw & Order;\n'
        f"Nobody;Never.\nLong;{'x' * 2001}\n"
    )

    with pytest.raises(CommandError, match="A file could not be read"):
        run(tmp_path, "--report", str(report))

    assert list(Department.objects.order_by("name").values_list("name", "slug", "description")) == [
        ("Care", "care", "Written by staff."),
        ("Law & Order", "law-order", "The courts; and the police."),
    ]
    assert sorted(Course.objects.values_list("department__name", "title")) == [
        ("Care", "Listening"),
        ("Law & Order", "Torts"),
    ]
    with report.open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file))[1:] == [
            ["broken.xlsx", "0", "", "reported", "The file is not an .xlsx workbook, or it is broken."],
            ["departments.csv", "6", "Long", "reported", "the description has 2001 characters, 2,000 is the most"],
            ["departments.csv", "5", "", "reported", "there is no department 'Nobody'"],
        ]


@pytest.mark.django_db
def test_a_report_is_not_written_over_or_among_what_is_imported(tmp_path: Path) -> None:
    path = tmp_path / "law.csv"
    path.write_text(f"{HEADER}Torts,{LINK}\n")

    for file, report in ((path, path), (tmp_path, tmp_path / "report.csv")):
        with pytest.raises(CommandError, match="put it elsewhere"):
            run(file, "--report", str(report))
    with pytest.raises(CommandError, match=r"The report cannot be written to .*: No such file or directory"):
        run(path, "--report", str(tmp_path / "nowhere" / "report.csv"))

    assert [entry.name for entry in tmp_path.iterdir()] == ["law.csv"]
    assert path.read_text().endswith(f"Torts,{LINK}\n")
    assert not Course.objects.exists()


@pytest.mark.django_db
def test_when_two_files_of_a_department_name_a_course_the_first_counts_also_the_second_time(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"Department,Course Name,Course Link\nLaw,Torts,{LINK}\n")
    (tmp_path / "law.csv").write_text(f"{HEADER}TORTS,https://classroom.example.com/b\nContracts,{LINK}\n")

    first, second = run(tmp_path), run(tmp_path)

    assert "reported: law.csv, row 2: the sheet 'a.csv' names this course too, and counts (TORTS)" in first
    assert first[-1].startswith("2 rows came in: 2 courses created")
    assert second[-1].startswith("2 rows came in: 0 courses created, 0 updated, 2 unchanged")
    assert Course.objects.get(title="Torts").link == LINK


@pytest.mark.django_db
def test_our_own_catalogue_comes_in_whole(tmp_path: Path) -> None:
    shipped = Path(__file__).parent.parent / "catalogue"
    shutil.copytree(shipped, tmp_path / "catalogue")

    said = run(tmp_path / "catalogue")

    assert Department.objects.filter(description="").count() == 0
    assert Department.objects.count() == len(list(shipped.glob("*.csv"))) - 1
    assert Course.objects.count() >= 1_000
    assert said[-1].endswith("0 rows repeated a name. 0 rows were reported.")
