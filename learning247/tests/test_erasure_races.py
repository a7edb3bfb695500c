"""Deleting an account at the same moment as something else, with real transactions: before it, or not at all."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from inspect import unwrap
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection, connections

from accounts.errors import AccountNotSettled, ErasureTokenInvalid, TokenNotValid
from accounts.locks import user_lock
from accounts.models import Erasure, Session, User
from accounts.services import erasures
from accounts.services.erasures import erasure_by_staff, erasure_confirm, erasure_finish, erasure_request
from accounts.services.sessions import session_open
from accounts.services.users import user_update_profile
from accounts.tests.builders import PASSWORD, build_admin, build_creator, build_user
from courses.models import Enrollment
from courses.services.courses import course_create
from courses.tests.builders import build_course, build_department, build_enrollment
from learning247.kit.ids import new_id
from learning247.kit.money import Money
from learning247.records.models import AuditEntry, InboundEvent, OutboundMail
from learning247.records.services.prove import checks_run
from learning247.records.tests.races import at_once
from learning247.tests.test_erasure import EMAIL, IDENTIFYING, build_person, found_in_database, mailed_token
from payments.enums import PaymentStatus
from payments.errors import ProductNotFound
from payments.gateways import gateway_named
from payments.models import Payment
from payments.services import checkout, settlement
from payments.services.settlement import payment_settle
from payments.tests.builders import start_checkout
from payments.tests.wire import poll
from wallets.selectors import balances_of
from wallets.tests.races import held_open

pytestmark = pytest.mark.race


@pytest.fixture
def person(committed_db: str) -> User:
    return build_person()


def erase_up_to_the_commit(user: User) -> None:
    """All of an erasure but its commit, in the caller's transaction."""
    locked = user_lock(user.pk)
    erasures._refuse(locked)
    erasures._erase(locked, actor=locked, reason="Letter 12")


def waiting_pids() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return [pid for (pid,) in cursor.fetchall()]


def during_erasure(user: User, work: Callable[[], Any]) -> Any:
    """Begin `work` while an erasure is open, and commit that; what `work` answers or raises."""
    with ThreadPoolExecutor(1) as pool:
        with held_open(lambda: erase_up_to_the_commit(user)):
            future = pool.submit(closing(work))
            assert poll(lambda: waiting_pids() or future.done())
        return future.result(20)


def closing(work: Callable[[], Any]) -> Callable[[], Any]:
    def run() -> Any:
        try:
            return work()
        finally:
            connections.close_all()

    return run


def books_hold() -> bool:
    return [result for result in checks_run() if not result.holds] == []


def free_course():
    return build_course(prices=(Money(0, "NGN"),))


# --- What the person begins meanwhile


def test_a_purchase_that_comes_too_late_leaves_nothing(person):
    course = free_course()

    with pytest.raises(TokenNotValid):
        during_erasure(person, lambda: start_checkout(person, course.product))

    assert not Payment.objects.exists()
    assert found_in_database(IDENTIFYING) == []


def test_without_the_hold_the_name_would_be_back(person, monkeypatch):
    """The control: the same purchase, which does not look whether the account is being closed."""
    monkeypatch.setattr(checkout, "user_hold", lambda user_id: None)
    course = free_course()

    during_erasure(person, lambda: start_checkout(person, course.product))

    assert Enrollment.objects.get().student_email == EMAIL


def test_a_new_name_that_comes_too_late_is_not_written(person):
    with pytest.raises(TokenNotValid):
        during_erasure(person, lambda: user_update_profile(user=person, changes={"bio": "Lives by the lighthouse."}))

    assert found_in_database(IDENTIFYING) == []


def test_a_course_that_comes_too_late_is_not_made(committed_db):
    creator, law = build_person(is_creator=True), build_department("Law")

    def create():
        return course_create(creator=creator, title="Torts", department=law, prices=())

    with pytest.raises(TokenNotValid):
        during_erasure(creator, create)


def test_a_purchase_from_somebody_who_leaves_finds_nothing_on_sale(committed_db):
    creator, buyer = build_person(is_creator=True), build_user()
    course = build_course(creator=creator, prices=(Money(0, "NGN"),))

    with pytest.raises(ProductNotFound):
        during_erasure(creator, lambda: start_checkout(buyer, course.product))

    assert not Payment.objects.exists()


def test_of_many_uses_of_one_link_one_deletes(person):
    session = session_open(person)
    erasure_request(user=person, password=PASSWORD, session_id=session.session_id)
    token = mailed_token()

    def use(number: int) -> str:
        try:
            erasure_confirm(token=token)
        except ErasureTokenInvalid:
            return "invalid"
        return "deleted"

    assert sorted(at_once(8, use)) == ["deleted"] + ["invalid"] * 7
    assert AuditEntry.objects.filter(action="user.erased").count() == 1
    assert not Session.objects.exists()


# --- Money that still comes


def paid_late(gateways: Any, buyer: User, product: Any) -> Payment:
    """A checkout that expired unheard of and is paid at the gateway all the same."""
    gateways.control.pause_webhooks()
    payment = start_checkout(buyer, product)
    gateways.control.pay("paystack", payment.reference)
    Payment.objects.filter(pk=payment.pk).update(status=PaymentStatus.EXPIRED)
    return payment


def test_a_payment_that_settles_at_the_same_moment_names_nobody(gateways):
    person, creator = build_person(), build_creator()
    payment = paid_late(gateways, person, build_course(creator=creator).product)

    settled = during_erasure(person, lambda: payment_settle(reference=payment.reference))

    assert settled.status == "paid"
    assert balances_of(user=creator)[0].available == 2_000_000
    assert Enrollment.objects.get().student_name == f"Deleted user {person.id.hex[-8:]}"
    assert OutboundMail.objects.get(key__endswith=":receipt").status == "parked"
    assert found_in_database(IDENTIFYING) == []
    assert books_hold()


def test_with_a_buyer_read_before_the_wait_the_name_would_be_back(gateways, monkeypatch):
    """The control: the payment's lock as it is most quickly taken, together with the buyer's row; and no check for
    fraud before it, whose record names the buyer and so waits for the erasure already."""

    def joined(payment_id: Any) -> Payment:
        rows = Payment.objects.select_for_update(of=("self",), no_key=True)
        return rows.select_related("product__seller", "buyer").get(pk=payment_id)

    monkeypatch.setattr(settlement, "payment_lock", joined)
    monkeypatch.setattr(settlement, "settlement_check", lambda **_: None)
    person = build_person()
    payment = paid_late(gateways, person, build_course(creator=build_creator()).product)

    during_erasure(person, lambda: payment_settle(reference=payment.reference))

    assert Enrollment.objects.get().student_email == EMAIL


def test_a_webhook_after_the_deletion_still_settles_and_is_forgotten(gateways, run_jobs):
    person, creator = build_person(), build_creator()
    payment = paid_late(gateways, person, build_course(creator=creator).product)
    erasure_by_staff(user=person, actor=build_admin(), reason="Letter 12")

    gateways.control.resume_webhooks()
    assert poll(InboundEvent.objects.exists)
    assert EMAIL in bytes(InboundEvent.objects.get().body).decode()
    run_jobs()

    assert Payment.objects.get(pk=payment.pk).status == "paid"
    assert balances_of(user=creator)[0].available == 2_000_000
    erasure_finish(person.id)
    assert found_in_database(IDENTIFYING) == []
    assert InboundEvent.objects.get().outcome == "payment paid"
    assert books_hold()


def test_a_sale_that_is_settling_is_in_the_way_of_its_creator(gateways):
    creator = build_person(is_creator=True)
    payment = paid_late(gateways, build_user(), build_course(creator=creator).product)
    reported = gateway_named("paystack").fetch(reference=payment.reference, gateway_reference="")

    def settle_up_to_the_commit() -> None:
        unwrap(settlement._report_record)(payment.pk, reported)

    staff = build_admin()
    with ThreadPoolExecutor(1) as pool:
        with held_open(settle_up_to_the_commit):
            erasing = pool.submit(closing(lambda: erasure_by_staff(user=creator, actor=staff, reason="Letter 12")))
            assert poll(lambda: waiting_pids() or erasing.done())
        with pytest.raises(AccountNotSettled, match=r"NGN 20,000\.00 is available"):
            erasing.result(20)

    assert balances_of(user=creator)[0].available == 2_000_000
    assert User.objects.get(id=creator.id).email == EMAIL


def test_a_sale_that_settles_after_its_creator_left_is_theirs_and_the_books_hold(gateways):
    creator = build_person(is_creator=True)
    payment = paid_late(gateways, build_user(), build_course(creator=creator).product)

    settled = during_erasure(creator, lambda: payment_settle(reference=payment.reference))

    assert settled.status == "paid"
    assert balances_of(user=creator)[0].available == 2_000_000
    assert found_in_database(IDENTIFYING) == []
    assert books_hold()


# --- Rights


def test_the_applications_role_forgets_by_the_one_door_that_it_has(person):
    build_enrollment(build_course(), user=person)
    role = f"app_{new_id().hex[-12:]}"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {role}")
    call_command("grant_app_role", role, verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {role}")
    erasure_by_staff(user=person, actor=build_admin(), reason="Letter 12")
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        cursor.execute(f"DROP OWNED BY {role}")
        cursor.execute(f"DROP ROLE {role}")

    assert found_in_database(IDENTIFYING) == []


# --- Crashes


def test_a_connection_that_dies_in_between_has_changed_nothing_and_it_can_be_done_again(person):
    build_enrollment(build_course(), user=person)
    staff = build_admin()
    before = found_in_database(IDENTIFYING)

    def hold() -> None:
        Enrollment.objects.select_for_update().get()

    with (
        held_open(hold),
        ThreadPoolExecutor(1) as pool,
    ):
        erasing = pool.submit(closing(lambda: erasure_by_staff(user=person, actor=staff, reason="Letter 12")))
        (pid,) = poll(waiting_pids)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
        with pytest.raises(OperationalError):
            erasing.result(20)

    assert found_in_database(IDENTIFYING) == before
    assert not Erasure.objects.exists()
    assert not AuditEntry.objects.filter(action="user.erased").exists()

    erasure_by_staff(user=person, actor=staff, reason="Letter 12")
    assert found_in_database(IDENTIFYING) == []


def test_a_job_that_was_never_run_is_caught_up_with(person, run_jobs):
    payment = build_enrollment(build_course(), user=person).payment
    assert payment is not None
    InboundEvent.objects.create(
        source="paystack", external_id=new_id().hex, event_type="charge.success", headers={}, body=EMAIL.encode(),
        about=payment.reference, status="parked", reason="x",
    )  # fmt: skip
    erasure_by_staff(user=person, actor=build_admin(), reason="Letter 12")
    assert found_in_database(IDENTIFYING) == [
        ("records_inboundevent", "zebulonina"),
        ("records_inboundevent", "quillfeather"),
    ]

    assert erasures.erasure_sweep() == 1

    assert found_in_database(IDENTIFYING) == []
    assert "accounts.finish_erasure" in run_jobs()
