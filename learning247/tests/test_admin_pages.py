"""Every page of the staff console opens, for every model, with a row in it wherever a sale makes one."""

import pytest
from django.contrib import admin
from django.urls import reverse

from accounts.tests.builders import build_admin
from courses.tests.builders import build_course, build_enrollment
from learning247.records.services.audit import audit_record
from learning247.records.services.inbox import event_receive

MODELS = sorted((model for model in admin.site._registry), key=lambda model: model._meta.label)


@pytest.fixture
def console(client, db):
    """The console, signed in to, with a course that was sold and an event."""
    staff = build_admin()
    build_enrollment(build_course())
    event_receive(source="paystack", external_id="1", event_type="charge.success", headers={}, body=b'{"event": "x"}')
    audit_record(actor=staff, action="looked", subject_kind="course", subject_id="1")
    client.force_login(staff)
    return client


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_lists_searches_and_single_pages_open(console, model):
    prefix = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    listed = console.get(reverse(f"{prefix}_changelist"))
    assert listed.status_code == 200
    if admin.site._registry[model].search_fields:
        assert console.get(reverse(f"{prefix}_changelist"), {"q": "a ' \" %"}).status_code == 200
    row = model._default_manager.first()
    if row is not None:
        assert console.get(reverse(f"{prefix}_change", args=[row.pk])).status_code == 200


def test_the_front_page_opens(console):
    answer = console.get(reverse("admin:index"))

    assert answer.status_code == 200
    assert "Learning247" in answer.content.decode()
