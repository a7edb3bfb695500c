"""Search: what counts as a match, which match is better, and what is forgiven."""

import html
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from rest_framework.test import APIClient

from courses.enums import CourseStatus
from courses.models import CatalogueWord, Course, CourseDocument
from courses.selectors.search import CANDIDATES, Filters, course_search, words_of
from courses.services.courses import course_update, course_withdraw
from courses.services.search_words import search_words_refresh
from courses.services.sheets import sheet_import
from courses.tests.builders import build_course, build_department
from courses.workbooks import CatalogueRow, Sheet
from learning247.kit.money import Money

pytestmark = pytest.mark.django_db


def search(q: str, **parameters: Any) -> dict[str, Any]:
    response = APIClient().get("/api/courses/search", {"q": q, **parameters})
    assert response.status_code == 200, response.json()
    return dict(response.json())


def titles(q: str, **parameters: Any) -> list[str]:
    return [course["title"] for course in search(q, **parameters)["results"]]


def test_a_title_goes_before_a_department_before_a_description_before_a_curriculum() -> None:
    build_course(title="Cakes", curriculum="Module 03: bread\nModule 04: more bread, bread and bread")
    build_course(title="Ovens", description="For bread and more bread")
    build_course(title="Rye", department=build_department("Bread baking"))
    build_course(title="All about bread")
    build_course(title="Bread for a living")
    build_course(title="Bread")

    assert titles("bread") == ["Bread", "Bread for a living", "All about bread", "Rye", "Ovens", "Cakes"]


@pytest.mark.parametrize(
    ("title", "q"),
    [
        ("Managing Projects", "project manager"),  # word forms
        ("Managing Projects", "PROJECTS"),
        ("Café Service", "cafe"),  # accents
        ("Cafe Service", "café"),
        ("Node.js in Practice", "node.js"),  # punctuation
        ("Node.js in Practice", "js"),
        ("First-Aid at Work", "first aid"),
        ("First Aid at Work", "first-aid"),
        ("Children's Books", "childrens books"),
        ("C++ for Games", "c++"),
        ("The Art of War", "the art of war"),
        ("To Be or Not", "to be"),  # nothing but words without meaning
        ("Ausländer verstehen", "auslander"),
        ("Русский язык", "русский"),
        ("ISO 9001 Audits", "iso 9001"),
    ],
)
def test_a_word_is_found_in_whatever_form_it_comes(title: str, q: str) -> None:
    build_course(title=title)
    build_course(title="Something else")
    search_words_refresh()

    assert titles(q) == [title]


@pytest.mark.parametrize("typed", ["py", "pyt", "pyth", "pytho", "python", "learn pyth"])
def test_the_last_word_is_found_while_it_is_being_typed(typed: str) -> None:
    build_course(title="Learn Python")
    build_course(title="Learn Cooking")

    assert titles(typed) == ["Learn Python"]


def test_only_the_last_word_may_be_unfinished() -> None:
    build_course(title="Learn Python Quickly")

    assert titles("learn pyth") == ["Learn Python Quickly"]
    assert words_of("pyth quickly") == ("pyth", "quickly")
    assert search("quic python")["results"][0]["title"] == "Learn Python Quickly"  # some of the words
    build_course(title="Quick Lunches")
    assert titles("learn quic") == ["Learn Python Quickly"]


@pytest.mark.parametrize(
    ("mistyped", "meant"),
    [
        ("pyhton", "python"),
        ("pythn", "python"),
        ("pythoon", "python"),
        ("accountng", "account"),
        ("fotography", "photography"),
        ("manegement", "management"),
        ("sourdogh", "sourdough"),
    ],
)
def test_a_mistyped_word_is_taken_for_the_one_most_like_it(mistyped: str, meant: str) -> None:
    build_course(title="Python Basics")
    build_course(title="Accounting for Shops")
    build_course(title="Wedding Photography")
    build_course(title="Stock Management")
    build_course(title="Loaves", description="Your first sourdough")
    search_words_refresh()

    found = search(mistyped)

    assert found["corrections"], found
    assert found["corrections"][mistyped][0].startswith(meant[:5])
    assert len(found["results"]) == 1
    assert search("python")["corrections"] == {}


def test_letters_in_another_order_are_nearer_than_two_other_letters() -> None:
    build_course(title="Piston Engines")
    build_course(title="Python Basics")
    search_words_refresh()

    assert search("pyhton")["corrections"] == {"pyhton": ["python"]}
    assert titles("pyhton") == ["Python Basics"]


def test_a_mistyped_word_beside_a_good_one() -> None:
    build_course(title="Python for Finance")
    build_course(title="Python for Games")
    search_words_refresh()

    found = search("pyhton finance")

    assert [course["title"] for course in found["results"]] == ["Python for Finance"]
    assert found["corrections"] == {"pyhton": ["python"]}


def test_where_no_course_has_every_word_those_come_that_have_most() -> None:
    build_course(title="Python for Finance")
    build_course(title="Gardening for Beginners")
    build_course(title="Python for Beginners")

    assert titles("python beginners lagos")[0] == "Python for Beginners"
    assert len(titles("python beginners lagos")) == 3


def test_nonsense_finds_nothing() -> None:
    build_course(title="Python")
    search_words_refresh()

    assert search("xqzvwk") == {"count": 0, "next": None, "previous": None, "corrections": {}, "results": []}


def test_only_what_is_on_sale_is_found_and_only_as_it_is_now() -> None:
    course = build_course(title="Python")
    build_course(title="Python in secret", status=CourseStatus.DRAFT)
    build_course(title="Python of old", status=CourseStatus.WITHDRAWN)
    assert titles("python") == ["Python"]

    course_update(course_id=course.id, changes={"title": "Ruby"})
    assert titles("python") == []
    assert titles("ruby") == ["Ruby"]
    course_withdraw(course_id=course.id, actor=None)
    assert titles("ruby") == []
    assert CourseDocument.objects.count() == 0


def test_a_renamed_department_is_found_by_its_new_name() -> None:
    department = build_department("Bakery")
    build_course(title="Rye", department=department)
    department.name = "Patisserie"
    department.save()

    assert titles("patisserie") == ["Rye"]
    assert titles("bakery") == []


def test_an_erased_course_leaves_no_document() -> None:
    course = build_course(title="Python")
    Course.objects.filter(pk=course.pk).delete()

    assert titles("python") == []


def test_filters_narrow_before_anything_is_left_out() -> None:
    care = build_department("Care")
    build_course(title="Bread one", prices=[Money(3_000, "USD")])
    build_course(title="Bread two", department=care, prices=[Money(5_000, "USD"), Money(0, "NGN")])
    build_course(title="Bread three", department=care, prices=[Money(100_000, "NGN")])

    assert sorted(titles("bread", department="care")) == ["Bread three", "Bread two"]
    assert sorted(titles("bread", currency="USD")) == ["Bread one", "Bread two"]
    assert titles("bread", currency="USD", max_price="30.00") == ["Bread one"]
    assert titles("bread", currency="NGN", max_price="0") == ["Bread two"]
    assert titles("bread", currency="USD", max_price="29.99") == []


@pytest.mark.parametrize(
    ("parameters", "attr"),
    [
        ({"q": "++"}, "q"),
        ({"q": "bread", "max_price": "1"}, "currency"),
        ({"q": "bread", "max_price": "-1", "currency": "USD"}, "max_price"),
        ({"q": "bread", "max_price": "1.234", "currency": "USD"}, "max_price"),
        ({"q": "bread", "currency": "XXX"}, "currency"),
    ],
)
def test_a_filter_that_makes_no_sense_is_a_400_that_names_it(parameters: dict[str, str], attr: str) -> None:
    response = APIClient().get("/api/courses/search", parameters)

    assert response.status_code == 400
    assert response.json()["errors"][0]["attr"] == attr


def test_what_was_found_is_marked_and_everything_else_is_made_safe() -> None:
    build_course(
        title="Bread & <b>Butter</b>",
        description="A \ue000 loaf <script>alert(1)</script> of fresh bread, every day of the week.",
    )

    highlights = search("bread")["results"][0]["highlights"]

    assert highlights["title"] == "<mark>Bread</mark> &amp; &lt;b&gt;Butter&lt;/b&gt;"
    assert "<mark>bread</mark>" in highlights["description"]
    assert "<script>" not in highlights["description"]


@pytest.mark.parametrize("q", ["node js", "node.js", "ci/cd node"])
def test_the_parts_of_a_word_with_signs_in_it_are_marked_as_well(q: str) -> None:
    build_course(title="APIs with Node.js and ci/cd")

    marked = search(q)["results"][0]["highlights"]["title"]

    assert "<mark>Node</mark>.<mark>js</mark>" in marked or "<mark>ci</mark>/<mark>cd</mark>" in marked
    assert re.sub(r"</?mark>", "", marked) == "APIs with Node.js and ci/cd"


def test_highlights_have_as_many_ends_as_beginnings_whatever_the_text_holds() -> None:
    build_course(title="Bread \ue000\ue001\ue001 </mark> rolls", description="\ue000 bread")

    highlights = search("bread")["results"][0]["highlights"]

    for text in highlights.values():
        assert re.sub(r"</?mark>", "", text) == html.escape(html.unescape(re.sub(r"</?mark>", "", text)))
        assert text.count("<mark>") == text.count("</mark>")


def test_pages_of_what_was_found_follow_each_other() -> None:
    for number in range(5):
        build_course(title=f"Bread {number}")

    first, last = search("bread", page_size=2), search("bread", page_size=2, page=3)

    assert (first["count"], last["count"]) == (5, 5)
    assert [course["title"] for course in first["results"]] == ["Bread 0", "Bread 1"]
    assert [course["title"] for course in last["results"]] == ["Bread 4"]
    assert first["next"].endswith("/api/courses/search?page=2&page_size=2&q=bread")
    assert APIClient().get("/api/courses/search?q=bread&page_size=2&page=4").status_code == 404
    assert APIClient().get(f"/api/courses/search?q=bread&page={10**25}").status_code == 404


def test_a_word_that_every_course_has_is_ranked_in_a_bounded_number_of_them() -> None:
    rows = [
        CatalogueRow(number, f"Bread {number}", "https://classroom.example.com/", "", "", "")
        for number in range(CANDIDATES + 5)
    ]
    sheet_import(sheet=Sheet("Baking", "Baking", has_headers=True, rows=rows))

    found = course_search(("bread",), filters=Filters(), limit=20, offset=0)

    assert found.count == CANDIDATES
    assert json.loads(found.results)[0]["title"].startswith("Bread ")
    assert search("bread", page_size=100, page=5)["next"] is None


def test_words_are_taken_in_once_and_leave_when_no_course_has_them() -> None:
    course = build_course(title="Zymurgy", department=build_department("Brewing"))

    assert search_words_refresh() > 0
    assert search_words_refresh() == 0
    assert CatalogueWord.objects.filter(word="zymurgy").exists()
    course_update(course_id=course.id, changes={"title": "Brewing beer"})
    search_words_refresh(everything=True)
    assert not CatalogueWord.objects.filter(word="zymurgy").exists()
    assert CatalogueWord.objects.filter(word="brewing").exists()


class AnythingCanBeAsked(TestCase):
    @hypothesis_settings(max_examples=60, deadline=None)
    @given(st.text(max_size=40))
    def test_and_is_answered_or_refused(self, q: str) -> None:
        build_course(title="Bread & Butter's C++", description="'quoted' \\ & | ! <-> :*")

        for url, parameter in (("/api/courses/search", "q"), ("/api/courses", "search")):
            response = APIClient().get(url, {parameter: q})
            assert response.status_code in (200, 400), response.content
            assert json.loads(response.content)
