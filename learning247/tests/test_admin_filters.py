"""Lists of the staff console: a filter that the database refuses is a bad filter, not a crash."""

import pytest
from django.urls import reverse

from accounts.tests.builders import build_admin
from learning247.records.admin import InboundEventAdmin

LIST = "admin:records_inboundevent_changelist"


@pytest.fixture
def console(client, db):
    client.force_login(build_admin())
    return client


@pytest.mark.parametrize(
    "filters",
    [
        {"status__exact": "\0"},
        {"due_at__year": "0"},
        {"due_at__year": "99999"},
        {"due_at__year": "9" * 30},
        {"received_at__year": "9" * 30},
    ],
    ids=str,
)
def test_a_filter_that_the_database_refuses_leads_back_to_the_list(console, filters):
    answer = console.get(reverse(LIST), filters)
    assert (answer.status_code, answer["Location"]) == (302, f"{reverse(LIST)}?e=1")


def test_a_fault_of_our_own_is_not_taken_for_a_bad_filter(console, monkeypatch):
    def fail(*_):
        raise ValueError("a fault of ours")

    monkeypatch.setattr(InboundEventAdmin, "get_queryset", fail)
    with pytest.raises(ValueError, match="a fault of ours"):
        console.get(reverse(LIST), {"e": "1"})


def test_who_signs_in_without_a_destination_comes_to_the_console(settings, client):
    assert reverse("admin:index") == settings.LOGIN_REDIRECT_URL
