"""Many who use a coupon at the same moment: exactly as many as it allows, and never one more."""

from collections import Counter
from threading import Barrier

import pytest
from django.db import IntegrityError, connection

from accounts.tests.builders import build_user
from learning247.records.tests.races import at_once
from payments.errors import CouponUsedUp
from payments.models import Coupon, CouponRedemption, Payment
from payments.services import checkout
from payments.services.redemptions import redemption_room_make
from payments.tests.builders import build_coupon, build_product, start_checkout
from payments.tests.wire import code_of, initialize, signed_in

pytestmark = pytest.mark.race

THREADS = 12


def test_three_hundred_at_once_on_fifty_uses_are_exactly_fifty(gateways, serve):
    product, coupon = build_product(seller=build_user()), build_coupon(max_uses=50)
    learners, url = [signed_in(build_user()) for _ in range(300)], serve()

    answers = at_once(300, lambda number: begun(url, learners[number], product))

    refused = Counter(code_of(answer) for answer in answers if answer.status_code != 201)
    assert Counter(answer.status_code for answer in answers) == {201: 50, 422: 250}
    assert refused == {"coupon_used_up": 250}
    assert (Coupon.objects.get(pk=coupon.pk).taken, CouponRedemption.objects.count()) == (50, 50)
    assert Payment.objects.count() == 50


def begun(url, learner, product):
    """The same request until nobody is too busy to answer it."""
    key = f"one {id(learner)}"
    while (answer := initialize(url, learner, item_id=product.item_id, coupon="SPRING-25", key=key)).status_code == 503:
        pass
    return answer


@pytest.fixture
def all_look_first(monkeypatch):
    """Without the lock: everybody has read the coupon before anybody takes a use of it."""
    barrier = Barrier(THREADS)

    made = redemption_room_make

    def all_have_room(**fields):
        made(**fields)
        barrier.wait()

    monkeypatch.setattr(checkout, "coupon_lock", lambda coupon_id: Coupon.objects.get(pk=coupon_id))
    monkeypatch.setattr(checkout, "redemption_room_make", all_have_room)


def outcome(buyer, product):
    try:
        return start_checkout(buyer, product, coupon="SPRING-25").status
    except (CouponUsedUp, IntegrityError) as refusal:
        return type(refusal).__name__


@pytest.mark.usefixtures("gateways")
def test_one_person_with_many_checkouts_at_once_has_one_use():
    learner, coupon = build_user(), build_coupon(max_uses_per_user=1)
    products = [build_product() for _ in range(THREADS)]

    found = at_once(THREADS, lambda number: outcome(learner, products[number]))

    assert Counter(found) == {"pending": 1, "CouponUsedUp": THREADS - 1}
    coupon.refresh_from_db()
    assert coupon.taken == 1


@pytest.mark.usefixtures("gateways", "all_look_first", "breaks_the_books")
def test_control_without_the_lock_one_person_has_many():
    learner, coupon = build_user(), build_coupon(max_uses_per_user=1)
    products = [build_product() for _ in range(THREADS)]

    found = at_once(THREADS, lambda number: outcome(learner, products[number]))

    assert Counter(found) == {"pending": THREADS}
    coupon.refresh_from_db()
    assert coupon.taken == THREADS


@pytest.mark.usefixtures("gateways", "all_look_first")
def test_control_without_the_lock_the_database_itself_still_allows_no_use_too_many():
    coupon, product = build_coupon(max_uses=5), build_product()
    learners = [build_user() for _ in range(THREADS)]

    found = at_once(THREADS, lambda number: outcome(learners[number], product))

    assert Counter(found) == {"pending": 5, "IntegrityError": THREADS - 5}
    coupon.refresh_from_db()
    assert coupon.taken == 5


@pytest.mark.usefixtures("gateways", "all_look_first", "breaks_the_books")
def test_control_without_the_lock_and_the_databases_rule_there_are_too_many():
    coupon, product = build_coupon(max_uses=5), build_product()
    learners = [build_user() for _ in range(THREADS)]
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE payments_coupon DROP CONSTRAINT payments_coupon_taken_within_limit")

    found = at_once(THREADS, lambda number: outcome(learners[number], product))

    assert Counter(found) == {"pending": THREADS}
    coupon.refresh_from_db()
    assert coupon.taken == THREADS
