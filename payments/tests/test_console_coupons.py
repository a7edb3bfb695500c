"""Coupons in the console: staff make the platform's and pause anybody's, with a reason."""

import pytest
from django.test import Client

from accounts.tests.builders import build_admin, build_creator
from learning247.records.models import AuditEntry
from payments.models import Coupon
from payments.tests.builders import build_coupon, build_product

pytestmark = pytest.mark.django_db

ADD, LIST = "/admin/payments/coupon/add/", "/admin/payments/coupon/"
FORM = {"code": "spring-25", "percent": "12.5", "amounts": "", "bearer": "platform", "reason": "A campaign"}


@pytest.fixture
def staff():
    return build_admin()


@pytest.fixture
def console(staff):
    client = Client()
    client.force_login(staff)
    return client


def test_staff_make_a_coupon_of_the_platforms_which_is_on_record(console, staff):
    assert console.post(ADD, FORM | {"max_uses": "50"}).status_code == 302

    coupon = Coupon.objects.get()
    assert (coupon.code, coupon.percent_bps, coupon.owner, coupon.bearer) == ("SPRING-25", 1_250, None, "platform")
    assert (coupon.max_uses, coupon.max_uses_per_user, coupon.created_by) == (50, None, staff)
    entry = AuditEntry.objects.get(action="coupon.created")
    assert (entry.actor, entry.reason, entry.subject_id) == (staff, "A campaign", str(coupon.pk))


def test_fixed_amounts_for_one_creator_at_that_creators_cost(console):
    ada = build_creator()

    console.post(
        ADD, FORM | {"percent": "", "amounts": "NGN 500.00, JPY 120", "bearer": "creator", "seller": ada.email}
    )

    coupon = Coupon.objects.get()
    assert (coupon.seller, coupon.bearer, coupon.percent_bps) == (ada, "creator", None)
    assert [str(row) for row in coupon.amounts.all()] == ["JPY 120", "NGN 500.00"]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"reason": ""}, "reason"),
        ({"percent": ""}, "Give either a percentage or amounts."),
        ({"amounts": "NGN 5.00"}, "Give either a percentage or amounts."),
        ({"percent": "0"}, "Take more than zero off."),
        ({"percent": "", "amounts": "XYZ 5"}, "Name each currency once"),
        ({"percent": "", "amounts": "JPY 5.00"}, "JPY has 0 decimal places"),
        ({"bearer": "creator"}, "Name the creator or the product"),
        ({"code": "no"}, "A code has 4 to 40 letters"),
        ({"ends_at": "2020-01-01 00:00"}, "It would end before it begins."),
        ({"seller": "nobody@example.com"}, "No creator has this email."),
    ],
    ids=str,
)
def test_what_cannot_be_a_coupon_is_said_and_nothing_is_made(console, fields, says):
    page = console.post(ADD, FORM | fields)

    assert page.status_code == 200
    assert says in page.content.decode()
    assert not Coupon.objects.exists()


def test_a_code_of_the_platforms_is_there_once(console):
    console.post(ADD, FORM)

    assert "You have a coupon with this code already." in console.post(ADD, FORM).content.decode()
    assert Coupon.objects.count() == 1


def test_staff_pause_a_creators_coupon_with_a_reason_and_let_it_go_on(console, staff):
    coupon = build_coupon(owner=build_creator())

    def act(action, **fields):
        console.post(LIST, {"action": action, "_selected_action": [str(coupon.pk)]} | fields)
        coupon.refresh_from_db()
        return coupon.active

    assert act("pause"), "asks why first"
    assert not act("pause", apply="yes", reason="Reported")
    entry = AuditEntry.objects.get(action="coupon.changed")
    assert entry.before is not None
    assert (entry.actor, entry.reason, entry.before["active"]) == (staff, "Reported", True)
    assert act("resume", apply="yes", reason="A mistake")


def test_the_page_shows_what_it_takes_off_and_how_often_it_was_used(console):
    coupon = build_coupon(product=build_product(title="Torts"), max_uses=50)

    page = console.get(f"/admin/payments/coupon/{coupon.pk}/change/").content.decode()

    assert "25 %" in page and "Torts" in page and "Active" in page
