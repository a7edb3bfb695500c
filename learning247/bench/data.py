"""A platform of a given size, written quickly through the real, guarded tables: COPY and set-wise SQL."""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection, models, transaction
from django.utils.text import slugify

from accounts.models import User
from accounts.services.sessions import session_open
from courses.enums import CourseStatus
from courses.models import Course, Department, Enrollment
from courses.services.search_words import search_words_refresh
from learning247.kit.clock import now
from learning247.kit.ids import new_id
from payments.enums import EntitlementSource, GatewayName, PaymentStatus, ProductKind
from payments.models import Entitlement, Payment, Price, Product
from wallets.enums import AccountKind
from wallets.services.accounts import accounts_open, person_account, platform_account

DEPARTMENTS: Final = 24
PAYMENTS: Final = 60
ENROLLMENTS: Final = 1_000
ENTRIES_AT_ONCE: Final = 500  # every line of one account updates its row; a long transaction would drag its versions
COURSES_AT_ONCE: Final = 5_000

# Each stands in about one course of ten, so at 100,000 courses in far more than 1,000 rows.
COMMON_WORDS: Final = tuple(
    """
    design data practical business analysis modern team project writing growth finance language health system market
    process security research learning method planning service product quality digital software network teaching
    leadership communication
    """.split()  # noqa: SIM905
)
_JOINING = ["for", "with", "and", "in", "of", "from", "to", "about", "by", "your", "the", "a", "beyond", "without"]
_SYLLABLES = [consonant + vowel for consonant in "bdfghjklmnprstvwz" for vowel in "aeiou"]


@dataclass(frozen=True, slots=True)
class Content:
    """What the requests need to know of a site: ids, words to search for, tokens of a person and of staff."""

    access_token: str
    staff_token: str
    product: UUID
    course: UUID
    department: str
    rare_words: Sequence[str]
    common_words: Sequence[str]


def content_build(*, courses: int, entries: int) -> Content:
    """Published courses in 24 departments, and one person with `entries` sales, 60 payments and 1,000 enrollments."""
    person = User.objects.create_user(
        email="ada@bench.example", first_name="Ada", last_name="Obi", email_verified_at=now(), is_creator=True
    )
    departments = _departments_build()
    rare_words = _courses_build(courses, departments, creator=person)
    _payments_build(person)
    _enrollments_build(person)
    _history_build(person, entries)
    search_words_refresh()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    course = Course.objects.order_by("slug")[courses // 2]
    return Content(
        access_token=session_open(person).access,
        staff_token=session_open(User.objects.create_superuser("staff@bench.example")).access,
        product=course.product_id,
        course=course.pk,
        department=departments[0].slug,
        rare_words=rare_words,
        common_words=COMMON_WORDS,
    )


def _departments_build() -> list[Department]:
    names = [f"{COMMON_WORDS[number].title()} and {COMMON_WORDS[-number - 1]}" for number in range(DEPARTMENTS)]
    return Department.objects.bulk_create(
        Department(name=f"{name} {number}", slug=f"{slugify(name)}-{number}", description=f"All about {name.lower()}.")
        for number, name in enumerate(names)
    )


def _courses_build(number: int, departments: Sequence[Department], *, creator: User) -> list[str]:
    """Returns words that stand in two courses each. Every tenth course is a creator's, the others the platform's."""
    chance = random.Random(247)  # noqa: S311 - the same catalogue in every run
    rare_words = []
    for first in range(0, number, COURSES_AT_ONCE):
        courses, products, prices = [], [], []
        for turn in range(first, min(first + COURSES_AT_ONCE, number)):
            if turn % 2 == 0:
                rare_words.append("".join(chance.choices(_SYLLABLES, k=4)))
            title = f"{_words(chance, 4)} {rare_words[-1]} {turn}".title()
            seller = creator if turn % 10 == 0 else None
            course = Course(
                title=title,
                department=departments[turn % len(departments)],
                description=_words(chance, 40).capitalize() + ".",
                curriculum="\n".join(_words(chance, 8).capitalize() for _ in range(10)),
                duration="3 hours",
                link="https://classroom.example/bench",
                creator=seller,
                status=CourseStatus.PUBLISHED,
            )
            course.slug = f"{slugify(title)}-{course.pk.hex[-8:]}"
            product = Product(kind=ProductKind.COURSE, item_id=course.pk, title=title, seller=seller, active=True)
            course.product = product
            courses.append(course)
            products.append(product)
            prices.append(Price(product=product, currency="NGN", amount_minor=2_500_000))
            prices.append(Price(product=product, currency="USD", amount_minor=3_000))
        with transaction.atomic():
            for rows in (products, prices, courses):
                _copy(rows)
    return rare_words[:: max(1, len(rare_words) // 200)]


def _words(chance: random.Random, number: int) -> str:
    return " ".join(chance.choice(_JOINING if chance.random() < 0.4 else COMMON_WORDS) for _ in range(number))


def _payments_build(buyer: User) -> None:
    products = list(Product.objects.filter(kind=ProductKind.COURSE)[:PAYMENTS])
    Payment.objects.bulk_create(
        Payment(
            reference=new_id().hex,
            buyer=buyer,
            product=product,
            status=PaymentStatus.EXPIRED,
            gateway=GatewayName.PAYSTACK,
            currency="NGN",
            amount_minor=2_500_000,
            platform_fee_bps=2_000,
            operation="bench",
            idempotency_key=str(number),
            expires_at=now() + timedelta(hours=1),
        )
        for number, product in enumerate(products)
    )


def _enrollments_build(user: User) -> None:
    rights, enrollments = [], []
    for course in Course.objects.all()[:ENROLLMENTS]:
        right = Entitlement(user=user, product_id=course.product_id, source=EntitlementSource.STAFF)
        rights.append(right)
        enrollments.append(
            Enrollment(
                user=user,
                course=course,
                student_name=user.full_name,
                student_email=user.email,
                entitlement=right,
                starts_at=right.starts_at,
            )
        )
    with transaction.atomic():
        _copy(rights)
        _copy(enrollments)


_SALES: Final = """
WITH entry AS (
    INSERT INTO wallets_journalentry (uuid, key, kind, currency, source_kind, source_id, reference, description)
    SELECT uuidv7(), 'bench:' || n, 'sale', 'NGN', 'bench', n::text, n::text, 'A sale'
      FROM generate_series(%(first)s, %(last)s) AS n
    RETURNING id
)
INSERT INTO wallets_journalline (entry_id, account_id, amount_minor, currency)
SELECT entry.id, line.account_id, line.amount_minor, 'NGN'
  FROM entry CROSS JOIN LATERAL (VALUES
    (%(gateway)s, -2500000), (%(person)s, 2000000), (%(fees)s, 500000)
  ) AS line (account_id, amount_minor)
"""


def _history_build(person: User, entries: int) -> None:
    """Sales of one person, in naira; and open accounts of every kind in naira and dollars."""
    parts = [person_account(person.pk, AccountKind(kind)) for kind in ("available", "clearing", "held", "disputed")]
    platform = [platform_account(kind) for kind in (AccountKind.UNSETTLED, AccountKind.FEES)]
    with transaction.atomic():
        accounts_open(refs=[*parts, *platform], currency="NGN")
        accounts_open(refs=parts, currency="USD")
    with connection.cursor() as cursor:
        cursor.execute("SELECT code, id FROM wallets_ledgeraccount")
        ids = dict(cursor.fetchall())
        names = {"gateway": platform[0], "person": parts[0], "fees": platform[1]}
        accounts = {name: ids[account.code("NGN")] for name, account in names.items()}
        for first in range(1, entries + 1, ENTRIES_AT_ONCE):
            cursor.execute(_SALES, {"first": first, "last": min(first + ENTRIES_AT_ONCE - 1, entries), **accounts})


def _copy(rows: Sequence[models.Model]) -> None:
    """Into the rows' table, with every column that the database does not fill by itself."""
    columns = [field for field in rows[0]._meta.concrete_fields if _is_ours(field)]
    with connection.cursor() as cursor:
        quoted = ", ".join(f'"{column.column}"' for column in columns)
        with cursor.copy(f'COPY "{rows[0]._meta.db_table}" ({quoted}) FROM STDIN') as copy:
            for row in _values(rows, columns):
                copy.write_row(row)


def _is_ours(field: "models.Field[Any, Any]") -> bool:
    return not (isinstance(field, models.AutoField | models.GeneratedField) or field.has_db_default())


def _values(rows: Iterable[models.Model], columns: "Sequence[models.Field[Any, Any]]") -> Iterator[list[Any]]:
    for row in rows:
        yield [column.get_db_prep_save(getattr(row, column.attname), connection) for column in columns]
