"""Shapes of the courses app, in and out. No queries, no writes."""

from typing import Any

from django.core.validators import URLValidator
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from courses.enums import AccessType, CourseStatus, EnrollmentStatus
from courses.models import Course, Enrollment
from courses.selectors import ORDERINGS
from learning247.kit.api.fields import AmountField, CurrencyCodeField, CurrencyField, LineField, validated_money
from learning247.kit.money import Money
from payments.selectors import charge_refusal

_web_address = URLValidator(schemes=["http", "https"])


# --- Queries --------------------------------------------------------------------------------------------------------


class Query(serializers.Serializer[Any]):
    """A query string, read strictly: a parameter that is given twice or makes no sense is a 400, not a guess."""

    @classmethod
    def read(cls, request: Request) -> dict[str, Any]:
        """Raises ValidationError that names the parameter."""
        known = list(cls._declared_fields)
        repeated = [name for name in known if len(request.query_params.getlist(name)) > 1]
        if repeated:
            raise serializers.ValidationError(dict.fromkeys(repeated, "Give this parameter once."), code="repeated")
        query = cls(data={name: request.query_params[name] for name in known if name in request.query_params})
        query.is_valid(raise_exception=True)
        return dict(query.validated_data)


class PageQuery(Query):
    page = serializers.IntegerField(min_value=1, required=False)
    page_size = serializers.IntegerField(min_value=1, required=False, help_text="More than 100 gives 100.")


class CourseListQuery(PageQuery):
    search = serializers.CharField(
        required=False, allow_blank=True, max_length=200, default="", help_text="Words in title or description."
    )
    ordering = serializers.ChoiceField(choices=list(ORDERINGS), required=False, default="title")


class CourseSearchQuery(PageQuery):
    q = serializers.CharField(min_length=2, max_length=200, help_text="Every word must occur.")
    department = serializers.CharField(required=False, max_length=140, help_text="Id or slug.")


# --- Out ------------------------------------------------------------------------------------------------------------


class DepartmentSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    slug = serializers.CharField()
    description = serializers.CharField()
    course_count = serializers.IntegerField(help_text="Published courses.")


class CourseDepartmentSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    slug = serializers.CharField()


class CourseCreatorSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField(source="full_name")


class MoneySerializer(serializers.Serializer[Any]):
    currency = serializers.CharField()
    amount = AmountField()


class CourseSerializer(serializers.Serializer[Any]):
    """A course: what everybody may see."""

    id = serializers.UUIDField()
    title = serializers.CharField()
    slug = serializers.CharField()
    department = CourseDepartmentSerializer()
    description = serializers.CharField()
    curriculum = serializers.CharField()
    duration = serializers.CharField()
    image_url = serializers.CharField()
    prices = serializers.SerializerMethodField()
    creator = CourseCreatorSerializer(allow_null=True, help_text="Null: the platform.")
    enrollment_count = serializers.IntegerField()

    @extend_schema_field(MoneySerializer(many=True))
    def get_prices(self, course: Course) -> Any:
        return MoneySerializer([price.money for price in course.product.prices.all()], many=True).data


class CourseDetailSerializer(CourseSerializer):
    """One course, with the external link for those who may open it."""

    link = serializers.SerializerMethodField(help_text="Null unless the caller owns the course or made it.")

    def get_link(self, course: Any) -> str | None:
        return course.link or None if course.viewer_may_open else None


class SalesSerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField(help_text="Settled payments.")
    gross = MoneySerializer(many=True, help_text="Per currency, before fee and refunds.")


class OwnCourseSerializer(CourseSerializer):
    """A course as its creator sees it. Context: `sales`, by course id."""

    status = serializers.ChoiceField(choices=CourseStatus.choices)
    link = serializers.CharField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    sales = serializers.SerializerMethodField()

    @extend_schema_field(SalesSerializer)
    def get_sales(self, course: Course) -> Any:
        return SalesSerializer(self.context["sales"][course.id]).data


class EnrolledCourseSerializer(CourseSerializer):
    """A course as its student sees it. Context: `open_links`, the ids of courses whose link may be shown."""

    link = serializers.SerializerMethodField(help_text="Null while access is not active.")

    def get_link(self, course: Course) -> str | None:
        return course.link or None if course.id in self.context["open_links"] else None


class EnrollmentSerializer(serializers.Serializer[Any]):
    """Context: `open_links` as above."""

    id = serializers.UUIDField()
    course = EnrolledCourseSerializer(allow_null=True, help_text="Null: a pass to every platform course.")
    access_type = serializers.ChoiceField(choices=AccessType.choices)
    status = serializers.ChoiceField(choices=EnrollmentStatus.choices)
    starts_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    payment_reference = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()

    def get_payment_reference(self, enrollment: Enrollment) -> str | None:
        return enrollment.payment.reference if enrollment.payment else None


# --- In -------------------------------------------------------------------------------------------------------------


class PriceInputSerializer(serializers.Serializer[Any]):
    """Validates to Money."""

    currency = CurrencyField()
    amount = AmountField()

    def validate(self, attrs: dict[str, str]) -> Money:
        price = validated_money(attrs["amount"], attrs["currency"])
        refusal = charge_refusal(price)
        if refusal:
            raise serializers.ValidationError({"amount": [refusal]})
        return price


class CourseInputSerializer(serializers.Serializer[Any]):
    title = LineField(max_length=200)
    department = serializers.CharField(max_length=140, help_text="Id or slug.")
    description = serializers.CharField(max_length=20_000, allow_blank=True, required=False)
    curriculum = serializers.CharField(max_length=50_000, allow_blank=True, required=False)
    duration = serializers.CharField(max_length=100, allow_blank=True, required=False)
    link = serializers.CharField(
        max_length=1000, allow_blank=True, required=False, validators=[_web_address],
        help_text="Where the course is taken: http or https, shown to the entitled alone.",
    )  # fmt: skip
    image = serializers.CharField(
        source="image_url", max_length=1000, allow_blank=True, required=False, validators=[_web_address],
        help_text="Address of a picture: http or https.",
    )  # fmt: skip
    prices = PriceInputSerializer(many=True, required=False, help_text="One per currency; zero in all: free of charge.")

    def validate_prices(self, prices: list[Money]) -> list[Money]:
        if len({price.currency for price in prices}) < len(prices):
            raise serializers.ValidationError("Give one price per currency.")
        if len({price.minor == 0 for price in prices}) > 1:
            raise serializers.ValidationError("A course is free in every currency or in none.")
        return prices


class StudentSerializer(serializers.Serializer[Any]):
    """Who takes the course; whatever is left out is the buyer's own."""

    name = LineField(max_length=200, required=False, allow_blank=True)
    email = serializers.EmailField(max_length=254, required=False, allow_blank=True)
    phone = serializers.CharField(max_length=32, required=False, allow_blank=True)


class PurchaseSerializer(serializers.Serializer[Any]):
    currency = CurrencyCodeField()
    access_type = serializers.ChoiceField(choices=AccessType.choices, default=AccessType.INDIVIDUAL)
    student = StudentSerializer(required=False)
