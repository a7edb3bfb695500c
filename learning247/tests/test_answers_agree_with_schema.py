"""What the server really sends is what the API's document says, null for null."""

from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator
from openapi_core import OpenAPI
from openapi_core.contrib.django import DjangoOpenAPIResponse
from openapi_core.testing import MockRequest
from rest_framework.test import APIClient

from accounts.tests.builders import PASSWORD, build_admin, build_creator, build_user, sign_in
from accounts.tests.conftest import Clock, clock
from courses.tests.builders import build_course, build_department, build_enrollment
from payments.tests.builders import build_review
from wallets.tests.withdrawing import Creator

__all__ = ["clock"]

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def document() -> OpenAPI:
    return OpenAPI.from_dict(SchemaGenerator().get_schema(request=None, public=True))


def agrees(document: OpenAPI, answer: Any) -> bool:
    sent = answer.wsgi_request
    request = MockRequest("http://testserver", sent.method.lower(), sent.path)
    document.validate_response(request, DjangoOpenAPIResponse(answer))
    return True


def test_answers_of_the_catalogue_a_learner_a_creator_and_staff_agree(document: OpenAPI) -> None:
    learner, creator, law = build_user(), build_creator(), build_department("Law")
    platform = build_course(title="Torts", department=law, description="Harm")
    own = build_course(title="Contracts", department=law, creator=creator)
    enrollment = build_enrollment(platform, user=learner)
    leaver = build_user()
    waiting = build_review(build_course(title="Trusts", department=law).product, buyer=build_user())
    anybody, as_learner, as_creator, as_staff = APIClient(), APIClient(), APIClient(), APIClient()
    as_leaver = APIClient()
    sign_in(as_leaver, leaver)
    sign_in(as_learner, learner)
    sign_in(as_creator, creator)
    sign_in(as_staff, build_admin())

    answers = [
        anybody.get("/api/courses"),
        anybody.get("/api/courses?page_size=1"),
        anybody.get("/api/courses/departments"),
        anybody.get("/api/courses/departments/law/courses"),
        anybody.get("/api/courses/search?q=harm"),
        anybody.get("/api/courses/search?q=++"),
        anybody.get("/api/courses/passes"),
        anybody.get(f"/api/courses/{platform.id}"),
        anybody.get(f"/api/courses/{own.slug}"),
        anybody.get("/api/courses", headers={"Authorization": "Bearer nonsense"}),
        anybody.get("/api/payments/config"),
        as_learner.get(f"/api/courses/{platform.id}"),
        as_learner.get("/api/courses/my-enrollments"),
        as_learner.get("/api/payments"),
        as_learner.get("/api/wallet/balance"),
        as_learner.get("/api/wallet/transactions"),
        as_learner.get("/api/admin/course-enrollments"),
        as_creator.get("/api/courses/mine"),
        as_creator.post(f"/api/courses/{own.id}/withdraw"),
        as_staff.get("/api/admin/course-enrollments"),
        as_staff.get(f"/api/admin/course-enrollments/{enrollment.id}"),
        as_staff.get("/api/admin/course-enrollments/stats"),
        as_staff.patch(
            f"/api/admin/course-enrollments/{enrollment.id}/mark-sent", {"sent": True, "notes": ""}, format="json"
        ),
        as_staff.post(f"/api/admin/course-enrollments/{enrollment.id}/revoke", {"reason": "Test"}, format="json"),
        as_staff.get("/api/admin/reviews"),
        as_staff.get(f"/api/admin/reviews/{waiting.id}"),
        as_staff.patch(f"/api/admin/reviews/{waiting.id}", {"mine": True, "priority": 30}, format="json"),
        as_staff.post(f"/api/admin/reviews/{waiting.id}/approve", {}, format="json"),
        as_staff.post(f"/api/admin/reviews/{waiting.id}/reject", {"reason": "Stolen card"}, format="json"),
        as_leaver.post("/auth/me/delete", {"password": "wrong"}, format="json"),
        as_leaver.post("/auth/me/delete", {"password": PASSWORD}, format="json"),
        as_leaver.post("/auth/me/export", {"password": "wrong"}, format="json"),
        as_staff.post("/auth/me/delete", {"password": PASSWORD}, format="json"),
        anybody.post("/auth/delete-account", {"token": "nonsense"}, format="json"),
    ]

    assert [answer.status_code for answer in answers] == [
        *(200, 200, 200, 200, 200, 400, 200, 200, 200, 401, 200),
        *(200, 200, 200, 200, 200, 403, 200, 200),
        *(200, 200, 200, 200, 200),
        *(200, 200, 200, 200, 409),
        *(400, 202, 400, 409, 400),
    ]
    assert all(agrees(document, answer) for answer in answers)


def test_answers_about_coupons_agree(document: OpenAPI) -> None:
    creator = build_creator()
    course = build_course(title="Contracts", department=build_department("Law"), creator=creator)
    as_creator, as_learner = APIClient(), APIClient()
    sign_in(as_creator, creator)
    sign_in(as_learner, build_user())
    item = {"item_type": "course", "item_id": str(course.id)}
    body = item | {"currency": "NGN", "coupon": "law-25"}

    def post(who: APIClient, path: str, wanted: dict[str, Any], **headers: str) -> Any:
        return who.post(path, wanted, format="json", headers=headers)

    made = post(as_creator, "/api/payments/coupons", {"code": "LAW-25", "percent_bps": 10_000} | item)
    address = f"/api/payments/coupons/{made.json()['id']}"
    amounts = [{"currency": "NGN", "amount": "1.00"}]
    answers = [
        made,
        post(as_creator, "/api/payments/coupons", {"amounts": amounts, "ends_at": "2126-01-01T00:00:00Z"}),
        post(as_creator, "/api/payments/coupons", {"code": "law-25", "percent_bps": 1}),
        as_creator.get("/api/payments/coupons"),
        as_creator.get(address),
        as_creator.patch(address, {"max_uses": 3}, format="json"),
        post(as_learner, "/api/payments/quote", body),
        post(as_learner, "/api/payments/quote", body | {"coupon": "nothing"}),
        post(as_learner, "/api/payments/initialize", body, **{"Idempotency-Key": "1"}),
        post(as_learner, "/api/payments/initialize", body | {"coupon": "nothing"}, **{"Idempotency-Key": "2"}),
        as_learner.get("/api/payments"),
        as_creator.delete(address),
        as_learner.get(address),
    ]

    assert [answer.status_code for answer in answers] == [
        *(201, 201, 409, 200, 200, 200),
        *(200, 422, 201, 409, 200, 409, 404),
    ]
    assert all(agrees(document, answer) for answer in answers)


def test_answers_about_withdrawals_agree(document: OpenAPI) -> None:
    ada = Creator(currency="KWD", available_minor=100_000)
    described = {"account_number": "KW81CBKU1234", "currency": "KWD", "bank_name": "Bank", "account_name": "Ada Obi"}
    added = ada.send("POST", "/bank-accounts", described)
    account = added.json()["id"]
    begun = ada.withdraw("12.500", account)
    withdrawal = begun.json()["id"]
    code = ada.code(withdrawal)
    staff = APIClient()
    sign_in(staff, build_admin())
    answers = [
        added,
        ada.send("POST", "/bank-accounts", {"currency": "KWD", "account_number": "KW81CBKU1234"}),
        ada.send("POST", "/bank-accounts/resolve", {"account_number": "1", "bank_code": "058"}),
        ada.send("POST", "/bank-accounts/resolve", described | {"bank_code": "058"}),
        ada.send("GET", "/bank-accounts"),
        ada.send("GET", "/banks?currency=KWD"),
        begun,
        ada.withdraw("1000.000", account),
        ada.withdraw("0.000", account),
        ada.send("POST", f"/withdrawals/{withdrawal}/resend-code"),
        ada.confirm(withdrawal, "000000" if code != "000000" else "000001"),
        ada.confirm(withdrawal, code),
        staff.get("/api/admin/reviews"),
        ada.send("GET", "/withdrawals"),
        ada.cancel(withdrawal),
        ada.confirm(ada.begun("5.000", account)),
        ada.send("GET", f"/withdrawals/{withdrawal}"),
        ada.send("POST", "/payout-accounts/stripe", {}),
        ada.send("DELETE", f"/bank-accounts/{account}"),
        ada.send("DELETE", f"/bank-accounts/{account}"),
    ]

    assert [answer.status_code for answer in answers] == [
        *(201, 400, 400, 422, 200, 200),
        *(202, 422, 400, 429, 422, 200, 200, 200, 200, 200, 200),
        *(400, 204, 404),
    ]
    assert all(agrees(document, answer) for answer in answers)


def test_answers_of_the_second_factor_agree(document: OpenAPI, clock: Clock) -> None:
    user = build_user(verified=True)
    client, stranger = APIClient(), APIClient()
    sign_in(client, user)

    def post(path: str, body: dict[str, Any], who: APIClient = client) -> Any:
        return who.post(path, body, format="json")

    answers = [client.get("/auth/second-factor"), post("/auth/second-factor/totp", {"password": PASSWORD})]
    secret = answers[-1].json()["secret"]
    codes = [clock.code(secret, steps=steps) for steps in (-1, 0, 1)]
    answers += [
        post("/auth/second-factor/totp/confirm", {"code": clock.wrong(secret)}),
        post("/auth/second-factor/totp/confirm", {"code": codes[0]}),
        client.get("/auth/second-factor"),
        post("/auth/second-factor/totp", {"password": PASSWORD}),
        post("/auth/second-factor/recovery-codes", {"code": codes[1]}),
        post("/auth/second-factor/recovery-codes", {"code": codes[1]}),
        post("/auth/login", {"email": user.email, "password": PASSWORD}, stranger),
    ]
    challenge = answers[-1].json()["extra"]["challenge"]
    answers += [
        post("/auth/login/second-factor", {"challenge": challenge, "code": clock.wrong(secret)}, stranger),
        post("/auth/login/second-factor", {"challenge": challenge, "code": codes[2]}, stranger),
        post("/auth/login/second-factor", {"challenge": challenge, "code": codes[2]}, stranger),
        client.delete("/auth/second-factor/totp", {"password": PASSWORD, "code": codes[2]}, format="json"),
    ]

    assert [answer.status_code for answer in answers] == [
        *(200, 201, 422, 200, 200, 409, 200, 409, 401),
        *(401, 200, 401, 409),
    ]
    assert all(agrees(document, answer) for answer in answers)
