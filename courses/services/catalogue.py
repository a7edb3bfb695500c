"""Bringing a sheet of a catalogue in: platform-owned courses, found again by department and title."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from django.db import connection, transaction
from django.db.models.functions import Lower

from courses.enums import CourseStatus
from courses.models import Course, Department
from courses.services.courses import course_slug
from courses.services.departments import department_ensure
from courses.workbooks import CatalogueRow, Sheet
from learning247.kit.clock import now
from learning247.kit.ids import new_id
from learning247.kit.locks import bound_lock_wait
from learning247.kit.money import Money
from payments.enums import ProductKind
from payments.models import Price, Product

# What a platform course costs unless its sheet is brought in at other prices. GBP and EUR are set by staff.
DEFAULT_PRICES: Final = (Money(2_500_000, "NGN"), Money(3_000, "USD"))
BATCH: Final = 500
_IMPORT_LOCK: Final = 0x1EA247_01
_TEXTS: Final = ("title", "description", "curriculum", "duration", "link")


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
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    repeated: list[RepeatedRow] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Rows that came in."""
        return self.created + self.updated + self.unchanged + len(self.repeated)


def title_key(title: str) -> str:
    """What makes two titles the same: case and spaces do not count."""
    return " ".join(title.split()).lower()


@transaction.atomic(durable=True)
def catalogue_import(*, sheet: Sheet, prices: Sequence[Money] = DEFAULT_PRICES, dry_run: bool = False) -> SheetOutcome:
    """Bring the good rows of one sheet in, all or none of them.

    A new course is published at `prices`. One that is there already, by department and title, takes over the texts
    that the sheet has and that differ; a blank cell leaves what is stored, and price, status and slug stay, because
    staff may have changed them. So the same sheet again changes nothing. When a name repeats inside the sheet, the
    rows speak of one course and the later one wins. `dry_run` does all of it and rolls back.

    A sheet with headers alone, or whose rows are all reported, still names its department.

    Imports take turns (an advisory lock); buyers are never kept waiting, for no row that a purchase locks is locked.
    """
    bound_lock_wait(60_000)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_IMPORT_LOCK])
    outcome = SheetOutcome(sheet.department)
    if sheet.has_headers:
        department = department_ensure(name=sheet.department)
        rows = _merged(sheet.rows, outcome)
        for start in range(0, len(rows), BATCH):
            _import_batch(department, rows[start : start + BATCH], prices, outcome)
    if dry_run:
        transaction.set_rollback(True)
    return outcome


def _merged(rows: Sequence[CatalogueRow], outcome: SheetOutcome) -> list[CatalogueRow]:
    """One row per name: the last one, with what it leaves blank taken from the ones before."""
    merged: dict[str, CatalogueRow] = {}
    for row in rows:
        key = title_key(row.title)
        earlier = merged.setdefault(key, row)
        if earlier is not row:
            outcome.repeated.append(RepeatedRow(row.number, earlier.number, row.title, row.link != earlier.link))
            merged[key] = replace(
                row,
                description=row.description or earlier.description,
                curriculum=row.curriculum or earlier.curriculum,
                duration=row.duration or earlier.duration,
            )
    return list(merged.values())


def _import_batch(
    department: Department, rows: Sequence[CatalogueRow], prices: Sequence[Money], outcome: SheetOutcome
) -> None:
    wanted = {title_key(row.title): row for row in rows}
    known = (
        Course.objects.filter(department=department, creator__isnull=True)
        .annotate(key=Lower("title"))
        .filter(key__in=list(wanted))
        .select_related("product")
    )
    stored = {title_key(course.title): course for course in known}
    changed = [course for key, course in stored.items() if _take_over(course, wanted[key])]
    # In one order, so that two writers of the same courses cannot wait for each other in a circle.
    changed.sort(key=lambda course: course.id)
    Course.objects.bulk_update(changed, [*_TEXTS, "updated_at"])
    Product.objects.bulk_update([course.product for course in changed], ["title"])
    fresh = [row for key, row in wanted.items() if key not in stored]
    _create(department, fresh, prices)
    outcome.created += len(fresh)
    outcome.updated += len(changed)
    outcome.unchanged += len(stored) - len(changed)


def _take_over(course: Course, row: CatalogueRow) -> bool:
    """Put the row's texts into the course (unsaved); says whether anything differed."""
    differing = {name: text for name in _TEXTS if (text := getattr(row, name)) and text != getattr(course, name)}
    for name, text in differing.items():
        setattr(course, name, text)
    if differing:
        course.updated_at = now()
        course.product.title = course.title
    return bool(differing)


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
