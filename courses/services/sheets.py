"""Bringing a sheet of a catalogue in: platform-owned courses, found again by department and title."""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from django.db import transaction

from accounts.models import User
from courses.enums import CourseStatus
from courses.locks import courses_lock, import_turn_lock
from courses.models import Course, Department
from courses.names import course_keys
from courses.services.courses import course_slug
from courses.services.departments import department_by_name, department_ensure
from courses.workbooks import CatalogueRow, Sheet
from learning247.kit.clock import now
from learning247.kit.ids import new_id
from learning247.kit.money import Money
from learning247.kit.spreadsheets import cell_text, line_text
from learning247.records.services.audit import audit_record, audit_record_each
from payments.enums import ProductKind
from payments.models import Price, Product

# What a platform course costs unless its sheet is brought in at other prices. GBP and EUR are set by staff.
DEFAULT_PRICES: Final = (Money(2_500_000, "NGN"), Money(3_000, "USD"))
BATCH: Final = 500
T = TypeVar("T")
# Course -> its texts before and after.
Changes = dict[uuid.UUID, tuple[dict[str, str], dict[str, str]]]
# Each text of a course, and how what is stored looks in a cell.
_TEXTS: Final = {
    "title": line_text,
    "description": cell_text,
    "curriculum": cell_text,
    "duration": line_text,
    "link": cell_text,
}


@dataclass(frozen=True, slots=True)
class RepeatedRow:
    """A row whose name stood in the sheet before. The later row is the one that counts."""

    number: int
    earlier: int
    title: str
    other_link: bool


@dataclass(slots=True)
class SheetOutcome:
    """What a sheet has changed, in courses; `repeated` rows are in none of the three counts."""

    department: str
    new_department: bool = False
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    repeated: list[RepeatedRow] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Rows that came in."""
        return self.created + self.updated + self.unchanged + len(self.repeated)


@transaction.atomic(durable=True)
def sheet_import(
    *,
    sheet: Sheet,
    prices: Sequence[Money] = DEFAULT_PRICES,
    dry_run: bool = False,
    actor: User | None = None,
    reason: str = "",
) -> SheetOutcome:
    """Bring the good rows of one sheet in, all or none of them. Audited when a course was created or changed, and of
    each one that was changed, from what to what.

    A new course is published at `prices`. One that is there already, by department and title, takes over the texts
    that the sheet has and that differ; a blank cell leaves what is stored, and price, status and slug stay, because
    staff may have changed them. So the same sheet again writes nothing. When a name repeats inside the sheet, the
    rows speak of one course and the later one wins. `dry_run` does all of it and rolls back.

    A sheet with headers alone, or whose rows are all reported, still names its department.

    Imports take turns (an advisory lock). Whoever edits a course that differs waits until the sheet is in; buyers are
    never kept waiting, for the locks are weaker than what the key of an enrollment needs. Every course that will
    be written is locked, in one order, before the first write: no row of a course is waited for after that.
    """
    import_turn_lock()
    outcome = SheetOutcome(sheet.department)
    if sheet.has_headers:
        outcome.new_department = department_by_name(sheet.department) is None
        department = department_ensure(name=sheet.department)
        before = Course.objects.filter(department=department).count()
        changed = _import_rows(department, sheet.rows, prices, outcome)
        audit_record_each(actor=actor, action="course.changed", subject_kind="course", reason=reason, changes=changed)
        if outcome.created or outcome.updated:
            audit_record(
                actor=actor,
                action="catalogue.imported",
                subject_kind="department",
                subject_id=department.id,
                reason=reason,
                before={"courses": before},
                after={
                    "courses": before + outcome.created,
                    "sheet": sheet.name,
                    "created": outcome.created,
                    "updated": outcome.updated,
                },
            )
    if dry_run:
        transaction.set_rollback(True)
    return outcome


def _import_rows(
    department: Department, rows: Sequence[CatalogueRow], prices: Sequence[Money], outcome: SheetOutcome
) -> Changes:
    changed: Changes = {}
    wanted = _merged(rows, outcome)
    stored = _stored_ids(department)
    row_of = {stored[key]: row for key, row in wanted.items() if key in stored}
    differing = _differing(row_of)
    still_there = set(courses_lock(differing))
    for ids in _batches(sorted(still_there)):
        changed |= _update(ids, row_of)
    outcome.updated = len(changed)
    outcome.unchanged += len(row_of) - len(differing) + len(still_there) - outcome.updated
    erased = set(differing) - still_there
    fresh = [row for key, row in wanted.items() if key not in stored or stored[key] in erased]
    for batch in _batches(fresh):
        _create(department, batch, prices)
    outcome.created += len(fresh)
    return changed


def _merged(rows: Sequence[CatalogueRow], outcome: SheetOutcome) -> dict[str, CatalogueRow]:
    """One row per name, by its key: the last one, with what it leaves blank taken from the ones before."""
    merged: dict[str, CatalogueRow] = {}
    for key, row in zip(course_keys([row.title for row in rows]), rows, strict=True):
        earlier = merged.setdefault(key, row)
        if earlier is not row:
            outcome.repeated.append(RepeatedRow(row.number, earlier.number, row.title, row.link != earlier.link))
            merged[key] = replace(
                row,
                description=row.description or earlier.description,
                curriculum=row.curriculum or earlier.curriculum,
                duration=row.duration or earlier.duration,
            )
    return merged


def _stored_ids(department: Department) -> dict[str, uuid.UUID]:
    """The department's platform courses by key."""
    courses = Course.objects.filter(department=department, creator__isnull=True)
    found = list(courses.order_by("id").values_list("id", "title"))
    stored: dict[str, uuid.UUID] = {}
    for key, (course_id, _) in zip(course_keys([title for _, title in found]), found, strict=True):
        stored.setdefault(key, course_id)
    return stored


def _differing(row_of: dict[uuid.UUID, CatalogueRow]) -> list[uuid.UUID]:
    """Which courses the rows would change, in the order in which they are locked."""
    differing = []
    for ids in _batches(sorted(row_of)):
        courses = Course.objects.filter(id__in=ids).only(*_TEXTS).order_by("id")
        differing += [course.id for course in courses if _differences(course, row_of[course.id])]
    return differing


def _differences(course: Course, row: CatalogueRow) -> dict[str, str]:
    """The row's texts that are not the course's. What is stored counts as it looks in a cell, so that a text that a
    cell cannot hold (a control character, blanks at its end) is not changed by being exported and imported."""
    return {
        name: text
        for name, in_cell in _TEXTS.items()
        if (text := getattr(row, name)) and text != in_cell(getattr(course, name))
    }


def _update(ids: Sequence[uuid.UUID], row_of: dict[uuid.UUID, CatalogueRow]) -> Changes:
    """Put the rows' texts into locked courses; says what really differed, now that nobody else can change them."""
    changed, retitled = [], []
    changes: Changes = {}
    for course in Course.objects.filter(id__in=ids).select_related("product").order_by("id"):
        differences = _differences(course, row_of[course.id])
        if not differences:
            continue
        changes[course.id] = {name: getattr(course, name) for name in differences}, differences
        for name, text in differences.items():
            setattr(course, name, text)
        course.updated_at = now()
        changed.append(course)
        if course.product.title != course.title:
            course.product.title = course.title
            retitled.append(course.product)
    Course.objects.bulk_update(changed, [*_TEXTS, "updated_at"])
    Product.objects.bulk_update(retitled, ["title"])
    return changes


def _batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]


def _create(department: Department, rows: Sequence[CatalogueRow], prices: Sequence[Money]) -> None:
    courses = []
    for row in rows:
        course_id = new_id()
        product = Product(kind=ProductKind.COURSE, item_id=course_id, title=row.title, seller=None, active=True)
        courses.append(
            Course(
                id=course_id,
                slug=course_slug(row.title, course_id),
                department=department,
                product=product,
                status=CourseStatus.PUBLISHED,
                **{name: getattr(row, name) for name in _TEXTS},
            )
        )
    products = [course.product for course in courses]
    Product.objects.bulk_create(products)
    Price.objects.bulk_create(
        [
            Price(product=product, currency=price.currency, amount_minor=price.minor)
            for product in products
            for price in prices
        ]
    )
    Course.objects.bulk_create(courses)
