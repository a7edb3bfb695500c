"""One of everybody, and something of the owner's behind every address: what the permission table is asked about."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test import Client
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from rest_framework.test import APIClient

from accounts.models import User
from accounts.services.sessions import SignedIn, session_open
from accounts.tests.builders import build_admin, build_creator, build_user
from accounts.tokens import issue_tokens
from courses.enums import CourseStatus
from courses.tests.builders import build_course, build_department, build_enrollment
from learning247.kit.clock import now
from learning247.kit.encryption import encrypt
from learning247.kit.ids import new_id
from learning247.kit.money import Money
from learning247.outbound_webhooks.models import OutboundEvent, WebhookDelivery, WebhookEndpoint
from learning247.outbound_webhooks.services.endpoints import PURPOSE
from learning247.records.enums import MailStatus
from learning247.records.models import IdempotencyRecord, OutboundMail
from learning247.records.services.audit import audit_record
from learning247.records.services.inbox import event_receive
from learning247.records.services.mail import mail_queue
from learning247.risk.enums import Purpose
from learning247.risk.facts import Facts, Subject
from learning247.risk.services.decisions import risk_check
from payments.enums import DisputeStatus, GatewayName, RefundSource
from payments.models import CouponRedemption, Dispute, Payment, Payout
from payments.services.refunds import refund_book
from payments.tests.builders import build_coupon, build_review
from wallets.enums import PayoutMethod
from wallets.models import (
    AdjustmentLine,
    AdjustmentProposal,
    JournalEntry,
    PayoutFreeze,
    PayoutLimit,
    PayoutProfile,
    Seal,
    Withdrawal,
    WithdrawalReview,
)
from wallets.services.finance_transfers import finance_transfer_done
from wallets.services.withdrawal_reviews import withdrawal_approve
from wallets.services.withdrawals import withdrawal_confirm, withdrawal_start
from wallets.tests.builders import post_sale
from wallets.tests.withdrawing import Creator, build_account

ANONYMOUS = "anonymous"
PERSONS = (ANONYMOUS, "user", "owner", "other", "support", "reviewer", "finance", "admin")
STAFF = PERSONS[4:]


@contextmanager
def transaction_of_test() -> Iterator[None]:
    """Undone at its end. Services that must be outermost take themselves for that inside, as in Django's TestCase."""
    outer = transaction.atomic()
    outer._from_testcase = True  # type: ignore[attr-defined]
    with outer:
        yield
        transaction.set_rollback(True)


class World:
    """`user` is a learner with nothing of their own, `owner` a creator whose the things are, `other` another one."""

    def __init__(self) -> None:
        self.people: dict[str, User] = {
            "user": build_user(verified=True),
            "owner": build_creator(),
            "other": build_creator(),
            **{name: self._member(name) for name in ("support", "reviewer", "finance")},
            "admin": build_admin(),
        }
        self.owner = self.people["owner"]
        self.department, self.empty_department = build_department("Law"), build_department("Nothing yet")
        self.course = build_course(title="Torts", department=self.department, creator=self.owner)
        self.draft = build_course(department=self.department, creator=self.owner, status=CourseStatus.DRAFT)
        self.withdrawn = build_course(department=self.department, creator=self.owner, status=CourseStatus.WITHDRAWN)
        self.platform_course = build_course(department=self.department)
        self.free = build_course(department=self.department, prices=(Money(0, "NGN"), Money(0, "USD")))
        self.enrollment = build_enrollment(self.platform_course, user=self.owner)
        assert self.enrollment.payment is not None
        self.payment = self.enrollment.payment
        self.entry = JournalEntry.objects.get(id=post_sale(self.owner.pk, gross_minor=10_000, fee_minor=2_000))
        post_sale(self.owner.pk, gross_minor=10_000, fee_minor=0, currency="KWD")
        self.account = build_account(self.owner, "KWD", method=PayoutMethod.BANK)
        self.withdrawal = withdrawal_start(
            owner=self.owner,
            account_id=self.account.pk,
            amount=Money(1_000, "KWD"),
            operation="test",
            idempotency_key="1",
        )
        reviewed = withdrawal_start(
            owner=self.owner,
            account_id=self.account.pk,
            amount=Money(1_000, "KWD"),
            operation="test",
            idempotency_key="2",
        )
        withdrawal_confirm(owner=self.owner, withdrawal_id=reviewed.pk, code=Creator.code(reviewed.pk))
        self.withdrawal_review = WithdrawalReview.objects.get(withdrawal=reviewed)
        self.by_hand, self.transferred = self._by_hand("3"), self._by_hand("4")
        finance_transfer_done(
            withdrawal_id=self.transferred.pk, actor=self.people["admin"], bank_reference="0", reason="On the list"
        )
        self.profile = PayoutProfile.objects.create(owner=self.owner)
        PayoutLimit.objects.create(owner=self.owner, currency="KWD")
        PayoutFreeze.objects.create(currency="ZAR", check_code="I2", breach="An account of nobody's.")
        self.session = session_open(self.owner)
        self.event_id, _ = event_receive(
            source="paystack", external_id="1", event_type="charge.success", headers={}, body=b'{"event": "x"}'
        )
        audit_record(actor=self.people["admin"], action="looked", subject_kind="user", subject_id=str(self.owner.pk))
        with transaction.atomic():
            mail_queue(
                key="test",
                to=self.owner.email,
                template="verify_email",
                context={"first_name": "Person", "url": "https://x.example"},
            )
        OutboundMail.objects.update(status=MailStatus.PARKED)
        IdempotencyRecord.objects.create(
            user=self.owner, operation="test", key="1", request_digest="0" * 64, lease_until=now()
        )
        Seal.objects.create(
            id=1,  # none of the numbers that other tests count on
            first_entry_id=1,  # whatever numbers other tests have used up
            last_entry_id=self.entry.id,
            entry_count=1,
            previous_digest=bytes(32),
            digest=b"1" * 32,
        )
        self.captured = self._captured()
        self.endpoint = WebhookEndpoint.objects.create(
            owner=self.owner, url="https://hooks.example.com/", sealed_secret=encrypt("whsec_eA==", purpose=PURPOSE)
        )
        event = OutboundEvent.objects.create(key="test", owner=self.owner, event_type="ping", data={})
        self.delivery = WebhookDelivery.objects.create(event=event, endpoint=self.endpoint)
        self.review = build_review(build_course(department=self.department).product, buyer=self.owner)
        self.coupon = build_coupon(owner=self.owner)
        self.paused_coupon = build_coupon("PAUSED", owner=self.owner, active=False)
        redeemed = build_enrollment(self.withdrawn, user=self.people["other"]).payment
        assert redeemed is not None
        CouponRedemption.objects.create(
            coupon=build_coupon("REDEEMED", owner=self.people["other"], taken=1),
            payment=redeemed,
            user=self.people["other"],
        )
        Payout.objects.create(
            gateway=GatewayName.STRIPE, gateway_payout_id="po_1", currency="USD", amount_minor=1_000, initiated_at=now()
        )
        self.adjustment = AdjustmentProposal.objects.create(
            currency="USD", reason="A fee that the gateway named late.", first_by=build_user(is_staff=True)
        )
        for kind, minor in (("losses", -100), ("gateway_costs", 100)):
            AdjustmentLine.objects.create(proposal=self.adjustment, kind=kind, amount_minor=minor)
        risk_check(
            purpose=Purpose.CHECKOUT,
            subject=Subject("payment", self.captured.pk),
            facts=Facts(person=self.owner.pk, currency="NGN", amount_minor=10_000),
        )
        interval = IntervalSchedule.objects.create(every=77, period="days")
        PeriodicTask.objects.create(name="test", task="records.sweep_mail", interval=interval)
        self.paused = PeriodicTask.objects.create(
            name="paused", task="records.sweep_mail", interval=interval, enabled=False
        )
        stored = Path(settings.MEDIA_ROOT) / "courses" / "image.webp"
        stored.parent.mkdir(parents=True)
        stored.write_bytes(b"an image")
        self.tokens: dict[str, SignedIn] = {name: session_open(user) for name, user in self.people.items()}
        self.forms: dict[str, dict[str, Any]] = {}  # of the console, as they were shown
        self._consoles: dict[str, dict[str, str]] = {name: self._console_cookies(name) for name in PERSONS}

    def _by_hand(self, key: str) -> Withdrawal:
        """A withdrawal of the owner's that people have approved and finance is to transfer."""
        withdrawal = withdrawal_start(
            owner=self.owner,
            account_id=self.account.pk,
            amount=Money(1_000, "KWD"),
            operation="test",
            idempotency_key=key,
        )
        withdrawal_confirm(owner=self.owner, withdrawal_id=withdrawal.pk, code=Creator.code(withdrawal.pk))
        review = WithdrawalReview.objects.get(withdrawal=withdrawal)
        withdrawal_approve(review_id=review.pk, actor=self.people["admin"], reason="Known")
        return withdrawal

    def _captured(self) -> Payment:
        """A payment of the owner's for somebody else's course, of which all may be given back; a part was."""
        course = build_course(department=self.department, creator=self.people["other"])
        entry = post_sale(self.people["other"].pk, gross_minor=10_000, fee_minor=2_000)
        payment = build_enrollment(
            course,
            user=self.owner,
            gateway=GatewayName.PAYSTACK,
            amount_minor=10_000,
            platform_fee_bps=2_000,
            platform_fee_minor=2_000,
            captured_minor=10_000,
            captured_currency="NGN",
            sale_entry_id=entry,
        ).payment
        assert payment is not None
        with transaction.atomic():
            refund_book(
                payment=payment,
                amount=Money(1_000, "NGN"),
                source=RefundSource.PLATFORM,
                requested_by=None,
                reason="A part.",
                ends_access=False,
            )
        # Decided in our favour: open, it would stand in the way of refunds and of deleting the account.
        Dispute.objects.create(
            payment=payment,
            gateway_dispute_id="7",
            status=DisputeStatus.WON,
            currency="NGN",
            amount_minor=9_000,
            opened_at=now(),
        )
        return payment

    def api(self, person: str) -> APIClient:
        """A client that speaks for them by an access token, made now: the table outlasts one."""
        client = APIClient()
        if person != ANONYMOUS:
            opened = self.tokens[person]
            access = issue_tokens(user=opened.user, session_id=opened.session_id).access
            client.credentials(HTTP_AUTHORIZATION=f"Bearer {access}")
        return client

    def console(self, person: str, **options: Any) -> Client:
        """A browser in which they are signed in, if with these rights one can be."""
        client = Client(**options)
        for name, value in self._consoles[person].items():
            client.cookies[name] = value
        return client

    def fingerprint(self) -> dict[str, str]:
        """Of all that is kept: the rows of every table of the database, counted and digested, and the stored files."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
            tables = [connection.ops.quote_name(name) for (name,) in cursor.fetchall()]
            cursor.execute(
                " UNION ALL ".join(
                    f"SELECT '{table}', count(*) || ' rows, ' || coalesce(bit_xor(hashtextextended(r::text, 0)), 0)"
                    f" FROM {table} r"
                    for table in tables
                )
            )
            kept = dict(cursor.fetchall())
        return kept | {"files": " ".join(path.name for path in self._files())}

    @contextmanager
    def undone(self) -> Iterator[None]:
        """What happens inside has not happened afterwards."""
        files = set(self._files())
        with transaction_of_test():
            yield
        for path in set(self._files()) - files:
            path.unlink()

    def _files(self) -> list[Path]:
        return sorted(path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file())

    def _member(self, group: str) -> User:
        user = build_user(verified=True, is_staff=True)
        user.groups.add(Group.objects.get(name=group))
        return user

    def _console_cookies(self, person: str) -> dict[str, str]:
        client = Client()
        if person != ANONYMOUS:
            client.force_login(self.people[person])
        return {name: morsel.value for name, morsel in client.cookies.items()}


def new_key() -> dict[str, str]:
    return {"Idempotency-Key": new_id().hex}


def upload(name: str, content: bytes, content_type: str) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type)
