"""Shapes of a creator's own courses and of a purchase."""

from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.validators import URLValidator
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from courses.enums import AccessType, CourseStatus
from courses.models import Course, Department, Enrollment
from courses.serializers.catalogue import CourseSerializer, MoneySerializer
from learning247.kit.api.fields import AmountField, CurrencyCodeField, CurrencyField, LineField, validated_money
from learning247.kit.lengths import longest
from learning247.kit.money import Money
from payments.coupon_codes import MOST_TYPED
from payments.selectors import charge_refusal

_web_address = URLValidator(schemes=["http", "https"])


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


class ImageField(serializers.FileField):
    """An image itself. Its name and what it claims to be count for nothing: whoever stores it looks inside."""

    default_error_messages = {"no_name": "Send the image as a file, with a file's name."}

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault(
            "help_text",
            "JPEG, PNG or WebP, 5 MB and 12 megapixels (WebP: 6, a JPEG that is not progressive: 25) at most.",
        )
        super().__init__(use_url=False, **kwargs)


class ImageOrAddressField(serializers.CharField):
    """In a form, an image or the address of one; in JSON, the address."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if isinstance(data, UploadedFile):
            return ImageField().run_validation(data)
        return super().run_validation(data)


class CourseInputSerializer(serializers.Serializer[Any]):
    title = LineField(max_length=longest(Course, "title"))
    department = serializers.CharField(max_length=longest(Department, "slug"), help_text="Id or slug.")
    description = serializers.CharField(max_length=20_000, allow_blank=True, required=False)
    curriculum = serializers.CharField(max_length=50_000, allow_blank=True, required=False)
    duration = serializers.CharField(max_length=longest(Course, "duration"), allow_blank=True, required=False)
    link = serializers.CharField(
        max_length=longest(Course, "link"), allow_blank=True, required=False, validators=[_web_address],
        help_text="Where the course is taken: http or https, shown to the entitled alone.",
    )  # fmt: skip
    image = ImageOrAddressField(
        source="image_url", max_length=longest(Course, "image_url"), allow_blank=True, required=False,
        validators=[_web_address],
        help_text="Address of an image: http or https.",
    )  # fmt: skip
    prices = PriceInputSerializer(many=True, required=False, help_text="One per currency; zero in all: free of charge.")

    def validate_prices(self, prices: list[Money]) -> list[Money]:
        if len({price.currency for price in prices}) < len(prices):
            raise serializers.ValidationError("Give one price per currency.")
        if len({price.minor == 0 for price in prices}) > 1:
            raise serializers.ValidationError("A course is free in every currency or in none.")
        return prices

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """An image itself comes out as `image`, the address of one as `image_url`."""
        if isinstance(attrs.get("image_url"), UploadedFile):
            attrs["image"] = attrs.pop("image_url")
        return attrs


class CourseFormSerializer(CourseInputSerializer):
    """The same as a form, for the document: what is read is the other."""

    image = ImageField(required=False)  # type: ignore[assignment]


class ImageInputSerializer(serializers.Serializer[Any]):
    image = ImageField()


class StudentSerializer(serializers.Serializer[Any]):
    """Who takes the course; whatever is left out is the buyer's own."""

    name = LineField(max_length=longest(Enrollment, "student_name"), required=False, allow_blank=True)
    email = serializers.EmailField(max_length=longest(Enrollment, "student_email"), required=False, allow_blank=True)
    phone = LineField(max_length=longest(Enrollment, "student_phone"), required=False, allow_blank=True)


class PurchaseSerializer(serializers.Serializer[Any]):
    currency = CurrencyCodeField()
    access_type = serializers.ChoiceField(choices=AccessType.choices, default=AccessType.INDIVIDUAL)
    student = StudentSerializer(required=False)
    coupon = serializers.CharField(
        required=False, allow_null=True, allow_blank=True, default=None, max_length=MOST_TYPED,
        help_text="A code, in either case.",
    )  # fmt: skip
