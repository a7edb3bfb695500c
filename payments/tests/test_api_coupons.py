"""Coupons over HTTP: creators make their own, learners see what one takes off, guesses are counted."""

from datetime import timedelta

import pytest
from rest_framework.test import APIClient

from accounts.tests.builders import build_creator, build_user, sign_in
from learning247.kit.clock import now
from learning247.kit.money import Money
from learning247.records.models import AuditEntry
from payments.models import Coupon, CouponRedemption, Payment
from payments.tests.builders import build_coupon, build_product, start_checkout

pytestmark = pytest.mark.django_db

COUPONS = "/api/payments/coupons"
NOWHERE = "01900000-0000-7000-8000-000000000000"  # the same in every process, which all collect the same tests


@pytest.fixture
def ada():
    return build_creator()


@pytest.fixture
def client(ada):
    return of(ada)


def of(user):
    client = APIClient()
    sign_in(client, user)
    return client


def said(answer):
    error = answer.json()["errors"][0]
    return answer.status_code, error["code"], error["attr"]


def quoted(client, product, **body):
    wanted = {"item_type": "video", "item_id": str(product.item_id), "currency": "NGN"} | body
    return client.post("/api/payments/quote", wanted, format="json")


# --- a creator's own


def test_a_creator_makes_a_coupon_for_one_item_and_sees_how_it_is_used(client, ada):
    product = build_product(seller=ada)

    made = client.post(
        COUPONS,
        {
            "code": " spring-25",
            "percent_bps": 2_500,
            "item_type": "video",
            "item_id": str(product.item_id),
            "max_uses": 50,
            "max_uses_per_user": 1,
        },
        format="json",
    )

    assert made.status_code == 201
    coupon = Coupon.objects.get()
    assert made.json() == client.get(f"{COUPONS}/{coupon.pk}").json()
    shown = made.json()
    assert {name: shown[name] for name in ("code", "state", "percent_bps", "amounts", "uses", "reserved")} == {
        "code": "SPRING-25", "state": "active", "percent_bps": 2_500, "amounts": [], "uses": 0, "reserved": 0,
    }  # fmt: skip
    assert shown["item"] == {"type": "video", "id": str(product.item_id), "title": "Algebra"}
    assert (coupon.owner, coupon.bearer, coupon.product, coupon.seller) == (ada, "creator", product, None)
    assert AuditEntry.objects.get(action="coupon.created").actor == ada
    assert [row["id"] for row in client.get(COUPONS).json()["results"]] == [str(coupon.pk)]


def test_fixed_amounts_are_for_all_that_the_creator_sells_and_a_code_is_made(client, ada):
    amounts = [{"currency": "NGN", "amount": "500.00"}, {"currency": "JPY", "amount": "120"}]

    made = client.post(COUPONS, {"amounts": amounts}, format="json").json()

    coupon = Coupon.objects.get()
    assert (made["amounts"], made["percent_bps"], made["item"]) == (amounts[::-1], None, None)
    assert (coupon.seller, coupon.product) == (ada, None)
    assert made["code"] == coupon.code and len(coupon.code) == 10


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, (400, "invalid", "percent_bps")),
        ({"percent_bps": 0}, (400, "min_value", "percent_bps")),
        ({"percent_bps": 10_001}, (400, "max_value", "percent_bps")),
        ({"percent_bps": 100, "amounts": [{"currency": "NGN", "amount": "1.00"}]}, (400, "invalid", "percent_bps")),
        ({"amounts": [{"currency": "NGN", "amount": "0.00"}]}, (400, "invalid", "amounts.0.amount")),
        ({"percent_bps": 100, "code": "ABC"}, (400, "coupon_code_invalid", "code")),
        ({"percent_bps": 100, "code": "-SPRING"}, (400, "coupon_code_invalid", "code")),
        ({"percent_bps": 100, "max_uses": 0}, (400, "min_value", "max_uses")),
        ({"percent_bps": 100, "item_id": NOWHERE}, (400, "invalid", "item_id")),
        ({"percent_bps": 100, "ends_at": "2020-01-01T00:00:00Z"}, (422, "coupon_window_invalid", "ends_at")),
        ({"percent_bps": 100, "item_type": "video", "item_id": NOWHERE}, (404, "product_not_found", "item_id")),
    ],
    ids=str,
)
def test_what_cannot_be_a_coupon_is_refused(client, body, expected):
    assert said(client.post(COUPONS, body, format="json")) == expected
    assert not Coupon.objects.exists()


def test_nobody_makes_a_coupon_for_what_somebody_else_sells(client):
    theirs = build_product(seller=build_creator())
    body = {"percent_bps": 10_000, "item_type": "video", "item_id": str(theirs.item_id)}

    assert said(client.post(COUPONS, body, format="json")) == (404, "product_not_found", "item_id")
    assert not Coupon.objects.exists()


def test_who_has_not_proved_an_email_makes_no_coupon():
    answer = of(build_user()).post(COUPONS, {"percent_bps": 100}, format="json")

    assert said(answer)[:2] == (403, "email_not_verified")
    assert not Coupon.objects.exists()


def test_a_code_is_taken_for_its_creator_alone(client):
    other = of(build_creator())
    body = {"code": "SPRING", "percent_bps": 100}
    assert client.post(COUPONS, body, format="json").status_code == 201

    assert said(client.post(COUPONS, body | {"code": "spring"}, format="json")) == (409, "coupon_code_taken", "code")
    assert other.post(COUPONS, body, format="json").status_code == 201


def test_when_and_how_often_may_change_and_what_it_takes_off_may_not(client, ada):
    coupon = build_coupon(owner=ada)
    ends_at = now() + timedelta(days=1)

    changed = client.patch(
        f"{COUPONS}/{coupon.pk}",
        {"active": False, "ends_at": ends_at.isoformat(), "max_uses": 5, "percent_bps": 1},
        format="json",
    )

    assert (changed.status_code, changed.json()["state"], changed.json()["percent_bps"]) == (200, "paused", 2_500)
    coupon.refresh_from_db()
    assert (coupon.active, coupon.ends_at, coupon.max_uses) == (False, ends_at, 5)
    entry = AuditEntry.objects.get(action="coupon.changed")
    assert entry.before is not None and entry.after is not None
    assert (entry.before["active"], entry.after["active"], entry.after["max_uses"]) == (True, False, 5)


def test_the_limit_does_not_fall_below_what_is_taken(client, ada):
    coupon = build_coupon(owner=ada, taken=3)

    refused = client.patch(f"{COUPONS}/{coupon.pk}", {"max_uses": 2}, format="json")

    assert said(refused) == (422, "coupon_limit_below_use", "max_uses")
    assert refused.json()["extra"] == {"taken": 3}
    coupon.refresh_from_db()
    assert coupon.max_uses is None


def test_an_unused_coupon_is_deleted_and_a_used_one_stays(client, ada):
    unused, used = build_coupon("UNUSED", owner=ada), build_coupon("USED-1", owner=ada, percent_bps=10_000)
    product = build_product(seller=ada)
    learner = of(build_user())
    body = {"item_type": "video", "item_id": str(product.item_id), "currency": "NGN", "coupon": "used-1"}
    paid = learner.post("/api/payments/initialize", body, format="json", headers={"Idempotency-Key": "1"})
    assert (paid.status_code, paid.json()["status"]) == (201, "paid")

    assert client.delete(f"{COUPONS}/{unused.pk}").status_code == 204
    assert said(client.delete(f"{COUPONS}/{used.pk}"))[:2] == (409, "coupon_redeemed")

    assert list(Coupon.objects.values_list("code", flat=True)) == ["USED-1"]
    assert (client.get(f"{COUPONS}/{used.pk}").json()["uses"], CouponRedemption.objects.count()) == (1, 1)


@pytest.mark.parametrize("method", ["get", "patch", "delete"])
def test_other_peoples_coupons_and_the_platforms_are_not_there(client, method):
    for coupon in (build_coupon("THEIRS", owner=build_creator()), build_coupon("PLATFORM")):
        answer = getattr(client, method)(f"{COUPONS}/{coupon.pk}", {"active": False}, format="json")
        assert said(answer)[:2] == (404, "coupon_not_found")
    assert Coupon.objects.filter(active=True).count() == 2


# --- what it would cost


def test_a_quote_says_price_discount_and_total_and_begins_nothing():
    product, coupon, learner = build_product(), build_coupon(), of(build_user())

    assert quoted(learner, product, coupon="spring-25").json() == {
        "currency": "NGN",
        "price": "25000.00",
        "discount": "6250.00",
        "total": "18750.00",
        "coupon": "SPRING-25",
        "item": {"type": "video", "id": str(product.item_id), "title": "Algebra"},
    }
    for blank in ({}, {"coupon": ""}, {"coupon": None}):
        plain = quoted(learner, product, **blank).json()
        assert (plain["discount"], plain["total"], plain["coupon"]) == ("0.00", "25000.00", None)
    coupon.refresh_from_db()
    assert coupon.taken == 0
    assert not Payment.objects.exists()


@pytest.mark.parametrize(
    ("fields", "body", "code"),
    [
        ({}, {"coupon": "AUTUMN"}, "coupon_unknown"),
        ({"active": False}, {}, "coupon_expired"),
        ({"max_uses": 1, "taken": 1}, {}, "coupon_used_up"),
        ({"amounts": (Money(1, "NGN"),)}, {"currency": "USD"}, "coupon_not_applicable"),
        ({"percent_bps": 9_950}, {"currency": "USD"}, "coupon_minimum"),
        ({}, {"currency": "EUR"}, "currency_not_available"),
    ],
)
def test_a_quote_refuses_what_buying_would(fields, body, code):
    build_coupon(**fields)

    answer = quoted(of(build_user()), build_product(), **({"coupon": "SPRING-25"} | body))

    assert said(answer)[:2] == (422, code)
    assert "eave" in answer.json()["errors"][0]["detail"] or code == "currency_not_available"


def test_nobody_gets_a_quote_for_what_is_not_on_sale_or_is_theirs(ada, client):
    assert said(quoted(client, build_product(seller=ada)))[:2] == (409, "already_owned")
    hidden = build_product()
    hidden.active = False
    hidden.save()
    assert said(quoted(client, hidden))[:2] == (404, "product_not_found")


def test_guesses_are_counted_by_person_and_by_address(settings):
    settings.RATELIMIT_ENABLE = True
    settings.RATELIMIT_RATES = settings.RATELIMIT_RATES | {"general": "1000/15m", "coupons": "3/15m"}
    product, learner, neighbour = build_product(), of(build_user()), of(build_user())
    statuses = [quoted(learner, product, coupon=f"GUESS-{n}").status_code for n in range(4)]

    assert statuses == [422, 422, 422, 429]
    assert quoted(neighbour, product, coupon="GUESS-5").status_code == 429


def test_a_purchase_shows_what_the_coupon_took_off():
    product = build_product(seller=build_creator())
    build_coupon(percent_bps=10_000)
    learner = build_user()
    start_checkout(learner, product, coupon="SPRING-25")

    (shown,) = of(learner).get("/api/payments").json()["results"]

    assert {name: shown[name] for name in ("status", "price", "discount", "amount", "coupon")} == {
        "status": "paid", "price": "25000.00", "discount": "25000.00", "amount": "0.00", "coupon": "SPRING-25",
    }  # fmt: skip
