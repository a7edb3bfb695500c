"""`manage.py load_demo`: people to sign in as and courses to buy, for a laptop."""

import os
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.text import slugify

from accounts.models import User
from accounts.services.admins import admin_seed
from accounts.services.users import user_register
from courses.demo import (
    ADMIN,
    CATALOGUE,
    CREATOR,
    CREATORS_COURSES,
    FREE_COURSE,
    FREE_DEPARTMENT,
    LEARNER,
    PASSWORD,
    SIGN_INS,
    DemoCourse,
)
from courses.models import Course
from courses.services.catalogue import catalogue_import
from courses.services.courses import course_create, course_publish
from courses.services.departments import department_ensure
from courses.services.search_words import search_words_refresh
from courses.services.sheets import DEFAULT_PRICES, sheet_import
from courses.workbooks import CatalogueRow, Sheet
from learning247.kit.clock import now


class Command(BaseCommand):
    help = (
        "Loads demo people and courses once; when they are there it does nothing, so what was changed by hand stays."
        " Refuses in production, because everybody knows the passwords."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--print", action="store_true", help="show the demo sign-ins")

    def handle(self, *args: Any, **options: Any) -> None:
        if "production" in (os.environ.get("DJANGO_ENV"), str(settings.SETTINGS_MODULE).rpartition(".")[2]):
            raise CommandError("Demo people have known passwords: load_demo does not run in production.")
        # The learner is made last, so that a run that was interrupted is finished by the next one.
        if not User.objects.filter(email=LEARNER).exists():
            _load()
            if options["verbosity"] and not options["print"]:
                self.stdout.write(f"{Course.objects.count()} courses stand in the catalogue.")
        if options["print"]:
            for role, email in SIGN_INS:
                self.stdout.write(f"{role:<14} {email:<26} {PASSWORD}")


def _load() -> None:
    admin_seed(email=ADMIN, password=PASSWORD)
    report = catalogue_import(path=CATALOGUE, prices=DEFAULT_PRICES)
    assert not report.problem, report.problem
    sheet_import(sheet=_sheet(FREE_DEPARTMENT, FREE_COURSE), prices=FREE_COURSE.prices)
    creator = _person(CREATOR, "Amara", "Okafor")
    for department, demo in CREATORS_COURSES:
        _creators_course(creator, department, demo)
    search_words_refresh()
    _person(LEARNER, "Tunde", "Bello")


def _person(email: str, first_name: str, last_name: str) -> User:
    person = User.objects.filter(email=email).first() or user_register(
        email=email, password=PASSWORD, first_name=first_name, last_name=last_name
    )
    if not person.email_verified:
        person.email_verified_at = now()
        person.save(update_fields=["email_verified_at"])
    return person


def _creators_course(creator: User, department: str, demo: DemoCourse) -> None:
    course = Course.objects.filter(creator=creator, title=demo.title).first() or course_create(
        creator=creator,
        title=demo.title,
        department=department_ensure(name=department),
        description=demo.description,
        curriculum=demo.curriculum,
        duration=demo.duration,
        link=_link(demo),
        prices=demo.prices,
    )
    course_publish(course_id=course.id, actor=creator)


def _sheet(department: str, demo: DemoCourse) -> Sheet:
    row = CatalogueRow(
        number=2,
        title=demo.title,
        link=_link(demo),
        description=demo.description,
        curriculum=demo.curriculum,
        duration=demo.duration,
    )
    return Sheet(name=department, department=department, has_headers=True, rows=[row])


def _link(demo: DemoCourse) -> str:
    return f"https://classroom.example.com/{slugify(demo.title)}"
