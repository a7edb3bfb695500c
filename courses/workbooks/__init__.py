"""A catalogue as files: workbooks (.xlsx, .xlsm) and separated text (.csv, .tsv), read and written. No database here.

One sheet, or one text file, is one department; with a column "Department" it may be many. What is written here is read
here to the same texts.
"""

from courses.workbooks.limits import Limits, UnreadableWorkbook
from courses.workbooks.sheets import CatalogueRow, ReportedRow, Sheet, department_of_sheet
from courses.workbooks.sources import DepartmentText, read_catalogue, read_department_texts

__all__ = [
    "CatalogueRow",
    "DepartmentText",
    "Limits",
    "ReportedRow",
    "Sheet",
    "UnreadableWorkbook",
    "department_of_sheet",
    "read_catalogue",
    "read_department_texts",
]
