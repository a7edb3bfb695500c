"""Lists of the staff console: what the database refuses is a bad filter or a bad choice, not a crash."""

import pytest
from django.contrib import admin
from django.urls import reverse

from accounts.tests.builders import build_admin
from courses.enums import CourseStatus
from courses.models import Course
from courses.tests.builders import build_course, build_enrollment
from learning247.records.admin import InboundEventAdmin
from learning247.records.models import AuditEntry

LIST = "admin:records_inboundevent_changelist"
FILTERS = sorted(
    (f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist", name)
    for model, page in admin.site._registry.items()
    for name in page.list_filter
    if isinstance(name, str)
)


@pytest.fixture
def console(client, db):
    client.force_login(build_admin())
    return client


@pytest.mark.parametrize(
    "filters",
    [
        {"status__exact": "\0"},
        {"received_at__year": "0"},
        {"received_at__year": "99999"},
        {"received_at__year": "9" * 30},
    ],
    ids=str,
)
def test_a_filter_that_the_database_refuses_leads_back_to_the_list(console, filters):
    answer = console.get(reverse(LIST), filters)
    assert (answer.status_code, answer["Location"]) == (302, f"{reverse(LIST)}?e=1")


def test_no_filter_of_any_list_fails_on_a_nul(console):
    asked = [(page, {f"{name}{end}": "\0"}) for page, name in FILTERS for end in ("", "__exact")]
    answers = {str((page, query)): console.get(reverse(page), query).status_code for page, query in asked}

    assert set(answers.values()) <= {200, 302}, answers
    assert len(answers) > 60


@pytest.mark.parametrize(
    ("page", "filters"),
    [
        ("records_outboundmail", {"text__contains": "token="}),
        ("records_outboundmail", {"text__regex": "(a+)+$"}),
        ("records_outboundmail", {"sealed_body": "x"}),
        ("records_outboundmail", {"status__regex": "(a+)+$"}),
        ("records_inboundevent", {"headers__icontains": "x"}),
        ("records_inboundevent", {"event_type__startswith": "charge"}),
        ("accounts_user", {"password__startswith": "bcrypt"}),
        ("accounts_user", {"email__gte": "a"}),
        ("accounts_user", {"groups__user__password__startswith": "bcrypt"}),
        ("payments_payment", {"idempotency_key__startswith": "a"}),
        ("payments_payment", {"details__student__email": "ada@example.com"}),
        ("payments_payment", {"buyer__password__startswith": "bcrypt"}),
        ("courses_course", {"link__startswith": "https"}),
        ("courses_course", {"department__name__startswith": "L"}),
        ("courses_course", {"creator__email__startswith": "a"}),
        ("courses_enrollment", {"course__link__startswith": "https"}),
        ("courses_enrollment", {"course__department__slug__exact": "law"}),
        ("courses_enrollment", {"notes__contains": "rang"}),
    ],
    ids=str,
)
def test_a_list_is_filtered_by_its_own_filters_alone(console, page, filters):
    assert console.get(reverse(f"admin:{page}_changelist"), filters).status_code == 400


@pytest.mark.parametrize("page", sorted(admin.site._registry.values(), key=str), ids=str)
def test_every_choice_that_a_list_offers_can_be_chosen(console, page):
    """Its filters' links, as the page shows them; and the dates above it."""
    build_enrollment(build_course())
    address = reverse(f"admin:{page.opts.app_label}_{page.opts.model_name}_changelist")
    shown = console.get(address)
    if shown.status_code == 403:
        pytest.skip("nobody sees this list")
    offered = [
        choice["query_string"]
        for spec in shown.context["cl"].filter_specs
        for choice in spec.choices(shown.context["cl"])
    ]
    if page.date_hierarchy:
        offered += [f"?{page.date_hierarchy}__{part}=1" for part in ("year", "month", "day")]

    assert {query: console.get(f"{address}{query}").status_code for query in offered} == dict.fromkeys(offered, 200)


@pytest.mark.parametrize("chosen", ["nope", "1", "\0", "9" * 40])
@pytest.mark.parametrize(
    ("page", "action"),
    [
        ("admin:courses_course_changelist", "publish"),
        ("admin:courses_course_changelist", "withdraw"),
        ("admin:courses_enrollment_changelist", "mark_sent"),
        ("admin:courses_enrollment_changelist", "revoke"),
        ("admin:courses_enrollment_changelist", "export"),
        ("admin:courses_department_changelist", "delete_selected"),
    ],
)
def test_an_action_on_what_is_no_id_is_refused_with_a_message(console, page, action, chosen):
    course = build_course(status=CourseStatus.DRAFT)
    written = AuditEntry.objects.count()

    sent = {"action": action, "index": "0", "_selected_action": [str(course.id), chosen]}
    answer = console.post(reverse(page), sent, follow=True)

    assert answer.status_code == 200
    assert [str(message) for message in answer.context["messages"]] == [
        "Choose rows of this list. Nothing was changed."
    ]
    assert Course.objects.get().status == CourseStatus.DRAFT
    assert AuditEntry.objects.count() == written


def test_a_numbered_row_is_chosen_by_a_number_that_fits(console):
    page = reverse("admin:django_celery_beat_periodictask_changelist")

    sent = {"action": "disable_tasks", "index": "0", "_selected_action": "9" * 40}
    answer = console.post(page, sent, follow=True)

    assert [str(message) for message in answer.context["messages"]] == [
        "Choose rows of this list. Nothing was changed."
    ]


def test_a_nul_in_a_search_for_a_related_row_is_a_400(console):
    field = {"app_label": "courses", "model_name": "enrollment", "field_name": "course"}

    assert console.get(reverse("admin:autocomplete"), {**field, "term": "\0"}).status_code == 400
    assert console.get(reverse("admin:autocomplete"), {**field, "term": "a"}).status_code == 200


def test_a_fault_of_our_own_is_not_taken_for_a_bad_filter(console, monkeypatch):
    def fail(*_):
        raise ValueError("a fault of ours")

    monkeypatch.setattr(InboundEventAdmin, "get_queryset", fail)
    with pytest.raises(ValueError, match="a fault of ours"):
        console.get(reverse(LIST), {"e": "1"})


def test_who_signs_in_without_a_destination_comes_to_the_console(settings, client):
    assert reverse("admin:index") == settings.LOGIN_REDIRECT_URL
