"""Shapes of what staff see and send, and the queries that they filter with."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import User
from courses.enums import AccessType, CourseOwner, EnrollmentState
from courses.models import Course, Department, Enrollment
from courses.services.enrollments import MOST_MARKED_AT_ONCE
from learning247.kit.api.fields import AmountField, LineField
from learning247.kit.api.queries import FilterQuery, PageQuery
from learning247.kit.lengths import longest
from learning247.kit.money import EXPONENTS, Money
from learning247.records.reasons import LONGEST
from learning247.risk.enums import ReviewPriority, ReviewStatus
from payments.enums import EntitlementSource, PaymentStatus, ProductKind, ReviewReason
from payments.models import Entitlement, Payment, PaymentReview
from payments.selectors import approval_obstacle
from wallets.enums import WithdrawalDoubt, WithdrawalStatus
from wallets.models import WithdrawalReview


class EnrollmentQuery(FilterQuery):
    status = serializers.ChoiceField(choices=EnrollmentState.choices, required=False)
    department = serializers.CharField(required=False, max_length=longest(Department, "slug"), help_text="Id or slug.")
    course = serializers.CharField(required=False, max_length=longest(Course, "slug"), help_text="Id or slug.")
    access_type = serializers.ChoiceField(choices=AccessType.choices, required=False)
    owner = serializers.ChoiceField(
        choices=CourseOwner.choices, required=False, help_text="Whose course; passes are the platform's."
    )
    expiring_in_days = serializers.IntegerField(
        min_value=1, max_value=366, required=False, help_text="Not revoked, and over within so many days."
    )
    search = serializers.CharField(
        required=False,
        max_length=200,
        help_text="In the student's name or email, the course's title, or at the start of the payment's reference.",
    )


class EnrollmentListQuery(EnrollmentQuery, PageQuery):
    pass


class EnrollmentExportQuery(EnrollmentQuery):
    # Clients from before reasons were asked send none; the console asks.
    reason = LineField(max_length=LONGEST, default="", allow_blank=True, help_text="For the record, naming nobody.")


class PersonSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField(source="full_name")
    email = serializers.CharField()


class EnrollmentStudentSerializer(serializers.Serializer[Any]):
    """Who takes the course."""

    name = serializers.CharField(source="student_name")
    email = serializers.CharField(source="student_email")
    phone = serializers.CharField(source="student_phone")


class EnrollmentDepartmentSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    slug = serializers.CharField()


class EnrollmentCourseSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    title = serializers.CharField()
    slug = serializers.CharField()
    link = serializers.CharField()
    department = EnrollmentDepartmentSerializer()


class EnrollmentPaymentSerializer(serializers.Serializer[Any]):
    reference = serializers.CharField()
    status = serializers.ChoiceField(choices=PaymentStatus.choices)
    amount = AmountField(source="money.amount")
    currency = serializers.CharField()


class StaffEnrollmentSerializer(serializers.Serializer[Any]):
    """An enrollment as staff see it."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=EnrollmentState.choices, source="state")
    access_type = serializers.ChoiceField(choices=AccessType.choices)
    owner = serializers.ChoiceField(
        choices=CourseOwner.choices, help_text="Whose course; staff send sign-ins for the platform's alone."
    )
    student = EnrollmentStudentSerializer(source="*")
    account = PersonSerializer(source="user", help_text="Who bought it, or was given it.")
    course = EnrollmentCourseSerializer(allow_null=True, help_text="Null: a pass to every platform course.")
    payment = EnrollmentPaymentSerializer(allow_null=True, help_text="Null: granted by staff.")
    starts_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True, help_text="Null: for good.")
    credentials_sent_at = serializers.DateTimeField(allow_null=True)
    credentials_sent_by = PersonSerializer(allow_null=True)
    credentials_mailed_at = serializers.DateTimeField(
        allow_null=True, help_text="When the student was told by mail: once, also when marked again."
    )
    notes = serializers.CharField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class RevocationSerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField(source="revoked_at")
    reason = serializers.CharField(source="revoked_reason")


class EnrollmentEventSerializer(serializers.Serializer[Any]):
    action = serializers.CharField()
    actor = PersonSerializer(allow_null=True, help_text="Null: the platform.")
    reason = serializers.CharField()
    before = serializers.DictField(allow_null=True)
    after = serializers.DictField(allow_null=True)
    at = serializers.DateTimeField(source="created_at")


class StaffEnrollmentDetailSerializer(StaffEnrollmentSerializer):
    """The same, with how it came, how it ended, and what was done with it. Context: `history`."""

    revocation = serializers.SerializerMethodField()
    history = serializers.SerializerMethodField(help_text="The last fifty acts, newest first.")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        # The name of an attribute of every field; so it is added by name.
        fields["source"] = serializers.ChoiceField(choices=EntitlementSource.choices, source="entitlement.source")
        return fields

    @extend_schema_field(RevocationSerializer(allow_null=True))
    def get_revocation(self, enrollment: Enrollment) -> Any:
        entitlement = enrollment.entitlement
        return RevocationSerializer(entitlement).data if entitlement.revoked_at else None

    @extend_schema_field(EnrollmentEventSerializer(many=True))
    def get_history(self, enrollment: Enrollment) -> Any:
        return EnrollmentEventSerializer(self.context["history"], many=True).data


class NotesField(serializers.CharField):
    """Staff's own; students do not see them."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=longest(Enrollment, "notes"), allow_blank=True, required=False, **kwargs)


class EnrollmentMarkSerializer(serializers.Serializer[Any]):
    sent = serializers.BooleanField()
    notes = NotesField(help_text="Replaces what stands there; left out, it stays.")


class EnrollmentsMarkSerializer(serializers.Serializer[Any]):
    ids = serializers.ListField(
        child=serializers.UUIDField(), allow_empty=False, max_length=MOST_MARKED_AT_ONCE, help_text="Each once."
    )
    notes = NotesField(help_text="Replaces what stands there, but not where it was sent already; left out, it stays.")

    def validate_ids(self, ids: list[Any]) -> list[Any]:
        if len(set(ids)) < len(ids):
            raise serializers.ValidationError("Name each enrollment once.")
        return ids


class EnrollmentMarkedSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    outcome = serializers.CharField(
        help_text="sent, already_sent; or enrollment_not_found, enrollment_revoked, enrollment_expired."
    )
    detail = serializers.CharField()


class EnrollmentsMarkedSerializer(serializers.Serializer[Any]):
    sent = serializers.IntegerField(help_text="How many were marked now.")
    results = EnrollmentMarkedSerializer(many=True)


class EnrollmentRevokeSerializer(serializers.Serializer[Any]):
    reason = LineField(
        max_length=longest(Entitlement, "revoked_reason"), help_text="For the record; the student is not told."
    )


class GrantedStudentSerializer(serializers.Serializer[Any]):
    """Who takes the course; whatever is left out is the account's own."""

    name = LineField(max_length=longest(Enrollment, "student_name"), required=False, allow_blank=True)
    email = serializers.EmailField(max_length=longest(Enrollment, "student_email"), required=False, allow_blank=True)
    phone = LineField(max_length=longest(Enrollment, "student_phone"), required=False, allow_blank=True)


class EnrollmentGrantSerializer(serializers.Serializer[Any]):
    email = serializers.EmailField(max_length=longest(User, "email"), help_text="Of the person's account.")
    access_type = serializers.ChoiceField(choices=AccessType.choices, default=AccessType.INDIVIDUAL)
    course = serializers.CharField(
        max_length=longest(Course, "slug"), required=False, help_text="Id or slug; not with a pass."
    )
    student = GrantedStudentSerializer(required=False)
    reason = LineField(
        max_length=longest(Entitlement, "revoked_reason"), help_text="For the record; the student is not told."
    )
    notes = NotesField(default="")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if (attrs["access_type"] == AccessType.INDIVIDUAL) != ("course" in attrs):
            one = "Name the course." if "course" not in attrs else "A pass opens every platform course: name none."
            raise serializers.ValidationError({"course": [one]})
        return attrs


class DepartmentCountSerializer(serializers.Serializer[Any]):
    department = EnrollmentDepartmentSerializer()
    count = serializers.IntegerField()


class StatusCountsSerializer(serializers.Serializer[Any]):
    pending = serializers.IntegerField()
    credentials_sent = serializers.IntegerField()
    expired = serializers.IntegerField()
    revoked = serializers.IntegerField()


class AccessTypeCountsSerializer(serializers.Serializer[Any]):
    individual = serializers.IntegerField()
    monthly = serializers.IntegerField()
    yearly = serializers.IntegerField()


class EnrollmentStatsSerializer(serializers.Serializer[Any]):
    """Numbers of the moment; days and weeks (from Monday) are UTC's."""

    total = serializers.IntegerField()
    by_status = StatusCountsSerializer()
    by_access_type = AccessTypeCountsSerializer()
    by_department = DepartmentCountSerializer(many=True, help_text="Most first; passes belong to none.")
    expiring_in_7_days = serializers.IntegerField()
    expiring_in_30_days = serializers.IntegerField(help_text="Those in seven days among them.")
    made_today = serializers.IntegerField()
    made_this_week = serializers.IntegerField()
    waiting_longest = StaffEnrollmentSerializer(many=True, help_text="The ten oldest pending ones of the platform.")


class ReviewListQuery(PageQuery, FilterQuery):
    status = serializers.ChoiceField(choices=ReviewStatus.choices, default=ReviewStatus.OPEN)
    mine = serializers.BooleanField(required=False, help_text="Those that you look at.")


class ReviewedItemSerializer(serializers.Serializer[Any]):
    type = serializers.ChoiceField(choices=ProductKind.choices, source="kind")
    id = serializers.UUIDField(source="item_id")
    title = serializers.CharField()


class ReviewedPaymentSerializer(serializers.Serializer[Any]):
    reference = serializers.CharField()
    status = serializers.ChoiceField(choices=PaymentStatus.choices)
    amount = AmountField(source="money.amount", help_text="The price.")
    currency = serializers.CharField()
    captured = serializers.SerializerMethodField(help_text="What the gateway says it captured, for people to read.")
    item = ReviewedItemSerializer(source="product")
    buyer = PersonSerializer()

    def get_captured(self, payment: Payment) -> str:
        minor, currency = payment.captured_minor or 0, payment.captured_currency
        return str(Money(minor, currency)) if currency in EXPONENTS else f"{minor} minor units of {currency or '?'}"


class ReviewedWithdrawalSerializer(serializers.Serializer[Any]):
    reference = serializers.CharField()
    status = serializers.ChoiceField(choices=WithdrawalStatus.choices)
    amount = AmountField(source="money.amount")
    currency = serializers.CharField()
    to = serializers.CharField(source="account", help_text="The account, masked.")
    account_name = serializers.CharField(source="account.account_name")
    owner = PersonSerializer()


class ReviewSerializer(serializers.Serializer[Any]):
    """A question to people, about a payment or a withdrawal; the other is null."""

    id = serializers.UUIDField()
    kind = serializers.SerializerMethodField(help_text="What it is about.")
    status = serializers.ChoiceField(choices=ReviewStatus.choices)
    priority = serializers.ChoiceField(choices=ReviewPriority.choices)
    reason = serializers.ChoiceField(choices=[*ReviewReason.choices, *WithdrawalDoubt.choices])
    detail = serializers.CharField(source="get_reason_display")
    payment = ReviewedPaymentSerializer(allow_null=True)
    withdrawal = ReviewedWithdrawalSerializer(allow_null=True)
    approvals_needed = serializers.IntegerField(default=1, help_text="Of so many different people.")
    approved_by = serializers.SerializerMethodField(help_text="Who did so far, where it needs several.")
    approval_impossible = serializers.SerializerMethodField(
        help_text="Why it cannot be approved; null where it can, or where nothing is left to decide."
    )
    due_at = serializers.DateTimeField()
    overdue = serializers.BooleanField()
    escalated_at = serializers.DateTimeField(allow_null=True)
    assigned_to = PersonSerializer(allow_null=True)
    notes = serializers.CharField()
    decided_by = PersonSerializer(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    decision_reason = serializers.CharField()
    created_at = serializers.DateTimeField()

    @extend_schema_field(serializers.ChoiceField(choices=["payment", "withdrawal"]))
    def get_kind(self, review: PaymentReview | WithdrawalReview) -> str:
        return "payment" if isinstance(review, PaymentReview) else "withdrawal"

    @extend_schema_field(PersonSerializer(many=True))
    def get_approved_by(self, review: PaymentReview | WithdrawalReview) -> Any:
        people = [] if isinstance(review, PaymentReview) else [given.person for given in review.approvals.all()]
        return PersonSerializer(people, many=True).data

    def get_approval_impossible(self, review: PaymentReview | WithdrawalReview) -> str | None:
        if isinstance(review, WithdrawalReview) or review.status != ReviewStatus.OPEN:
            return None
        return approval_obstacle(review)


class ReviewEditSerializer(serializers.Serializer[Any]):
    """What is left out stays."""

    notes = serializers.CharField(max_length=longest(PaymentReview, "notes"), allow_blank=True, required=False)
    priority = serializers.ChoiceField(choices=ReviewPriority.choices, required=False)
    mine = serializers.BooleanField(required=False, help_text="You look at it; false: nobody does.")


class ReviewApprovalSerializer(serializers.Serializer[Any]):
    reason = LineField(
        max_length=longest(PaymentReview, "decision_reason"), default="", allow_blank=True, help_text="For the record."
    )


class ReviewRejectionSerializer(serializers.Serializer[Any]):
    reason = LineField(
        max_length=longest(PaymentReview, "decision_reason"),
        help_text="For the record; the buyer, or who withdraws, reads it.",
    )
