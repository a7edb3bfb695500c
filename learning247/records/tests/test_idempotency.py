"""One key, one effect: the contract over HTTP, against a small view of the test's own."""

from datetime import timedelta

import orjson
import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from rest_framework.exceptions import ParseError, Throttled
from rest_framework.response import Response
from rest_framework.test import force_authenticate
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from learning247.kit.clock import now
from learning247.kit.errors import Conflict, NotFound, PaymentRequired, Unavailable, Unprocessable
from learning247.records.idempotency import IdempotentThrottling, idempotent
from learning247.records.models import IdempotencyRecord
from learning247.records.services.idempotency import Claim, idempotency_claim, idempotency_purge, idempotency_store
from learning247.records.tests.builders import a_user
from learning247.records.tests.races import at_once


class RefuseAll(BaseThrottle):
    def allow_request(self, request, view):
        return False


def view_that(work, *, throttles=()):
    class Buy(IdempotentThrottling, APIView):
        throttle_classes = throttles

        @idempotent("tests.buy")
        def post(self, request):
            return work(request)

    return Buy.as_view()


def counting(effects, *, status=201):
    def work(request):
        effects.append(request.idempotency_key)
        return Response({"effect": len(effects), "item": request.data["item"]}, status=status)

    return work


def post(view, user, *, key="key-1", body=b'{"item":"course"}', path="/buy"):
    headers = {} if key is None else {"Idempotency-Key": key}
    request = RequestFactory().post(path, body, content_type="application/json", headers=headers)
    if user is not None:
        force_authenticate(request, user)
    response = view(request)
    return response.render() if hasattr(response, "render") else response


def code_of(response):
    return orjson.loads(response.content)["errors"][0]["code"]


@pytest.fixture
def user(db):
    return a_user()


def test_the_first_request_runs_and_the_repeat_gets_the_same_bytes(user):
    effects: list[str] = []
    view = view_that(counting(effects))

    first = post(view, user)
    again = post(view, user)

    assert effects == ["key-1"]
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content == b'{"effect":1,"item":"course"}'
    assert again["Content-Type"] == first["Content-Type"] == "application/json"
    assert "Idempotency-Replayed" not in first
    assert again["Idempotency-Replayed"] == "true"


def test_another_key_is_another_effect(user):
    effects: list[str] = []
    view = view_that(counting(effects))

    post(view, user, key="key-1")
    second = post(view, user, key="key-2")

    assert second.content == b'{"effect":2,"item":"course"}'
    assert "Idempotency-Replayed" not in second


def test_another_user_has_an_effect_of_their_own(user):
    effects: list[str] = []
    view = view_that(counting(effects))

    post(view, user)
    other = post(view, a_user("bola@example.com"))

    assert other.content == b'{"effect":2,"item":"course"}'


def test_each_user_gets_their_own_answer_again(user):
    view, other = view_that(counting([])), a_user("bola@example.com")
    first, second = post(view, user), post(view, other)

    assert post(view, other).content == second.content == b'{"effect":2,"item":"course"}'
    assert post(view, user).content == first.content == b'{"effect":1,"item":"course"}'


def test_another_operation_has_keys_of_its_own(user):
    claim = idempotency_claim(user=user, operation="tests.other", key="key-1", digest="0" * 64)
    assert isinstance(claim, Claim)
    idempotency_store(claim, status=200, body=b"{}")

    assert post(view_that(counting([])), user).status_code == 201


@pytest.mark.parametrize(
    "other", [{"body": b'{"item":"video"}'}, {"path": "/buy?currency=USD"}, {"body": b'{"item": "course"}'}]
)
def test_the_same_key_with_another_request_is_refused(user, other):
    effects: list[str] = []
    view = view_that(counting(effects))
    post(view, user)

    refused = post(view, user, **other)

    assert (refused.status_code, code_of(refused)) == (422, "idempotency_key_reused")
    assert effects == ["key-1"]


def test_a_missing_key_is_a_400_and_nothing_runs(user):
    effects: list[str] = []

    refused = post(view_that(counting(effects)), user, key=None)

    assert (refused.status_code, code_of(refused)) == (400, "idempotency_key_required")
    assert (effects, IdempotencyRecord.objects.count()) == ([], 0)


@pytest.mark.parametrize("key", ["x" * 256, "a\tb", "ключ", "a\x7f"])
def test_a_key_that_is_too_long_or_not_printable_ascii_is_a_400(user, key):
    effects: list[str] = []

    refused = post(view_that(counting(effects)), user, key=key)

    assert (refused.status_code, code_of(refused)) == (400, "idempotency_key_invalid")
    assert effects == []


def test_a_key_of_255_characters_with_spaces_is_fine(user):
    assert post(view_that(counting([])), user, key="a b" + "x" * 252).status_code == 201


def test_without_sign_in_no_key_is_taken(db):
    refused = post(view_that(counting([])), None)

    assert refused.status_code == 401
    assert IdempotencyRecord.objects.count() == 0


@pytest.mark.parametrize(
    ("error", "status"),
    [(PaymentRequired(), 402), (NotFound(), 404), (Conflict(), 409), (Unprocessable(), 422)],
)
def test_a_conclusive_refusal_is_stored_and_replayed(user, error, status):
    runs = []

    def refuse(request):
        runs.append(1)
        raise error

    view = view_that(refuse)
    first, again = post(view, user), post(view, user)

    assert (first.status_code, again.status_code, runs) == (status, status, [1])
    assert first.content == again.content
    assert again["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize(
    ("error", "status"),
    [(ParseError(), 400), (Throttled(wait=3), 429), (Unavailable(), 503), (ZeroDivisionError(), 500)],
)
def test_an_answer_that_means_not_now_or_not_like_this_frees_the_key(user, error, status):
    answers = [error, None]

    def work(request):
        problem = answers.pop(0)
        if problem is not None:
            raise problem
        return Response({"done": True}, status=201)

    view = view_that(work)
    first, again = post(view, user), post(view, user)

    assert (first.status_code, again.status_code) == (status, 201)
    assert "Idempotency-Replayed" not in again


def test_after_a_malformed_request_the_key_may_carry_the_corrected_one(user):
    view = view_that(counting([]))

    malformed = post(view, user, body=b'{"item":')
    corrected = post(view, user, body=b'{"item":"course"}')

    assert (malformed.status_code, corrected.status_code) == (400, 201)


def test_a_running_request_is_a_409_that_says_when_to_ask_again(user):
    inner: list = []

    def slow(request):
        inner.append(post(view, user))
        return Response({}, status=201)

    view = view_that(slow)
    outer = post(view, user)

    assert outer.status_code == 201
    assert (inner[0].status_code, code_of(inner[0])) == (409, "idempotency_in_progress")
    assert inner[0]["Retry-After"] == "5"


def test_a_request_that_crashed_blocks_its_key_for_60_seconds_and_no_longer(user, clock):
    effects: list[str] = []

    def crash(request):
        raise SystemExit  # what a killed process leaves behind: no answer, no release

    with pytest.raises(SystemExit):
        post(view_that(crash), user)
    IdempotencyRecord.objects.create(
        user=user,
        operation="tests.buy",
        key="key-1",
        request_digest=digest_of_the_request(user),
        lease_until=clock.moment + timedelta(seconds=60),
    )

    view = view_that(counting(effects))
    clock.forward(seconds=59)
    blocked = post(view, user)
    clock.forward(seconds=2)
    taken_over = post(view, user)

    assert (blocked.status_code, blocked["Retry-After"]) == (409, "1")
    assert (taken_over.status_code, effects) == (201, ["key-1"])


def digest_of_the_request(user):
    post(view_that(counting([])), user)
    record = IdempotencyRecord.objects.get()
    record.delete()
    return record.request_digest


def test_whoever_was_taken_over_from_stores_nothing(user, clock):
    def slow(request):
        if not inner:
            inner.append(None)
            clock.forward(seconds=61)
            inner[0] = post(view, user)
            return Response({"by": "the slow one"}, status=201)
        return Response({"by": "the one that took over"}, status=201)

    inner: list = []
    view = view_that(slow)
    post(view, user)

    assert inner[0].content == b'{"by":"the one that took over"}'
    assert post(view, user).content == b'{"by":"the one that took over"}'


def test_an_answer_without_a_body_is_replayed_without_one(user):
    view = view_that(lambda request: Response(status=204))

    assert (post(view, user).content, post(view, user).status_code) == (b"", 204)


def test_a_plain_django_answer_is_stored_too(user):
    view = view_that(lambda request: HttpResponse(b'{"plain":true}', content_type="application/json"))

    assert post(view, user).content == post(view, user).content == b'{"plain":true}'


def test_repeats_do_not_count_against_rate_limits(user):
    effects: list[str] = []
    post(view_that(counting(effects)), user)

    limited = view_that(counting(effects), throttles=(RefuseAll,))

    assert post(limited, user).status_code == 201
    assert post(limited, user, key="key-2").status_code == 429
    assert effects == ["key-1"]


def test_keys_are_dropped_after_eight_days_and_not_after_seven(user, clock):
    for key, age in (("old", 8.1), ("kept", 7.9)):
        idempotency_claim(user=user, operation="tests.buy", key=key, digest="0" * 64)
        IdempotencyRecord.objects.filter(key=key).update(created_at=clock.moment - timedelta(days=age))

    assert idempotency_purge(batch=1) == 1
    assert [record.key for record in IdempotencyRecord.objects.all()] == ["kept"]


@pytest.mark.race
def test_32_requests_at_once_with_one_key_have_one_effect(committed_db):
    user = a_user()
    effects: list[str] = []
    view = view_that(counting(effects))

    answers = at_once(32, lambda number: post(view, user))

    assert effects == ["key-1"]
    originals = [answer for answer in answers if answer.status_code == 201]
    refused = [answer for answer in answers if answer.status_code == 409]
    assert len(originals) + len(refused) == 32
    assert {answer.content for answer in originals} == {b'{"effect":1,"item":"course"}'}
    assert sum("Idempotency-Replayed" not in answer for answer in originals) == 1
    assert {code_of(answer) for answer in refused} <= {"idempotency_in_progress"}


@pytest.mark.race
def test_without_the_contract_32_requests_at_once_have_32_effects(committed_db):
    """The control: the race above is a real one."""
    user = a_user()
    effects: list[str] = []

    class Unguarded(APIView):
        def post(self, request):
            effects.append(request.headers["Idempotency-Key"])
            return Response({}, status=201)

    at_once(32, lambda number: post(Unguarded.as_view(), user))

    assert effects == ["key-1"] * 32


@pytest.mark.race
def test_32_requests_at_once_at_a_key_whose_holder_died_take_it_over_once(committed_db):
    user = a_user()
    effects: list[str] = []
    view = view_that(counting(effects))
    digest = digest_of_the_request(user)
    idempotency_claim(user=user, operation="tests.buy", key="key-1", digest=digest)
    IdempotencyRecord.objects.update(lease_until=now() - timedelta(minutes=5))

    answers = at_once(32, lambda number: post(view, user))

    assert effects == ["key-1"]
    assert {answer.status_code for answer in answers} <= {201, 409}
