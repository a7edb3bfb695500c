"""One Idempotency-Key, one payment, one checkout at the gateway: over HTTP, with real parallel requests."""

from collections import Counter

import pytest
import requests
from django.apps import apps

from accounts.tests.builders import build_user
from learning247.kit.clock import now
from learning247.kit.money import Money
from learning247.records import idempotency
from learning247.records.services.idempotency import Claim
from learning247.records.tests.races import at_once
from payments.errors import CheckoutLost
from payments.models import Entitlement, Payment
from payments.services.checkout import checkout_start
from payments.tests.builders import build_product
from payments.tests.wire import TIMEOUT, code_of, initialize, signed_in
from wallets.models import JournalEntry

GATEWAYS = pytest.mark.parametrize(
    ("currency", "table", "path"),
    [
        ("NGN", "paystack.transactions", "/transaction/initialize"),
        ("USD", "stripe.sessions", "/v1/checkout/sessions"),
    ],
    ids=["paystack", "stripe"],
)


def assert_one_payment(gateways, answers, table, path):
    """Every answer is the one payment, or "still running"; the gateway opened one checkout and was asked once."""
    seen = Counter((answer.status_code, code_of(answer) if answer.status_code >= 400 else "") for answer in answers)
    assert set(seen) <= {(201, ""), (409, "idempotency_in_progress")}
    assert seen[201, ""] >= 1
    payment = Payment.objects.get()
    assert {answer.json()["reference"] for answer in answers if answer.status_code == 201} == {payment.reference}
    assert all(1 <= int(answer.headers["Retry-After"]) <= 5 for answer in answers if answer.status_code == 409)
    assert len(gateways.control.rows(table)) == 1
    assert len(gateways.control.requests(method="POST", path=path)) == 1
    assert not JournalEntry.objects.exists()


@pytest.mark.race
@GATEWAYS
def test_the_same_key_32_times_at_once_opens_one_checkout(gateways, currency, table, path):
    headers, product = signed_in(build_user()), build_product()

    def ask(number=0):
        return initialize(gateways.url, headers, item_id=product.item_id, currency=currency, key="one key")

    answers = at_once(32, ask)

    assert_one_payment(gateways, answers, table, path)
    again = ask()
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")
    assert again.json() == next(answer.json() for answer in answers if answer.status_code == 201)


@pytest.mark.race
def test_control_without_the_claim_the_gateway_is_asked_more_than_once(gateways, monkeypatch):
    """The key then still stands on the row, so there is one payment; but its checkout is opened again and again."""
    monkeypatch.setattr(idempotency, "idempotency_claim", lambda **request: Claim(0, now()))
    monkeypatch.setattr(idempotency, "idempotency_store", lambda claim, **answer: None)
    monkeypatch.setattr(idempotency, "idempotency_release", lambda claim: None)
    headers, product = signed_in(build_user()), build_product()

    at_once(32, lambda number: initialize(gateways.url, headers, item_id=product.item_id, key="one key"))

    assert Payment.objects.count() == 1
    assert len(gateways.control.requests(method="POST", path="/transaction/initialize")) > 1


@pytest.mark.race
def test_a_key_whose_lease_was_taken_over_still_makes_one_payment(gateways):
    """32 at the service itself, as if every claim had run out: the row's own key decides. Nobody gets a 500."""
    learner, product = build_user(), build_product()

    def start(number):
        try:
            return checkout_start(
                buyer=learner,
                product_kind=product.kind,
                item_id=product.item_id,
                currency="USD",
                details={},
                operation="payments.initialize",
                idempotency_key="one key",
            ).reference
        except CheckoutLost:
            return "lost"

    answers = at_once(32, start)

    assert set(answers) == {Payment.objects.get().reference}
    assert len(gateways.control.rows("stripe.sessions")) == 1


@pytest.mark.race
def test_the_same_key_32_times_at_once_over_several_processes(serve, gateways):
    url, headers, product = serve(), signed_in(build_user()), build_product()

    answers = at_once(32, lambda number: initialize(url, headers, item_id=product.item_id, key="one key"))

    assert_one_payment(gateways, answers, "paystack.transactions", "/transaction/initialize")


@pytest.mark.race
def test_something_free_taken_32_times_at_once_is_granted_once(gateways):
    headers, product = signed_in(build_user()), build_product(prices=(Money(0, "NGN"),))

    answers = at_once(
        32, lambda number: initialize(gateways.url, headers, item_id=product.item_id, key=f"k{number % 8}")
    )

    assert {answer.status_code for answer in answers} <= {201, 409}
    assert {code_of(answer) for answer in answers if answer.status_code == 409} <= {
        "idempotency_in_progress",
        "already_owned",
    }
    payment = Payment.objects.get()
    assert (payment.status, payment.checkout_url, payment.gateway) == ("paid", "", "")
    assert Entitlement.objects.get().payment_id == payment.pk
    assert not JournalEntry.objects.exists()


def course_on_sale(url):
    """Written and published over the API by a creator, like any client would. Its id."""
    department = apps.get_model("courses", "Department").objects.create(name="Mathematics", slug="mathematics")
    creator = signed_in(build_user(verified=True))
    wanted = {
        "title": "Algebra",
        "department": str(department.pk),
        "description": "From the start.",
        "curriculum": "x and y",
        "duration": "4 weeks",
        "link": "https://classroom.example.com/algebra",
        "prices": [{"currency": "NGN", "amount": "25000.00"}],
    }
    course = requests.post(f"{url}/api/courses", json=wanted, headers=creator, timeout=TIMEOUT)
    assert course.status_code == 201, course.text
    published = requests.post(f"{url}/api/courses/{course.json()['id']}/publish", headers=creator, timeout=TIMEOUT)
    assert published.status_code == 200, published.text
    return course.json()["id"]


def purchase(url, course, headers, *, key, **body):
    keyed = {} if key is None else {"Idempotency-Key": key}
    return requests.post(
        f"{url}/api/courses/{course}/purchase",
        json={"currency": "NGN"} | body,
        headers=headers | keyed,
        timeout=TIMEOUT,
    )


@pytest.mark.race
def test_a_course_bought_32_times_at_once_with_one_key_is_one_payment(gateways):
    course, headers = course_on_sale(gateways.url), signed_in(build_user())

    answers = at_once(32, lambda number: purchase(gateways.url, course, headers, key="one key"))

    assert_one_payment(gateways, answers, "paystack.transactions", "/transaction/initialize")


def test_a_course_purchase_needs_its_key_and_keeps_it_to_one_request(gateways):
    course, headers = course_on_sale(gateways.url), signed_in(build_user())

    missing = purchase(gateways.url, course, headers, key=None)
    first = purchase(gateways.url, course, headers, key="k")
    other = purchase(gateways.url, course, headers, key="k", student={"name": "Ada", "email": "a@b.com", "phone": "1"})

    assert (missing.status_code, code_of(missing)) == (400, "idempotency_key_required")
    assert first.status_code == 201
    assert (other.status_code, code_of(other)) == (422, "idempotency_key_reused")
    assert Payment.objects.count() == 1


def test_the_same_key_with_another_body_is_a_422_and_changes_nothing(gateways):
    headers, product, another = signed_in(build_user()), build_product(), build_product()
    first = initialize(gateways.url, headers, item_id=product.item_id, key="k")

    for body in ({"item_id": another.item_id}, {"item_id": product.item_id, "currency": "USD"}):
        answer = initialize(gateways.url, headers, key="k", **body)
        assert (answer.status_code, code_of(answer)) == (422, "idempotency_key_reused")

    assert Payment.objects.get().reference == first.json()["reference"]
    assert len(gateways.control.rows("paystack.transactions")) == 1
    assert gateways.control.rows("stripe.sessions") == []


def test_the_same_key_of_another_user_is_another_payment(gateways):
    product = build_product()
    answers = [initialize(gateways.url, signed_in(build_user()), item_id=product.item_id, key="k") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json()["reference"] != answers[1].json()["reference"]
    assert [answer.headers.get("Idempotency-Replayed") for answer in answers] == [None, None]
    assert Payment.objects.values("buyer").distinct().count() == 2


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (None, "idempotency_key_required"),
        ("x" * 256, "idempotency_key_invalid"),
        ("tab\there", "idempotency_key_invalid"),
        ("\xe9", "idempotency_key_invalid"),
    ],
    ids=["missing", "too long", "not printable", "not ascii"],
)
def test_a_missing_or_impossible_key_is_a_400(gateways, key, code):
    answer = initialize(gateways.url, signed_in(build_user()), item_id=build_product().item_id, key=key)

    assert (answer.status_code, code_of(answer)) == (400, code)
    assert not Payment.objects.exists()


def test_a_key_of_255_characters_is_good(gateways):
    answer = initialize(gateways.url, signed_in(build_user()), item_id=build_product().item_id, key="x" * 255)

    assert answer.status_code == 201


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"item_id": "nobody"}, 400, "invalid"),
        ({"item_id": "01900000-0000-7000-8000-000000000000"}, 404, "product_not_found"),
        ({"item_type": "car"}, 400, "invalid_choice"),
        ({"currency": "XXX"}, 422, "currency_not_available"),
        ({"currency": "GBP"}, 422, "currency_not_available"),
        ({"currency": None}, 400, "null"),
        ({"item_id": ["a"]}, 400, "invalid"),
    ],
    ids=str,
)
def test_a_refused_request_leaves_no_payment(gateways, body, status, code):
    wanted = {"item_id": build_product().item_id} | body

    answer = initialize(gateways.url, signed_in(build_user()), **wanted)

    assert (answer.status_code, code_of(answer)) == (status, code)
    assert not Payment.objects.exists()
    assert gateways.control.rows("paystack.transactions") == []


def test_what_was_malformed_may_be_sent_again_under_its_key(gateways):
    headers, product = signed_in(build_user()), build_product()
    assert initialize(gateways.url, headers, item_id="nonsense", key="k").status_code == 400

    assert initialize(gateways.url, headers, item_id=product.item_id, key="k").status_code == 201
